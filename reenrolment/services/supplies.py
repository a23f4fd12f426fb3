"""The family hands in the pieces of a dossier, within the period or the complement asked for."""

from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction

from documents import services as documents
from documents.checks.bounded import run
from documents.models import Document
from documents.photos import LIMITS, pdf_name, pdf_of_photos
from documents.pieces import Piece
from reenrolment.enums import Status
from reenrolment.models import Campaign, Reenrolment
from reenrolment.pieces import demand_of
from reenrolment.services.drafts import check_open
from reenrolment.services.submission import check_complement
from students.models import Student


def hand_in(
    campaign: Campaign, student: Student, piece: Piece, *, name: str, content: bytes, actor
) -> Document:
    """Keeps a file for a piece due. No transaction is open while the file is checked and stored.

    Raises ValidationError: those of `check_may_send`, and of documents.services.hand_in.
    """
    check_may_send(campaign, student, piece)
    return documents.hand_in(
        name,
        content,
        type=piece.type,
        family=piece.family,
        student=None if piece.family else student,
        actor=actor,
        check=partial(_lock_and_check, campaign, student, piece),
    )


def hand_in_photos(
    campaign: Campaign, student: Student, piece: Piece, *, photos: list[tuple[str, bytes]], actor
) -> Document:
    """Makes one PDF of the photos of its pages (name and bytes), in their order, and hands it in.

    Raises ValidationError: those of `hand_in`, and of documents.photos.pdf_of_photos.
    """
    check_may_send(campaign, student, piece)  # before the long work
    return hand_in(
        campaign,
        student,
        piece,
        name=pdf_name(piece.type.name),
        content=run(pdf_of_photos, photos, limits=LIMITS),
        actor=actor,
    )


@transaction.atomic
def remove(campaign: Campaign, student: Student, piece: Piece) -> None:
    """Takes back the piece handed in; raises ValidationError as `check_may_send`."""
    _lock_and_check(campaign, student, piece)
    if piece.document is not None:
        documents.remove(piece.document)


def check_may_send(campaign: Campaign, student: Student, piece: Piece) -> None:
    """Every piece while the dossier is a draft; then exactly those asked for again.

    Raises ValidationError `not_open`, `closed`, `not_draft`, `too_late`, `not_requested`.
    """
    reenrolment = Reenrolment.objects.filter(campaign=campaign, student=student).first()
    if reenrolment is None or reenrolment.status == Status.DRAFT:
        check_open(campaign, student)
    elif reenrolment.status == Status.INCOMPLETE:
        check_complement(reenrolment)
        if piece.key not in {row.key for row in demand_of(reenrolment)}:
            raise ValidationError("Cette pièce n'est pas redemandée.", code="not_requested")
    else:
        raise ValidationError(
            "Ce dossier a déjà été déposé\u00a0: ses pièces ne changent plus.", code="not_draft"
        )


def _lock_and_check(campaign, student, piece):
    """The other parent may have submitted while the file was on its way."""
    Reenrolment.objects.select_for_update().filter(campaign=campaign, student=student).first()
    check_may_send(campaign, student, piece)
