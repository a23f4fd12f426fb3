"""Where the files of the families are kept: nothing leads to them but the view that checks."""

import os
from pathlib import Path

from django.core.files.storage import FileSystemStorage, InMemoryStorage


class NoAddress:
    """A storage that gives out no address: Django's own would answer « /fichier.pdf »."""

    def url(self, name):
        raise NotImplementedError("Private files have no address; see documents/views.py.")


class PrivateFileSystemStorage(NoAddress, FileSystemStorage):
    """A folder that only the service's own account may read.

    A file is on the disk, not only in memory, before its row says so: a power cut after the
    family's confirmation loses neither.
    """

    def __init__(self, **kwargs):
        kwargs.setdefault("file_permissions_mode", 0o600)
        kwargs.setdefault("directory_permissions_mode", 0o700)
        super().__init__(**kwargs)

    def _save(self, name, content):
        name = super()._save(name, content)
        path = Path(self.path(name))
        for each in (path, path.parent):
            _flush(each)
        return name


class PrivateInMemoryStorage(NoAddress, InMemoryStorage):
    """For the tests."""


def _flush(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
