import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone

from billing import services
from billing.enums import InvoiceKind, InvoiceStatus
from billing.models import Invoice, InvoiceSeries
from tests.factories import (
    EstablishmentFactory,
    FamilyFactory,
    GuardianFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    SchoolYearFactory,
    UserFactory,
)
from tests.races import run_together


@pytest.fixture
def draft(family):
    return InvoiceLineFactory(invoice__family=family).invoice


def test_draft_keeps_lines_in_order_and_rounds_them(establishment, family, accountant):
    invoice = services.draft(
        establishment=establishment,
        school_year=SchoolYearFactory(),
        family=family,
        kind=InvoiceKind.COTISATION,
        due_on=timezone.localdate(),
        lines=[
            {"label": "Frais de dossier", "amount": Decimal(38), "explanation": "Par foyer."},
            {"label": "Réduction", "amount": Decimal("-3.805")},
        ],
        actor=accountant,
    )

    assert invoice.status == InvoiceStatus.DRAFT
    assert list(invoice.lines.values_list("position", "label", "explanation", "amount")) == [
        (1, "Frais de dossier", "Par foyer.", Decimal("38.00")),
        (2, "Réduction", "", Decimal("-3.81")),
    ]


def test_issue_numbers_dates_and_names_the_payer(draft, family, accountant):
    GuardianFactory(family=family, first_name="Claire")
    GuardianFactory(family=family, first_name="Paul")

    invoice = services.issue(draft, actor=accountant)

    today = timezone.localdate()
    assert (invoice.status, invoice.year, invoice.number, invoice.issued_on) == (
        InvoiceStatus.ISSUED,
        today.year,
        1,
        today,
    )
    assert invoice.reference == f"{today.year}-00001"
    assert invoice.payer_name == "Claire et Paul Martin"
    assert invoice.payer_address == "12 rue des Anges\n59200 Tourcoing"
    assert list(LogEntry.objects.values_list("user", "object_id", "change_message")) == [
        (accountant.pk, str(invoice.pk), "Facture émise.")
    ]


def test_numbers_follow_per_establishment_and_year(make_issued, accountant):
    elsewhere = InvoiceLineFactory(
        invoice__establishment=EstablishmentFactory(name="Annexe")
    ).invoice
    InvoiceSeries.objects.create(
        establishment=EstablishmentFactory(), year=timezone.localdate().year - 1, last_number=41
    )

    assert [make_issued().number for _ in range(3)] == [1, 2, 3]
    assert services.issue(elsewhere, actor=accountant).number == 1


def test_a_refused_issue_leaves_no_gap(make_issued, accountant):
    make_issued()
    with pytest.raises(ValidationError):
        services.issue(InvoiceFactory(), actor=accountant)

    assert make_issued().number == 2


def test_issue_refuses_an_invoice_without_line(accountant):
    with pytest.raises(ValidationError) as refusal:
        services.issue(InvoiceFactory(), actor=accountant)

    assert refusal.value.code == "no_line"


def test_issue_refuses_a_second_time(draft, accountant):
    first = services.issue(draft, actor=accountant)

    with pytest.raises(ValidationError) as refusal:
        services.issue(draft, actor=accountant)  # a stale copy, as from a second tab

    assert refusal.value.code == "already_issued"
    assert Invoice.objects.get().number == first.number
    assert InvoiceSeries.objects.get().last_number == 1


def test_issue_refuses_a_negative_total(draft, accountant):
    InvoiceLineFactory(invoice=draft, amount="-38.01")

    with pytest.raises(ValidationError) as refusal:
        services.issue(draft, actor=accountant)

    assert refusal.value.code == "negative"


def test_issue_refuses_a_due_date_gone_by(draft, accountant):
    draft.due_on = timezone.localdate() - dt.timedelta(days=1)
    draft.save(update_fields=["due_on"])

    with pytest.raises(ValidationError) as refusal:
        services.issue(draft, actor=accountant)

    assert refusal.value.code == "due_date_past"


def test_an_issued_invoice_never_changes(draft, family, accountant):
    GuardianFactory(family=family)
    invoice = services.issue(draft, actor=accountant)
    before = Invoice.objects.filter(pk=draft.pk).values().get()
    family.guardians.update(last_name="Durand")
    family.address = "1 place Neuve"
    family.save(update_fields=["address"])
    invoice.due_on += dt.timedelta(days=30)

    for write in (services.save_draft, services.delete_draft, services.issue):
        with pytest.raises(ValidationError) as refusal:
            write(invoice, actor=accountant)
        assert refusal.value.code == "already_issued"

    assert Invoice.objects.filter(pk=draft.pk).values().get() == before


def test_a_draft_may_change_and_go(draft, accountant):
    draft.kind = InvoiceKind.LOCATION
    services.save_draft(draft, actor=accountant)
    assert Invoice.objects.get().kind == InvoiceKind.LOCATION

    services.delete_draft(draft, actor=accountant)
    assert not Invoice.objects.exists()


def test_the_database_refuses_a_number_twice(make_issued):
    make_issued()
    second = make_issued()

    with pytest.raises(IntegrityError):
        Invoice.objects.filter(pk=second.pk).update(number=1)


@pytest.mark.parametrize(
    ("guardians", "name"),
    [
        ([], "Martin"),
        ([("Claire", "Martin")], "Claire Martin"),
        ([("Claire", "Martin"), ("Paul", "Martin")], "Claire et Paul Martin"),
        ([("Claire", "Martin"), ("Paul", "Durand")], "Paul Durand et Claire Martin"),
        ([("A" * 100, "B" * 100), ("C" * 100, "D" * 100)], "Martin"),
    ],
)
def test_payer_name(family, guardians, name):
    for first_name, last_name in guardians:
        GuardianFactory(family=family, user=None, first_name=first_name, last_name=last_name)

    assert services.payer_name(family) == name


@pytest.mark.django_db
def test_payer_address_has_the_second_line_if_any():
    family = FamilyFactory(address_more="Bâtiment B")

    assert services.payer_address(family) == "12 rue des Anges\nBâtiment B\n59200 Tourcoing"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_gap_when_everybody_issues_at_once():
    accountant = UserFactory()
    for first in (1, 21):  # the first round creates the counter, the second moves it
        drafts = [InvoiceLineFactory().invoice for _ in range(20)]
        issued = run_together(lambda n, d=drafts: services.issue(d[n], actor=accountant), 20)
        assert sorted(invoice.number for invoice in issued) == list(range(first, first + 20))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_draft_issued_by_everybody_at_once_has_one_number():
    accountant = UserFactory()
    draft = InvoiceLineFactory().invoice

    def issue(_):
        try:
            return services.issue(draft, actor=accountant).number
        except ValidationError as error:
            return error.code

    results = run_together(issue, 20)

    assert sorted(map(str, results)) == ["1"] + ["already_issued"] * 19
    assert InvoiceSeries.objects.get().last_number == 1
