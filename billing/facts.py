"""From rows to what the pricing engine reads of households: a few queries, however many they are.

What belongs to the other household of a student stays there: its zone, its quotient, its pieces.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Establishment
from accounts.prepared import prepared
from billing.models import Situation
from billing.pricing.facts import Household, Lesson, Pupil, Quotient
from documents import pieces
from documents.enums import Verdict
from documents.models import Document
from families.models import Family
from students.enums import Art, EnrolmentStatus
from students.models import Course, Custody, Enrolment, SchoolYear, Student

ADULT_AGE, MONTHS = 18, 10  # where no grid says otherwise
DOSSIERS = 3  # months before the year: dossiers are sent in May and June (domain.md, Curriculum)


def household_facts(
    families: Iterable[Family],
    *,
    establishment: Establishment,
    school_year: SchoolYear,
    statuses: Collection[EnrolmentStatus],
    on: dt.date | None = None,
    adult_age: int = ADULT_AGE,
    months: int = MONTHS,
    wishes: Mapping[int, Iterable[Course]] | None = None,
) -> dict[int, Household]:
    """What each household is billed on, by its key: its lessons there, that year, of `statuses`.

    `wishes`: courses that students of these households, by key, only ask for: they count as if
    they were enrolled. The courses come with their discipline and category.

    `on`: the day (today) as of which the pieces count, or that of the dossiers once it is past: a
    piece that was good then stays so all the year. `adult_age` and `months` (of lessons in a year)
    are the grid's. A student is an adult who has that age at 31 December; a student whose part is
    nil is left to the other household. Eight queries.
    """
    keys = [family.pk for family in families]
    at = _when_pieces_count(school_year, on or timezone.localdate())
    enrolments = _enrolments(keys, establishment, school_year, statuses)
    _add_wishes(enrolments, wishes or {})
    custodies = _custodies(list(enrolments))
    known = _Known(
        school_year,
        adult_age,
        months,
        enrolments,
        custodies,
        situations=_situations(keys, list(enrolments), school_year),
        quotients=_quotients(keys, at),
        pieces=_pieces(enrolments, custodies, establishment, school_year, at),
    )
    return {home.pk: known.household(home) for home in _homes(keys)}


@dataclass(frozen=True)
class _Known:
    """All that was read, by the key of a household or of a student, and what is told of it."""

    school_year: SchoolYear
    adult_age: int
    months: int
    enrolments: dict[int, list[Enrolment]]  # of a student
    custodies: dict[int, list[Custody]]  # of a student: his one or two households
    situations: dict[tuple[int | None, int | None], set[str]]  # of (household, student)
    quotients: dict[int, Quotient]  # of a household
    pieces: dict[int, list[pieces.Piece]]  # of a student

    def household(self, family: Family) -> Household:
        custodies = self._paid_by[family.pk]
        due = [piece for custody in custodies for piece in self.pieces[custody.student_id]]
        return Household(
            zone=family.commune.zone,
            quotient=self.quotients.get(family.pk),
            pupils=tuple(map(self._pupil, custodies)),
            lacking=_lacking(due, family.pk),
        )

    @cached_property
    def _paid_by(self) -> dict[int, list[Custody]]:
        """Of each household, the custodies of the students for whom it pays, the eldest first."""
        found = defaultdict(list)
        for custodies in self.custodies.values():
            for custody in custodies:
                if _share(custody, custodies):
                    found[custody.family_id].append(custody)
        for custodies in found.values():
            custodies.sort(key=lambda custody: (custody.student.birth_date, custody.student_id))
        return found

    def _pupil(self, custody: Custody) -> Pupil:
        student = custody.student
        of_both = self.situations[custody.family_id, None] | self.situations[None, student.pk]
        return Pupil(
            key=student.pk,
            name=student.first_name,
            born_on=student.birth_date,
            is_adult=_age(student, self._new_year_eve) >= self.adult_age,
            lessons=tuple(map(self._lesson, self.enrolments[student.pk])),
            situations=frozenset(of_both),
            share=_share(custody, self.custodies[student.pk]),
            rounds_up=custody.rank == 1,
            lacking=_lacking(self.pieces[student.pk], None),
        )

    def _lesson(self, enrolment: Enrolment) -> Lesson:
        billed_as = getattr(enrolment.course, "tariff_category", None)
        days = enrolment.starts_on, enrolment.ends_on
        return Lesson(
            key=enrolment.pk or f"wish-{enrolment.course_id}",
            label=enrolment.course.name,
            category=billed_as.category.code if billed_as else "",
            school_hours=enrolment.course.school_hours,
            months=lesson_months(self.school_year, *days, self.months),
        )

    @property
    def _new_year_eve(self):
        return dt.date(self.school_year.starts_on.year, 12, 31)


def lesson_months(
    school_year: SchoolYear, starts_on: dt.date | None, ends_on: dt.date | None, of: int
) -> int | None:
    """How many of the year's `of` months of lessons an enrolment begins, None for all of them.

    They are the first of the year: September to June are ten, and a day of July or August begins
    none. For a rental, which goes on in summer, see `instruments.prices.calendar_months`.
    """

    def place(day):
        first = school_year.starts_on
        return (day.year - first.year) * 12 + day.month - first.month

    begins = place(starts_on) if starts_on else 0
    ends = min(place(ends_on), of - 1) if ends_on else of - 1
    begun = max(ends - begins + 1, 0)
    return None if begun >= of else begun


def _when_pieces_count(school_year, on):
    day = min(on, pieces.months_before(school_year.starts_on, DOSSIERS))
    return timezone.make_aware(dt.datetime.combine(day, dt.time(12)))


def _enrolments(families, establishment, school_year, statuses):
    found = defaultdict(list)
    for enrolment in _enrolled(families, establishment.pk, school_year.pk, tuple(statuses)):
        found[enrolment.student_id].append(enrolment)
    return found


@prepared
def _enrolled(
    families: list[int], establishment: int, school_year: int, statuses: tuple[str, ...]
) -> QuerySet[Enrolment]:
    students = Custody.objects.filter(family__in=families).order_by().values("student")
    rows = Enrolment.objects.filter(
        student__in=students,
        course__establishment=establishment,
        course__school_year=school_year,
        status__in=statuses,
    )
    rows = rows.select_related("course__discipline", "course__tariff_category__category")
    return rows.order_by("course__sort_name", "pk")


def _add_wishes(enrolments, wishes):
    for student, courses in wishes.items():
        enrolled = {enrolment.course_id for enrolment in enrolments[student]}
        enrolments[student] += [
            Enrolment(student_id=student, course=course)
            for course in courses
            if course.pk not in enrolled
        ]


def _custodies(students):
    found = defaultdict(list)
    for custody in _custodies_of(students):
        found[custody.student_id].append(custody)
    return found


@prepared
def _custodies_of(students: list[int]) -> QuerySet[Custody]:
    rows = Custody.objects.filter(student__in=students).order_by("student", "rank")
    return rows.select_related("student", "family", "payer_share")


def _pieces(enrolments, custodies, establishment, school_year, at):
    """Those due of each student, his own and his households'."""
    dances = {
        student: any(row.course.discipline.art == Art.DANCE for row in rows)
        for student, rows in enrolments.items()
    }
    pupils = [
        pieces.Pupil(theirs[0].student, theirs, dances[student])
        for student, theirs in custodies.items()
    ]
    return pieces.pieces_due_of_many(
        pupils, establishment=establishment, school_year=school_year, at=at
    )


