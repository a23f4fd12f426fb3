"""What PayFiP says against what is held: by day in Paris, each difference, whose it is."""

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from billing import services
from billing.enums import PaymentMeans
from billing.models import Payment
from billing.regie.reconciliation import NO_ATTEMPT, NO_PAYMENT, reconcile
from tests.billing.attempts import NOON, attempt_of
from tests.factories import EstablishmentFactory, InvoiceLineFactory

PAGE = reverse("admin:billing_payment_reconciliation")
EXPORT = reverse("admin:billing_payment_reconciliation_export")
FIRST, LAST = dt.date(2026, 9, 1), dt.date(2026, 9, 30)
TENTH = dt.date(2026, 9, 10)


@pytest.fixture
def desk(client, accountant):
    client.force_login(accountant)
    return client


def held(invoice, amount="38.00", means=PaymentMeans.ONLINE, on=TENTH, reference=""):
    return services.record_online_payment(
        invoice,
        amount=Decimal(amount),
        means=means,
        paid_on=on,
        reference=reference or f"PAYFIP {Payment.objects.count()}",
    )


def paid(invoice, *, at=NOON, state="paid", cents=3800, **payment):
    return attempt_of(
        invoice,
        at=at,
        state=state,
        cents=cents,
        paid_at=at,
        payment=held(invoice, **{"on": timezone.localdate(at), **payment}),
    )


def elsewhere(actor):
    """An issued invoice of a site that is not the agent's."""
    line = InvoiceLineFactory(invoice__establishment=EstablishmentFactory(name="Annexe"))
    return services.issue(line.invoice, actor=actor)


def faults(establishment, first=FIRST, last=LAST):
    return [pair.fault for pair in reconcile(establishment, first, last).differing]


# --- Day by day -------------------------------------------------------------------------------


def test_each_day_counts_and_sums_both_sides(make_issued, establishment):
    paid(make_issued())
    paid(make_issued(), state="debited", cents=1250, amount="12.50", means=PaymentMeans.DEBIT)
    paid(make_issued(), at=NOON + dt.timedelta(days=2))

    found = reconcile(establishment, FIRST, LAST)

    rows = [(day.day.day, day.said, day.said_count, day.held, day.held_count) for day in found.days]
    assert rows == [
        (10, Decimal("50.50"), 2, Decimal("50.50"), 2),
        (12, Decimal(38), 1, Decimal(38), 1),
    ]
    assert (found.totals.said, found.totals.held_count) == (Decimal("88.50"), 3)
    assert found.is_even
    assert (found.differing, found.orphans, found.to_check, found.lasting) == ([], [], [], [])


def test_the_day_is_that_of_paris(make_issued, establishment):
    paid(make_issued(), at=dt.datetime(2026, 9, 10, 22, 30, tzinfo=dt.UTC))

    [day] = reconcile(establishment, FIRST, LAST).days

    assert (day.day, day.is_even) == (dt.date(2026, 9, 11), True)


def test_its_clock_ahead_of_ours_dates_nothing_after_it_was_told(make_issued, establishment):
    attempt = paid(make_issued())
    attempt.paid_at = NOON + dt.timedelta(days=1)
    attempt.save()

    assert [day.day for day in reconcile(establishment, FIRST, LAST).days] == [TENTH]


def test_what_nobody_paid_counts_for_nothing(make_issued, establishment):
    for state in ("refused", "cancelled", "lost"):
        attempt_of(make_issued(), state=state, resultrans="R", paid_at=NOON)

    assert reconcile(establishment, FIRST, LAST).pairs == []


def test_other_days_are_other_days(make_issued, establishment):
    paid(make_issued(), at=dt.datetime(2026, 8, 31, 21, 59, tzinfo=dt.UTC))
    paid(make_issued(), at=dt.datetime(2026, 9, 30, 22, 0, tzinfo=dt.UTC))

    assert reconcile(establishment, FIRST, LAST).pairs == []


# --- What differs -----------------------------------------------------------------------------


@pytest.mark.parametrize("alert", ["PayFiP répond autre chose.", ""])
def test_said_paid_and_not_held(make_issued, establishment, alert):
    """An anomaly, even once it is dismissed."""
    anomaly = attempt_of(make_issued(), state="anomaly", resultrans="P", alert=alert)

    found = reconcile(establishment, FIRST, LAST)

    assert [(pair.attempt, pair.fault) for pair in found.differing] == [(anomaly, NO_PAYMENT)]
    assert (found.totals.gap, found.is_even) == (38, False)


def test_another_amount_is_held(make_issued, establishment):
    paid(make_issued(), amount="37.99")

    assert faults(establishment) == ["37,99\u00a0€ encaissés au lieu de 38,00\u00a0€"]


def test_another_means_is_held(make_issued, establishment):
    paid(make_issued(), means=PaymentMeans.DEBIT)

    assert faults(establishment) == ["encaissé en prélèvement en ligne"]


def test_another_invoice_has_it(make_issued, establishment):
    other = make_issued()
    attempt_of(make_issued(), state="paid", paid_at=NOON, payment=held(other))

    assert faults(establishment) == [f"encaissé sur la facture {other.reference}"]


