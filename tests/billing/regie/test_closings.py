"""« Arrêté de caisse »: what is frozen, and what is refused afterwards."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from billing import services
from billing.enums import PaymentMeans
from billing.models import CashDay, CashDayTotal, Payment
from tests.billing.regie.test_deposits import code_of, issued
from tests.factories import EstablishmentFactory, UserFactory
from tests.races import no_deadlock, run_together


def pay(invoice, actor, amount="10", means=PaymentMeans.CHEQUE, **kwargs):
    facts = {"paid_on": timezone.localdate(), "reference": "CHQ 1", **kwargs}
    return services.record_payment(
        invoice, amount=Decimal(amount), means=means, **facts, actor=actor
    )


def close(establishment, actor, day=None):
    return services.close_day(establishment, day or timezone.localdate(), actor=actor)


def test_the_totals_of_each_means_are_frozen(make_issued, accountant, establishment):
    invoice = make_issued(amounts=["100"])
    cheque = pay(invoice, accountant)
    pay(invoice, accountant, "95", PaymentMeans.CARD, reference="CB 1", overpaid=True)
    today = {"paid_on": timezone.localdate(), "actor": accountant}
    services.refund(
        invoice, amount=Decimal(5), means=PaymentMeans.TRANSFER, reference="R 1", **today
    )
    services.bounce(cheque, reference="REJET 1", **today)

    closed = close(establishment, accountant)

    assert closed.closed_by == accountant
    assert [
        (total.means, total.received, total.refunded, total.bounced)
        for total in closed.totals.all()
    ] == [
        (PaymentMeans.CARD, 95, 0, 0),
        (PaymentMeans.CHEQUE, 10, 0, -10),
        (PaymentMeans.TRANSFER, 0, -5, 0),
    ]


def test_nothing_is_recorded_by_hand_on_a_closed_day(
    make_issued, accountant, establishment, family
):
    one, two = make_issued(family=family), make_issued(family=family)
    cheque = pay(one, accountant, "48", overpaid=True)
    close(establishment, accountant)
    count = Payment.objects.count()
    today = {"paid_on": timezone.localdate(), "actor": accountant}

    codes = [
        code_of(pay, two, accountant, reference="CHQ 2"),
        code_of(
            services.refund,
            one,
            amount=Decimal(1),
            means=PaymentMeans.CARD,
            reference="R 1",
            **today,
        ),
        code_of(services.bounce, cheque, reference="REJET 1", **today),
        code_of(services.carry_over, one, two, amount=Decimal(1), actor=accountant),
    ]

    assert codes == ["day_closed"] * 4
    assert Payment.objects.count() == count


def test_the_refusal_says_which_day(make_issued, accountant, establishment):
    invoice = make_issued()
    close(establishment, accountant, dt.date(2026, 9, 1))

    with pytest.raises(ValidationError) as refusal:
        pay(invoice, accountant, paid_on=dt.date(2026, 9, 1))

    assert refusal.value.messages == [
        "La caisse du 1er\u00a0septembre 2026 est arrêtée\u00a0: rien ne s'y ajoute plus. "
        "Enregistrez au jour d'ouverture suivant."
    ]


def test_the_other_days_and_the_other_sites_stay_open(make_issued, accountant, establishment):
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    close(establishment, accountant, yesterday)
    close(EstablishmentFactory(name="Annexe"), accountant)

    pay(make_issued(), accountant)

    assert Payment.objects.exists()


def test_what_payfip_received_is_recorded_on_a_closed_day(make_issued, accountant, establishment):
    invoice = make_issued()
    close(establishment, accountant)

    services.record_online_payment(
        invoice,
        amount=Decimal(38),
        means=PaymentMeans.ONLINE,
        paid_on=timezone.localdate(),
        reference="PAYFIP 1",
    )

    assert Payment.objects.exists()


@pytest.mark.parametrize(
    ("day", "code"), [(dt.date(9999, 1, 1), "day_in_future"), (None, "day_closed")]
)
def test_a_day_is_closed_once_and_not_ahead(accountant, establishment, day, code):
    close(establishment, accountant)

    assert code_of(close, establishment, accountant, day) == code
    assert CashDay.objects.filter(closed_at__isnull=False).count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(20))
def test_a_payment_is_in_the_totals_or_refused(turn):
    """Agents take money while another closes the day."""
    actor = UserFactory()
    invoices = [issued(actor) for _ in range(8)]
    site = invoices[0].establishment

    def work(n):
        if n == turn % 9:
            return code_of(close, site, actor)
        return code_of(pay, invoices[n % 8], actor, "1", reference=f"CHQ {n}")

    with no_deadlock():
        codes = run_together(work, 9)

    assert codes[turn % 9] == "done"
    assert set(codes) <= {"done", "day_closed"}
    frozen = sum(CashDayTotal.objects.values_list("received", flat=True))
    assert frozen == Payment.objects.count() == codes.count("done") - 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_day_is_closed_by_one_of_all():
    actor, site = UserFactory(), EstablishmentFactory()

    codes = run_together(lambda n: code_of(close, site, actor), 20)

    assert sorted(codes) == ["day_closed"] * 19 + ["done"]
