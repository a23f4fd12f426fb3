"""The picture that shows a family what a piece looks like: by the staff, of no real person."""

import logging
from dataclasses import dataclass
from io import BytesIO

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.http import FileResponse, HttpResponse
from PIL import Image

from accounts.attachments import seal
from documents.checks import check_file
from documents.checks.names import propose_name
from documents.enums import Formats
from documents.models import DocumentType, example_name

logger = logging.getLogger(__name__)

LONGEST_SIDE = 1200  # pixels: a page stays readable, and light on a phone
A_DAY = 86_400  # seconds; a new picture has a new address, by its `example_version`
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png"}


@dataclass(frozen=True)
class Picture:
    content: bytes
    extension: str  # "jpg" | "png"


def check(name: str, content: bytes) -> Picture:
    """The picture, checked like a family's and written anew, smaller if need be.

    Raises ValidationError with the codes of documents.checks.check_file, but for the name's, which
    nobody reads.
    """
    checked = check_file(propose_name(name), content, formats=Formats.IMAGE)
    return Picture(_shrunk(checked.content), EXTENSIONS[checked.content_type])


def store(picture: Picture) -> str:
    """Gives its name in the private storage. Raises ValidationError `storage_down`."""
    wanted = example_name(None, f"exemple.{picture.extension}")
    try:
        return _storage().save(wanted, ContentFile(picture.content))
    except Exception as error:  # each storage has its own
        logger.exception("An example could not be stored.")
        raise ValidationError(
            "L'image n'a pas pu être enregistrée\u00a0: notre espace de stockage ne répond pas. "
            "Réessayez dans quelques minutes.",
            code="storage_down",
        ) from error


def show(document_type: DocumentType) -> HttpResponse:
    """The picture, inline, which can do nothing in the browser; 503 while it can't be read."""
    try:
        with document_type.example.open() as stored:
            content = stored.read()
    except Exception:
        logger.exception("The example of the type %s could not be read.", document_type.pk)
        response = HttpResponse("Image indisponible.", status=503, content_type="text/plain")
        seal(response)
        return response
    kind = "png" if document_type.example.name.endswith(".png") else "jpeg"
    response = FileResponse(BytesIO(content), content_type=f"image/{kind}")
    response["Content-Disposition"] = f'inline; filename="exemple.{kind}"'
    seal(response)
    response["Cache-Control"] = f"private, max-age={A_DAY}"
    return response


def _storage():
    return DocumentType._meta.get_field("example").storage


def _shrunk(content):
    """What is small enough stays as it was written."""
    image = Image.open(BytesIO(content))
    if max(image.size) <= LONGEST_SIDE:
        return content
    written, image_format = BytesIO(), image.format
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    image.save(written, image_format)
    return written.getvalue()
