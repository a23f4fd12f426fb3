"""A teacher's whole day on a telephone, and what the family reads of it in the evening."""

import datetime as dt
import re

import pytest
from django.core import mail
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Establishment
from teaching.enums import EvaluationState
from teaching.models import Evaluation, Period, RegisterSettings, TimetableSettings
from tests.browser.test_register import KEPT, kept, quiet, tap, validate
from tests.factories import PASSWORD, CriterionFactory, PeriodFactory
from tests.teaching.register_cases import Case, well_begun

pytestmark = pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])


@pytest.fixture
def case(teacher, parent, student):
    """Louise Martin and two others, whose class is today and in a week."""
    case = Case(teacher, students=2, year=well_begun())
    case.enrolments.append(case.enrol("", student=student))
    RegisterSettings.objects.create(establishment=case.slot.course.establishment, mail_delay=0)
    return case


@pytest.fixture
def period(case):
    """To hand in within the month; nobody has said when families will read it."""
    course = case.slot.course
    CriterionFactory(
        establishment=course.establishment, discipline=course.discipline, name="Lecture de notes"
    )
    return PeriodFactory(
        school_year=course.school_year,
        name="1er semestre",
        due_on=case.today + dt.timedelta(days=20),
    )


def look(visitor):
    """What any page owes, whoever reads it."""
    assert not visitor.overflows(), visitor.page.url
    if visitor.javascript:
        assert visitor.axe() == [], visitor.page.url


def go(visitor, name, heading=None, exact=True):
    visitor.page.get_by_role("link", name=name, exact=exact).first.click()
    expect(visitor.page.get_by_role("heading", name=heading or name).first).to_be_visible()
    look(visitor)


def another_day(case):
    """A week from now, on a day when the class has nothing."""
    return case.today + dt.timedelta(days=7 + (1 if case.today.isoweekday() < 7 else -1))


def test_from_the_class_list_to_what_the_family_reads(visit, case, period, student, javascript):
    day, moved_to = case.today, another_day(case)
    school = visit(width=360, javascript=javascript)
    page = school.page
    school.sign_in("vasseur.c", PASSWORD, door="Accès enseignant")

    expect(page.get_by_role("heading", name="Ma semaine")).to_be_visible()
    expect(page.get_by_text("1er semestre : 3 évaluations à rendre")).to_be_visible()
    look(school)
    read_the_class(school)
    call_the_register(school, case)
    evaluate(school, period)
    move_next_week(school, day, moved_to)

    Period.objects.update(publish_at=timezone.now())  # the administration says when
    mail.outbox.clear()
    call_command("send_mails")
    told = sorted(each.subject for each in mail.outbox if "martin.c@example.org" in each.to)
    assert [re.split("[\u00a0 ]: |,", subject)[0] for subject in told] == [
        "Absence de Louise",
        "Formation musicale A",
        "Les évaluations de Louise Martin sont publiées (1er semestre)",
    ]

    home = visit(width=360, javascript=javascript)
    home.sign_in("martin.c", PASSWORD)
    expect(home.page.get_by_role("heading", name="Bonjour Claire")).to_be_visible()
    expect(home.page.get_by_text("déplacé").first).to_be_visible()
    look(home)
    justify(home)
    read_the_evaluation(home)
    read_the_timetable(home, day, moved_to)


def read_the_class(school):
    """With a number to call, once the establishment allows it."""
    page = school.page
    go(school, "Formation musicale A", "Formation musicale A – ", exact=False)
    expect(page.get_by_role("row", name="Martin Louise")).to_be_visible()
    assert page.locator("a[href^='tel:']").count() == 0

    Establishment.objects.update(shows_emergency_phone=True)
    page.reload()
    call = page.get_by_role("row", name="Martin Louise").get_by_role("link", name="06 12 34 56 78")
    assert call.get_attribute("href") == "tel:0612345678"
    look(school)
    page.get_by_role("link", name="Trombinoscope").click()
    expect(page.get_by_role("link", name="06 12 34 56 78")).to_be_visible()
    look(school)


