import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.messages import get_messages
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from billing import services
from billing.enums import InvoiceKind, InvoiceStatus, LineKind, PaymentMeans
from billing.models import Invoice, InvoiceLine, Payment
from tests.billing.due_dates import fall_due
from tests.factories import (
    EstablishmentFactory,
    FamilyFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    SchoolYearFactory,
    StudentFactory,
)

LIST = "/admin/billing/invoice/"


@pytest.fixture
def desk(client, accountant):
    """The régie, signed in."""
    client.force_login(accountant)
    return client


@pytest.fixture
def draft(family):
    return InvoiceLineFactory(invoice__family=family).invoice


def page(invoice, name="change"):
    return reverse(f"admin:billing_invoice_{name}", args=[invoice.pk])


def posted(establishment, family, **kwargs):
    """The form of a draft, with one new line of 38 €."""
    return {
        "establishment": establishment.pk,
        "school_year": SchoolYearFactory().pk,
        "family": family.pk,
        "kind": InvoiceKind.COTISATION,
        "parts": 1,
        "due_on": timezone.localdate() + dt.timedelta(days=30),
        "lines-TOTAL_FORMS": 1,
        "lines-INITIAL_FORMS": 0,
        "lines-0-position": 1,
        "lines-0-kind": LineKind.FILE_FEE,
        "lines-0-label": "Frais de dossier",
        "lines-0-amount": "38,00",
        **kwargs,
    }


def payment(**kwargs):
    return {
        "amount": "38,00",
        "means": PaymentMeans.CHEQUE,
        "paid_on": timezone.localdate(),
        "reference": "CHQ 1",
        **kwargs,
    }


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_a_draft_is_made_with_its_lines(desk, establishment, family):
    desk.post(f"{LIST}add/", posted(establishment, family, status="issued", number=7, year=2026))

    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.number, invoice.year) == (InvoiceStatus.DRAFT, None, None)
    assert list(invoice.lines.values_list("label", "amount")) == [
        ("Frais de dossier", Decimal("38.00"))
    ]


@pytest.mark.parametrize("name", ["status", "year", "number", "issued_on", "payer_name"])
def test_what_issuing_decides_is_no_field(desk, draft, name):
    form = desk.get(page(draft)).context["adminform"].form

    assert name not in form.fields


def test_save_and_issue_from_the_page(desk, draft):
    [line] = draft.lines.all()
    data = posted(draft.establishment, draft.family, _issue="Enregistrer et émettre")
    data |= {"lines-INITIAL_FORMS": 1, "lines-0-id": line.pk, "lines-0-amount": "40.00"}

    response = desk.post(page(draft), data)

    draft.refresh_from_db()
    assert response.url == page(draft)
    assert draft.reference == f"{timezone.localdate().year}-00001"
    assert draft.lines.get().amount == Decimal("40.00")


def test_save_and_issue_at_once(desk, establishment, family):
    desk.post(f"{LIST}add/", posted(establishment, family, _issue="Enregistrer et émettre"))

    assert Invoice.objects.get().number == 1


def test_a_refused_issue_keeps_the_draft(desk, establishment, family):
    data = posted(establishment, family, _issue="Enregistrer et émettre")

    response = desk.post(f"{LIST}add/", data | {"lines-TOTAL_FORMS": 0})

    invoice = Invoice.objects.get()
    assert invoice.status == InvoiceStatus.DRAFT
    assert response.url == page(invoice)
    assert said(response) == [f"brouillon pour {family}\u00a0: Cette facture n'a aucune ligne."]


def test_the_button_needs_its_permission(desk, accountant, draft):
    group = accountant.groups.get()
    group.permissions.remove(group.permissions.get(codename="issue_invoice"))
    [line] = draft.lines.all()
    data = posted(draft.establishment, draft.family, _issue="Enregistrer et émettre")
    data |= {"lines-INITIAL_FORMS": 1, "lines-0-id": line.pk}

    assert 'name="_issue"' not in desk.get(page(draft)).content.decode()
    desk.post(page(draft), data)

    draft.refresh_from_db()
    assert draft.status == InvoiceStatus.DRAFT


