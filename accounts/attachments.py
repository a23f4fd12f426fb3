"""The headers of a private file: saved by the browser, never shown nor kept by it."""

from django.http import HttpResponseBase


def seal(response: HttpResponseBase) -> None:
    """Keeps a file that is an attachment already from acting in the browser, and from its cache."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "no-store"
