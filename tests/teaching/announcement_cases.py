"""Classes with their households, and announcements in each state."""

import uuid

from teaching.announcements import sending, services
from teaching.enums import AnnouncementKind
from teaching.models import Announcement
from tests.factories import (
    CustodyFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    GuardianFactory,
    SchoolYearFactory,
    SlotFactory,
    StudentFactory,
    UserFactory,
)

SERVICE, LIFE = AnnouncementKind.SERVICE.value, AnnouncementKind.LIFE.value
TYPED = {"kind": SERVICE, "subject": "Répétition samedi", "text": "Rendez-vous à 10 h."}


def make_class(teacher, *students, **kwargs):
    """A slot of his, of this year, where these students sit."""
    kwargs = {"places": max(len(students), 1), **kwargs}
    slot = SlotFactory(teacher=teacher, **kwargs)
    for student, place in zip(students, slot.places.order_by("number"), strict=False):
        EnrolmentFactory(student=student, course=slot.course, place=place)
    return slot


def make_pupil(homes=1, **guardian):
    """A student of one household or two, each with one responsable."""
    first = GuardianFactory(**guardian)
    student = StudentFactory(family=first.family)
    if homes == 2:
        CustodyFactory(student=student, family=GuardianFactory().family, rank=2)
    return student


def write(slot, teacher, **typed):
    """His draft to the class."""
    typed = {**TYPED, **typed}
    return services.write_to_class(slot, teacher=teacher, key=uuid.uuid4(), typed=typed)


def make_draft(author=None, **kwargs):
    """The administration's, to everyone of the site unless it says to whom."""
    many = {name: kwargs.pop(name, []) for name in ("courses", "slots", "disciplines")}
    many["classes_of"] = kwargs.pop("classes_of", [])
    aims = {"cycles", "to_teachers", "everyone"} & set(kwargs)
    defaults = {"everyone": not aims and not any(many.values()), "signed": "Le secrétariat"}
    announcement = Announcement.objects.create(
        establishment=kwargs.pop("establishment", None) or EstablishmentFactory(),
        school_year=kwargs.pop("school_year", None) or SchoolYearFactory(),
        author=author or UserFactory(is_staff=True),
        **{**TYPED, **defaults, **kwargs},
    )
    for name, rows in many.items():
        getattr(announcement, name).set(rows)
    return announcement


def plan(announcement, actor=None, **kwargs):
    announcement.refresh_from_db()
    return services.plan(
        announcement, edition=announcement.edition, actor=actor or announcement.author, **kwargs
    )


def deliver(announcement=None, actor=None):
    """Sent by the queue, to the end."""
    if announcement is not None:
        plan(announcement, actor)
    while sending.send_next():
        pass
    if announcement is not None:
        announcement.refresh_from_db()
    return announcement
