import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.dates import day
from billing import services
from billing.enums import InvoiceKind
from billing.models import Instalment
from tests.billing.due_dates import fall_due
from tests.billing.pages import invoices_of, words
from tests.factories import (
    CustodyFactory,
    EstablishmentFactory,
    FamilyFactory,
    GuardianFactory,
    InvoiceLineFactory,
    StudentFactory,
)

URL = "/extranet/facturation/cotisations/"


def test_address():
    assert reverse("billing:cotisations") == URL


def test_index_leads_to_the_first_tab(client, parent):
    client.force_login(parent)

    assert client.get(reverse("billing:index")).url == URL


def test_anonymous_signs_in_first(client):
    assert client.get(URL).status_code == 302


def test_only_reads(client, parent):
    client.force_login(parent)

    assert client.post(URL).status_code == 405


def test_shows_what_is_owed_and_why(client, parent, family, make_issued, accountant):
    invoice = make_issued(family=family)
    invoice.lines.update(explanation="Par foyer.")
    services.record_payment(
        invoice,
        amount=Decimal(10),
        means="cash",
        paid_on=timezone.localdate(),
        reference="Q 1",
        actor=accountant,
    )
    client.force_login(parent)

    page = words(client.get(URL))

    due_on = date_format(invoice.due_on, "j\u00a0F Y")
    assert f"Prochaine échéance, le {due_on} 28,00\u00a0€ Reste à payer 28,00\u00a0€" in page
    assert f"Facture {invoice.reference} à payer" in page
    assert f"Année scolaire {invoice.school_year}." in page
    assert f"À payer jusqu'au {due_on}." in page
    assert (
        "Frais de dossier Par foyer. 38,00\u00a0€ "
        "Total 38,00\u00a0€ Payé 10,00\u00a0€ Reste à payer 28,00\u00a0€"
    ) in page


@pytest.mark.parametrize(
    ("paid", "days", "state"), [(0, 1, "à payer"), (0, -1, "en retard"), (38, -1, "payée")]
)
def test_state_in_words(client, parent, family, make_issued, accountant, paid, days, state):
    invoice = make_issued(family=family)
    fall_due(timezone.localdate() + dt.timedelta(days=days))
    if paid:
        services.record_payment(
            invoice,
            amount=Decimal(paid),
            means="card",
            paid_on=timezone.localdate(),
            reference="1",
            actor=accountant,
        )
    client.force_login(parent)

    page = words(client.get(URL))

    assert f"Facture {invoice.reference} {state} Année" in page
    assert ("À payer jusqu'au" in page) == (not paid)


def test_nothing_yet(client, parent):
    client.force_login(parent)

    assert "Aucune facture pour le moment." in words(client.get(URL))


def test_neither_drafts_nor_locations_nor_other_establishments(
    client, parent, family, make_issued, accountant
):
    mine = make_issued(family=family)
    make_issued(family=family, kind=InvoiceKind.LOCATION)
    elsewhere = InvoiceLineFactory(
        invoice__family=family, invoice__establishment=EstablishmentFactory(name="Annexe")
    ).invoice
    services.issue(elsewhere, actor=accountant)
    InvoiceLineFactory(invoice__family=family)
    client.force_login(parent)

    assert invoices_of(client.get(URL)) == [mine]


def test_each_household_of_a_child_sees_its_own(client, parent, family, make_issued):
    other = GuardianFactory(family=FamilyFactory(name="Durand"))
    child = StudentFactory(family=family)
    CustodyFactory(student=child, family=other.family, rank=2)
    mine, theirs = make_issued(family=family), make_issued(family=other.family)

    for user, seen in [(parent, [mine]), (other.user, [theirs])]:
        client.force_login(user)
        assert invoices_of(client.get(URL)) == seen


@pytest.mark.parametrize("count", [1, 3])
def test_queries(client, parent, family, make_issued, count, django_assert_num_queries):
    for _ in range(count):
        make_issued(amounts=["38", "12.50"], family=family)
    client.force_login(parent)

    # Session, user, establishment, invoices, lines, instalments; in how many parts one may pay.
    with django_assert_num_queries(7):
        response = client.get(URL)

    assert len(invoices_of(response)) == count


# --- What the panel, the notices and the tabs say ---------------------------------------------


def receive(invoice, amount, actor, means="cash"):
    return services.record_payment(
        invoice,
        amount=Decimal(amount),
        means=means,
        paid_on=timezone.localdate(),
        reference=f"ENC {invoice.pk} {amount}",
        actor=actor,
        overpaid=True,
    )


