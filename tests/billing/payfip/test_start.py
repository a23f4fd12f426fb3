import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from billing import services
from billing.enums import AttemptState, PaymentMeans
from billing.models import Instalment, Invoice, PaymentAttempt
from billing.payfip import attempts, client
from billing.payfip.simulator.operations import UNKNOWN_CLIENT
from tests.billing.payfip.orders import choose, later, money_of


def refused(start, invoice, instalment=None):
    with pytest.raises(ValidationError) as refusal:
        start(invoice, instalment)
    return refusal.value.code


def pay_at_the_counter(invoice, amount, actor):
    services.record_payment(
        invoice,
        amount=Decimal(amount),
        means=PaymentMeans.CHEQUE,
        paid_on=timezone.localdate(),
        reference=f"CHQ {amount}",
        actor=actor,
    )


def test_payfip_is_asked_for_what_is_left(start, invoice, payfip, account, settings):
    attempt = start(invoice)

    asked = payfip.operations.rows[attempt.idop].asked
    number = f"{invoice.year}{invoice.number:05}"
    assert attempt.refdet == f"E{account.establishment_id}F{number}N1"
    assert asked == {
        "exer": str(timezone.localdate().year),
        "mel": "martin.c@example.org",
        "montant": "3800",
        "numcli": "090909",
        "objet": f"Facture {invoice.year} {invoice.number:05} Conservatoire",
        "refdet": attempt.refdet,
        "saisie": "T",
        "urlnotif": f"{settings.SITE_URL}/extranet/facturation/paiement/notification/",
        "urlredirect": f"{settings.SITE_URL}/extranet/facturation/paiement/retour/",
    }
    assert (attempt.state, attempt.amount, attempt.instalment) == (AttemptState.OPEN, 3800, None)


def test_a_part_paid_already_is_not_asked_for(start, invoice, accountant):
    pay_at_the_counter(invoice, 8, accountant)

    assert start(invoice).amount == 3000


def test_one_instalment(start, make_issued, family, account, payfip):
    invoice = make_issued(family=family, parts=3, amounts=["100.00"])

    attempt = start(invoice, 1)

    assert (attempt.amount, attempt.instalment) == (3334, 1)
    assert payfip.operations.rows[attempt.idop].asked["montant"] == "3334"


def test_another_instalment_than_the_next_is_refused(start, make_issued, family, account):
    invoice = make_issued(family=family, parts=3, amounts=["100.00"])

    assert refused(start, invoice, 2) == "instalment"
    assert refused(start, invoice, 99) == "instalment"


def test_two_clicks_are_one_payment(start, invoice, payfip):
    assert start(invoice) == start(invoice)
    assert payfip.operations.calls == ["creerPaiementSecurise"]


def test_another_amount_waits_for_the_one_under_way(start, make_issued, family, account):
    invoice = make_issued(family=family, parts=3, amounts=["100.00"])
    start(invoice, 1)

    assert refused(start, invoice) == "other_open"


def test_nothing_left(start, invoice, accountant):
    pay_at_the_counter(invoice, 38, accountant)

    assert refused(start, invoice) == "nothing_left"


def test_after_the_last_day_online(start, invoice):
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    Invoice.objects.filter(pk=invoice.pk).update(online_until=yesterday)

    assert refused(start, invoice) == "online_over"


def test_on_the_last_day_online(start, invoice):
    Invoice.objects.filter(pk=invoice.pk).update(online_until=timezone.localdate())

    assert start(invoice).is_open


def test_below_one_euro(start, make_issued, family, account):
    assert refused(start, make_issued(family=family, amounts=["0.99"])) == "amount"


def test_a_draft_or_a_credit_note_is_not_paid(start, invoice, accountant):
    note = services.cancel(invoice, reason="Erreur", actor=accountant)

    assert refused(start, note) == "nothing_left"
    assert refused(start, invoice) == "nothing_left"


@pytest.mark.parametrize(
    "close",
    [
        lambda account, settings: account.delete(),
        lambda account, settings: type(account).objects.update(is_active=False),
        lambda account, settings: setattr(settings, "PAYFIP_URL", ""),
        lambda account, settings: setattr(settings, "PAYFIP_TEST_ALLOWED", False),
    ],
    ids=["no account", "not active", "no address", "a test in production"],
)
def test_where_nobody_pays_online(start, invoice, account, settings, close):
    close(account, settings)

    assert refused(start, invoice) == "not_open"
    assert not PaymentAttempt.objects.exists()


