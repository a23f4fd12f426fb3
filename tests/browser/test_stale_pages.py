"""Two tabs, two parents, a place kept too short, the back button: nothing typed is lost."""

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from reenrolment.enums import Status
from reenrolment.models import CourseChoice, Reenrolment
from students.enums import Weekday
from students.models import Hold, Slot
from tests.factories import CustodyFactory, SlotFactory

THEORY = "Horaire en Formation musicale"
WANTED = "Réinscription en Formation musicale"
COMMENT = "Informations complémentaires"
BOTH_WAYS = pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])

pytestmark = pytest.mark.usefixtures("town")


@pytest.fixture
def edit_url(student):
    return reverse("reenrolment:edit", args=[student.pk])


@pytest.fixture
def slots(town):
    """Monday's and Saturday's of Formation musicale."""
    monday = Slot.objects.get(course__name="Formation musicale")
    return monday, SlotFactory(course=monday.course, weekday=Weekday.SATURDAY)


def save(page):
    page.get_by_role("button", name="Enregistrer", exact=True).last.click()


def pick(page, slot):
    page.get_by_label(WANTED).check()
    page.get_by_label(THEORY).select_option(str(slot.pk))


def error_of(page):
    return page.locator(".error-summary").inner_text().replace("\u00a0", " ")


@BOTH_WAYS
def test_a_second_tab_is_shown_both_and_loses_nothing(visit, edit_url, parent, javascript):
    visitor = visit(width=360, javascript=javascript).sign_in_as(parent)
    first, second = visitor.page, visitor.context.new_page()
    for tab in (first, second):
        tab.goto(edit_url)
    first.get_by_label(COMMENT).fill("Pas le mardi.")
    save(first)
    first.get_by_text("Votre saisie est enregistrée").wait_for()

    second.get_by_label("Réinscription administrative").check()
    second.get_by_label(COMMENT).fill("Ni le mercredi.")
    save(second)

    second.locator(".error-summary").wait_for()
    assert "a enregistré entre-temps « Pas le mardi. »" in error_of(second)
    assert second.get_by_label(COMMENT).input_value() == "Ni le mercredi."
    saved = Reenrolment.objects.get()
    assert (saved.comment, saved.administrative) == ("Pas le mardi.", True)
    save(second)
    second.get_by_text("Votre saisie est enregistrée").wait_for()
    assert Reenrolment.objects.get().comment == "Ni le mercredi."


@BOTH_WAYS
def test_two_parents_who_pick_two_slots_keep_one_place(
    visit, edit_url, slots, parent, stranger, student, javascript
):
    CustodyFactory(student=student, family=stranger.guardian.family, rank=2)
    monday, saturday = slots
    mother, father = (
        visit(width=360, javascript=javascript).sign_in_as(user).page for user in (parent, stranger)
    )
    for page in (mother, father):
        page.goto(edit_url)
    pick(mother, monday)
    save(mother)
    mother.get_by_text("Places réservées pour vous jusqu'à").first.wait_for()

    pick(father, saturday)
    father.get_by_label(COMMENT).fill("Chez son père.")
    save(father)

    father.locator(".error-summary").wait_for()
    told = error_of(father)
    assert "a enregistré entre-temps « réinscription, Formation musicale A – LUNDI" in told
    assert father.get_by_label(THEORY).input_value() == str(saturday.pk)
    assert Reenrolment.objects.get().comment == "Chez son père."
    assert Hold.objects.get().place.slot == monday
    save(father)
    father.get_by_text("Votre saisie est enregistrée").wait_for()
    assert Hold.objects.get().place.slot == saturday
    assert CourseChoice.objects.get(wanted=True).slot == saturday


@BOTH_WAYS
def test_a_place_kept_too_short_is_said_and_held_again(
    visit, edit_url, slots, parent, student, javascript
):
    visitor = visit(width=320, javascript=javascript).sign_in_as(parent)
    page = visitor.page
    page.goto(edit_url)
    pick(page, slots[0])
    save(page)
    page.get_by_text("Places réservées pour vous jusqu'à").first.wait_for()
    Hold.objects.update(until=timezone.now())

    page.get_by_label(COMMENT).fill("Une question au téléphone nous a retenus.")
    if not javascript:
        save(page)
    page.get_by_text("Le temps de réservation est passé").first.wait_for()
    assert not visitor.overflows()
    if javascript:
        assert visitor.axe() == []
    page.get_by_role("button", name="Réserver à nouveau").click()

    page.get_by_text("Vos places sont réservées jusqu'à").wait_for()
    assert Hold.objects.get().until > timezone.now()
    assert Reenrolment.objects.get().comment == "Une question au téléphone nous a retenus."


@BOTH_WAYS
def test_back_after_valider_neither_sends_twice_nor_opens_the_dossier_again(
    visit, edit_url, slots, parent, student, javascript
):
    page = visit(width=360, javascript=javascript).sign_in_as(parent).page
    page.goto(edit_url)
    page.get_by_label("Réinscription administrative").check()
    pick(page, slots[0])
    page.get_by_role("button", name="Vérifier").click()
    page.get_by_label("J'accepte les conditions générales").check()
    page.get_by_role("button", name="Valider").click()
    dossier = Reenrolment.objects.get()
    page.get_by_text(dossier.reference).first.wait_for()

    for _ in range(2):
        page.go_back()
        page.get_by_text(dossier.reference).first.wait_for()
        assert page.get_by_role("button", name="Valider").count() == 0
        assert page.get_by_role("button", name="Enregistrer", exact=True).count() == 0

    dossier.refresh_from_db()
    assert dossier.status == Status.SUBMITTED
    assert dossier.transitions.count() == 1


def test_back_after_the_other_parent_undoes_nothing(visit, edit_url, parent, slots):
    """The page shows what is saved: what it showed when it was left would be sent again."""
    mine, theirs = (visit(width=360).sign_in_as(parent).page for _ in range(2))
    mine.goto(edit_url)
    pick(mine, slots[0])
    mine.get_by_text("Places réservées pour vous jusqu'à").first.wait_for()
    mine.goto(reverse("imuse:home"))
    theirs.goto(edit_url)
    pick(theirs, slots[1])
    theirs.get_by_role("status").filter(has_text="Saisie enregistrée").wait_for()

    mine.go_back()

    expect(mine.get_by_label(THEORY)).to_have_value(str(slots[1].pk))
    mine.wait_for_timeout(2000)  # longer than any pause of the script
    assert [hold.place.slot for hold in Hold.objects.all()] == [slots[1]]
