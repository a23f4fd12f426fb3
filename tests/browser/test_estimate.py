"""« Combien cela coûtera », on a phone, with and without JavaScript: anybody, and in the recap."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from billing.models import PaymentPlanChoice
from families.enums import Zone
from families.models import Commune
from tests.billing.asking import make_tariff
from tests.factories import CommuneFactory, EstablishmentFactory, PaymentPlanFactory
from tests.reenrolment.conftest import make_case
from tests.reenrolment.test_costs import categorise

SCRIPT = pytest.mark.parametrize("javascript", [True, False])


@pytest.fixture
def tariff(director):
    CommuneFactory(zone=Zone.RESIDENT)
    return make_tariff(director, deliberation_url="https://ville.example/2026-041.pdf")


def student(page, number):
    return page.get_by_role("group", name=f"Élève {number}")


@SCRIPT
def test_a_visitor_finds_what_two_children_will_cost(visit, tariff, javascript):
    visitor = visit(width=360, javascript=javascript)
    page = visitor.page
    page.goto("/extranet/")
    page.get_by_role("link", name="Combien cela coûtera").click()
    page.get_by_label("Votre commune").select_option(label="Tourcoing")
    page.get_by_label("Quotient familial").fill("743,50 €")
    student(page, 1).get_by_label("Âge").fill("8")
    student(page, 1).get_by_label("Premier cours").select_option(label="Cursus complet")

    page.get_by_role("button", name="Ajouter un élève").click()
    page.wait_for_url("**#eleve-2")
    student(page, 2).get_by_label("Âge").fill("6")
    student(page, 2).get_by_label("Premier cours").select_option(label="Pratique collective seule")
    page.get_by_role("button", name="Estimer").last.click()

    page.wait_for_url("**#estimation")
    answer = page.get_by_role("region", name="Votre estimation")
    expect(answer).to_be_in_viewport()
    expect(answer.get_by_role("definition").first).to_have_text("585,20 €")
    expect(answer.get_by_text("QF 743,50")).to_be_visible()
    expect(answer.get_by_text("1 044,20 € (tarif haut)")).to_be_visible()
    assert student(page, 1).get_by_label("Âge").input_value() == "8"
    if javascript:  # axe is a script
        assert visitor.axe() == []
        assert not visitor.overflows()

    page.goto(page.url)  # kept, and opened again
    expect(answer.get_by_role("definition").first).to_have_text("585,20 €")


@SCRIPT
def test_what_lacks_is_told_on_top_and_what_is_typed_is_kept(visit, tariff, javascript):
    visitor = visit(width=360, javascript=javascript)
    page = visitor.page
    page.goto(reverse("billing:simulator"))
    page.get_by_label("Quotient familial").fill("sept cents")

    page.get_by_label("Quotient familial").press("Enter")

    expect(page).to_have_title(re.compile(r"^\s*Erreur"))
    assert page.get_by_label("Quotient familial").input_value() == "sept cents"
    page.get_by_role("link", name="Indiquez l'âge de l'élève 1.").click()
    if javascript:
        assert page.evaluate("document.activeElement.name") == "e1-age"
        assert visitor.axe() == []


@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_at_its_widths_and_by_keyboard(visit, tariff, director, width):
    make_tariff(
        director,
        establishment=EstablishmentFactory(
            name="École municipale de danse et d'art dramatique de Neuville-en-Ferrain"
        ),
    )
    visitor = visit(width=width)
    page = visitor.page
    page.goto(reverse("billing:simulator") + f"?tarif={tariff.pk}")
    assert visitor.axe() == []
    assert not visitor.overflows()

    page.get_by_label("Votre commune").focus()
    page.keyboard.type("Tour")
    page.get_by_label("Âge").focus()
    page.keyboard.type("8")
    page.keyboard.press("Tab")
    page.keyboard.type("Cur")
    page.get_by_label("Âge").press("Enter")

    page.wait_for_url("**#estimation")
    expect(page.get_by_role("definition").first).to_have_text("de 338,00 € à 641,00 €")
    assert visitor.axe() == []
    assert not visitor.overflows()


@SCRIPT
def test_the_recap_says_it_before_valider_and_the_quotient_can_be_tried(
    visit, parent, student, director, javascript
):
    case = make_case(student)
    Commune.objects.update(zone=Zone.RESIDENT)
    make_tariff(director)
    categorise(case.slot.course, "cursus")
    categorise(case.choir_course, "chorale")
    case.fill_in()
    visitor = visit(width=360, javascript=javascript).sign_in_as(parent)
    page = visitor.page
    page.goto(reverse("reenrolment:check", args=[student.pk]))

    cost = page.get_by_role("region", name="Combien cela coûtera")
    expect(cost.get_by_text("de 446,00 € à 749,00 €")).to_be_visible()
    expect(cost.get_by_text("1 055,00 € (tarif haut)")).to_be_visible()
    expect(cost.get_by_role("table")).not_to_be_visible()
    cost.get_by_text("Le détail, ligne par ligne").click()
    expect(cost.get_by_role("table")).to_be_visible()
    if javascript:
        assert visitor.axe() == []
        assert not visitor.overflows()

    cost.get_by_role("link", name="Essayer avec votre quotient").click()
    page.get_by_label("Quotient familial").fill("743")
    page.get_by_label("Quotient familial").press("Enter")

    page.wait_for_url("**#estimation")
    expect(page.get_by_role("definition").first).to_have_text("596,00 €")


@SCRIPT
def test_how_many_parts_is_chosen_by_keyboard_before_validating(
    visit, parent, student, director, javascript
):
    """Then read and changed on « Facturation »."""
    case = make_case(student)
    Commune.objects.update(zone=Zone.RESIDENT)
    make_tariff(director)
    categorise(case.slot.course, "cursus")
    categorise(case.choir_course, "chorale")
    case.fill_in()
    campaign = case.campaign
    plan = PaymentPlanFactory(
        establishment=campaign.establishment, school_year=campaign.school_year
    )
    visitor = visit(width=360, javascript=javascript).sign_in_as(parent)
    page = visitor.page
    page.goto(reverse("reenrolment:check", args=[student.pk]))

    ways = page.get_by_role("group", name="Payer en combien de fois")
    ways.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(ways.get_by_role("radio", name="En 3 fois")).to_be_checked()
    if javascript:  # axe is a script
        assert visitor.axe() == []
        assert not visitor.overflows()
    page.get_by_label("J'accepte").check()
    page.get_by_role("button", name="Valider").click()
    page.wait_for_url("**/confirmation/")
    assert PaymentPlanChoice.objects.get().parts == 3

    page.goto(reverse("billing:cotisations"))
    page.get_by_role("link", name="payer en 3 fois, votre choix").click()
    page.get_by_label("En une fois").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Votre choix est enregistré.")).to_be_visible()
    if javascript:
        assert visitor.axe() == []
        assert not visitor.overflows()
    assert PaymentPlanChoice.objects.get(plan=plan).parts == 1
