"""Two families and one last place, each on its own screen, before anybody has validated."""

import pytest
from django.urls import reverse

from students.models import Hold, Place
from tests.factories import EnrolmentFactory, StudentFactory

THEORY = "Horaire en Formation musicale"


@pytest.fixture
def last_place(town, student, stranger):
    """One place is left in Formation musicale; the other household wants it too."""
    keep = Place.objects.filter(slot__course__name="Formation musicale").first()
    Place.objects.filter(slot=keep.slot).exclude(pk=keep.pk).delete()
    theory = student.enrolments.get(course__name="Formation musicale").course
    rival = StudentFactory(first_name="Ines", family=stranger.guardian.family)
    EnrolmentFactory(student=rival, course=theory)
    return rival


def open_dossier(visitor, user, student):
    visitor.sign_in_as(user).page.goto(reverse("reenrolment:edit", args=[student.pk]))
    visitor.page.get_by_label("Réinscription en Formation musicale").check()
    return visitor.page


def test_the_place_picked_is_kept_and_the_other_family_is_told(
    visit, last_place, parent, student, stranger
):
    mine, theirs = visit(width=360), visit()
    page = open_dossier(mine, parent, student)
    other = theirs.sign_in_as(stranger).page
    other.goto(reverse("reenrolment:edit", args=[last_place.pk]))

    page.get_by_label(THEORY).select_option(index=1)
    page.get_by_text("Places réservées pour vous jusqu'à").first.wait_for()
    assert page.evaluate("document.activeElement.id") != ""
    assert mine.axe() == []
    assert not mine.overflows()

    other.get_by_label("Réinscription en Formation musicale").check()
    other.get_by_text("plus de cours disponible").wait_for()
    assert other.get_by_text("Complet").is_visible()
    assert theirs.axe() == []

    page.get_by_role("button", name="Prolonger de 30 minutes").click()
    page.get_by_role("status").filter(has_text="Vos places sont réservées jusqu'à").wait_for()
    assert [held.student for held in Hold.objects.all()] == [student]


def test_without_javascript_enregistrer_keeps_the_place(visit, last_place, parent, student):
    visitor = visit(width=320, javascript=False)
    page = open_dossier(visitor, parent, student)

    page.get_by_label(THEORY).select_option(index=1)
    page.get_by_role("button", name="Enregistrer").click()

    assert page.get_by_text("Places réservées pour vous jusqu'à").is_visible()
    page.get_by_role("button", name="Prolonger de 30 minutes").click()
    assert page.get_by_text("Vos places sont réservées jusqu'à").is_visible()
