"""What the family's and the administration's pages read of absences."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, Max, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from accounts.models import Establishment
from families.models import Family
from students.enums import EnrolmentStatus
from students.models import Enrolment, SchoolYear, Slot, Student
from teaching.enums import AbsenceState, Presence, Verdict
from teaching.lessons import Occurrence, hours_of_site, lessons
from teaching.models import Absence, AbsenceNotice, Justification
from teaching.register.selectors import FORGOTTEN_DAYS, not_called, settings_of


def absences_of_year(student: Student, family: Family) -> QuerySet[Absence]:
    """Since the school year began, the latest first; `own`: what this household said of each."""
    year = SchoolYear.objects.current()
    absences = Absence.objects.live().with_state().for_list().filter(enrolment__student=student)
    if year:
        absences = absences.filter(register__held_on__gte=year.starts_on)
    own = Justification.objects.filter(family=family)
    return absences.prefetch_related(Prefetch("justifications", own, to_attr="own"))


def notices_to_come(student: Student) -> QuerySet[AbsenceNotice]:
    """Of either household: both see that it is announced, each its own words (see the template)."""
    notices = AbsenceNotice.objects.live().filter(
        student=student, last_on__gte=timezone.localdate()
    )
    return notices.select_related("course").order_by("first_on", "pk")


def justifications_to_answer(site: Establishment) -> QuerySet[Absence]:
    """The absences of a site of which a household's word waits for the administration's."""
    # As `with_state` says it, but from the few that wait, which are indexed.
    waiting = Justification.objects.filter(verdict=Verdict.PENDING).order_by()
    accepted = Justification.objects.filter(absence=OuterRef("pk"), verdict=Verdict.ACCEPTED)
    return Absence.objects.live().filter(
        ~Exists(accepted),
        pk__in=waiting.values("absence"),
        kind=Presence.ABSENT,
        enrolment__course__establishment=site,
    )


@dataclass(frozen=True)
class Repeated:
    """A student absent again and again: how many times, unjustified, and last when."""

    student: Student
    count: int
    last_on: dt.date


def repeated(site: Establishment) -> list[Repeated]:
    """The students of a site with as many unjustified absences this year as its settings say.

    Four queries. The most absent first.
    """
    year = SchoolYear.objects.current()
    since = Q(register__held_on__gte=year.starts_on) if year else Q()
    found = (
        Absence.objects.live()
        .with_state()
        .filter(since, kind=Presence.ABSENT, enrolment__course__establishment=site)
        .exclude(state=AbsenceState.JUSTIFIED)
        .order_by()
        .values("enrolment__student")
        .annotate(count=Count("pk"), last_on=Max("register__held_on"))
        .filter(count__gte=settings_of(site).repeated_from)
    )
    rows = {row["enrolment__student"]: row for row in found}
    students = Student.objects.filter(pk__in=rows)
    listed = [Repeated(each, rows[each.pk]["count"], rows[each.pk]["last_on"]) for each in students]
    return sorted(listed, key=lambda each: (-each.count, each.student.sort_name))


def missing_registers(site: Establishment) -> list[Occurrence]:
    """The lessons of the last FORGOTTEN_DAYS that are over, where somebody was expected, and whose
    register was not called. The oldest first. Seven queries."""
    now = timezone.now()
    last = timezone.localdate(now)
    first = last - dt.timedelta(days=FORGOTTEN_DAYS)
    hours = hours_of_site(site, first, last)
    over = [lesson for lesson in lessons(hours, first, last) if lesson.ends <= now]
    return attended(not_called(over, now))


def attended(found: Iterable[Occurrence]) -> list[Occurrence]:
    """Those where somebody is expected: the same as Attendees, which reads everybody, would say.

    Two queries, of as many rows as there are hours.
    """
    found = list(found)
    slots = {each.hour.pk for each in found if isinstance(each.hour, Slot)}
    of_all = [each for each in found if each.student is None]
    courses = {each.course.pk for each in of_all if not isinstance(each.hour, Slot)}
    confirmed, days = Enrolment.objects.confirmed().order_by(), defaultdict(set)
    for path, keys in (("place__slot", slots), ("course", courses)):
        rows = confirmed.filter(**{f"{path}__in": keys})
        for key, begins, ends in rows.values_list(path, "starts_on", "ends_on").distinct():
            days[path, key].add((begins, ends))

    def is_attended(lesson):
        if lesson.student is not None:
            enrolment = lesson.hour.enrolment
            is_there = enrolment.status == EnrolmentStatus.CONFIRMED
            days_there = enrolment.starts_on, enrolment.ends_on
            return is_there and _is_within(lesson.planned_on, *days_there)
        is_slot = isinstance(lesson.hour, Slot)
        key = ("place__slot", lesson.hour.pk) if is_slot else ("course", lesson.course.pk)
        return any(_is_within(lesson.planned_on, *each) for each in days[key])

    return [lesson for lesson in found if is_attended(lesson)]


def _is_within(day, begins, ends):
    return (begins is None or begins <= day) and (ends is None or day <= ends)


def by_teacher(found: list[Occurrence]) -> list[tuple[str, list[Occurrence]]]:
    """Who has to call them, whoever forgot the most first."""
    groups = defaultdict(list)
    for lesson in found:
        groups[lesson.teacher].append(lesson)
    return sorted(
        (
            (str(teacher) if teacher else "Sans enseignant", each)
            for teacher, each in groups.items()
        ),
        key=lambda group: (-len(group[1]), group[0]),
    )
