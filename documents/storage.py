"""Where the files of the families are kept: nothing leads to them but the view that checks."""

from django.core.files.storage import FileSystemStorage, InMemoryStorage


class NoAddress:
    """A storage that gives out no address: Django's own would answer « /fichier.pdf »."""

    def url(self, name):
        raise NotImplementedError("Private files have no address; see documents/views.py.")


class PrivateFileSystemStorage(NoAddress, FileSystemStorage):
    """A folder that only the service's own account may read."""

    def __init__(self, **kwargs):
        kwargs.setdefault("file_permissions_mode", 0o600)
        kwargs.setdefault("directory_permissions_mode", 0o700)
        super().__init__(**kwargs)


class PrivateInMemoryStorage(NoAddress, InMemoryStorage):
    """For the tests."""
