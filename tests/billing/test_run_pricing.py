"""A run priced for true: published grid, facts, engine."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from billing import printing, services
from billing.enums import RunOutcome, RunState
from billing.models import CourseCategory, InvoiceLine, InvoiceRun, TariffCategory
from billing.runs import controlling, planning, pricing
from billing.runs.issuing import issue_next
from billing.tariffs import publishing
from students.enums import EnrolmentStatus
from students.models import Course
from tests.billing.pages import words
from tests.billing.run_cases import enrol, make_run, prepare
from tests.billing.tariffs.making import make_draft, make_published
from tests.factories import (
    CourseFactory,
    CustodyFactory,
    EnrolmentFactory,
    FamilyFactory,
    PayerShareFactory,
    SchoolYearFactory,
    StudentFactory,
    TariffGridFactory,
    TariffRateFactory,
)
from tests.pdfs import texts_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def grid(director, establishment):
    return make_published(
        director, "603.00", establishment=establishment, school_year=SchoolYearFactory()
    )


def billed_as(course, grid):
    category = TariffCategory.objects.get(establishment=grid.establishment)
    CourseCategory.objects.create(course=course, category=category)


def test_a_household_is_billed_by_the_published_grid(grid, family, accountant):
    student = enrol(family)
    billed_as(Course.objects.get(), grid)

    run = prepare(accountant)

    assert run.grid == grid
    line = InvoiceLine.objects.get()
    assert (line.invoice.run, line.invoice.family) == (run, family)
    assert (line.student, line.amount) == (student, Decimal("603.00"))
    assert "603,00" in line.explanation


def test_a_line_says_once_for_whom_it_is(client, grid, family, parent, accountant):
    student = enrol(family)
    course = Course.objects.get()
    billed_as(course, grid)
    run = prepare(accountant)
    invoice = services.issue(run.invoices.get(), actor=accountant)
    line = f"{student.first_name} {course.name}"
    client.force_login(parent)

    assert invoice.lines.get().label == course.name
    for address in ("billing:invoice", "billing:cotisations"):
        page = words(client.get(reverse(address, args=[invoice.pk] if "inv" in address else [])))
        assert (page.count(line), page.count(f"{course.name} – ")) == (1, 0), address
    pdf = "".join(texts_of(printing.invoice_pdf(invoice)))
    assert pdf.count("".join(line.split())) == 1


def test_a_course_of_no_category_is_a_problem_that_names_it(grid, family, accountant):
    enrol(family)

    household = prepare(accountant).households.get()

    assert household.outcome == RunOutcome.PROBLEM
    assert Course.objects.get().name in household.sentence


def test_no_published_grid_is_refused(family, accountant, establishment):
    enrol(family)
    make_draft(establishment=establishment, school_year=SchoolYearFactory())

    with pytest.raises(ValidationError) as refusal:
        make_run(accountant)
    assert refusal.value.code == "no_grid"


def test_two_households_pay_their_shares(grid, family, accountant):
    student = enrol(family)
    billed_as(Course.objects.get(), grid)
    other = FamilyFactory()
    second = CustodyFactory(student=student, family=other, rank=2)
    PayerShareFactory(custody=student.custodies.get(rank=1), percent=Decimal(50))
    PayerShareFactory(custody=second, percent=Decimal(50))

    prepare(accountant)

    amounts = InvoiceLine.objects.order_by("pk").values_list("invoice__family", "amount")
    assert dict(amounts) == {family.pk: Decimal("301.50"), other.pk: Decimal("301.50")}


def test_a_lesson_more_since_is_a_draft_of_it_alone(grid, family, accountant):
    student = enrol(family)
    billed_as(Course.objects.get(), grid)
    first = prepare(accountant)
    planning.issue_all(first, actor=accountant, expected=1)
    while issue_next():
        pass
    issue_next()
    more = CourseFactory(name="Harpe", school_year=grid.school_year)
    billed_as(more, grid)
    EnrolmentFactory(student=student, course=more, status=EnrolmentStatus.CONFIRMED)

    line = prepare(accountant).invoices.get().lines.get()

    assert (line.amount, "Harpe" in line.label) == (Decimal("603.00"), True)


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_vote_in_mid_year_is_for_who_was_not_billed_yet(
    grid, family, accountant, director, cancelled
):
    """Unless what was billed is cancelled first."""
    enrol(family)
    billed_as(course := Course.objects.get(), grid)
    invoice = services.issue(prepare(accountant).invoices.get(), actor=accountant)
    if cancelled:
        services.cancel(invoice, reason="Mauvaise grille.", actor=accountant)
    planning.abandon(InvoiceRun.objects.get(), actor=accountant)
    today = timezone.localdate()
    publishing.shorten(grid, valid_until=today - dt.timedelta(days=1), actor=director)
    dearer = TariffGridFactory(
        establishment=grid.establishment,
        school_year=grid.school_year,
        valid_from=today,
        valid_until=grid.school_year.ends_on,
    )
    TariffRateFactory(grid=dearer, category=TariffCategory.objects.get(), amount=Decimal("700.00"))
    publishing.publish(dearer, actor=director)
    EnrolmentFactory(
        student=StudentFactory(family=(newcomer := FamilyFactory())),
        course=course,
        status=EnrolmentStatus.CONFIRMED,
    )

    run = prepare(accountant)

    assert run.grid == dearer
    by = {row.family_id: (row.total, row.grid) for row in run.households.all()}
    assert by == {
        family.pk: (Decimal(700), dearer) if cancelled else (Decimal(603), grid),
        newcomer.pk: (Decimal(700), dearer),
    }
    others = controlling.households_of(run, controlling.View.OTHER_GRID)
    assert [row.family for row in others] == ([] if cancelled else [family])
    figures = controlling.figures_of(run)
    assert figures.other_grids == (() if cancelled else ((grid.label, 1),))


def test_the_page_of_a_run_says_that_a_grid_was_published_since(
    client, grid, family, accountant, director
):
    """The run goes on by its own; the household billed by it stays so in the next run."""
    enrol(family)
    billed_as(Course.objects.get(), grid)
    run = prepare(accountant)
    address = reverse("admin:billing_invoicerun_change", args=[run.pk])
    client.force_login(accountant)
    assert "a été publiée depuis" not in words(client.get(address))
    half = grid.school_year.ends_on - dt.timedelta(days=100)
    publishing.shorten(grid, valid_until=half, actor=director)

    later = make_published(
        director,
        label="Tarifs de printemps",
        establishment=grid.establishment,
        school_year=grid.school_year,
        valid_from=half + dt.timedelta(days=1),
    )

    assert "Tarifs de printemps" in words(client.get(address))
    invoice = services.issue(run.invoices.get(), actor=accountant)
    page = client.get(reverse("admin:billing_invoice_change", args=[invoice.pk]))
    assert grid.label in words(page)
    issue_next()
    InvoiceRun.objects.update(state=RunState.ABANDONED)
    assert controlling.newer_grid(InvoiceRun.objects.get()) is None
    assert later.published_at


@pytest.mark.parametrize("count", [1, 15])
def test_as_many_queries_for_one_household_as_for_fifteen(
    grid, accountant, count, django_assert_num_queries
):
    homes = [FamilyFactory() for _ in range(count)]
    for home in homes:
        enrol(home)
    run = make_run(accountant)

    with django_assert_num_queries(14):
        grids = pricing.grids_for(homes, run)
        assert len(pricing.priced(homes, run, grids)) == count
