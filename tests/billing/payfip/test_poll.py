"""Some never see a notification: what nobody told us, the poll asks."""

import datetime as dt
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing.enums import AttemptState
from billing.models import PaymentAttempt
from billing.payfip import client, settling
from tests.billing.payfip.orders import choose, choose_late, later, money_of


def away():
    raise client.TechnicalFault("away")


def poll():
    out = StringIO()
    call_command("poll_payfip", stdout=out)
    return out.getvalue().strip()


def test_never_notified_and_never_back_is_recorded(start, invoice, payfip):
    attempt = later(start(invoice), minutes=5)
    choose(payfip, attempt.idop, "carte")

    assert poll() == "Paiements interrogés\xa0: payé par carte 1."
    assert money_of(invoice) == [("38.00", "online")]
    assert poll() == "Paiements interrogés\xa0: aucun."


def test_the_first_five_minutes_are_the_notification_s(start, invoice, payfip):
    start(invoice)

    assert poll() == "Paiements interrogés\xa0: aucun."


@pytest.mark.parametrize(
    ("ago", "pause"),
    [
        ({"minutes": 20}, dt.timedelta(minutes=5)),
        ({"hours": 3}, dt.timedelta(hours=1)),
        ({"days": 2}, dt.timedelta(days=1)),
        ({"days": 7, "hours": 23}, dt.timedelta(days=1)),
        ({"days": 8, "minutes": 1}, None),
    ],
)
def test_asked_more_and_more_rarely_for_eight_days(start, invoice, ago, pause):
    attempt = later(start(invoice), **ago)

    settling.poll()

    attempt.refresh_from_db()
    if pause is None:
        assert attempt.ask_at is None
    else:
        assert abs(attempt.ask_at - timezone.now() - pause) < dt.timedelta(seconds=30)


@pytest.mark.parametrize("choice", ["annuler", "refus-carte"])
def test_what_is_over_goes_on_being_asked_about(pay, invoice, choice):
    assert pay(invoice, choice).ask_at is not None


@pytest.mark.parametrize("choice", ["carte", "prelevement"])
def test_what_is_paid_is_not(pay, invoice, choice):
    assert pay(invoice, choice).ask_at is None


def test_an_abandoned_one_paid_on_the_seventh_day(start, invoice, payfip):
    attempt = later(start(invoice), hours=3)
    settling.poll()
    attempt = later(attempt, days=7)
    assert attempt.state == AttemptState.LOST
    choose_late(payfip, attempt)

    settling.poll()

    assert money_of(invoice) == [("38.00", "online")]


def test_payfip_away_is_said_and_nothing_is_lost(start, invoice, payfip):
    attempt = later(start(invoice), minutes=6)
    choose(payfip, attempt.idop, "carte")
    payfip.operations.moods.service = "unavailable"
    with pytest.raises(CommandError, match="PayFiP ne répond pas"):
        poll()

    payfip.operations.moods.service = "up"
    assert poll() == "Paiements interrogés\xa0: payé par carte 1."


def test_one_that_always_fails_holds_up_nobody(start, make_issued, family, account, monkeypatch):
    bad, good = (later(start(make_issued(family=family)), minutes=6) for _ in range(2))
    asked = []

    def detail(idop):
        asked.append(idop)
        if idop == bad.idop:
            raise client.TechnicalFault("always")
        raise client.FunctionalFault("P5")

    monkeypatch.setattr(client, "payment_detail", detail)

    assert settling.poll() == {"sans réponse": 1, "en cours": 1}
    assert asked == [bad.idop, good.idop]


def test_three_failures_in_a_row_are_enough(start, make_issued, family, account, monkeypatch):
    for _ in range(5):
        later(start(make_issued(family=family)), minutes=6)
    asked = []
    monkeypatch.setattr(client, "_post", lambda content: asked.append(content) or away())

    with pytest.raises(client.TechnicalFault):
        settling.poll()

    assert len(asked) == 3


def test_nothing_without_payfip(settings, db):
    settings.PAYFIP_URL = ""

    assert settling.settle_next() is False
    with pytest.raises(CommandError, match="PAYFIP_URL est vide"):
        poll()


class TestBetweenTwoMails:
    def test_one_at_a_time(self, start, make_issued, family, account, payfip):
        attempts = [later(start(make_issued(family=family)), minutes=6) for _ in range(2)]
        choose(payfip, attempts[0].idop, "carte")

        assert [settling.settle_next() for _ in range(3)] == [True, True, False]
        states = PaymentAttempt.objects.order_by("pk").values_list("state", flat=True)
        assert list(states) == ["paid", "open"]

    def test_payfip_away_is_left_in_peace(self, start, make_issued, family, account, monkeypatch):
        attempts = [later(start(make_issued(family=family)), minutes=6) for _ in range(4)]
        asked = []

        def detail(idop):
            asked.append(idop)
            raise client.TechnicalFault("away")

        monkeypatch.setattr(client, "payment_detail", detail)
        assert [settling.settle_next() for _ in range(3)] == [True, False, False]
        assert asked == [attempts[0].idop]

        # A minute later, another one's turn has come.
        assert settling.settle_next(timezone.now() + dt.timedelta(minutes=1, seconds=1))
        assert asked == [attempts[0].idop, attempts[1].idop]

    def test_the_sender_does_it(self, settings):
        assert "billing.payfip.settling.settle_next" in settings.BETWEEN_MAILS
