"""What `manage.py check` verifies before the site starts."""

from django.conf import settings
from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured

from documents.antivirus.clamd import Clamd
from documents.magic_loader import mime_type


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
