"""What a parser may do once a file has got the better of it; run in bounded children."""

import ctypes
import os
import pickle
import signal
import socket
import time

from django.core.exceptions import ValidationError

from documents.checks import wire


def give_back(*values):
    return list(values)


def give_an_object():
    return object()


def refuse():
    raise ValidationError("Non.", code="no")


def fail(message):
    raise LookupError(message)


def spin():
    while True:
        pass


def sleep(seconds=600):
    time.sleep(seconds)


def fill_memory():
    held = []
    while True:
        held.append(bytearray(1024 * 1024))


def hold(megabytes):
    return len(bytearray(os.urandom(1024 * 1024) * megabytes))


def crash():
    ctypes.string_at(0)


def leave():
    os._exit(0)


def die_by(number):
    os.kill(os.getpid(), number)


def kill_server():
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(600)


def write_file(path):
    with open(path, "w") as file:
        file.write("x" * 100)


def open_descriptors():
    return sorted(int(name) for name in os.listdir("/proc/self/fd"))


def environment():
    return sorted(os.environ)


def say(content):
    """Write bytes that no honest child would, in the place of an answer."""
    socket.socket(fileno=os.dup(3)).sendall(content)
    os._exit(0)


class Planted:
    """What a pickle would run in the parent."""

    def __reduce__(self):
        return os.mkdir, (self.path,)

    def __init__(self, path):
        self.path = path


def say_pickle(path):
    say(pickle.dumps(Planted(path)))


def say_text(text):
    """A message of the right form around any text."""
    say(wire.HEAD.pack(len(text), 0) + text.encode())


def say_huge():
    say(wire.HEAD.pack(10, 2**40))


def say_too_early():
    """Answer without having read the order to its end, and go."""
    say(b"\0" * 100)
