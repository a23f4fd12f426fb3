"""A class whose register is called on a Monday in October, and how to call it."""

import datetime as dt
import uuid

from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from students.models import SchoolYear
from teaching.absences import services as absences
from teaching.enums import Presence
from teaching.lessons import find
from teaching.models import Absence, AbsenceNotice
from teaching.register import services
from teaching.register.marks import Mark
from teaching.register.selectors import sheet_of
from tests.factories import (
    CustodyFactory,
    EnrolmentFactory,
    FamilyFactory,
    GuardianFactory,
    SchoolYearFactory,
    SlotFactory,
    StudentFactory,
)

ABSENT, LATE = Mark(Presence.ABSENT), Mark(Presence.LATE)
EXCUSED, HERE = Mark(Presence.EXCUSED), Mark(Presence.PRESENT)


class Case:
    """A slot of today's weekday, three students; `lesson` is today's."""

    def __init__(self, teacher, students=3, name="Formation musicale", year=None):
        self.teacher = teacher
        self.today = timezone.localdate()
        self.slot = SlotFactory(
            teacher=teacher,
            course__name=name,
            course__school_year=year or SchoolYearFactory(),
            weekday=self.today.isoweekday(),
            places=students + 3,
        )
        self.enrolments = [self.enrol(f"Louise {n}") for n in range(students)]

    def enrol(self, first_name, student=None):
        student = student or StudentFactory(first_name=first_name, last_name=f"Nom {first_name}")
        place = self.slot.places.filter(enrolment=None).first()
        return EnrolmentFactory(student=student, course=self.slot.course, place=place)

    @property
    def lesson(self):
        return find(self.slot, self.today)

    @property
    def url(self):
        return reverse("teacher:register", args=[self.lesson.key])

    @property
    def version(self):
        return sheet_of(self.lesson).version

    def call(self, *marks, by=None, version=None, key=None):
        """One mark for each of the enrolments, in their order."""
        return services.call(
            self.lesson,
            dict(zip([each.pk for each in self.enrolments], marks, strict=False)),
            version=self.version if version is None else version,
            key=key or uuid.uuid4(),
            actor=by or self.teacher.user,
        )

    def post(self, *marks, version=None, key=None, was=HERE):
        """The body of the page."""
        data = {"version": self.version if version is None else version}
        data["key"] = str(key or uuid.uuid4())
        for enrolment, mark in zip(self.enrolments, marks, strict=False):
            prefix = f"e{enrolment.pk}"
            data[f"{prefix}-kind"] = mark.kind.value
            data[f"{prefix}-minutes"] = mark.minutes or ""
            data[f"{prefix}-note"] = mark.note
            data[f"{prefix}-was"] = was.written()
        return data

    def kinds(self):
        """{first name: kind} of who is not simply there."""
        found = Absence.objects.live().select_related("enrolment__student")
        return {each.enrolment.student.first_name: each.kind for each in found}


def well_begun() -> SchoolYear:
    """Whatever the day the tests are played."""
    today = timezone.localdate()
    first, last = today - dt.timedelta(days=100), today + dt.timedelta(days=200)
    return SchoolYear.objects.get_or_create(starts_on=first, defaults={"ends_on": last})[0]


def make_absence(student, teacher) -> tuple[str, Absence]:
    """Of today, to a class of that teacher; with the key of the lesson."""
    case = Case(teacher, students=0, name="Atelier d'appel")
    case.enrolments = [case.enrol("", student=student)]
    case.call(ABSENT)
    return case.lesson.key, Absence.objects.get(enrolment=case.enrolments[0])


def make_notice(student, family, *, actor, reason="") -> AbsenceNotice:
    """Of tomorrow: it excuses nothing of today."""
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    days = {"first_on": tomorrow, "last_on": tomorrow}
    return absences.announce(student, family, **days, course=None, reason=reason, actor=actor)


def make_home(student, rank=1, **guardian) -> User:
    """A household of that student; gives the account of its responsable."""
    made = GuardianFactory(family=FamilyFactory(), **guardian)
    CustodyFactory(student=student, family=made.family, rank=rank)
    return made.user
