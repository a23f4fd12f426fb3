"""The tariffs, at the régie's desk and on a telephone: axe, the width, and typing rates."""

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from billing.models import CourseCategory, TariffFee, TariffModifier, TariffRental
from tests.billing.tariffs.making import make_draft, make_published
from tests.browser.test_pages import WIDTHS, faults
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    PaymentPlanChoiceFactory,
    SchoolYearFactory,
    TariffCategoryFactory,
)


@pytest.fixture
def grids(director):
    """The draft has one of each row; the other is published."""
    draft = make_draft("630.00", school_year=SchoolYearFactory(offset=1))
    modifier = TariffModifier.objects.create(
        grid=draft, reason="rank", label="Deuxième élève du foyer", percent=10
    )
    modifier.categories.add(draft.rates.get().category)
    TariffFee.objects.create(grid=draft, label="Frais de dossier", amount=38)
    TariffRental.objects.create(grid=draft, instrument="Violon", amount=150)
    TariffCategoryFactory(code="danse", label="Danse et éveil chorégraphique", position=2)
    course = CourseFactory(school_year=draft.school_year)
    EnrolmentFactory(course=course)  # of no category
    paid = EnrolmentFactory(course__name="Flûte", course__school_year=draft.school_year).course
    CourseCategory.objects.create(course=paid, category=draft.rates.get().category)
    return draft, make_published(director, school_year=SchoolYearFactory(offset=0))


@WIDTHS
def test_the_pages_of_the_tariffs(visit, director, grids, width):
    draft, published = grids
    visitor = visit(width=width).sign_in_as(director)
    rate, choice = draft.rates.get(), PaymentPlanChoiceFactory()
    compare = reverse("admin:billing_tariffgrid_compare", args=[draft.pk])

    assert (
        faults(
            visitor,
            [
                *[
                    reverse(f"admin:billing_tariff{name}_changelist")
                    for name in ("grid", "category", "rate")
                ],
                reverse("admin:billing_tariffgrid_add"),
                *[
                    reverse("admin:billing_tariffgrid_change", args=[grid.pk])
                    for grid in (draft, published)
                ],
                *[
                    reverse(f"admin:billing_tariffgrid_{name}", args=[draft.pk])
                    for name in ("publish", "duplicate", "compare", "import_grid")
                ],
                f"{compare}?avec={published.pk}&annee={draft.school_year_id}",
                reverse("admin:billing_tariffgrid_shorten", args=[published.pk]),
                reverse("admin:billing_tariffgrid_rates", args=[draft.pk, rate.category_id]),
                reverse("admin:billing_tariffcategory_change", args=[rate.category_id]),
                reverse("admin:billing_tariffcategory_courses", args=[draft.school_year_id]),
                reverse("admin:list_import", args=["tarifs"]),
                *[
                    reverse(f"admin:billing_paymentplan{name}_changelist")
                    for name in ("", "choice")
                ],
                reverse("admin:billing_paymentplan_change", args=[choice.plan_id]),
            ],
        )
        == {}
    )


def test_rates_are_typed_category_after_category(visit, accountant, grids):
    draft, _ = grids
    page = visit().sign_in_as(accountant).page
    page.goto(reverse("admin:billing_tariffgrid_change", args=[draft.pk]))
    page.get_by_role("link", name="Modifier les tarifs de « Cursus »").click()
    page.get_by_label("montant").first.fill("61é")
    page.get_by_role("button", name="Enregistrer, puis").click()
    page.get_by_text("Saisissez un nombre.").wait_for()
    page.get_by_label("montant").first.fill("612,50")
    page.get_by_role("button", name="Enregistrer, puis").click()
    page.get_by_role("heading", name="Danse et éveil chorégraphique").wait_for()
    page.get_by_label("zone").nth(0).select_option("hors territoire")
    page.get_by_label("taux d'effort").nth(0).fill("6,4")
    page.get_by_label("plancher").nth(0).fill("76")
    page.get_by_label("plafond").nth(0).fill("285")
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    page.get_by_text("Tarifs de « Danse et éveil chorégraphique » enregistrés.").wait_for()

    assert [rate.price for rate in draft.rates.all()] == [
        "612,50\u00a0€",
        "6,4\u00a0% du QF, de 76,00\u00a0€ à 285,00\u00a0€",
    ]


@WIDTHS
def test_a_whole_grid_goes_out_and_comes_in(visit, accountant, grids, width, tmp_path):
    draft, _ = grids
    visitor = visit(width=width).sign_in_as(accountant)
    page = visitor.page
    page.goto(reverse("admin:billing_tariffgrid_change", args=[draft.pk]))
    page.get_by_role("link", name="Importer toute la grille").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Excel (.xlsx)").click()
    download.value.save_as(tmp_path / "grille.xlsx")
    book = load_workbook(tmp_path / "grille.xlsx")
    book["Frais"].append(["Adhésion", "20,00", "par élève"])
    book["Tarifs"]["G2"] = "cent"
    book.save(tmp_path / "grille.xlsx")

    page.get_by_label("Fichier", exact=True).set_input_files(tmp_path / "grille.xlsx")
    page.get_by_role("button", name="Vérifier le fichier").click()
    page.get_by_role("heading", name="À corriger dans le fichier").wait_for()
    assert visitor.axe() == []
    book["Tarifs"]["G2"] = "640"
    book.save(tmp_path / "grille.xlsx")
    page.get_by_role("link", name="envoyez le fichier à nouveau").click()
    page.get_by_label("Fichier", exact=True).set_input_files(tmp_path / "grille.xlsx")
    page.get_by_role("button", name="Vérifier le fichier").click()
    page.get_by_role("button", name="Importer : 2 changements").wait_for()
    assert visitor.axe() == []
    assert not visitor.overflows()
    page.get_by_role("button", name="Importer : 2 changements").click()
    page.get_by_role("link", name="Relire la grille").wait_for()

    assert draft.rates.get().amount == 640
    assert sorted(draft.fees.values_list("label", flat=True)) == ["Adhésion", "Frais de dossier"]