def _situations(families, students, school_year):
    found = defaultdict(set)
    for of, keys in (("family", families), ("student", students)):
        for family, student, code in _noted(of, keys, school_year.pk):
            found[family, student].add(code)
    return found


@prepared
def _noted(of: str, keys: list[int], school_year: int) -> QuerySet:
    """Of the households, or of the students, of these keys."""
    rows = Situation.objects.filter(school_year=school_year, **{f"{of}__in": keys})
    return rows.order_by().values_list("family", "student", "code")


def _quotients(families, at):
    """Of each household, that of the latest month that an agent noted of an accepted piece."""
    found = {}
    for document in _attestations(families):
        if pieces.is_valid(document, document.type, at):
            reading = document.reading
            found[document.family_id] = Quotient(reading.quotient, reading.quotient_month)
    return found


@prepared
def _attestations(families: list[int]) -> QuerySet[Document]:
    rows = Document.objects.current().filter(
        family__in=families, verdict=Verdict.ACCEPTED, reading__quotient__isnull=False
    )
    rows = rows.select_related("type", "reading")
    return rows.order_by("reading__quotient_month", "uploaded_at")


@prepared
def _homes(families: list[int]) -> QuerySet[Family]:
    return Family.objects.filter(pk__in=families).select_related("commune").order_by()


def _lacking(due: list[pieces.Piece], family: int | None) -> tuple[str, ...]:
    """The household's own pieces, or with None the student's, that set the « tarif haut »."""
    words = {}
    for piece in due:
        owner = piece.family.pk if piece.family else None
        if owner == family and piece.sets_top_rate:
            refused = " (refusée)" if piece.is_refused else ""
            words[piece.type.pk] = f"la pièce «\u00a0{piece.type.name}\u00a0»{refused}"
    return tuple(words.values())


def _share(custody, custodies) -> Decimal:
    """Without a share for each of two households, the first pays all."""
    shares = [getattr(each, "payer_share", None) for each in custodies]
    if len(custodies) == 2 and None not in shares:
        return Decimal(custody.payer_share.percent) / 100
    return Decimal(custody.rank == min(each.rank for each in custodies))


def _age(student: Student, day: dt.date) -> int:
    born = student.birth_date
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
