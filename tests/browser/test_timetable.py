"""The timetable in Chromium: axe, sideways scrolling, the keyboard; a lesson cancelled at home."""

import pytest
from django.urls import reverse

from teaching.enums import Space
from teaching.models import TimetableSettings
from teaching.timetable import feeds, services
from tests.browser.test_pages import WIDTHS, faults
from tests.factories import StudentFactory
from tests.teaching.timetable_cases import make_slot, make_time, next_lesson, next_monday

pytestmark = pytest.mark.usefixtures("town")


@pytest.fixture
def lessons(student, parent, family, teacher, registrar):
    """Of Louise and of her brother: one cancelled, one as planned."""
    hugo = StudentFactory(first_name="Hugo-Alexandre-Maximilien", family=family)
    slot = make_slot(
        student,
        hugo,
        teacher=teacher,
        course__name="Éveil musical et corporel des tout-petits",
        room="Salle Nadia-et-Lili-Boulanger",
    )
    time = make_time(student, teacher)
    services.cancel([next_lesson(slot)], actor=registrar, reason="Enseignante souffrante")
    TimetableSettings.objects.create(
        establishment=slot.course.establishment, teachers_change_lessons=True
    )
    feeds.make(parent, Space.FAMILY)
    return next_lesson(slot), next_lesson(time)


@WIDTHS
def test_the_familys_pages(visit, lessons, parent, student, width):
    week = f"?semaine={next_monday()}"

    assert (
        faults(
            visit(width=width).sign_in_as(parent),
            [
                reverse("imuse:home"),
                reverse("teaching:week") + week,
                reverse("teaching:student_week", args=[student.pk]) + week,
                reverse("students:courses", args=[student.pk]),
                reverse("teaching:feed"),
            ],
        )
        == {}
    )


@WIDTHS
def test_the_teachers_pages(visit, lessons, teacher, width):
    _, piano = lessons

    assert (
        faults(
            visit(width=width).sign_in_as(teacher.user),
            [
                reverse("teacher:week") + f"?semaine={next_monday()}",
                reverse("teacher:change_lesson", args=[piano.key]),
                reverse("teacher:feed"),
            ],
        )
        == {}
    )


@WIDTHS
def test_the_staff_s_pages(visit, lessons, teacher, superuser, width):
    _, piano = lessons
    absence = f"?teacher={teacher.pk}&first={next_monday()}&last={next_monday()}"

    assert (
        faults(
            visit(width=width).sign_in_as(superuser),
            [
                reverse("admin:teaching_lesson_rooms") + f"?jour={next_monday()}",
                reverse("admin:teaching_lesson_conflicts"),
                reverse("admin:teaching_lesson_absence") + absence,
                reverse("admin:teaching_lesson_plan", args=[piano.key]),
            ],
        )
        == {}
    )


def test_a_teacher_cancels_and_the_family_reads_it(visit, lessons, teacher, parent):
    _, piano = lessons
    page = visit(width=360).sign_in_as(teacher.user).page
    page.goto(reverse("teacher:week") + f"?semaine={next_monday()}")
    page.get_by_role("link", name="Changer Piano").click()
    page.get_by_label("Motif").first.fill("Concert")
    page.get_by_role("button", name="Annuler la séance").click()
    page.get_by_text("La séance est annulée.").wait_for()

    page = visit(width=360).sign_in_as(parent).page
    page.goto(reverse("teaching:week") + f"?semaine={next_monday()}")
    assert page.get_by_text("Motif : Concert").count() == 1
