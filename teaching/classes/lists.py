"""Class lists: who comes, who asks to, who waits, who has just come or gone; of one class or all.

The queries are as many for one class as for all those of a teacher. Nothing of the households is
read, but where the establishment allows the teachers the telephone to call in an emergency.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from students.enums import ClassMove, EnrolmentStatus, Scheduling
from students.models import ClassChange, Course, Custody, Enrolment, Slot, Student, WaitingEntry
from teaching.models import LessonTime, Portrait

Class = Slot | Course  # a course without slots is one class
RECENT = dt.timedelta(days=7)
NEW, GONE, TO_COME = "nouveau", "parti", "à venir"


@dataclass
class Contact:
    """Whom to call in an emergency."""

    name: str
    phone: str


@dataclass
class Row:
    """A student of a class. `change` is NEW, GONE or TO_COME, with its day, or nothing."""

    student: Student
    level: str
    status: str
    change: str = ""
    since: dt.date | None = None
    enrolment: Enrolment | None = None
    time: LessonTime | None = None
    next_time: LessonTime | None = None  # the one that follows it, when a change is announced
    portrait: Portrait | None = None
    contacts: list[Contact] = field(default_factory=list)


@dataclass
class ClassList:
    of: Class
    rows: list[Row]  # confirmed and requested, by name
    waiting: list[Row]
    gone: list[Row]  # for less than a week

    @property
    def course(self) -> Course:
        return self.of.course if isinstance(self.of, Slot) else self.of

    @property
    def is_slot(self) -> bool:
        return isinstance(self.of, Slot)

    @property
    def url(self) -> str:
        return self._address("{}")

    @property
    def file_url(self) -> str:
        return self._address("{}_file")

    @property
    def repertoire_url(self) -> str:
        """Of a class of the year under way; what will be played is not played yet."""
        return self._address("repertoire_{}") if self._is_under_way else ""

    @property
    def write_url(self) -> str:
        """The same: one writes to the families of those who come now."""
        return self._address("write_to_{}") if self._is_under_way else ""

    @property
    def _is_under_way(self):
        return self.course.school_year.holds(timezone.localdate())

    def _address(self, name):
        kind = "slot" if self.is_slot else "course"
        return reverse(f"teacher:{name.format(kind)}", args=[self.of.pk])

    @property
    def has_hours(self) -> bool:
        """The teacher fixes the hour of each student."""
        return self.course.scheduling == Scheduling.TEACHER

    @property
    def shows_contacts(self) -> bool:
        return self.course.establishment.shows_emergency_phone

    @property
    def confirmed(self) -> int:
        return sum(row.enrolment.status == EnrolmentStatus.CONFIRMED for row in self.rows)

    @property
    def requested(self) -> int:
        return len(self.rows) - self.confirmed

    @property
    def everybody(self) -> list[Row]:
        return [*self.rows, *self.waiting, *self.gone]


def class_lists(classes: Iterable[Class], *, now: dt.datetime | None = None) -> list[ClassList]:
    """One for each class, in their order; with its `course`, and its course's `establishment`.

    Seven queries at most: enrolments, waiting, changes, hours, portraits, telephones.
    """
    classes = list(classes)
    now = now or timezone.now()
    reading = _Reading(classes, now)
    lists = [
        ClassList(each, reading.present(each), reading.waiting(each), reading.gone(each))
        for each in classes
    ]
    _add_portraits(lists)
    _add_contacts(lists)
    return lists


class _Reading:
    """What the database says of the classes, by class."""

    def __init__(self, classes, now):
        self.today = timezone.localdate(now)
        self.since = self.today - RECENT
        self.slots = [each.pk for each in classes if isinstance(each, Slot)]
        self.courses = [each.pk for each in classes if isinstance(each, Course)]
        self.enrolments, self.leavers = defaultdict(list), defaultdict(list)
        self._read_enrolments()
        self._read_changes(now - RECENT)
        self._read_hours()
        self.entries = self._read_waiting()

    def present(self, each):
        rows = []
        for enrolment in self.enrolments[_key(each)]:
            times = self.times[enrolment.pk]
            change, since = self._news(enrolment, _key(each))
            rows.append(
                Row(
                    enrolment.student,
                    enrolment.level,
                    enrolment.get_status_display(),
                    change,
                    since,
                    enrolment,
                    *times[:2],
                )
            )
        return rows

    def waiting(self, each):
        """The first wish of each student that a place of the slot would fulfil."""
        if not isinstance(each, Slot):
            return []
        here = {row.student.pk for row in self.present(each)}
        found = {}
        for entry in self.entries:
            mine = entry.slot_id == each.pk or (
                entry.slot_id is None and entry.course_id == each.course_id
            )
            if mine and entry.student_id not in here:
                row = Row(entry.student, "", entry.get_state_display())
                found.setdefault(entry.student_id, row)
        return list(found.values())

    def gone(self, each):
        here = {enrolment.student_id for enrolment in self.enrolments[_key(each)]}
        rows = {}
        for enrolment, day in self.leavers[_key(each)]:
            if enrolment.student_id not in here:
                rows[enrolment.student_id] = Row(
                    enrolment.student, enrolment.level, "", GONE, day, enrolment
                )
        return sorted(rows.values(), key=lambda row: (row.student.sort_name, row.student.pk))

    def _read_enrolments(self):
        mine = Q(place__slot__in=self.slots) | Q(course__in=self.courses)
        live = Enrolment.objects.live().filter(mine).select_related("student", "place")
        for enrolment in live.order_by("student__sort_name", "student_id"):
            key = _key_of(enrolment, self.courses)
            if enrolment.ends_on is None or enrolment.ends_on >= self.today:
                self.enrolments[key].append(enrolment)
            elif enrolment.ends_on >= self.since:
                self.leavers[key].append((enrolment, enrolment.ends_on))

    def _read_changes(self, since):
        """The last one of each enrolment in each class is the one that counts."""
        mine = Q(slot__in=self.slots) | Q(slot=None, enrolment__course__in=self.courses)
        changes = ClassChange.objects.filter(mine, at__gt=since)
        self.changes = {}
        for change in changes.select_related("enrolment__student").order_by("at", "pk"):
            key = ("slot", change.slot_id) if change.slot_id else _course(change.enrolment)
            self.changes[key, change.enrolment_id] = change
        for (key, _), change in self.changes.items():
            if change.kind == ClassMove.LEFT:
                left_on = timezone.localdate(change.at)
                self.leavers[key].append((change.enrolment, left_on))

    def _read_hours(self):
        """Of each enrolment: the hour of today, and the one that follows it."""
        self.times = defaultdict(list)
        if not self.courses:
            return
        lasting = Q(ends_on=None) | Q(ends_on__gte=self.today)
        times = LessonTime.objects.filter(lasting, course__in=self.courses, enrolment__isnull=False)
        for time in times.order_by(F("starts_on").asc(nulls_first=True), "pk"):
            self.times[time.enrolment_id].append(time)

    def _read_waiting(self):
        if not self.slots:
            return []
        courses = Slot.objects.filter(pk__in=self.slots).order_by().values("course")
        mine = Q(slot__in=self.slots) | Q(slot=None, course__in=courses)
        entries = WaitingEntry.objects.live().filter(mine).select_related("student")
        return list(entries.order_by("student__sort_name", "student_id", "preference", "pk"))

    def _news(self, enrolment, key):
        starts_on = enrolment.starts_on
        if starts_on and starts_on > self.today:
            return TO_COME, starts_on
        if starts_on and starts_on > self.since:
            return NEW, starts_on
        change = self.changes.get((key, enrolment.pk))
        if change and change.kind == ClassMove.ARRIVED:
            return NEW, timezone.localdate(change.at)
        return "", None


def _key(each):
    return ("slot" if isinstance(each, Slot) else "course", each.pk)


def _course(enrolment):
    return ("course", enrolment.course_id)


def _key_of(enrolment, courses):
    if enrolment.course_id in courses:
        return _course(enrolment)
    return ("slot", enrolment.place.slot_id)


def _add_portraits(lists):
    """Of those who are in the class, or ask to be."""
    rows = [row for each in lists for row in each.rows]
    found = Portrait.objects.shown().filter(student__in={row.student.pk for row in rows})
    portraits = {portrait.student_id: portrait for portrait in found}
    for row in rows:
        row.portrait = portraits.get(row.student.pk)


def _add_contacts(lists):
    """The guardians of either household, where the establishment of the class allows it."""
    rows = [row for each in lists if each.shows_contacts for row in each.rows]
    if not rows:
        return
    guardians = Custody.objects.filter(
        student__in={row.student.pk for row in rows}, family__guardians__isnull=False
    ).order_by("student", "rank", "family__guardians__pk")
    contacts = defaultdict(list)
    for student, first, last, mobile, home in guardians.values_list(
        "student",
        *(f"family__guardians__{name}" for name in ("first_name", "last_name")),
        *(f"family__guardians__{name}" for name in ("mobile_phone", "home_phone")),
    ):
        if mobile or home:
            contacts[student].append(Contact(f"{first} {last}", mobile or home))
    for row in rows:
        row.contacts = contacts[row.student.pk]
