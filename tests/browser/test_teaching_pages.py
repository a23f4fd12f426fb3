"""Every page of the year, at the narrowest and at a wide screen: axe, scrolling, the keyboard.

The pages are taken from the addresses: one more is opened here too.
"""

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from students.models import Student
from teaching.enums import EvaluationState
from teaching.models import Absence, Evaluation
from tests.browser.test_pages import faults
from tests.factories import ConcertFactory, ScaleFactory, make_turn
from tests.teaching.test_admin_queries import Desk
from tests.teaching.test_queries import School
from tests.teaching.timetable_cases import next_monday
from tests.test_urls import ROUTES

WIDTHS = pytest.mark.parametrize("width", [320, 1280])
LONG = "de La Rochefoucauld-Montmorency-Luxembourg"
LONG_COURSE = "Éveil musical et corporel des tout-petits, parent et enfant"
FILES = {
    *["slot_file", "course_file", "all_files", "portrait", "calendar", "bulletin_pdf"],
    *["concert_pdf", "works", "announcement_file"],
}
STAFF_FILES = ("_report_export", "_announcement_file", "_concert_pdf")


@pytest.fixture
def school(teacher):
    """With names that no line holds, and an evaluation of each kind."""
    school = School(teacher)
    course = school.first[0].course
    course.name = LONG_COURSE
    course.save()
    Student.objects.update(last_name=LONG)
    criterion = school.criteria[0]
    criterion.scale = ScaleFactory(maximum=20)
    criterion.save()
    return school


def pages_of(school):
    return [address for name, address in school.addresses().items() if name not in FILES]


@WIDTHS
def test_the_teachers_pages(visit, school, width):
    week = f"?semaine={next_monday()}"
    pages = pages_of(school)
    pages += [reverse("teacher:index") + week, reverse("teacher:week") + week]
    visitor = visit(width=width).sign_in_as(school.teacher.user)

    assert faults(visitor, pages) == {}


@WIDTHS
def test_the_teachers_pages_when_there_is_nothing(visit, teacher, width):
    names = ("index", "classes", "evaluations", "week", "feed", "registers")

    visitor = visit(width=width).sign_in_as(teacher.user)

    assert faults(visitor, [reverse(f"teacher:{name}") for name in names]) == {}


@WIDTHS
def test_the_familys_pages(visit, school, registrar, width):
    seated = school.first[2]
    student = seated.student
    evaluation = Evaluation.objects.get(enrolment=seated)
    evaluation.state, evaluation.published_at = EvaluationState.PUBLISHED, evaluation.updated_at
    evaluation.save()
    mark = {"name": "Lecture à vue", "value": "14,5\u00a0/\u00a020"}
    evaluation.marks.create(criterion=school.criteria[0], position=1, **mark)
    parent = student.families.get().guardians.get().user
    absence = Absence.objects.get(enrolment=seated)
    announced = ConcertFactory(school_year=school.year, published=True)
    make_turn(announced, seated, told_at=timezone.now())
    keys = {
        "bulletin": [student.pk, school.period.pk],
        "concert": [student.pk, announced.pk],
        "announcement": [school.written.pk],
        "justify_absence": [student.pk, absence.pk],
    }
    pages = [
        reverse(name, args=keys.get(name.split(":")[1], [student.pk]))
        for name, due in ROUTES.items()
        if name.startswith("teaching:") and due[1] == 200 and name.split(":")[1] not in WITHOUT_KEY
    ]
    pages += [reverse(f"teaching:{name}") for name in WITHOUT_KEY - FILES]
    visitor = visit(width=width).sign_in_as(parent)

    assert faults(visitor, pages) == {}


WITHOUT_KEY = {"week", "feed", "announcements", "message_preferences", *FILES}


@WIDTHS
def test_the_staff_s_pages(visit, establishment, superuser, width):
    desk = Desk(establishment)
    Student.objects.update(last_name=LONG)
    pages = [
        address
        for name, address in desk.addresses().items()
        if not name.endswith(("_delete", "_history", *STAFF_FILES))
    ]
    visitor = visit(width=width).sign_in_as(superuser)

    assert faults(visitor, pages) == {}


