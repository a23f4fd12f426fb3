"""Which pieces a student's households owe for a school year, and what was handed in."""

import calendar
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from accounts.models import Establishment
from accounts.prepared import prepared
from documents.enums import Audience, Owner, Verdict
from documents.models import Document, DocumentType, PieceRule, Review
from families.models import Family
from students.models import Custody, SchoolYear, Student

ADULT_AGE = 18  # years


def accepted_at(document: str = "pk") -> Subquery:
    """When a document was last accepted, to annotate rows whose `document` names its key."""
    of_document = Review.objects.filter(document=OuterRef(document), verdict=Verdict.ACCEPTED)
    return Subquery(of_document.order_by("-pk").values("at")[:1])


@dataclass(frozen=True)
class Piece:
    """A piece due: of the student, or of one of the one or two households."""

    type: DocumentType
    student: Student
    family: Family | None  # None: a piece of the student
    document: Document | None  # the one handed in, None while it is missing
    expired: Document | None = None  # the one handed in that no longer counts, too old
    either_home: bool = False  # in alternating custody, one household's is enough
    is_covered: bool = False  # and the other household's is: nothing is asked of this one

    @property
    def key(self) -> str:
        return piece_key(self.type.pk, self.family.pk if self.family else None)

    @property
    def is_missing(self) -> bool:
        return self.document is None and not self.is_covered

    @property
    def is_only_missing(self) -> bool:
        """Never sent, and due from this household alone: there is nothing else to say of it."""
        return self.is_missing and self.expired is None and not self.either_home

    @property
    def is_refused(self) -> bool:
        """Whatever it changes: of a household that the other one covers, nothing."""
        return self.document is not None and self.document.verdict == Verdict.REFUSED

    @property
    def is_accepted(self) -> bool:
        return self.document is not None and self.document.verdict == Verdict.ACCEPTED

    @property
    def sent_on(self) -> dt.date | None:
        """When the document, or else the one that is too old, was sent (in Paris)."""
        document = self.document or self.expired
        return timezone.localdate(document.uploaded_at) if document else None

    @property
    def accepted_on(self) -> dt.date | None:
        """None unless it is accepted, by somebody whom the log knows (see `accepted_at`)."""
        at = getattr(self.document, "accepted_at", None) if self.is_accepted else None
        return timezone.localdate(at) if at else None

    @property
    def valid_until(self) -> dt.date | None:
        """The last day on which the document counts for a new dossier; None: always."""
        return valid_until(self.document, self.type) if self.document else None

    @property
    def sets_top_rate(self) -> bool:
        """Missing or refused: the « tarif haut » applies (the manual, step 7)."""
        return not self.is_covered and (self.is_missing or self.is_refused)

    @property
    def concerns_home(self) -> bool:
        """Is it asked of the household, or did the household send one all the same?"""
        return not self.is_covered or self.document is not None

    @property
    def what(self) -> tuple:
        """What is lacking, once: the same for both households where one of them is enough."""
        return (self.type.pk, None if self.either_home or not self.family else self.family.pk)


@dataclass(frozen=True)
class Pupil:
    """A student with all his custodies, each with its `family`; `dances`: has he a dance course?"""

    student: Student
    custodies: list[Custody]
    dances: bool


def pieces_due(
    student: Student,
    custodies: list[Custody],
    *,
    establishment: Establishment,
    school_year: SchoolYear,
    dances: bool,
    at: dt.datetime | None = None,
) -> list[Piece]:
    """The pieces due in the order of the rules, each household's in alternating custody.

    `custodies` are all the student's, with their `family`; `dances` says whether one of his
    courses is dance. A document counts while it is valid at `at` (now, or the submission).
    Two queries.
    """
    pupils = [Pupil(student, custodies, dances)]
    due = pieces_due_of_many(pupils, establishment=establishment, school_year=school_year, at=at)
    return due[student.pk]


def pieces_due_of_many(
    pupils: Iterable[Pupil],
    *,
    establishment: Establishment,
    school_year: SchoolYear,
    at: dt.datetime | None = None,
) -> dict[int, list[Piece]]:
    """`pieces_due` of each pupil, by the student's key. Two queries for all of them."""
    pupils = list(pupils)
    at = at or timezone.now()
    handed_in = _handed_in(pupils)
    rules = _rules(establishment, school_year)
    return {pupil.student.pk: _pieces(pupil, rules, handed_in, at) for pupil in pupils}


def settle(pieces: list[Piece]) -> list[Piece]:
    """Where one household is enough, the other is covered as long as that one's is not refused.

    To be played again whenever the documents of the pieces change.
    """
    good = {p.type.pk: p for p in pieces if p.either_home and p.document and not p.is_refused}
    return [
        replace(p, is_covered=p.either_home and p.type.pk in good and not _is_good(p))
        for p in pieces
    ]


