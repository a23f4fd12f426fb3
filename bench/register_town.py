"""The classes of bench/register.py, each with its teacher signed in; and what is left of them.

`python -m bench.register_town build CLASSES`, `… verify`: each writes its answer in JSON.
"""

import datetime as dt
import json
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.db.models import Count  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts import sessions  # noqa: E402
from accounts.middleware import SESSION_KEY  # noqa: E402
from accounts.models import Mail, User  # noqa: E402
from bench.sessions import CSRF, cookies_of  # noqa: E402
from families.models import Family, Guardian  # noqa: E402
from students.enums import Cycle, EnrolmentStatus  # noqa: E402
from students.models import Course, Custody, Enrolment, Place, Slot, Student, Teacher  # noqa: E402
from teaching.models import Absence, Register, RegisterEntry  # noqa: E402
from tests.factories import (  # noqa: E402
    CommuneFactory,
    DisciplineFactory,
    EstablishmentFactory,
    SchoolYearFactory,
)

STUDENTS, ABSENT = 12, 2


@transaction.atomic
def build(classes: int) -> list[dict]:
    """Every class is today's, each of its own teacher; every student has one responsable."""
    site, year = EstablishmentFactory(), SchoolYearFactory()
    today, now = timezone.localdate(), timezone.now()
    users = User.objects.bulk_create(
        User(username=f"enseignant.{n}", password="!", email=f"e{n}@example.org")
        for n in range(classes)
    )
    User.establishments.through.objects.bulk_create(
        User.establishments.through(user_id=user.pk, establishment_id=site.pk) for user in users
    )
    teachers = Teacher.objects.bulk_create(
        Teacher(user=user, last_name=f"Nom {n}", first_name="Jean", sort_name=f"nom {n}")
        for n, user in enumerate(users)
    )
    discipline = DisciplineFactory()
    courses = Course.objects.bulk_create(
        Course(
            establishment=site,
            school_year=year,
            discipline=discipline,
            name=f"Cours {n}",
            sort_name=f"cours {n}",
            cycle=Cycle.FIRST,
        )
        for n in range(classes)
    )
    slots = Slot.objects.bulk_create(
        Slot(
            course=course,
            weekday=today.isoweekday(),
            starts_at=dt.time(0, 1),
            ends_at=dt.time(23, 59),
            teacher=teacher,
        )
        for course, teacher in zip(courses, teachers, strict=True)
    )
    by_slot = _enrol(slots)
    return [
        {
            "url": f"/extranet/enseignant/seances/c{slot.pk}-{today}/appel/",
            "students": by_slot[slot.pk],
            "token": CSRF,
            "cookies": cookies_of(
                teacher.user,
                **{SESSION_KEY: site.pk, sessions.SIGNED_IN_AT: int(now.timestamp())},
            ),
        }
        for slot, teacher in zip(slots, teachers, strict=True)
    ]


def _enrol(slots):
    commune = CommuneFactory()
    count = len(slots) * STUDENTS
    families = Family.objects.bulk_create(
        Family(name=f"Foyer {n}", sort_name=f"foyer {n}", address="1 rue", commune=commune)
        for n in range(count)
    )
    Guardian.objects.bulk_create(
        Guardian(
            family=family, last_name=f"Foyer {n}", first_name="Anne", email=f"f{n}@example.org"
        )
        for n, family in enumerate(families)
    )
    students = Student.objects.bulk_create(
        Student(
            last_name=f"Foyer {n}",
            first_name="Louise",
            sort_name=f"foyer {n} louise",
            birth_date=dt.date(2016, 1, 1),
        )
        for n in range(count)
    )
    Custody.objects.bulk_create(
        Custody(student=student, family=family)
        for student, family in zip(students, families, strict=True)
    )
    places = Place.objects.bulk_create(
        Place(slot=slot, number=number + 1) for slot in slots for number in range(STUDENTS)
    )
    enrolments = Enrolment.objects.bulk_create(
        Enrolment(
            student=student,
            course=place.slot.course,
            place=place,
            status=EnrolmentStatus.CONFIRMED,
            cycle=Cycle.FIRST,
        )
        for student, place in zip(students, places, strict=True)
    )
    found = {}
    for enrolment in enrolments:
        found.setdefault(enrolment.place.slot_id, []).append(enrolment.pk)
    return found


def verify() -> dict:
    faults = []
    classes = Slot.objects.count()
    registers = Register.objects.annotate(absent=Count("absences"))
    if registers.count() != classes:
        faults.append(f"{classes - registers.count()} appels manquent")
    wrong = [register.pk for register in registers if register.absent != ABSENT]
    if wrong:
        faults.append(f"{len(wrong)} appels n'ont pas {ABSENT} absents")
    if RegisterEntry.objects.count() != classes:
        faults.append(f"{RegisterEntry.objects.count()} saisies pour {classes} appels")
    mails = Mail.objects.filter(kind="absence").count()
    if mails != classes * ABSENT:
        faults.append(f"{mails} messages pour {classes * ABSENT} absences")
    return {
        "faults": faults,
        "registers": registers.count(),
        "absences": Absence.objects.count(),
        "mails": mails,
    }


if __name__ == "__main__":
    if sys.argv[1] == "build":
        call_command("migrate", verbosity=0)
    answer = build(int(sys.argv[2])) if sys.argv[1] == "build" else verify()
    sys.stdout.write(json.dumps(answer))
