"""A teacher's register on a phone: the network goes in the middle, comes back, and all is there."""

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts import mails
from teaching.models import Absence, RegisterEntry
from tests.factories import TeacherFactory
from tests.teaching.register_cases import ABSENT, HERE, LATE, Case, make_home

OFFLINE = "Pas de réseau : l'appel du"
KEPT = "est gardé sur ce téléphone et partira dès que possible."


@pytest.fixture
def case(teacher):
    return Case(teacher)


@pytest.fixture
def phone(visit, teacher):
    return visit(width=360).sign_in_as(teacher.user)


def tap(page, name, choice):
    page.get_by_role("group", name=name).get_by_text(choice, exact=True).click()


def validate(page):
    page.get_by_role("button", name="Valider l'appel").click()


def quiet(phone):
    """The network that was cut is what the browser complains of."""
    phone.faults[:] = [fault for fault in phone.faults if "ERR_" not in fault]


def kept(page):
    return page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('appel:'))")


@pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])
def test_two_taps_an_absent_and_the_family_sees_it(visit, case, teacher, javascript):
    parent = make_home(case.enrolments[0].student)
    phone = visit(width=360, javascript=javascript).sign_in_as(teacher.user)
    phone.page.goto(reverse("teacher:index"))
    phone.page.get_by_role("link", name="Appels").click()
    phone.page.get_by_role("link", name="Formation musicale A").first.click()
    assert not phone.overflows()
    if javascript:
        assert phone.axe() == []

    tap(phone.page, "Louise 0", "Absent")
    tap(phone.page, "Louise 1", "En retard")
    phone.page.get_by_role("group", name="Louise 1").get_by_label("Minutes de retard").fill("10")
    validate(phone.page)

    expect(phone.page.get_by_text("L'appel est enregistré")).to_be_visible()
    assert case.kinds() == {"Louise 0": "absent", "Louise 1": "late"}
    assert Absence.objects.get(kind="late").minutes == 10
    assert mails.waiting().count() == 1
    call_command("send_mails")

    home = visit(width=360, javascript=javascript).sign_in_as(parent)
    home.page.goto(reverse("students:courses", args=[case.enrolments[0].student_id]))
    home.page.get_by_role("link", name="Absences").click()
    expect(home.page.get_by_text("À justifier")).to_be_visible()
    assert not home.overflows()
    home.page.get_by_role("link", name="Justifier").click()
    home.page.get_by_label("Pourquoi cette absence").fill("Bus en panne.")
    home.page.get_by_role("button", name="Envoyer à l'administration").click()
    expect(home.page.get_by_text("Justification à examiner")).to_be_visible()
    home.page.get_by_role("link", name="Annoncer une absence").click()
    home.page.get_by_label("Premier jour").fill(timezone.localdate().isoformat())
    home.page.get_by_role("button", name="Annoncer").click()
    expect(home.page.get_by_text("L'absence est annoncée")).to_be_visible()
    if javascript:
        assert home.axe() == []


def test_the_network_goes_in_the_middle(phone, case):
    page = phone.page
    page.goto(case.url)
    tap(page, "Louise 0", "Absent")
    phone.context.set_offline(True)
    tap(page, "Louise 2", "Excusé")
    validate(page)

    expect(page.get_by_text(OFFLINE)).to_be_visible()
    expect(page.get_by_text(KEPT)).to_be_visible()
    assert case.kinds() == {}
    assert len(kept(page)) == 1
    assert "Nom Louise" not in page.evaluate("JSON.stringify(localStorage)")

    phone.context.set_offline(False)
    expect(page.get_by_text("L'appel est enregistré")).to_be_visible()
    assert case.kinds() == {"Louise 0": "absent", "Louise 2": "excused"}
    assert RegisterEntry.objects.count() == 1
    assert kept(page) == []
    quiet(phone)


def test_the_tab_is_closed_meanwhile(phone, case):
    page = phone.page
    page.goto(case.url)
    phone.context.set_offline(True)
    tap(page, "Louise 1", "Absent")
    validate(page)
    expect(page.get_by_text(KEPT)).to_be_visible()
    page.close()

    phone.context.set_offline(False)
    another = phone.context.new_page()
    another.goto(reverse("teacher:index"))
    expect(another.get_by_text("est enregistré.")).to_be_visible()

    assert case.kinds() == {"Louise 1": "absent"}
    assert RegisterEntry.objects.count() == 1
    assert kept(another) == []
    quiet(phone)


def test_an_answer_that_never_came_is_not_recorded_twice(phone, case):
    """The server has written; the network went before it could say so."""
    page = phone.page
    page.goto(case.url)
    lost = []

    def lose(route):
        if route.request.method != "POST" or lost:
            return route.continue_()
        lost.append(route.fetch().status)
        return route.abort()

    page.route("**/appel/", lose)
    tap(page, "Louise 0", "Absent")
    validate(page)
    expect(page.get_by_text(KEPT)).to_be_visible()
    assert lost == [200]

    expect(page.get_by_text("L'appel est enregistré")).to_be_visible(timeout=12_000)
    assert RegisterEntry.objects.count() == 1
    quiet(phone)


