"""What crosses between a worker and its bounded child: plain values and bytes, never a pickle.

A message is a head (two lengths), a JSON text in which each bytes value stands as its rank, then
those bytes end to end. Reading one runs no code: the child may have been taken over by the file
that it was reading.
"""

import json
import struct
import time

HEAD = struct.Struct("!IQ")  # the length of the JSON text, then of all the bytes
MAX_TEXT_BYTES = 1024 * 1024
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
RANK = "bytes"  # {"bytes": 0} stands for the first bytes value: no other dict may have this key


class BadMessage(Exception):
    """The other side closed before its end, or what it said is not a message."""


def send(channel, value) -> None:
    """Write `value`: None, booleans, numbers, str, bytes, and lists and dicts of them.

    Tuples arrive as lists, choices of an enum as their value. Raises TypeError for anything else,
    OSError (TimeoutError included) as the socket does.
    """
    blobs = []
    shape = _shape(value, blobs)
    text = json.dumps([shape, [len(blob) for blob in blobs]]).encode()
    channel.sendall(HEAD.pack(len(text), sum(map(len, blobs))) + text)
    for blob in blobs:
        channel.sendall(blob)


def receive(channel, *, deadline: float | None = None):
    """Read one value, before `deadline` (by time.monotonic) if there is one.

    Raises BadMessage, or OSError (TimeoutError included).
    """
    text_bytes, blob_bytes = HEAD.unpack(_read(channel, HEAD.size, deadline))
    if text_bytes > MAX_TEXT_BYTES or blob_bytes > MAX_MESSAGE_BYTES:
        raise BadMessage("too long")
    text, rest = _read(channel, text_bytes, deadline), _read(channel, blob_bytes, deadline)
    try:
        shape, lengths = json.loads(text)
        return _value(shape, list(_cut(rest, lengths)))
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise BadMessage("not a value") from error


def _shape(value, blobs):
    if isinstance(value, bytes | bytearray | memoryview):
        blobs.append(value)
        return {RANK: len(blobs) - 1}
    if isinstance(value, list | tuple):
        return [_shape(item, blobs) for item in value]
    if isinstance(value, dict):
        if RANK in value:
            raise TypeError(f"«\u00a0{RANK}\u00a0» can't be a key of what crosses.")
        return {key: _shape(item, blobs) for key, item in value.items()}
    return value


def _value(shape, blobs):
    if isinstance(shape, list):
        return [_value(item, blobs) for item in shape]
    if isinstance(shape, dict):
        if RANK in shape:
            return blobs[shape[RANK]]
        return {key: _value(item, blobs) for key, item in shape.items()}
    return shape


def _cut(rest, lengths):
    start = 0
    for length in lengths:
        yield bytes(rest[start : start + length])
        start += length


def _read(channel, length, deadline):
    content = memoryview(bytearray(length))
    done = 0
    while done < length:
        if deadline is not None:
            channel.settimeout(max(deadline - time.monotonic(), 0.001))
        received = channel.recv_into(content[done:])
        if not received:
            raise BadMessage("cut short")
        done += received
    return bytes(content)
