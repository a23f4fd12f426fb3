"""The same file handed in more than once: by another household, or for another piece."""

from dataclasses import dataclass
from enum import Enum

from accounts.models import User
from documents.models import Document
from documents.selectors import documents_of

MOST = 5  # shown; an empty form may have been sent by hundreds


class Likeness(Enum):
    OTHER_HOUSEHOLD = "other"  # a borrowed document, or the two parents' same one
    OTHER_PIECE = "piece"  # the same file in the place of another piece
    SENT_AGAIN = "again"  # an earlier version: what was refused, perhaps


@dataclass(frozen=True)
class Duplicate:
    document: Document  # with its type, family and student
    likeness: Likeness


def duplicates_of(document: Document, agent: User) -> tuple[list[Duplicate], int]:
    """The MOST recent documents received with the very same bytes, and how many more there are.

    Those that the agent may see, other households' first. Three queries.
    """
    if not document.received_sha256:  # erased
        return [], 0
    same = (
        documents_of(agent)
        .filter(received_sha256=document.received_sha256)
        .exclude(pk=document.pk)
        .select_related("type", "family", "student")
        .prefetch_related("student__families")
        .order_by("-uploaded_at", "pk")
    )
    ours = _households(document)
    found = [Duplicate(other, _likeness(document, other, ours)) for other in same[: MOST + 1]]
    left = same.count() - MOST if len(found) > MOST else 0
    found = sorted(found[:MOST], key=lambda each: each.likeness != Likeness.OTHER_HOUSEHOLD)
    return found, left


def _likeness(document, other, ours):
    if ours.isdisjoint(_households(other)):
        return Likeness.OTHER_HOUSEHOLD
    same_piece = (other.type_id, other.student_id) == (document.type_id, document.student_id)
    return Likeness.SENT_AGAIN if same_piece else Likeness.OTHER_PIECE


def _households(document):
    if document.family_id:
        return {document.family_id}
    return {family.pk for family in document.student.families.all()}