def test_the_action_reports_row_by_row(desk, draft):
    empty = InvoiceFactory(establishment=draft.establishment)

    response = desk.post(LIST, {"action": "issue", "_selected_action": [draft.pk, empty.pk]})

    draft.refresh_from_db()
    assert sorted(said(response)) == [
        f"Facture {draft.reference} émise.",
        f"{empty}\u00a0: Cette facture n'a aucune ligne.",
    ]


def test_the_list_has_no_other_action(desk, draft):
    assert [
        value for value, _ in desk.get(LIST).context["action_form"].fields["action"].choices
    ] == [
        "",
        "issue",
    ]


def test_an_issued_invoice_is_read_only(desk, make_issued):
    invoice = make_issued()
    before = Invoice.objects.filter(pk=invoice.pk).values().get()
    [line] = invoice.lines.all()

    shown = desk.get(page(invoice))
    data = posted(invoice.establishment, FamilyFactory())
    data |= {"lines-INITIAL_FORMS": 1, "lines-0-id": line.pk, "lines-0-amount": "1.00"}
    changed = desk.post(page(invoice), data)
    deleted = desk.post(page(invoice, "delete"), {"post": "yes"})

    assert (shown.status_code, changed.status_code, deleted.status_code) == (200, 403, 403)
    assert shown.context["adminform"].form.fields == {}
    assert all(
        inline.formset.can_delete is False for inline in shown.context["inline_admin_formsets"]
    )
    assert Invoice.objects.filter(pk=invoice.pk).values().get() == before
    assert InvoiceLine.objects.get() == line


def test_a_draft_is_deleted_with_its_lines(desk, draft):
    desk.post(page(draft, "delete"), {"post": "yes"})

    assert not Invoice.objects.exists()
    assert not InvoiceLine.objects.exists()


def test_a_payment_is_recorded_from_its_invoice(desk, accountant, make_issued):
    invoice = make_issued(amounts=["1234.50"])
    address = page(invoice, "record_payment")
    assert address in desk.get(page(invoice)).content.decode()

    response = desk.post(address, payment(amount="1234,50"))

    recorded = Payment.objects.get()
    assert response.url == page(invoice)
    assert said(response) == ["Paiement de 1\u202f234,50\u00a0€ enregistré."]
    assert (recorded.invoice, recorded.amount) == (invoice, Decimal("1234.50"))
    assert recorded.recorded_by == accountant
    assert address not in desk.get(page(invoice)).content.decode()  # nothing is left to pay


@pytest.mark.parametrize(
    ("data", "errors"),
    [
        (
            {"amount": "38,01"},
            {
                "__all__": [
                    "Ce paiement de 38,01\u00a0€ dépasse ce qui reste à payer\u00a0: 38,00\u00a0€."
                ]
            },
        ),
        ({"paid_on": "9999-12-31"}, {"__all__": ["La date du paiement est à venir."]}),
        (
            {"amount": "0"},
            {"amount": ["Un paiement est d'un montant positif."]},
        ),
        ({"reference": ""}, {"reference": ["Ce champ est obligatoire."]}),
    ],
)
def test_a_refused_payment_keeps_what_was_typed(desk, make_issued, data, errors):
    response = desk.post(page(make_issued(), "record_payment"), payment(**data))

    assert response.context["form"].errors == errors
    assert not Payment.objects.exists()


def test_a_payment_is_not_recorded_twice(desk, make_issued):
    invoice = make_issued(amounts=["100"])
    desk.post(page(invoice, "record_payment"), payment())

    response = desk.post(page(invoice, "record_payment"), payment())

    assert response.context["form"].errors == {
        "reference": ["Un paiement de cette référence est déjà enregistré."]
    }
    assert Payment.objects.count() == 1


