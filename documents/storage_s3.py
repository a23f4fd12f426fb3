"""The S3 twin of documents/storage.py, apart because it needs boto3 (production only)."""

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from storages.backends.s3 import S3Storage

from documents.storage import NoAddress


class PrivateS3Storage(NoAddress, S3Storage):
    """A private bucket; settings.py names it.

    `connect_timeout` and `read_timeout` are in seconds; a request is sent at most `attempts` times,
    so that a family reads « notre espace de stockage ne répond pas » before its browser, or
    gunicorn (60 s), gives up. `encryption` (« AES256 », « aws:kms » with its `kms_key`, « none »)
    goes with each file. No ACL is sent: an object without one is private, and a bucket whose owner
    is enforced refuses any.
    """

    def __init__(
        self,
        *,
        connect_timeout: float = 3,
        read_timeout: float = 10,
        attempts: int = 2,
        addressing_style: str = "auto",
        encryption: str = "none",
        kms_key: str = "",
        **options,
    ):
        # Other hosts know SigV4, and not the checksums that Amazon's clients send since 2025.
        checksums = "when_required" if options.get("endpoint_url") else "when_supported"
        options["client_config"] = Config(
            signature_version="s3v4",
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": attempts},
            s3={"addressing_style": addressing_style},
            request_checksum_calculation=checksums,
            response_checksum_validation=checksums,
        )
        # In the request's own thread: a piece has 2 Mo. A body cut short is read `attempts` times.
        options["transfer_config"] = TransferConfig(
            use_threads=False, num_download_attempts=attempts
        )
        options["object_parameters"] = _encrypted(encryption, kms_key)
        # A name given twice is a fault that must not cost a family its piece, as in the folder.
        super().__init__(file_overwrite=False, default_acl=None, **options)


def _encrypted(encryption, kms_key):
    if encryption == "none":
        return {}
    key = {"SSEKMSKeyId": kms_key} if kms_key else {}
    return {"ServerSideEncryption": encryption, **key}
