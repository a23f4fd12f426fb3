"""Which pieces a student's households owe for a school year, and what was handed in."""

import calendar
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Establishment
from documents.enums import Audience, Owner, Verdict
from documents.models import Document, DocumentType, PieceRule
from families.models import Family
from students.models import Custody, SchoolYear, Student

ADULT_AGE = 18  # years


@dataclass(frozen=True)
class Piece:
    """A piece due: of the student, or of one of the one or two households."""

    type: DocumentType
    student: Student
    family: Family | None  # None: a piece of the student
    document: Document | None  # the one handed in, None while it is missing

    @property
    def key(self) -> str:
        return piece_key(self.type.pk, self.family.pk if self.family else None)

    @property
    def is_missing(self) -> bool:
        return self.document is None

    @property
    def is_refused(self) -> bool:
        return not self.is_missing and self.document.verdict == Verdict.REFUSED

    @property
    def is_accepted(self) -> bool:
        return not self.is_missing and self.document.verdict == Verdict.ACCEPTED

    @property
    def sets_top_rate(self) -> bool:
        """Missing or refused: the « tarif haut » applies (the manual, step 7)."""
        return self.is_missing or self.is_refused


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
    handed_in = _handed_in(pupils, at or timezone.now())
    rules = _rules(establishment, school_year)
    return {pupil.student.pk: _pieces(pupil, rules, handed_in) for pupil in pupils}


def _pieces(pupil, rules, handed_in):
    pieces = []
    for rule, communes in rules:
        if not _concerns(rule, pupil.student, pupil.dances):
            continue
        asked = [
            c.family for c in pupil.custodies if not communes or c.family.commune_id in communes
        ]
        if rule.document_type.owner == Owner.STUDENT:
            asked = [None] if asked else []
        for family in asked:
            owner = (family.pk, None) if family else (None, pupil.student.pk)
            document = handed_in.get((rule.document_type_id, *owner))
            pieces.append(Piece(rule.document_type, pupil.student, family, document))
    return pieces


def piece_key(type_id: int, family_id: int | None) -> str:
    """Names a piece in a form: « 3-f12 » is type 3 from family 12, « 4-s » the student's."""
    return f"{type_id}-f{family_id}" if family_id else f"{type_id}-s"


def is_valid(document: Document, document_type: DocumentType, at: dt.datetime) -> bool:
    """Was it sent less than the type's `valid_months` before `at`?"""
    months = document_type.valid_months
    return months is None or document.uploaded_at >= months_before(at, months)


def _rules(establishment, school_year):
    """Each rule with the ids of its communes: one query, a row per commune."""
    rows = (
        PieceRule.objects.filter(establishment=establishment, school_year=school_year)
        .select_related("document_type", "school_year")
        .annotate(commune=F("communes"))
        .order_by()
    )
    rules = {}
    for rule in rows:
        _, communes = rules.setdefault(rule.pk, (rule, set()))
        if rule.commune:
            communes.add(rule.commune)
    return sorted(rules.values(), key=lambda found: (found[0].position, found[0].pk))


def _handed_in(pupils, at):
    students = [pupil.student.pk for pupil in pupils]
    families = {custody.family_id for pupil in pupils for custody in pupil.custodies}
    documents = (
        Document.objects.current()
        .filter(Q(student__in=students) | Q(family__in=families))
        .select_related("type")
        .order_by()
    )
    return {(d.type_id, d.family_id, d.student_id): d for d in documents if is_valid(d, d.type, at)}


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


def months_before(at: dt.date, months: int) -> dt.date:
    """A day, or a moment: the same one so many months before, or the last of a shorter month."""
    total = at.year * 12 + at.month - 1 - months
    year, month = divmod(total, 12)
    day = min(at.day, calendar.monthrange(year, month + 1)[1])
    return at.replace(year=year, month=month + 1, day=day)