@pytest.mark.parametrize("mood", ["unavailable", "fault", "garbage", "slow"])
def test_payfip_away_loses_nothing(start, invoice, payfip, monkeypatch, mood):
    monkeypatch.setattr(client, "SECONDS", 0.2)
    payfip.operations.moods.service = mood

    assert refused(start, invoice) == "payfip_down"
    attempt = PaymentAttempt.objects.get()
    assert (attempt.state, attempt.alert) == (AttemptState.LOST, "")

    monkeypatch.undo()
    client.rest.end()
    payfip.operations.moods.service = "up"
    again = start(invoice)
    assert (again.number, again.is_open) == (2, True)


def test_a_wrong_account_is_told_to_the_staff_and_may_be_tried_again(start, invoice, account):
    account.numcli = UNKNOWN_CLIENT
    account.save()

    assert refused(start, invoice) == "payfip_refused"
    attempt = PaymentAttempt.objects.to_check().get()
    assert "T2" in attempt.alert

    account.numcli = "090909"
    account.save()
    assert start(invoice).is_open


def test_an_address_that_payfip_would_refuse(start, invoice, parent, payfip):
    parent.email = f"{'a' * 75}@example.org"
    parent.save()

    assert refused(start, invoice) == "mel"
    assert payfip.operations.calls == []


def test_an_idop_given_before_is_never_taken_again(
    start, make_issued, family, account, monkeypatch
):
    first = start(make_issued(family=family))
    monkeypatch.setattr(client, "create_payment", lambda order: first.idop)

    assert refused(start, make_issued(family=family)) == "payfip_down"
    attempt = PaymentAttempt.objects.to_check().get()
    assert (attempt.state, attempt.idop) == (AttemptState.LOST, None)


class TestOlderThanAQuarterOfAnHour:
    def test_not_paid_gives_way_to_a_new_one(self, start, invoice):
        old = later(start(invoice), minutes=16)

        new = start(invoice)

        old.refresh_from_db()
        assert new != old
        assert (old.state, new.state) == (AttemptState.LOST, AttemptState.OPEN)
        assert old.ask_at is not None  # money may still come

    def test_expired_at_payfip_too(self, start, invoice, payfip):
        old = later(start(invoice), minutes=16)
        payfip.operations.expire(old.idop)

        assert start(invoice).number == 2

    def test_paid_meanwhile_is_recorded_and_leaves_nothing_to_pay(self, start, invoice, payfip):
        old = later(start(invoice), minutes=16)
        choose(payfip, old.idop, "carte")

        assert refused(start, invoice) == "nothing_left"
        assert money_of(invoice) == [("38.00", "online")]

    def test_payfip_away_does_not_open_a_second_one(self, start, invoice, payfip):
        later(start(invoice), minutes=16)
        payfip.operations.moods.service = "unavailable"

        assert refused(start, invoice) == "payfip_down"
        assert PaymentAttempt.objects.open().count() == 1

    def test_a_result_that_nobody_knows_is_looked_at_first(self, start, invoice, payfip):
        old = later(start(invoice), minutes=16)
        choose(payfip, old.idop, "carte")
        payfip.operations.moods.falsified = {"resultrans": "Q"}

        assert refused(start, invoice) == "in_doubt"
        assert refused(start, invoice) == "in_doubt"


class TestAnotherClickIsAskingForTheIdOp:
    @pytest.fixture
    def asking(self, start, invoice):
        attempt = start(invoice)
        PaymentAttempt.objects.update(idop=None)
        return attempt

    def test_waits_a_moment_then_says_so(self, asking, start, invoice, monkeypatch):
        monkeypatch.setattr(attempts, "WAIT_SECONDS", 0.3)

        assert refused(start, invoice) == "payfip_down"

    def test_one_that_died_is_replaced(self, asking, start, invoice):
        later(asking, seconds=31)

        assert start(invoice).number == 2


def test_an_invoice_of_two_sites_never_shares_a_reference(start, invoice):
    assert attempts.refdet(invoice, 1) != attempts.refdet(
        Invoice(establishment_id=99, year=invoice.year, number=invoice.number), 1
    )
    assert Instalment.objects.filter(invoice=invoice).count() == 1
