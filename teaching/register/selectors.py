"""What the pages of the register read: one lesson, its sheet, the lessons not called yet."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils import timezone

from accounts.models import Establishment, User
from students.models import Enrolment, Slot
from teaching.enums import Presence
from teaching.lessons import Attendees, Hours, Occurrence
from teaching.models import (
    AbsenceNotice,
    Register,
    RegisterEntry,
    RegisterSettings,
)
from teaching.register.marks import PRESENT, Mark, mark_of

FORGOTTEN_DAYS = 14  # how far back a register that was not called is recalled


@dataclass(frozen=True)
class Line:
    """One student of a sheet; `stored` is None as long as nothing was ever written of him."""

    enrolment: Enrolment
    announced: bool
    stored: Mark | None

    @property
    def mark(self) -> Mark:
        """Present unless it is known better: written already, or announced by the family."""
        return self.stored or self.default

    @property
    def default(self) -> Mark:
        return Mark(Presence.EXCUSED) if self.announced else PRESENT


@dataclass(frozen=True)
class Sheet:
    """The register of one lesson as it stands; `register` is None while it was never called.

    One that is void is to be called anew: nothing of it is proposed, its version goes on.
    """

    lesson: Occurrence
    lines: list[Line]
    register: Register | None = None
    last: RegisterEntry | None = field(default=None)

    @property
    def is_called(self) -> bool:
        return self.register is not None and not self.register.void

    @property
    def version(self) -> int:
        return self.register.version if self.register else 0

    @property
    def marks(self) -> dict[int, Mark]:
        """By enrolment."""
        return {line.enrolment.pk: line.mark for line in self.lines}


def hours_of(lesson: Occurrence) -> Hours:
    is_slot = isinstance(lesson.hour, Slot)
    return Hours([lesson.hour], []) if is_slot else Hours([], [lesson.hour])


def sheet_of(lesson: Occurrence) -> Sheet:
    """Everybody expected, with what is known of each. Four queries; six once it was called."""
    register = None
    if lesson.row is not None:
        register = Register.objects.filter(lesson=lesson.row).first()
    stored, last = {}, None
    is_called = register is not None and not register.void
    if is_called:
        stored = {each.enrolment_id: mark_of(each) for each in register.absences.all()}
        last = register.entries.select_related("by__teacher").last()
    enrolments = Attendees(hours_of(lesson)).of(lesson)
    announced = announced_at(lesson, enrolments)
    lines = [
        Line(each, each.pk in announced, stored.get(each.pk, PRESENT if is_called else None))
        for each in enrolments
    ]
    return Sheet(lesson, lines, register, last)


def announced_at(lesson: Occurrence, enrolments: Iterable[Enrolment]) -> set[int]:
    """The enrolments of those whose family told that they will not come. One query."""
    by_student = {enrolment.student_id: enrolment.pk for enrolment in enrolments}
    day = lesson.starts.date()
    notices = AbsenceNotice.objects.live().filter(
        Q(course=None) | Q(course=lesson.course),
        student__in=by_student,
        first_on__lte=day,
        last_on__gte=day,
    )
    return {by_student[student] for student in notices.values_list("student", flat=True)}


def not_called(lessons: Iterable[Occurrence], now: dt.datetime | None = None) -> list[Occurrence]:
    """Those that have begun, were not cancelled, and whose register was not called. One query.

    Lessons where nobody is expected are the caller's to leave out (Attendees).
    """
    now = now or timezone.now()
    begun = [each for each in lessons if each.starts <= now and not each.is_cancelled]
    rows = [each.row.pk for each in begun if each.row]
    registers = Register.objects.filter(lesson__in=rows, void=False)
    called = set(registers.values_list("lesson", flat=True))
    return [each for each in begun if not each.row or each.row.pk not in called]


def settings_of(establishment: Establishment) -> RegisterSettings:
    """Its own, or the defaults. One query."""
    found = RegisterSettings.objects.filter(establishment=establishment).first()
    return found or RegisterSettings(establishment=establishment)


def name_of(user: User, *, reader: User) -> str:
    """Who wrote a register, to a teacher: « vous », a colleague, « l'administration »."""
    if user == reader:
        return "vous"
    teacher = getattr(user, "teacher", None)
    return str(teacher) if teacher else "l'administration"
