"""Whom a campaign concerns, household by household, and what each has to prepare."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import Exists, OuterRef, QuerySet, prefetch_related_objects

from documents.pieces import Piece, Pupil, pieces_due_of_many
from families.models import Family, Guardian
from reenrolment.early_access import Opening, openings_of
from reenrolment.models import Campaign
from reenrolment.pieces import followed_courses
from students.enums import Art
from students.models import Custody, Student


@dataclass(frozen=True)
class Household:
    """A family, with the students whom the campaign asks about and the pieces of this household."""

    family: Family
    students: list[Student] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    early: list[tuple[Student, Opening]] = field(default_factory=list)  # before everybody

    @property
    def guardians(self) -> list[Guardian]:
        return list(self.family.guardians.all())

    @property
    def student_names(self) -> str:
        """« Louise Martin, Hugo Martin et Inès Benali »."""
        *before, last = map(str, self.students)
        return f"{', '.join(before)} et {last}" if before else last

    @cached_property
    def to_prepare(self) -> list[Piece]:
        """Missing, refused or out of date."""
        return [piece for piece in self.pieces if piece.sets_top_rate]

    @cached_property
    def held(self) -> list[Piece]:
        """Already handed in and still valid: not asked again."""
        return [piece for piece in self.pieces if not piece.sets_top_rate]


def students_concerned(campaign: Campaign) -> QuerySet[Student]:
    """Those who follow a course this year in the campaign's establishment."""
    followed = followed_courses(campaign).filter(student=OuterRef("pk"))
    return Student.objects.filter(Exists(followed))


def families_concerned(campaign: Campaign) -> QuerySet[Family]:
    """The households of those students: both, in alternating custody."""
    return Family.objects.filter(pk__in=_their_families(campaign))


def guardians_concerned(campaign: Campaign) -> QuerySet[Guardian]:
    return Guardian.objects.filter(family__in=_their_families(campaign))


def students_without_guardian(campaign: Campaign) -> QuerySet[Student]:
    """Nobody can be told of them."""
    someone = Guardian.objects.filter(family__custodies__student=OuterRef("pk"))
    return students_concerned(campaign).filter(~Exists(someone))


def load_households(campaign: Campaign, families: Iterable[Family]) -> list[Household]:
    """In the order given, with guardians and their accounts.

    Seven queries for all of them; one or two more before the campaign opens for everybody.
    """
    families = list(families)
    prefetch_related_objects(families, "commune", "guardians__user")
    custodies = defaultdict(list)
    concerned = students_concerned(campaign).filter(custodies__family__in=families)
    for custody in Custody.objects.filter(student__in=concerned.values("pk")).select_related(
        "student", "family"
    ):
        custodies[custody.student].append(custody)
    dancers = set(
        followed_courses(campaign)
        .filter(student__in=[s.pk for s in custodies], course__discipline__art=Art.DANCE)
        .values_list("student_id", flat=True)
    )
    due = pieces_due_of_many(
        [Pupil(student, theirs, student.pk in dancers) for student, theirs in custodies.items()],
        establishment=campaign.establishment,
        school_year=campaign.school_year,
    )
    openings = openings_of(campaign, custodies)
    households = {family.pk: Household(family) for family in families}
    for student in sorted(custodies, key=lambda student: (student.sort_name, student.pk)):
        for custody in custodies[student]:
            if household := households.get(custody.family_id):
                household.students.append(student)
                if openings[student.pk].why:
                    household.early.append((student, openings[student.pk]))
                _add(household, due[student.pk])
    return list(households.values())


def _their_families(campaign):
    """Not an EXISTS for each family: SQLite would look at every student for each (25 million)."""
    concerned = students_concerned(campaign).values("pk")
    return Custody.objects.filter(student__in=concerned).order_by().values("family")


def _add(household, pieces):
    """Its own pieces once for all its children, the student's for each; never the other home's."""
    known = {piece.type.pk for piece in household.pieces if piece.family}
    for piece in pieces:
        if not piece.concerns_home:
            continue
        if piece.family is None or (
            piece.family.pk == household.family.pk and piece.type.pk not in known
        ):
            household.pieces.append(piece)
