"""The headers of a private file: saved by the browser, never shown nor kept by it."""

from django.http import HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header


def attached_pdf(content: bytes, name: str) -> HttpResponse:
    """A PDF to save under this name."""
    response = HttpResponse(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": content_disposition_header(True, name)},
    )
    seal(response)
    return response


def seal(response: HttpResponseBase) -> None:
    """Keeps a file that is an attachment already from acting in the browser, and from its cache."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "no-store"