def call_the_register(school, case):
    """Two taps an absent; with JavaScript, without any network between them and « Valider »."""
    page = school.page
    go(school, "Appels")
    page.get_by_role("link", name="Formation musicale A").first.click()  # today's
    tap(page, "Martin Louise", "Absent")
    if school.javascript:
        school.context.set_offline(True)
    tap(page, "Nom Louise 0 Louise 0", "En retard")
    validate(page)
    if school.javascript:
        expect(page.get_by_text(KEPT)).to_be_visible()
        assert case.kinds() == {}
        school.context.set_offline(False)
    expect(page.get_by_text("L'appel est enregistré")).to_be_visible()
    assert case.kinds() == {"Louise": "absent", "Louise 0": "late"}
    look(school)
    if school.javascript:
        assert kept(page) == []
        quiet(school)
    go(school, "Appels")
    expect(page.get_by_text("Fait", exact=True)).to_be_visible()


def evaluate(school, period):
    page = school.page
    go(school, "Évaluations")
    expect(page.get_by_text("3 à faire")).to_be_visible()
    page.get_by_role("link", name="Formation musicale").first.click()
    expect(page.get_by_text("0 évaluation terminée sur 3")).to_be_visible()
    look(school)
    go(school, "Louise Martin")
    page.get_by_role("group", name="Lecture de notes").get_by_label("acquis").check()
    page.get_by_label("Appréciation").fill("De beaux progrès : continue !")
    page.get_by_role("button", name="Enregistrer le brouillon").click()
    expect(page.get_by_text("est enregistrée en brouillon")).to_be_visible()
    assert Evaluation.objects.get().state == EvaluationState.DRAFT
    look(school)

    page.get_by_role("button", name="Terminer").click()
    expect(page.get_by_text("L'évaluation de Louise Martin est terminée")).to_be_visible()
    look(school)
    go(school, "Évaluations")
    expect(page.get_by_text("2 à faire")).to_be_visible()


def move_next_week(school, day, moved_to):
    """The establishment lets teachers: the week shows « Changer » from then on."""
    page = school.page
    go(school, "Mes classes")
    go(school, "Emploi du temps")
    assert page.get_by_role("link", name="Changer Formation musicale A").count() == 0
    TimetableSettings.objects.create(
        establishment=Establishment.objects.get(), teachers_change_lessons=True
    )
    page.get_by_role("link", name="Semaine suivante").click()
    look(school)
    go(school, "Changer Formation musicale A", "Formation musicale A", exact=False)
    page.get_by_label("Nouveau jour").fill(moved_to.isoformat())
    page.get_by_label("De", exact=True).fill("14:00")
    page.get_by_label("À", exact=True).fill("15:00")
    page.get_by_label("Motif").last.fill("Concert au théâtre")
    page.get_by_role("button", name="Déplacer la séance").click()
    expect(page.get_by_text("La séance est déplacée.")).to_be_visible()
    look(school)


def justify(home):
    page = home.page
    go(home, "Elèves", "Louise Martin")
    go(home, "cours", "Louise Martin")
    go(home, "Absences")
    expect(page.get_by_text("À justifier")).to_be_visible()
    page.get_by_role("link", name="Justifier").click()
    look(home)
    page.get_by_label("Pourquoi cette absence").fill("Rendez-vous chez le médecin.")
    page.get_by_role("button", name="Envoyer à l'administration").click()
    expect(page.get_by_text("Justification à examiner")).to_be_visible()
    look(home)


def read_the_evaluation(home):
    page = home.page
    go(home, "Évaluations")
    expect(page.get_by_text("De beaux progrès : continue !")).to_be_visible()
    expect(page.get_by_role("row", name="Lecture de notes acquis")).to_be_visible()
    go(home, "Bulletin à imprimer", "Bulletin de Louise Martin")
    expect(page.get_by_text("De beaux progrès : continue !")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Télécharger en PDF").click()
    assert download.value.suggested_filename.endswith(".pdf")
    go(home, "Évaluations de Louise Martin", "Évaluations")


def read_the_timetable(home, day, moved_to):
    """In the week it has left and in that where it is, of one student and of the household."""
    page = home.page
    go(home, "Emploi du temps", "La semaine")
    own, household = page.url.split("?")[0], reverse("teaching:week")
    planned = day + dt.timedelta(days=7)

    for address in (own, household):
        page.goto(f"{address}?semaine={planned.isoformat()}")
        expect(page.get_by_text("Déplacé au").first).to_be_visible()
        look(home)
        page.goto(f"{address}?semaine={moved_to.isoformat()}")
        expect(page.get_by_text("14 h à 15 h", exact=True)).to_be_visible()
        expect(page.get_by_text("Déplacé : il était prévu")).to_be_visible()
        expect(page.get_by_text("Motif : Concert au théâtre").first).to_be_visible()
        look(home)
