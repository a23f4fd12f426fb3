"""A local folder and a private bucket in the place of the tests' storage in memory."""

import logging
import resource
import socket
import urllib.request
from contextlib import contextmanager
from threading import Event, Thread

import boto3
from django.apps import apps
from django.core.files.storage import storages
from django.db.models import FileField
from moto.server import ThreadedMotoServer

from documents.storage import PrivateFileSystemStorage
from documents.storage_s3 import PrivateS3Storage

BUCKET, PREFIX = "pieces", "imuse"
KEYS = {"access_key": "test", "secret_key": "test"}  # moto takes any


def use_storage(monkeypatch, storage):
    """Every private file is kept there, until `monkeypatch` is undone."""
    storages["private"]  # made once, so that it comes back
    monkeypatch.setitem(storages._storages, "private", storage)
    fields = [field for model in apps.get_models() for field in model._meta.fields]
    for field in fields:
        if isinstance(field, FileField):
            monkeypatch.setattr(field, "storage", storage)


def local_folder(path) -> PrivateFileSystemStorage:
    return PrivateFileSystemStorage(location=path)


def s3_storage(endpoint: str, **options) -> PrivateS3Storage:
    """As settings.py makes it, with short delays."""
    options = {"connect_timeout": 1, "read_timeout": 2, "encryption": "AES256", **options}
    return PrivateS3Storage(
        bucket_name=BUCKET,
        endpoint_url=endpoint,
        region_name="fr-par",
        location=PREFIX,
        **KEYS,
        **options,
    )


class FullDisk(PrivateFileSystemStorage):
    """The system itself refuses what goes past `room` bytes: the beginning is written."""

    room = 100

    def _save(self, name, content):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.room, limits[1]))
        try:
            return super()._save(name, content)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)


class S3Server:
    """A real S3 API over HTTP, on a free port of this machine."""

    def __init__(self):
        logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.endpoint = f"http://{host}:{port}"
        _post(f"{self.endpoint}/moto-api/reset")  # its state outlives each server of the process
        self.client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="eu-west-3",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self.client.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}
        )

    def empty(self):
        listed = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        for each in listed:
            self.client.delete_object(Bucket=BUCKET, Key=each["Key"])

    def stop(self):
        self._server.stop()
        self.client.close()


def _post(url):
    with urllib.request.urlopen(urllib.request.Request(url, method="POST")):
        pass


class _Listener:
    """Gives every request one answer; with none, it says nothing and holds the line."""

    def __init__(self, answer):
        self.answer, self.asked, self.asked_times = answer, Event(), 0
        self._callers = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:  # closed: the test is over
                return
            self._callers.append(caller)
            self.asked_times += 1
            self.asked.set()
            if self.answer:
                caller.recv(65536)
                caller.sendall(self.answer)
                caller.shutdown(socket.SHUT_WR)

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=5)
        for caller in self._callers:
            caller.close()


@contextmanager
def answering(answer: bytes = b""):
    """A server with an `endpoint`, and `asked`, set at the first request; silent by default."""
    listener = _Listener(answer)
    try:
        yield listener
    finally:
        listener.close()


def http(status: str, code: str) -> bytes:
    """What an S3 server says when it refuses."""
    body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body
