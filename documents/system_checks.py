"""What `manage.py check` verifies before the site starts; `--deploy`: before it opens."""

import importlib.util
import os
from pathlib import Path

from django.conf import settings
from django.core.checks import Error, Warning
from django.core.exceptions import ImproperlyConfigured

from documents.antivirus.clamd import Clamd
from documents.magic_loader import mime_type

ENCRYPTIONS = ["AES256", "aws:kms", "none"]
ADDRESSINGS = ["auto", "path", "virtual"]


def check_libmagic(app_configs, **kwargs) -> list[Error]:
    """Without libmagic no file could be checked: said at the start, not to the first family."""
    try:
        mime_type(b"")
    except ImproperlyConfigured as error:
        return [Error(str(error), id="documents.E001")]
    return []


def check_clamd(app_configs, **kwargs) -> list[Error]:
    """A setting that names no antivirus would put every piece in quarantine."""
    try:
        if settings.CLAMD:
            Clamd.at(settings.CLAMD)
    except ImproperlyConfigured as error:
        return [Error(str(error), id="documents.E010")]
    return []


def check_s3(app_configs, **kwargs) -> list[Error]:
    """Settings that contradict each other: said at the start, not to the first family."""
    wrongs = _contradictions(settings.S3)
    return [Error(sentence, id=f"documents.E{number}") for number, sentence in wrongs]


def check_storage_is_private(app_configs, **kwargs) -> list[Warning]:
    """Before the site opens: the pieces travel and lie encrypted, and nobody else reads them."""
    if settings.S3["bucket_name"]:
        wrongs = _carelessness(settings.S3)
    else:
        wrongs = _open_folder(settings.STORAGES["private"])
    return [Warning(sentence, id=f"documents.W{number}") for number, sentence in wrongs]


def _contradictions(s3):
    if not s3["bucket_name"]:
        if any(s3[name] for name in ("endpoint_url", "region_name", "location", "kms_key")):
            yield (
                101,
                "Des réglages S3 sont donnés sans S3_BUCKET\u00a0: les pièces iraient dans le"
                " dossier de la machine.",
            )
        return
    if importlib.util.find_spec("boto3") is None:
        yield (
            102,
            "S3_BUCKET est donné et boto3 n'est pas installé\u00a0: installez"
            " requirements/production.txt.",
        )
    if s3["encryption"] not in ENCRYPTIONS:
        yield 103, f"S3_ENCRYPTION est {' ou '.join(ENCRYPTIONS)}."
    if s3["kms_key"] and s3["encryption"] != "aws:kms":
        yield 104, "S3_KMS_KEY ne sert qu'avec S3_ENCRYPTION=aws:kms."
    if s3["addressing_style"] not in ADDRESSINGS:
        yield 105, f"S3_ADDRESSING est {' ou '.join(ADDRESSINGS)}."
    if not (0 < s3["connect_timeout"] <= 10 and 0 < s3["read_timeout"] <= 20):
        yield (
            106,
            "S3_CONNECT_TIMEOUT (10 secondes au plus) et S3_READ_TIMEOUT (20 au plus)\u00a0:"
            " au-delà, gunicorn coupe avant que la famille n'ait sa phrase.",
        )


def _carelessness(s3):
    if (s3["endpoint_url"] or "").startswith("http:"):
        yield 101, "S3_ENDPOINT_URL n'est pas en https\u00a0: les pièces circuleraient en clair."
    if s3["encryption"] == "none":
        yield (
            102,
            "S3_ENCRYPTION=none\u00a0: les pièces ne sont pas chiffrées sur les disques de"
            " l'hébergeur.",
        )
    if not (s3["region_name"] or os.environ.get("AWS_DEFAULT_REGION")):
        yield (
            103,
            "S3_REGION manque\u00a0: les demandes seraient signées pour la région us-east-1, que"
            " votre hébergeur peut refuser.",
        )


def _open_folder(storage):
    folder = Path(storage.get("OPTIONS", {}).get("location", ""))
    if folder.is_absolute() and folder.is_dir() and folder.stat().st_mode & 0o007:
        yield 104, f"Le dossier des pièces est ouvert à tous\u00a0: chmod 700 {folder}."