class TestErrors:
    """What was typed wrong is told at the top, in the title, beside the field."""

    @pytest.fixture
    def phone(self, visit, school):
        return visit(width=360).sign_in_as(school.teacher.user)

    def told(self, visitor):
        expect(visitor.page).to_have_title(re.compile(r"^\s*Erreur"))
        assert visitor.axe() + ["overflows"] * visitor.overflows() == []

    def test_an_evaluation(self, phone, school):
        phone.page.goto(school.addresses()["evaluation"])
        phone.page.get_by_label(school.criteria[0].name).fill("21")
        phone.page.get_by_role("button", name="Terminer").click()

        self.told(phone)

    def test_an_hour(self, phone, school):
        phone.page.goto(school.addresses()["hour"])
        phone.page.get_by_label("De", exact=True).fill("19:00")
        phone.page.get_by_label("À", exact=True).fill("18:00")
        phone.page.get_by_role("button", name="Enregistrer l'horaire").click()

        self.told(phone)

    def test_a_lesson_moved_before_it_begins(self, phone, school):
        phone.page.goto(school.addresses()["change_lesson"])
        phone.page.get_by_label("De", exact=True).fill("19:00")
        phone.page.get_by_label("À", exact=True).fill("18:00")
        phone.page.get_by_role("button", name="Déplacer la séance").click()

        self.told(phone)

    def test_an_absence_announced_or_justified(self, visit, school):
        student = school.first[2].student
        parent = student.families.get().guardians.get().user
        visitor = visit(width=360).sign_in_as(parent)
        page = visitor.page
        page.goto(reverse("teaching:announce_absence", args=[student.pk]))
        page.get_by_label("Premier jour").fill((school.today - dt.timedelta(days=3)).isoformat())
        page.get_by_role("button", name="Annoncer").click()
        self.told(visitor)

        absence = Absence.objects.get(enrolment=school.first[2])
        page.goto(reverse("teaching:justify_absence", args=[student.pk, absence.pk]))
        page.get_by_role("button", name="Envoyer à l'administration").click()
        self.told(visitor)

    def test_the_staff(self, visit, establishment, superuser):
        desk = Desk(establishment)
        addresses = desk.addresses()
        visitor = visit().sign_in_as(superuser)
        page = visitor.page
        page.goto(addresses["teaching_absence_answer"])
        page.get_by_label("Refuser la justification").check()
        page.get_by_role("button", name="Répondre").click()
        self.told(visitor)
        expect(page.get_by_text("Dites pourquoi")).to_be_visible()

        page.goto(addresses["teaching_evaluation_reopen"])
        page.get_by_role("button", name="Rouvrir").click()
        self.told(visitor)

        page.goto(addresses["teaching_lesson_plan"])
        page.locator("#id_move-ends_at").fill("01:00")
        page.get_by_role("button", name="Déplacer la séance").click()
        self.told(visitor)


def test_a_teacher_s_pages_by_keyboard_alone(visit, school):
    """No mouse from « Ma semaine » to an evaluation that is finished."""
    visitor = visit(width=360).sign_in_as(school.teacher.user)
    page, keys = visitor.page, visitor.page.keyboard

    def follow(name):
        page.get_by_role("link", name=name).first.focus()
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        after = page.evaluate("getComputedStyle(document.activeElement, '::after').outlineStyle")
        assert "solid" in (outline, after), name
        keys.press("Enter")

    page.goto(reverse("teacher:index"))
    follow("Mes classes")
    follow(LONG_COURSE)
    follow("Trombinoscope")
    expect(page.locator(".face")).to_have_count(3)

    follow("Appels")
    follow(LONG_COURSE)
    radios = page.get_by_role("group", name="Louise 0").get_by_role("radio")
    radios.nth(1).focus()  # « Absent »: already so
    label = page.locator(f"label[for='{radios.nth(1).get_attribute('id')}']")
    keys.press("ArrowRight")
    label = page.locator(f"label[for='{radios.nth(2).get_attribute('id')}']")
    assert label.evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
    expect(radios.nth(2)).to_be_checked()
    page.get_by_role("button", name="Valider l'appel").focus()
    keys.press("Enter")
    expect(page.get_by_text("L'appel est enregistré")).to_be_visible()

    follow("Évaluations")
    follow(LONG_COURSE)
    follow("Louise 0")
    page.get_by_label("Appréciation").focus()
    keys.type(" Bravo.")
    page.get_by_role("button", name="Terminer").focus()
    keys.press("Enter")
    expect(page.get_by_text("est terminée.")).to_be_visible()