def in_days(number):
    return timezone.localdate() + dt.timedelta(days=number)


def set_days(invoice, *offsets):
    for number, offset in enumerate(offsets, start=1):
        Instalment.objects.filter(invoice=invoice, number=number).update(due_on=in_days(offset))


def test_instalments_and_what_is_due_now(client, parent, family, make_issued, accountant):
    invoice = make_issued(amounts=["150"], family=family, parts=3)
    set_days(invoice, -40, -5, 25)
    receive(invoice, 60, accountant)
    client.force_login(parent)

    page = words(client.get(URL))

    late, coming = day(in_days(-5)), day(in_days(25))
    assert (
        f"À payer maintenant 40,00\u00a0€ en retard Prochaine échéance, le {coming} 50,00\u00a0€"
        " Reste à payer 90,00\u00a0€"
    ) in page
    assert f"En retard&nbsp;: 40,00\u00a0€ à payer depuis le {late}." in page
    assert (
        f"{day(in_days(-40))} 50,00\u00a0€ payée {late} 50,00\u00a0€ reste 40,00\u00a0€ en retard"
        f" {coming} 50,00\u00a0€ à venir"
    ) in page


def test_nothing_left_is_said(client, parent, family, make_issued, accountant):
    receive(make_issued(family=family), 38, accountant)
    client.force_login(parent)

    page = words(client.get(URL))

    assert "Vous n'avez rien à payer." in page
    assert "Prochaine échéance" not in page


def test_too_much(client, parent, family, make_issued, accountant):
    receive(make_issued(family=family), 48, accountant)
    client.force_login(parent)

    page = words(client.get(URL))

    sentence = "Trop-perçu de 10,00\u00a0€&nbsp;: la régie vous le rembourse ou le reporte."
    assert page.count(sentence) == 2  # at a glance, and where it is
    assert "Trop-perçu 10,00\u00a0€ Voir" in page


def test_a_credit_note_stands_with_its_invoice_and_why(
    client, parent, family, make_issued, accountant
):
    invoice = make_issued(amounts=["100"], family=family)
    lines = [{"label": "Atelier", "amount": Decimal(30)}]
    note = services.credit(invoice, lines=lines, reason="Atelier fermé", actor=accountant)
    client.force_login(parent)

    response = client.get(URL)

    assert invoices_of(response) == [invoice]
    page = words(response)
    assert f"Avoir {note} du {day(note.issued_on)}&nbsp;: −30,00\u00a0€." in page
    assert "Motif&nbsp;: Atelier fermé" in page
    assert "Avoirs −30,00\u00a0€ Payé 0,00\u00a0€ Reste à payer 70,00\u00a0€" in page


def test_a_cancelled_invoice(client, parent, family, make_issued, accountant):
    invoice = make_issued(family=family)
    services.cancel(invoice, reason="Doublon", actor=accountant)
    client.force_login(parent)

    page = words(client.get(URL))

    assert f"Facture {invoice} annulée" in page
    assert "Cette facture est annulée&nbsp;: vous n'avez rien à payer." in page
    assert "À payer" not in page


def test_each_tab_tells_what_is_due_on_the_other(client, parent, family, make_issued):
    set_days(make_issued(amounts=["150"], family=family, kind=InvoiceKind.LOCATION), -1)
    make_issued(family=family)
    client.force_login(parent)

    page = words(client.get(URL))

    assert "cotisations locations 150,00\u00a0€ à payer" in page
    assert "À payer maintenant 0,00\u00a0€ Prochaine" in page


def test_each_line_says_for_whom(client, parent, family, make_issued):
    invoice = make_issued(amounts=["38", "12"], family=family)
    louise = StudentFactory(first_name="Louise", family=family)
    invoice.lines.update(student=louise)
    invoice.lines.filter(amount=12).update(label="Danse")
    client.force_login(parent)

    page = words(client.get(URL))

    assert "Louise Frais de dossier 38,00\u00a0€ Louise Danse 12,00\u00a0€" in page


@pytest.mark.parametrize("count", [1, 3])
def test_queries_of_everything_at_once(
    client, parent, family, make_issued, accountant, count, django_assert_num_queries
):
    for _ in range(count):
        invoice = make_issued(amounts=["38", "12.50"], family=family, parts=3)
        invoice.lines.update(student=StudentFactory(family=family))
        receive(invoice, 10, accountant)
        lines = [{"label": "Remise", "amount": Decimal(1)}]
        services.credit(invoice, lines=lines, reason="Erreur", actor=accountant)
    client.force_login(parent)

    with django_assert_num_queries(8):  # and the students
        client.get(URL)