def test_what_was_ticked_and_not_validated_is_given_back(phone, case):
    page = phone.page
    page.goto(case.url)
    tap(page, "Louise 0", "Absent")
    page.goto(reverse("teacher:index"))

    page.goto(case.url)

    group = page.get_by_role("group", name="Louise 0")
    expect(group.get_by_role("radio", name="Absent")).to_be_checked()
    expect(page.get_by_text("gardée sur ce téléphone, est reprise ici")).to_be_visible()
    page.get_by_role("button", name="Reprendre ce qui est enregistré").click()
    expect(group.get_by_role("radio", name="Présent")).to_be_checked()
    assert kept(page) == []


def test_somebody_else_wrote_meanwhile(phone, case):
    page = phone.page
    page.goto(case.url)
    phone.context.set_offline(True)
    tap(page, "Louise 0", "Absent")
    validate(page)
    expect(page.get_by_text(KEPT)).to_be_visible()
    other = TeacherFactory(first_name="Paul", last_name="Petit").user
    case.call(LATE, HERE, ABSENT, by=other)

    phone.context.set_offline(False)

    expect(page.get_by_role("heading", name="Cet appel a été changé entre-temps")).to_be_visible()
    expect(
        page.get_by_text("Votre saisie : absent · enregistré par Paul Petit : en retard")
    ).to_be_visible()
    assert phone.axe() == []
    assert not phone.overflows()
    expect(
        page.get_by_role("group", name="Louise 0").get_by_role("radio", name="Absent")
    ).to_be_checked()
    expect(
        page.get_by_role("group", name="Louise 2").get_by_role("radio", name="Absent")
    ).to_be_checked()
    validate(page)
    expect(page.get_by_text("L'appel est enregistré")).to_be_visible()
    assert case.kinds() == {"Louise 0": "absent", "Louise 2": "absent"}
    assert kept(page) == []
    quiet(phone)


def test_the_conflict_is_told_on_another_page_too(phone, case):
    page = phone.page
    page.goto(case.url)
    phone.context.set_offline(True)
    tap(page, "Louise 0", "Absent")
    validate(page)
    expect(page.get_by_text(KEPT)).to_be_visible()
    page.close()
    case.call(LATE, HERE, HERE, by=TeacherFactory().user)

    phone.context.set_offline(False)
    page = phone.context.new_page()
    page.goto(reverse("teacher:index"))
    page.get_by_role("button", name="Comparer").click()

    expect(page.get_by_role("heading", name="Cet appel a été changé entre-temps")).to_be_visible()
    quiet(phone)


def test_signing_out_sends_or_asks_before_it_erases(phone, case):
    page = phone.page
    page.goto(case.url)
    tap(page, "Louise 0", "Absent")
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.get_by_role("button", name="Déconnexion").click()
    expect(page.get_by_role("button", name="Valider l'appel")).to_be_visible()
    assert "n'est pas enregistré. Se déconnecter l'efface" in asked[0]
    assert len(kept(page)) == 1

    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Déconnexion").click()
    page.wait_for_url("**/extranet/")
    assert kept(page) == []


def test_somebody_else_signs_in_on_the_same_phone(phone, case):
    """What one teacher has kept is neither shown to the next one nor sent in his name."""
    page = phone.page
    page.goto(case.url)
    phone.context.set_offline(True)
    tap(page, "Louise 0", "Absent")
    validate(page)
    expect(page.get_by_text(KEPT)).to_be_visible()
    page.close()
    phone.context.set_offline(False)
    phone.context.clear_cookies()
    phone.sign_in_as(TeacherFactory().user)

    page = phone.context.new_page()
    page.goto(reverse("teacher:registers"))
    page.wait_for_load_state("networkidle")
    expect(page.get_by_text("est gardé")).to_have_count(0)
    assert not RegisterEntry.objects.exists()
    phone.context.clear_cookies()
    phone.sign_in_as(case.teacher.user)
    page.goto(reverse("teacher:registers"))

    expect(page.get_by_text("est enregistré.")).to_be_visible()
    assert case.kinds() == {"Louise 0": "absent"}
    quiet(phone)


def test_the_session_ends_while_the_network_is_away(phone, case):
    page = phone.page
    page.goto(case.url)
    tap(page, "Louise 0", "Absent")
    phone.context.clear_cookies()
    validate(page)

    expect(page.get_by_text("est gardé sur ce téléphone. Connectez-vous")).to_be_visible()
    phone.sign_in_as(case.teacher.user)
    page.goto(reverse("teacher:registers"))
    expect(page.get_by_text("est enregistré.")).to_be_visible()
    assert case.kinds() == {"Louise 0": "absent"}
