"""Makes the floor's rows (`python -m bench.floor.populate`).

Writes in JSON what the clients need: the cookies of each session, the keys of the slots.
"""

import datetime as dt
import json
import sys

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.floor.models import Lesson, Notice, Place, Slot, Student  # noqa: E402
from bench.sessions import cookies_of  # noqa: E402

CLIENTS = 400
LESSONS = 38  # of each student: with the notices, a page of 15 KB
SLOTS, PLACES = 20, 10


def populate() -> dict:
    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)  # our own tables point at the accounts'
    users = User.objects.bulk_create(User(username=f"famille.{n}") for n in range(CLIENTS))
    students = Student.objects.bulk_create(
        Student(user=user, name=f"Élève {user.username}") for user in users
    )
    now = timezone.now()
    Lesson.objects.bulk_create(
        Lesson(
            student=student,
            name=f"Formation musicale {n}",
            starts_at=now + dt.timedelta(days=7 * n),
        )
        for student in students
        for n in range(LESSONS)
    )
    Notice.objects.bulk_create(
        Notice(text="Les réinscriptions sont ouvertes. " * 5, at=now - dt.timedelta(days=n))
        for n in range(10)
    )
    slots = Slot.objects.bulk_create(
        Slot(name=f"Créneau {n}", capacity=PLACES) for n in range(SLOTS)
    )
    Place.objects.bulk_create(
        Place(slot=slot, number=n + 1) for slot in slots for n in range(PLACES)
    )
    return {
        "sessions": [cookies_of(user) for user in users],
        "students": [student.pk for student in students],
        "slots": [slot.pk for slot in slots],
    }


if __name__ == "__main__":
    json.dump(populate(), sys.stdout)
