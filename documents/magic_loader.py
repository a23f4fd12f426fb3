from contextlib import suppress
from functools import cache

from django.core.exceptions import ImproperlyConfigured


def mime_type(content):
    """Return the MIME type libmagic reads in `content` (bytes), such as "application/pdf".

    Raises ImproperlyConfigured when no libmagic can be loaded.
    """
    return _detector().from_buffer(content)


@cache
def _detector():
    """Open the system's libmagic, else the one carried by the pylibmagic package."""
    with suppress(Exception):  # ImportError, OSError or MagicException: all mean none
        return _open_libmagic()
    try:
        # Only where the system has none: importing it patches ctypes for the whole process.
        import pylibmagic  # noqa: F401, PLC0415 (importing is what makes it found)

        return _open_libmagic()
    except Exception as error:
        raise ImproperlyConfigured(
            "La bibliothèque libmagic est introuvable\u00a0: installez le paquet Debian "
            "libmagic1 (apt-get install libmagic1), puis relancez le site."
        ) from error


def _open_libmagic():
    import magic  # noqa: PLC0415 (it looks for the library as soon as it is imported)

    return magic.Magic(mime=True)