def test_a_draft_takes_no_payment(desk, draft):
    assert desk.post(page(draft, "record_payment"), payment()).status_code == 404


def test_recording_needs_its_permission(client, registrar, make_issued):
    client.force_login(registrar)

    assert client.post(page(make_issued(), "record_payment"), payment()).status_code == 403


def test_a_payment_is_never_touched(desk, accountant, make_issued):
    recorded = services.record_payment(
        make_issued(),
        amount=Decimal(38),
        means=PaymentMeans.CARD,
        paid_on=timezone.localdate(),
        reference="CB 1",
        actor=accountant,
    )
    address = f"/admin/billing/payment/{recorded.pk}"

    assert desk.get(f"{address}/change/").status_code == 200
    assert desk.post(f"{address}/change/", payment()).status_code == 403
    assert desk.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
    assert desk.get("/admin/billing/payment/add/").status_code == 403
    assert Payment.objects.get().reference == "CB 1"


def test_another_establishment_does_not_exist(desk, family, accountant):
    annexe = EstablishmentFactory(name="Annexe")
    theirs = InvoiceLineFactory(invoice__establishment=annexe).invoice
    assert desk.get(LIST).context["cl"].result_count == 0
    assert desk.get(page(theirs)).url == reverse("admin:index")

    services.issue(theirs, actor=accountant)
    assert desk.get(page(theirs, "record_payment")).status_code == 404

    response = desk.post(f"{LIST}add/", posted(annexe, family))
    assert list(response.context["adminform"].form.errors) == ["establishment"]


def test_the_secretariat_has_no_billing(client, registrar, draft):
    client.force_login(registrar)

    assert client.get(LIST).status_code == 403


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=elo", ["eloise"]),
        ("q=ÉLOÏSE", ["eloise"]),
        ("q=nobody", []),
        ("status__exact=draft", ["draft"]),
        ("reglement=due", ["eloise"]),
        ("reglement=overdue", ["late"]),
        ("reglement=paid", []),
        ("kind__exact=location", ["late"]),
    ],
)
def test_search_and_filters(desk, make_issued, establishment, query, found):
    invoices = {
        "eloise": make_issued(family=FamilyFactory(name="Éloïse")),
        "late": make_issued(kind=InvoiceKind.LOCATION),
        "draft": InvoiceLineFactory(invoice__establishment=establishment).invoice,
    }
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    fall_due(yesterday, invoices["late"])

    response = desk.get(f"{LIST}?{query}")

    assert list(response.context["cl"].result_list) == [invoices[name] for name in found]


def test_search_by_reference(desk, make_issued):
    make_issued()
    second = make_issued()

    response = desk.get(LIST, {"q": second.reference})

    assert list(response.context["cl"].result_list) == [second]


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_s_queries(desk, make_issued, count, django_assert_num_queries):
    for _ in range(count):
        make_issued()

    with django_assert_num_queries(10):
        response = desk.get(LIST)

    assert response.context["cl"].result_count == count


@pytest.mark.parametrize("count", [1, 5])
def test_a_draft_s_queries(desk, draft, count, django_assert_num_queries):
    InvoiceLineFactory.create_batch(count, invoice=draft)

    with django_assert_num_queries(12):
        desk.get(page(draft))


def test_a_line_is_for_a_student_of_the_household(desk, draft, student):
    stranger = StudentFactory()

    form = desk.get(page(draft)).context["inline_admin_formsets"][0].formset.empty_form

    assert list(form.fields["student"].queryset) == [student]
    assert str(stranger) not in str(form["student"])


def test_a_stale_form_of_an_invoice_issued_meanwhile(accountant, draft):
    stale = Invoice.objects.get(pk=draft.pk)
    services.issue(draft, actor=accountant)
    stale.kind = InvoiceKind.LOCATION

    with pytest.raises(ValidationError):
        services.save_draft(stale, actor=accountant)

    draft.refresh_from_db()
    assert draft.kind == InvoiceKind.COTISATION
