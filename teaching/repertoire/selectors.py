"""Whose repertoire a teacher reads, and what he may change of it."""

from collections.abc import Collection

from django.db.models import Count, QuerySet
from django.utils import timezone

from accounts.models import Establishment
from students.models import Course, Enrolment, RepertoirePiece, SchoolYear, Slot, Student, Teacher
from teaching.evaluations.selectors import pupils_of

Class = Slot | Course


def pupils_now(teacher: Teacher, sites: Collection[Establishment]) -> QuerySet[Enrolment]:
    """The confirmed enrolments in his own classes of the year under way, by name."""
    today = timezone.localdate()
    return pupils_of(teacher, sites).filter(
        course__school_year__starts_on__lte=today, course__school_year__ends_on__gte=today
    )


def classes_now(
    teacher: Teacher, sites: Collection[Establishment]
) -> tuple[QuerySet[Slot], QuerySet[Course]]:
    """His slots, and his courses without slots, of the year under way."""
    today = timezone.localdate()
    year = SchoolYear.objects.filter(starts_on__lte=today, ends_on__gte=today).values("pk")
    slots = Slot.objects.taught_by(teacher).filter(
        course__establishment__in=sites, course__school_year__in=year
    )
    courses = Course.objects.taught_by(teacher).filter(
        establishment__in=sites, school_year__in=year
    )
    return (
        slots.select_related("course__school_year", "course__discipline"),
        courses.select_related("school_year", "discipline"),
    )


def pieces_of(student: Student) -> QuerySet[RepertoirePiece]:
    """Of every year and discipline, this year's first: what a teacher builds on."""
    return RepertoirePiece.objects.filter(student=student).select_related(
        "school_year", "course__discipline", "teacher"
    )


def counts_of(enrolments: Collection[Enrolment], year: SchoolYear) -> dict[int, int]:
    """How many pieces each student has played this year, by his key. One query."""
    played = RepertoirePiece.objects.filter(
        student__in=[each.student_id for each in enrolments], school_year=year
    )
    return dict(played.order_by().values_list("student").annotate(count=Count("pk")))


def may_change(piece: RepertoirePiece, teacher: Teacher, enrolments: Collection[Enrolment]) -> bool:
    """Of his own hand, or of a course where he teaches the student this year (docs/decisions.md).

    `enrolments`: the student's in his classes. What a colleague or the administration wrote of
    another course is read, and theirs.
    """
    ours = {each.course_id for each in enrolments}
    return piece.teacher_id == teacher.pk or piece.course_id in ours
