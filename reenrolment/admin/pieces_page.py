"""What the viewer shows: one piece of a dossier at a time, in a constant number of queries."""

import datetime as dt
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, Q
from django.http import Http404

from documents.duplicates import Duplicate, Likeness, duplicates_of
from documents.enums import Preview, Scan, Verdict
from documents.models import Document, PageImage, Reading, Review
from documents.pieces import Piece, is_older
from documents.reviewing import seen_of
from reenrolment.enums import TO_EXAMINE
from reenrolment.models import Reenrolment
from reenrolment.pieces import load_pieces
from reenrolment.worklist import dossiers_of, pieces_in_force


@dataclass(frozen=True)
class Twin:
    """A duplicate, and the dossiers of this campaign where it counts."""

    duplicate: Duplicate
    dossiers: list[Reenrolment] = field(default_factory=list)

    @property
    def is_of_other_household(self) -> bool:
        return self.duplicate.likeness == Likeness.OTHER_HOUSEHOLD

    @property
    def is_sent_again(self) -> bool:
        return self.duplicate.likeness == Likeness.SENT_AGAIN


@dataclass(frozen=True)
class Viewing:
    dossier: Reenrolment
    pieces: list[Piece]  # those handed in, in the order of the dossier
    piece: Piece
    images: list[PageImage]
    reading: Reading | None
    last_review: Review | None
    seen: str  # what the forms send back
    twins: list[Twin]
    more_twins: int
    following_dossier: Reenrolment | None  # with pieces to examine

    @property
    def document(self) -> Document:
        return self.piece.document

    @property
    def number(self) -> int:
        """Its place among the pieces, from 1."""
        return self.pieces.index(self.piece) + 1

    @property
    def previous(self) -> Piece | None:
        return self.pieces[self.number - 2] if self.number > 1 else None

    @property
    def following(self) -> Piece | None:
        return self.pieces[self.number] if self.number < len(self.pieces) else None

    @property
    def left_to_examine(self) -> int:
        return len(pending_of(self.pieces))

    @property
    def is_open(self) -> bool:
        return self.dossier.status in TO_EXAMINE

    @property
    def is_waiting(self) -> bool:
        """Its images are on their way, unless it is in quarantine: those wait for the antivirus."""
        return self.document.may_be_lent and self.document.preview == Preview.WAITING

    @property
    def has_failed(self) -> bool:
        return bool(self.document.file) and self.document.preview == Preview.FAILED

    @property
    def pages_not_shown(self) -> int:
        return max(0, (self.document.pages or 0) - len(self.images)) if self.images else 0

    @property
    def date(self) -> dt.date | None:
        """Of the document: confirmed, else read."""
        if self.reading is None:
            return None
        return self.reading.issued_on if self.reading.is_confirmed else self.reading.date_read

    @property
    def is_older(self) -> bool:
        return self.date is not None and is_older(self.date, self.document)


def dossier_of(user, pk) -> Reenrolment:
    """Raises Http404 when the dossier is not one of the agent's establishments'."""
    related = ["campaign__establishment", "campaign__school_year", "student"]
    dossier = dossiers_of(user).select_related(*related).filter(pk=pk).first()
    if dossier is None:
        raise Http404
    return dossier


def handed_in(dossier: Reenrolment) -> list[Piece]:
    """The pieces of the dossier that there is something to see of."""
    return [piece for piece in load_pieces(dossier) if piece.document]


def pending_of(pieces: list[Piece]) -> list[Piece]:
    """Those to examine now; one in quarantine can't be seen, and comes back once it is scanned."""
    return [
        piece
        for piece in pieces
        if piece.document.verdict == Verdict.PENDING and not piece.document.is_quarantined
    ]


def piece_of(pieces: list[Piece], document_pk) -> Piece | None:
    return next((piece for piece in pieces if piece.document.pk == document_pk), None)


def is_former(dossier: Reenrolment, document_pk) -> bool:
    """Was the document one of this student's, or of his households, before another one?"""
    of_student = Q(student=dossier.student_id)
    of_family = Q(family__students=dossier.student_id)
    return Document.objects.filter(of_student | of_family, pk=document_pk).exists()


def next_to_examine(pieces: list[Piece], after: Piece) -> Piece | None:
    """The next piece to examine, going round; None when there is none left."""
    start = pieces.index(after) + 1
    return next(iter(pending_of(pieces[start:] + pieces[: start - 1])), None)


def load_viewing(user, dossier: Reenrolment, pieces: list[Piece], piece: Piece) -> Viewing:
    document = piece.document
    duplicates, more = duplicates_of(document, user)
    return Viewing(
        dossier=dossier,
        pieces=pieces,
        piece=piece,
        images=list(document.page_images.all()),
        reading=Reading.objects.filter(document=document).select_related("confirmed_by").first(),
        last_review=document.reviews.select_related("actor").first(),
        seen=seen_of(document),
        twins=_twins(user, dossier, duplicates),
        more_twins=more,
        following_dossier=dossiers_to_examine(user, dossier.campaign.establishment_id)
        .filter(_after(dossier))
        .exclude(pk=dossier.pk)
        .first(),
    )


def dossiers_to_examine(user, establishment):
    """Those with a piece to examine now (see `pending_of`), oldest first."""
    seen = pieces_in_force(Verdict.PENDING).exclude(document__scan=Scan.WAITING)
    pending = seen.filter(reenrolment=OuterRef("pk"))
    return (
        dossiers_of(user)
        .filter(Exists(pending), campaign__establishment=establishment, status__in=TO_EXAMINE)
        .select_related("student")
        .order_by("submitted_at", "pk")
    )


def _after(dossier):
    at = dossier.submitted_at
    if at is None:
        return Q()
    return Q(submitted_at__gt=at) | Q(submitted_at=at, pk__gt=dossier.pk)


def _twins(user, dossier, duplicates):
    """With the dossiers of the same campaign that each one's household, or student, has."""
    if not duplicates:
        return []
    others = [each.document for each in duplicates]
    students = Q(student__in=[d.student_id for d in others if d.student_id])
    families = Q(student__families__in=[d.family_id for d in others if d.family_id])
    dossiers = (
        dossiers_of(user)
        .filter(students | families, campaign=dossier.campaign_id)
        .exclude(pk=dossier.pk)
        .select_related("student")
        .prefetch_related("student__families")
        .order_by("pk")
        .distinct()
    )
    found = list(dossiers)
    return [Twin(each, [one for one in found if _is_of(one, each.document)]) for each in duplicates]


def _is_of(dossier, document):
    if document.student_id:
        return document.student_id == dossier.student_id
    return document.family_id in {family.pk for family in dossier.student.families.all()}