def test_another_day_holds_it(make_issued, establishment):
    """It is seen from both periods, and each day has its own side."""
    paid(make_issued(), on=dt.date(2026, 10, 1))
    words = ["encaissé au 1er\u00a0octobre 2026"]

    assert faults(establishment) == words
    assert faults(establishment, dt.date(2026, 10, 1), dt.date(2026, 10, 1)) == words
    september = reconcile(establishment, FIRST, LAST).totals
    assert (september.said_count, september.held_count) == (1, 0)


def test_held_without_any_attempt(make_issued, establishment):
    payment = held(make_issued())

    found = reconcile(establishment, FIRST, LAST)

    assert [(pair.payment, pair.fault) for pair in found.orphans] == [(payment, NO_ATTEMPT)]
    assert (found.totals.gap, found.differing) == (-38, [])


# --- What somebody must look at -----------------------------------------------------------------


def test_alerts_and_what_stays_open_are_of_whatever_day(make_issued, establishment):
    now = timezone.now()
    alert = attempt_of(make_issued(), alert="Résultat inconnu.")
    old = attempt_of(make_issued(), at=now - dt.timedelta(minutes=61))
    attempt_of(make_issued(), at=now - dt.timedelta(minutes=59))

    found = reconcile(establishment, dt.date(2025, 1, 1), dt.date(2025, 1, 31))

    assert (found.to_check, found.lasting) == ([alert], [old])


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow(make_issued, establishment, django_assert_num_queries, count):
    for _ in range(count):
        paid(make_issued(), amount="37")
        held(make_issued())
        attempt_of(make_issued(), alert="?")
        attempt_of(make_issued())

    with django_assert_num_queries(4):
        found = reconcile(establishment, FIRST, LAST)
        read = [(pair.invoice.reference, pair.fault) for pair in [*found.differing, *found.orphans]]
        read += [attempt.invoice.payer_name for attempt in [*found.to_check, *found.lasting]]
    assert len(read) == 4 * count


# --- The page and its files ---------------------------------------------------------------------


def test_the_page_links_each_row(desk, make_issued):
    differing, orphan = paid(make_issued(), amount="37"), held(make_issued())
    alert = attempt_of(make_issued(), alert="Résultat inconnu.")
    lasting = attempt_of(make_issued())

    page = desk.get(PAGE, {"mois": "2026-09"}).text

    for attempt in (differing, alert, lasting):
        assert reverse("admin:billing_paymentattempt_change", args=[attempt.pk]) in page
    assert reverse("admin:billing_payment_change", args=[orphan.pk]) in page
    assert "37,00\u00a0€ encaissés au lieu de 38,00\u00a0€" in page
    assert "Il y a des écarts" in page
    assert "Toutes les opérations du jour" not in page
    day = desk.get(PAGE, {"jour": "2026-09-10"})
    assert len(day.context["pairs"]) == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"mois": "2026-09"}, "Tout concorde"),
        ({"mois": "2026-08"}, "rien n'est encaissé en ligne"),
        ({"mois": "septembre"}, "Écrivez le mois ainsi"),
    ],
)
def test_the_page_says_how_it_stands(desk, make_issued, data, words):
    paid(make_issued())

    assert words in desk.get(PAGE, data).text


def test_the_journal_and_both_lists_lead_to_it(desk, accountant):
    month = {"mois": "2026-09"}
    assert f"{PAGE}?mois=2026-09" in desk.get(reverse("admin:billing_payment_journal"), month).text
    for name in ("payment", "paymentattempt"):
        assert PAGE in desk.get(reverse(f"admin:billing_{name}_changelist")).text


def test_the_files_hold_a_line_per_operation(desk, make_issued):
    attempt, orphan = paid(make_issued()), held(make_issued())

    response = desk.get(EXPORT, {"mois": "2026-09"})

    assert response["Content-Disposition"].endswith('"rapprochement-payfip-20260901-20260930.csv"')
    _, *rows = csv.reader(io.StringIO(response.content.decode("utf-8-sig")), delimiter=";")
    assert rows == [
        [
            *["10/09/2026", "", "", orphan.invoice.reference, orphan.invoice.payer_name, "", ""],
            *[orphan.reference, "carte bancaire en ligne", "10/09/2026", "38,00", NO_ATTEMPT],
        ],
        [
            *["10/09/2026", attempt.refdet, attempt.idop, attempt.invoice.reference],
            *[attempt.invoice.payer_name, "payé par carte", "38,00", attempt.payment.reference],
            *["carte bancaire en ligne", "10/09/2026", "38,00", ""],
        ],
    ]
    book = desk.get(EXPORT, {"jour": "2026-09-10", "format": "xlsx"})
    assert load_workbook(io.BytesIO(book.content)).active.max_row == 3


# --- Whose it is --------------------------------------------------------------------------------


def test_another_site_s_are_not_told(desk, accountant, establishment):
    invoice = elsewhere(accountant)
    paid(invoice, amount="37")
    held(invoice)
    attempt_of(invoice, alert="?")

    found = desk.get(PAGE, {"mois": "2026-09"}).context["found"]

    assert (found.pairs, found.to_check, found.lasting) == ([], [], [])
    assert invoice.payer_name not in desk.get(EXPORT, {"mois": "2026-09"}).content.decode()


def test_the_secretariat_sees_none_of_it(client, registrar):
    client.force_login(registrar)

    assert [client.get(address).status_code for address in (PAGE, EXPORT)] == [403, 403]


def test_it_is_only_read(desk):
    assert [desk.post(address).status_code for address in (PAGE, EXPORT)] == [405, 405]
