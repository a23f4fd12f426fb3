"""Of a household a teacher reads nothing, on any of his pages (security.md)."""

import pytest
from django.urls import get_resolver, reverse

from accounts.models import Establishment
from families.models import Family, Guardian
from students import waiting
from students.enums import Scheduling
from students.models import SchoolYear
from teaching.absences import services as absences
from teaching.announcements.files import join
from teaching.enums import Space
from teaching.models import Absence
from teaching.timetable import feeds
from tests.documents.builders import make_pdf
from tests.factories import (
    CommuneFactory,
    CourseFactory,
    EnrolmentFactory,
    EvaluationFactory,
    PeriodFactory,
    RepertoirePieceFactory,
    SchoolYearFactory,
    SlotFactory,
    StudentFactory,
    make_portrait,
)
from tests.households import HOUSEHOLDS, found_in, make_household
from tests.teaching.announcement_cases import deliver, make_draft, write
from tests.teaching.register_cases import make_absence, make_notice, well_begun
from tests.teaching.timetable_cases import make_time
from tests.test_urls import changeable_lesson, make_concerts

STUDENT = {
    "email": "zyeleve@example.org",
    "phone": "07 91 92 93 94",
    "school": "Zyecole",
    "school_class": "Zyclasse",
    "reference": "Zyref-eleve",
}


POSTS = {  # answer with another page
    *["end_hour", "remove_piece", "withdraw_turn", "read_announcement"],
    *["send_announcement", "withdraw_announcement", "discard_announcement"],
}
BUTTONS = {"make_feed", "revoke_feed"}
CONTACT = ("first_name", "last_name", "mobile_phone")


@pytest.fixture
def pages(client, teacher, director):
    """Every page of the teacher's space, of classes where the student of two households sits."""
    student = StudentFactory(last_name="Nguyễn", **STUDENT)
    commune = CommuneFactory(name="Zycommune", insee_code="98765", postal_code="98760")
    secrets = [*STUDENT.values(), commune.name, commune.postal_code]
    for rank in (1, 2):
        secrets += make_household(student, rank, actor=director, commune=commune)[1]
    portrait = make_portrait(student, name="zyphoto.jpg")
    secrets += ["zyphoto.jpg", "4321", str(student.birth_date.year)]

    SchoolYearFactory()
    well_begun()  # of the lesson that is called
    year = SchoolYear.objects.current()
    slot = SlotFactory(teacher=teacher, course__school_year=year)
    EnrolmentFactory(student=student, course=slot.course, place=slot.places.get())
    course = CourseFactory(teacher=teacher, scheduling=Scheduling.TEACHER, school_year=year)
    enrolment = EnrolmentFactory(student=student, course=course)
    awaited = SlotFactory(teacher=teacher, course__coming=True, places=0)
    waiting.set_wishes(student, awaited.course, [awaited], actor=None)
    make_time(student, teacher)
    period = PeriodFactory(school_year=year)
    EvaluationFactory(enrolment=enrolment, period=period)
    piece = RepertoirePieceFactory(student=student, course=course, teacher=teacher)
    turn, _ = make_concerts(enrolment, teacher)
    rows = {
        "slot": [slot.pk],
        "slot_file": [slot.pk],
        "course": [course.pk],
        "course_file": [course.pk],
        "all_lists": [course.school_year_id],
        "all_files": [course.school_year_id],
        "hour": [enrolment.pk],
        "portrait": [portrait.pk],
        **dict.fromkeys(["repertoire_slot", "add_to_slot"], [slot.pk]),
        **dict.fromkeys(["repertoire_course", "add_to_course"], [course.pk]),
        **dict.fromkeys(["repertoire", "add_piece"], [enrolment.pk]),
        "piece": [piece.pk],
        **dict.fromkeys(["concert", "concert_pdf", "propose_turn"], [turn.concert_id]),
        "turn": [turn.pk],
        "evaluation_slot": [period.pk, slot.pk],
        "evaluation_course": [period.pk, course.pk],
        "evaluation": [period.pk, enrolment.pk],
        "register": [make_absence(student, teacher)[0]],
        "change_lesson": [changeable_lesson(teacher).key],
    }
    received = make_draft(to_teachers=True)
    file = join(received, "programme.pdf", make_pdf())
    deliver(received)
    written = deliver(write(slot, teacher))
    rows |= {
        "write_to_slot": [slot.pk],
        "write_to_course": [course.pk],
        "announcement": [written.pk],
        "rewrite_announcement": [write(slot, teacher).pk],
        "received_announcement": [received.pk],
        "announcement_file": [file.pk],
    }
    feeds.make(teacher.user, Space.TEACHER)
    for home in student.families.order_by("custodies__rank"):
        by = home.guardians.get().user
        said = f"Zymotif {home.pk}"
        make_notice(student, home, actor=by, reason=said)
        absences.justify(Absence.objects.get(), home, text=said, actor=by)
    secrets += ["Zymotif"]
    client.force_login(teacher.user)
    [space] = [
        part for part in get_resolver().url_patterns if getattr(part, "namespace", "") == "teacher"
    ]
    addresses = {
        each.name: reverse(f"teacher:{each.name}", args=rows.get(each.name))
        for each in space.url_patterns
        if each.name not in POSTS
    }
    for name in ("slot", "course", "all_lists"):
        addresses[f"{name}, faces"] = addresses[name] + "?vue=trombinoscope"
    addresses["waited for"] = reverse("teacher:slot", args=[awaited.pk])

    def read():
        answers = {name: client.get(each) for name, each in addresses.items()}
        # A page that is not found holds no secret: each is to be given its row above.
        unread = {name for name, answer in answers.items() if answer.status_code != 200}
        assert unread == BUTTONS
        return {name: b"".join(answer).decode(errors="replace") for name, answer in answers.items()}

    return read, secrets


def test_no_page_of_a_teacher_holds_a_secret_of_the_households(pages):
    read, secrets = pages
    texts = read()

    without_names = {
        *["index", "classes", "portrait", "evaluations", "registers"],
        *["feed", "make_feed", "revoke_feed", "change_lesson"],
        *["announcements", "received_announcement", "announcement_file"],
        *["write_to_slot", "write_to_course", "rewrite_announcement"],
        *["works", "concerts", "concert_pdf"],
    }
    for name in set(texts) - without_names:
        assert "Nguyễn" in texts[name], name
    assert {name: found_in(text, secrets) for name, text in texts.items()} == {
        name: [] for name in texts
    }


def test_the_establishment_may_let_the_telephone_be_read_and_no_more(pages):
    """One number and the name of each guardian, on the lists of its classes."""
    read, secrets = pages
    Establishment.objects.update(shows_emergency_phone=True)
    read_now = {home[name] for home in HOUSEHOLDS for name in CONTACT}
    lists = {"slot", "course", "all_lists", "slot_file", "course_file", "all_files"}
    lists |= {"slot, faces", "course, faces", "all_lists, faces"}

    found = {name: set(found_in(text, secrets)) for name, text in read().items()}

    assert found == {name: read_now if name in lists else set() for name in found}


def test_every_personal_field_of_a_household_is_among_the_secrets():
    """A new field, the quotient familial for instance, is to be hidden too."""
    known = {name for home in HOUSEHOLDS for name in home}
    linked = {"id", "user", "family", "commune", "sort_name"}

    fields = {field.name for model in (Family, Guardian) for field in model._meta.concrete_fields}

    assert fields - linked <= known
