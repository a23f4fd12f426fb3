"""The coming year in Chromium: what is missing, its rooms, its hours; axe, widths, the keyboard."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from students.enums import Scheduling, Weekday
from students.models import Course, SchoolYear, WaitingEntry
from tests.browser.test_pages import WIDTHS, faults
from tests.factories import CourseFactory, EnrolmentFactory, SlotFactory, StudentFactory, make_time

pytestmark = pytest.mark.usefixtures("town")

NEEDS = reverse("admin:reenrolment_campaign_needs")
ROOMS = reverse("admin:teaching_lesson_year_rooms")
LOADS = reverse("admin:teaching_lesson_loads")


@pytest.fixture
def coming(student, teacher):
    """A course where five are awaited for three places; two lessons in one room at once."""
    orchestra = Course.objects.get(name="Orchestre", school_year__starts_on__gt=timezone.now())
    before = orchestra.previous_courses.get()
    for _ in range(4):
        EnrolmentFactory(student=StudentFactory(), course=before)
    WaitingEntry.objects.create(student=StudentFactory(), course=orchestra, since=timezone.now())
    long = CourseFactory(coming=True, name="Éveil musical et corporel des tout-petits")
    for group, hour in {"A": 10, "B": 11}.items():
        SlotFactory(
            course=long,
            group=group,
            weekday=Weekday.TUESDAY,
            starts_at=dt.time(10),
            ends_at=dt.time(hour + 1),
            room="Salle Nadia-et-Lili-Boulanger",
            teacher=teacher,
        )
    piano = CourseFactory(coming=True, name="Piano", scheduling=Scheduling.TEACHER, teacher=teacher)
    make_time(piano, EnrolmentFactory(student=student, course=piano), room="Studio 3")
    return orchestra


@WIDTHS
def test_the_pages(visit, coming, registrar, width):
    asked = f"?jour={Weekday.TUESDAY.value}&de=10:00&a=11:00"
    this = SchoolYear.objects.get(courses=coming.previous_courses.get())

    assert (
        faults(
            visit(width=width).sign_in_as(registrar),
            [
                NEEDS,
                f"{NEEDS}?annee={this.pk}&cycle=c9",
                ROOMS + asked,
                f"{ROOMS}?jour=1",
                LOADS,
                reverse("admin:students_schoolyear_roll_over", args=[this.pk]),
            ],
        )
        == {}
    )


@WIDTHS
def test_by_the_keyboard_from_what_is_missing_to_a_slot_more(visit, coming, registrar, width):
    page = visit(width=width, javascript=False).sign_in_as(registrar).page
    page.goto(NEEDS)
    page.get_by_label("Cycle").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "Montrer"
    page.keyboard.press("Enter")
    page.wait_for_url("**cycle=*")
    page.get_by_role("link", name="Orchestre").first.focus()
    page.keyboard.press("Enter")
    assert page.url.endswith(f"#cours-{coming.pk}")

    page.get_by_role("link", name="Ajouter un créneau à Orchestre").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Jour :").select_option(str(Weekday.THURSDAY.value))
    page.get_by_label("De :").fill("17:00")
    page.get_by_label("À :", exact=True).fill("18:00")
    page.get_by_label("Capacité :").fill("6")
    page.get_by_label("Capacité :").press("Enter")

    page.wait_for_url(f"**{NEEDS}**")
    row = page.locator("tr", has=page.locator(f"#cours-{coming.pk}"))
    assert "3 places resteront libres" in row.inner_text()


def test_a_course_is_left_out_by_the_keyboard(visit, coming, registrar):
    this = SchoolYear.objects.get(courses=coming.previous_courses.get())
    CourseFactory(name="Harpe", school_year=this)
    CourseFactory(name="Luth", school_year=this)
    page = visit(width=360).sign_in_as(registrar).page
    page.goto(reverse("admin:students_schoolyear_roll_over", args=[this.pk]))
    page.get_by_label("Harpe", exact=True).focus()
    page.keyboard.press("Space")
    page.get_by_label("Ce que propose Harpe").fill("Luth")
    page.get_by_label("Ce que propose Harpe").press("Enter")

    page.get_by_text("1 laissé.").wait_for()
    assert not page.get_by_label("Harpe", exact=True).is_checked()
    assert Course.objects.get(name="Harpe").next_course.name == "Luth"
