"""The registers of the last four weeks, with absences to justify, justified and announced."""

import datetime as dt
import random
import uuid

from accounts.models import User
from imuse.demo.clock import Clock
from imuse.demo.town import Town
from teaching.absences import services as absences
from teaching.enums import Presence
from teaching.lessons import Attendees, hours_of_site, lessons
from teaching.models import Absence
from teaching.register import services
from teaching.register.marks import Mark

WEEKS = 4
FORGOTTEN = 0.1  # of the lessons: what « Appels non faits » shows
SAID = ["Rendez-vous médical.", "Sortie de l'école.", "Le bus n'est pas passé.", "Malade."]


def call_registers(town: Town, clock: Clock, rng: random.Random, actor: User) -> None:
    """By each lesson's teacher, that very day; by the secretariat where he has no account."""
    last = clock.day(-1)
    first = last - dt.timedelta(weeks=WEEKS)
    for site in (town.conservatoire, town.dance_school):
        hours = hours_of_site(site, first, last)
        expected = Attendees(hours)
        for lesson in lessons(hours, first, last):
            enrolments = expected.of(lesson)
            if not enrolments or rng.random() < FORGOTTEN:
                continue
            teacher = lesson.teacher
            by = teacher.user if teacher and teacher.user else actor
            marks = {enrolment.pk: _mark(rng) for enrolment in enrolments}
            key = uuid.UUID(int=rng.getrandbits(128))
            with clock.at(lesson.ends):
                services.call(lesson, marks, version=0, key=key, actor=by)
    _justify(clock, rng, actor)


def _mark(rng):
    drawn = rng.random()
    if drawn < 0.05:
        return Mark(Presence.ABSENT)
    if drawn < 0.08:
        return Mark(Presence.LATE, rng.choice([5, 10, 15]))
    return Mark(Presence.EXCUSED if drawn < 0.1 else Presence.PRESENT)


def _justify(clock, rng, actor):
    """A third of the absences; half of them are answered."""
    found = Absence.objects.filter(kind=Presence.ABSENT).order_by("pk")
    for absence in found.select_related("enrolment__student"):
        family = absence.enrolment.student.families.order_by("custodies__rank").first()
        by = family and User.objects.filter(guardian__family=family).first()
        if by is None or rng.random() > 1 / 3:
            continue
        with clock.at(clock.moment(-1, 19)):
            absences.justify(absence, family, text=rng.choice(SAID), actor=by)
            if rng.random() < 0.5:
                absences.accept(absence, actor=actor)