def lacking(pieces: list[Piece]) -> list[Piece]:
    """Missing or refused, each once: a refused one rather than the other household's missing."""
    found = {}
    for piece in pieces:
        if piece.sets_top_rate and (piece.what not in found or piece.is_refused):
            found[piece.what] = piece
    return list(found.values())


def _is_good(piece):
    return piece.document is not None and not piece.is_refused


def _pieces(pupil, rules, handed_in, at):
    pieces = []
    for rule, communes in rules:
        asked = asked_of(rule, communes, pupil)
        for family in asked:
            owner = (family.pk, None) if family else (None, pupil.student.pk)
            document = handed_in.get((rule.document_type_id, *owner))
            counts = document is not None and is_valid(document, rule.document_type, at)
            pieces.append(
                Piece(
                    rule.document_type,
                    pupil.student,
                    family,
                    document if counts else None,
                    expired=None if counts else document,
                    either_home=not rule.each_home and len(asked) > 1,
                )
            )
    return settle(pieces)


def asked_of(rule: PieceRule, communes: set[int], pupil: Pupil) -> list[Family | None]:
    """The households that the rule asks for the pupil's piece; [None] for a piece of his own.

    Empty: nothing is asked. `communes` are the keys of the rule's, empty for all of them; the
    rule comes with its `school_year` and `document_type`.
    """
    if not _concerns(rule, pupil.student, pupil.dances):
        return []
    asked = [c.family for c in pupil.custodies if not communes or c.family.commune_id in communes]
    return [None] if asked and rule.document_type.owner == Owner.STUDENT else asked


def piece_key(type_id: int, family_id: int | None) -> str:
    """Names a piece in a form: « 3-f12 » is type 3 from family 12, « 4-s » the student's."""
    return f"{type_id}-f{family_id}" if family_id else f"{type_id}-s"


def is_valid(document: Document, document_type: DocumentType, at: dt.datetime) -> bool:
    """Does it count on the day of `at` (in Paris), `valid_until` included?"""
    until = valid_until(document, document_type)
    return until is None or timezone.localdate(at) <= until


def valid_until(document: Document, document_type: DocumentType) -> dt.date | None:
    """The last day on which it counts: the type's `valid_months` later; None: always."""
    months = document_type.valid_months
    return None if months is None else _months_after(counts_from(document), months)


def counts_from(document: Document) -> dt.date:
    """The day from which its age counts: the one on which it was sent, in Paris."""
    return timezone.localdate(document.uploaded_at)


def is_older(day: dt.date, document: Document) -> bool:
    """Is a piece dated `day` older than its type allows, on the day when it was sent?"""
    months = document.type.valid_months
    sent = timezone.localdate(document.uploaded_at)
    return months is not None and _months_after(day, months) < sent


def _rules(establishment, school_year):
    """Each rule with the ids of its communes: one query, a row per commune."""
    rules = {}
    for rule in _rules_by_commune(establishment.pk, school_year.pk):
        _, communes = rules.setdefault(rule.pk, (rule, set()))
        if rule.commune:
            communes.add(rule.commune)
    return sorted(rules.values(), key=lambda found: (found[0].position, found[0].pk))


@prepared
def _rules_by_commune(establishment: int, school_year: int) -> QuerySet[PieceRule]:
    rules = PieceRule.objects.filter(establishment=establishment, school_year=school_year)
    rules = rules.select_related("document_type", "school_year")
    return rules.annotate(commune=F("communes")).order_by()


def _handed_in(pupils):
    """The current ones, too old or not, with when they were accepted: one query."""
    students = [pupil.student.pk for pupil in pupils]
    families = {custody.family_id for pupil in pupils for custody in pupil.custodies}
    documents = _current_documents(students, sorted(families))
    return {(d.type_id, d.family_id, d.student_id): d for d in documents}


@prepared
def _current_documents(students: list[int], families: list[int]) -> QuerySet[Document]:
    theirs = Q(student__in=students) | Q(family__in=families)
    documents = Document.objects.current().filter(theirs).select_related("type")
    return documents.annotate(accepted_at=accepted_at()).order_by()


def _concerns(rule, student, dances):
    match rule.audience:
        case Audience.DANCE:
            return dances
        case Audience.ADULTS:
            return _is_adult(student, rule.school_year.starts_on)
        case Audience.MINORS:
            return not _is_adult(student, rule.school_year.starts_on)
    return True


def _is_adult(student, day):
    born = student.birth_date
    return (day.year - born.year) - ((day.month, day.day) < (born.month, born.day)) >= ADULT_AGE


def _months_after(day, months):
    """Six months after the last of February is the last of August."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    is_last = day.day == calendar.monthrange(day.year, day.month)[1]
    return dt.date(year, month + 1, last if is_last else min(day.day, last))


def months_before(at: dt.date, months: int) -> dt.date:
    """A day, or a moment: the same one so many months before, or the last of a shorter month."""
    total = at.year * 12 + at.month - 1 - months
    year, month = divmod(total, 12)
    day = min(at.day, calendar.monthrange(year, month + 1)[1])
    return at.replace(year=year, month=month + 1, day=day)
