"""« Annuler la facture » and « Émettre un avoir » in the administration."""

from decimal import Decimal

import pytest
from django.urls import reverse

from billing import services
from billing.enums import LineKind
from billing.models import Invoice
from tests.factories import EstablishmentFactory, InvoiceLineFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client, accountant):
    """The régie, signed in."""
    client.force_login(accountant)
    return client


@pytest.fixture
def invoice(make_issued, family):
    return make_issued(["60.00", "40.00"], family=family)


def url(invoice, name):
    return reverse(f"admin:billing_invoice_{name}", args=[invoice.pk])


def posted(invoice, *amounts, **kwargs):
    lines = {
        f"line_{line.pk}": amount
        for line, amount in zip(invoice.lines.all(), amounts, strict=False)
    }
    return {"reason": "Professeur absent.", **lines, **kwargs}


class TestCancel:
    def test_all_of_it_goes_by_a_credit_note(self, desk, invoice):
        assert "100,00" in desk.get(url(invoice, "cancel")).text

        response = desk.post(url(invoice, "cancel"), {"reason": "Erreur de foyer."})

        note = Invoice.objects.get(credits=invoice)
        assert response.url == url(invoice, "change")
        assert note.reason == "Erreur de foyer."
        assert sum(line.amount for line in note.lines.all()) == -100

    def test_it_needs_a_reason(self, desk, invoice):
        response = desk.post(url(invoice, "cancel"), {"reason": "  "})

        assert response.context["form"].errors == {"reason": ["Dites pourquoi."]}
        assert not Invoice.objects.filter(credits=invoice).exists()

    def test_twice_is_refused(self, desk, invoice):
        desk.post(url(invoice, "cancel"), {"reason": "Erreur."})

        response = desk.post(url(invoice, "cancel"), {"reason": "Erreur."})

        assert response.context["form"].non_field_errors()
        assert Invoice.objects.filter(credits=invoice).count() == 1
        page = desk.get(url(invoice, "change")).text
        assert url(invoice, "cancel") not in page
        assert desk.get(url(invoice, "cancel")).url == url(invoice, "change")


class TestCredit:
    def test_it_is_read_again_then_issued(self, desk, invoice):
        data = posted(invoice, "12,50", "", label="Geste commercial", amount="5")

        check = desk.post(url(invoice, "credit"), data)
        assert "17,50" in check.text
        assert not Invoice.objects.filter(credits=invoice).exists()

        again = {field.html_name: field.value() for field in check.context["form"] if field.value()}
        desk.post(url(invoice, "credit"), again | {"emettre": "Émettre l'avoir"})

        note = Invoice.objects.get(credits=invoice)
        assert list(note.lines.values_list("label", "kind", "amount")) == [
            ("Frais de dossier", LineKind.OTHER, Decimal("-12.50")),
            ("Geste commercial", LineKind.OTHER, Decimal("-5.00")),
        ]
        assert note.reason == "Professeur absent."

    def test_one_may_go_back_and_keeps_what_was_typed(self, desk, invoice):
        response = desk.post(url(invoice, "credit"), posted(invoice, "12,50", modifier="Modifier"))

        assert 'value="12,50"' in response.text
        assert "Relire l'avoir" in response.text

    @pytest.mark.parametrize(
        ("amounts", "more", "field"),
        [
            (("61", ""), {}, "line"),
            (("0", ""), {}, "line"),
            (("-1", ""), {}, "line"),
            (("abc", ""), {}, "line"),
            ((), {}, "__all__"),
            (("1", ""), {"reason": ""}, "reason"),
            ((), {"label": "Geste"}, "amount"),
            ((), {"amount": "5"}, "label"),
        ],
    )
    def test_refusals_stand_beside_their_field(self, desk, invoice, amounts, more, field):
        data = posted(invoice, *amounts, **more) | {"emettre": "1"}

        errors = desk.post(url(invoice, "credit"), data).context["form"].errors

        assert [name.split("_")[0] or "__all__" for name in errors] == [
            field.split("_")[0] or field
        ]
        assert not Invoice.objects.filter(credits=invoice).exists()

    def test_more_than_is_left_is_refused_when_it_is_read_again(self, desk, invoice, accountant):
        lines = [{"label": "Geste", "amount": Decimal(90)}]
        services.credit(invoice, lines=lines, reason="Geste.", actor=accountant)

        response = desk.post(url(invoice, "credit"), posted(invoice, "20"))
        assert "dépasse ce qui reste" in response.text
        response = desk.post(url(invoice, "credit"), posted(invoice, "20", emettre="1"))
        assert "dépasse ce qui reste" in response.text
        assert Invoice.objects.filter(credits=invoice).count() == 1

    def test_a_draft_a_credit_note_another_site_s_are_not_there(
        self, desk, invoice, family, accountant, make_issued
    ):
        note = services.cancel(invoice, reason="Erreur.", actor=accountant)
        draft = InvoiceLineFactory(invoice__family=family).invoice
        elsewhere = services.issue(
            InvoiceLineFactory(invoice__establishment=EstablishmentFactory(name="Annexe")).invoice,
            actor=accountant,
        )

        for other in (note, draft, elsewhere):
            for name in ("credit", "cancel"):
                assert desk.get(url(other, name)).status_code == 404

    def test_whoever_may_not_issue_may_not_credit(self, client, registrar, invoice):
        client.force_login(registrar)

        assert client.post(url(invoice, "credit"), posted(invoice, "1")).status_code == 403
        assert client.post(url(invoice, "cancel"), {"reason": "x"}).status_code == 403
