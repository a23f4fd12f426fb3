"""Who is told of a lesson cancelled, moved, replaced or restored: one mail for a whole act.

Each responsable of either household (an adult student is his own), with an account or not: a
lesson that does not take place is told to whoever may bring the child. Of what is past, nobody.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts import mails
from accounts.dates import NBSP
from accounts.emails import compose
from accounts.enums import MailKind
from accounts.models import User
from families.models import Guardian
from students.models import Custody, Slot, Student
from teaching.lessons import Attendees, Hours, Occurrence
from teaching.models import LessonChange
from teaching.timetable import words

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Told:
    change: LessonChange
    before: Occurrence
    after: Occurrence

    @property
    def is_to_come(self) -> bool:
        return max(self.before.starts, self.after.starts) > timezone.now()

    @property
    def sentence(self) -> str:
        return words.told(self.change.act, self.before, self.after)


def tell(changes: list[Told], *, actor: User) -> None:
    """Writes the mails of one act; as many queries whatever the number of lessons."""
    changes = [told for told in changes if told.is_to_come]
    if changes:
        mails.queue_many(
            MailKind.LESSON_CHANGED, [*_to_families(changes), *_to_teachers(changes, actor)]
        )


def _to_families(changes):
    """One for each responsable and site, which signs it: what concerns his household."""
    attendees = Attendees(hours_of([told.after for told in changes]))
    expected = [(told, [each.student for each in attendees.of(told.after)]) for told in changes]
    by_site = defaultdict(list)
    for guardian, lines in by_guardian(expected).items():
        for told, names in lines:
            by_site[guardian, told.after.course.establishment].append((told, names))
    for (guardian, site), lines in by_site.items():
        about = [{"names": " et ".join(names), "told": told} for told, names in lines]
        subject, body = compose(
            "lesson_changed",
            {
                "guardian": guardian,
                "establishment": site,
                "lines": about,
                "title": _title([told for told, _ in lines]),
                "url": settings.SITE_URL + reverse("teaching:week"),
            },
        )
        yield f"{lines[0][0].change.pk}:{guardian.pk}", guardian.email, subject, body


def hours_of(lessons: Iterable[Occurrence]) -> Hours:
    hours = {lesson.hour for lesson in lessons}
    slots = [hour for hour in hours if isinstance(hour, Slot)]
    return Hours(slots, [hour for hour in hours if not isinstance(hour, Slot)])


def by_guardian(
    expected: Iterable[tuple[Thing, list[Student]]],
) -> dict[Guardian, list[tuple[Thing, list[str]]]]:
    """Of things and the students whom each concerns: those of each responsable's household, with
    the first names of his students. Two queries."""
    expected = list(expected)
    families = _families_of({student.pk for _, students in expected for student in students})
    guardians = _guardians_of({key for keys in families.values() for key in keys})
    lines = defaultdict(list)
    for thing, students in expected:
        names = defaultdict(list)
        for student in students:
            for family in families[student.pk]:
                names[family].append(student.first_name)
        for family, theirs in names.items():
            for guardian in guardians[family]:
                lines[guardian].append((thing, theirs))
    return lines


def _families_of(students):
    families = defaultdict(list)
    custodies = Custody.objects.filter(student__in=students).order_by("rank")
    for student, family in custodies.values_list("student", "family"):
        families[student].append(family)
    return families


def _guardians_of(families):
    guardians = defaultdict(list)
    for guardian in Guardian.objects.filter(family__in=families).exclude(email="").order_by("pk"):
        guardians[guardian.family_id].append(guardian)
    return guardians


def _to_teachers(changes, actor):
    """Whoever gives the lesson, gave it or was to; not the one who did it himself."""
    lines = defaultdict(list)
    for told in changes:
        teachers = {told.before.teacher, told.after.teacher, told.after.usual_teacher} - {None}
        for teacher in teachers:
            lines[teacher].append(told)
    accounts = {
        user.pk: user
        for user in User.objects.filter(
            pk__in=[teacher.user_id for teacher in lines if teacher.user_id], is_active=True
        )
    }
    for teacher, theirs in lines.items():
        user = accounts.get(teacher.user_id)
        if user is None or user == actor or not user.email:
            continue
        subject, body = compose(
            "lesson_changed",
            {
                "guardian": teacher,
                "establishment": theirs[0].after.course.establishment,
                "lines": [{"names": "", "told": told} for told in theirs],
                "title": _title(theirs),
                "url": settings.SITE_URL + reverse("teacher:week"),
            },
        )
        yield f"{theirs[0].change.pk}:enseignant-{teacher.pk}", user.email, subject, body


def _title(changes):
    """The subject: the lesson and what became of it, or how many there are."""
    if len(changes) > 1:
        return f"{len(changes)} séances changent"
    [told] = changes
    act = told.change.get_act_display()
    day = words.weekday(told.before.starts.date())
    return f"{told.before.name}, {day}{NBSP}: {act}"
