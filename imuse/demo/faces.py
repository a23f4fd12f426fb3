"""The photos of the class lists: families that agreed, and a few photos accepted last year."""

import random

from django.db.models import Q

from accounts.models import User
from documents import services as documents
from documents.enums import Verdict
from documents.models import Document, DocumentType
from imuse.demo.clock import Clock
from imuse.demo.files import make_portrait
from imuse.demo.town import PHOTO, Town
from reenrolment.models import Reenrolment
from students import image_consent
from students.models import Course, Enrolment, Slot, Student, Teacher
from teaching.models import PortraitSource

NEW_PHOTOS = 8
WITHOUT = {"martin.c", "benali.n", "benali.s"}  # left to whoever tries the demo


def show_faces(
    town: Town, clock: Clock, rng: random.Random, teacher: User, secretary: User
) -> None:
    """Of the teacher's students of this year; `send_mails` then makes the portraits."""
    kind = DocumentType.objects.get(name=PHOTO)
    PortraitSource.objects.create(type=kind)
    students = Student.objects.filter(
        enrolments__course__school_year=town.current,
        enrolments__in=_enrolments(Teacher.objects.get(user=teacher)),
    ).exclude(families__guardians__user__username__in=WITHOUT)
    photos = NEW_PHOTOS
    for student in students.distinct().order_by("pk"):
        if photos and not Reenrolment.objects.filter(student=student).exists():
            photos -= _hand_in(kind, student, clock, rng, secretary)
        has_one = Document.objects.filter(
            type=kind, student=student, verdict=Verdict.ACCEPTED, replaced_by=None
        )
        if has_one.exists():
            with clock.at(clock.moment(-60, 20)):
                for family in student.families.all():
                    image_consent.set_consent(student, family, agrees=True)


def _enrolments(teacher):
    slots = Slot.objects.taught_by(teacher).order_by()
    courses = Course.objects.taught_by(teacher).order_by()
    return Enrolment.objects.confirmed().filter(
        Q(place__slot__in=slots.values("pk")) | Q(course__in=courses.values("pk"))
    )


def _hand_in(kind, student, clock, rng, secretary):
    """How many photos: one, or none of a household where nobody has an account."""
    parent = User.objects.filter(guardian__family__students=student).order_by("pk").first()
    if parent is None:
        return 0
    with clock.at(clock.moment(-350, 18)):
        photo = documents.hand_in(
            "photo.jpg", make_portrait(rng), type=kind, student=student, actor=parent
        )
    with clock.at(clock.moment(-340, 9)):
        documents.accept(photo, actor=secretary)
    return 1
