"""The S3 twin of documents/storage.py, apart because it needs boto3 (production only)."""

from storages.backends.s3 import S3Storage

from documents.storage import NoAddress


class PrivateS3Storage(NoAddress, S3Storage):
    """A private bucket; settings.py names it."""
