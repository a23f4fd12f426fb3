"""What a household sees, from « Payer » to its receipt, and what PayFiP calls."""

import datetime as dt
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing import services
from billing.enums import AskedBy, AttemptState, PaymentMeans
from billing.models import Invoice, PaymentAttempt
from billing.payfip import client as payfip_client
from billing.payfip.settling import dismiss, settle
from tests.answers import answer_of
from tests.billing import pages
from tests.billing.payfip.orders import choose, later, money_of

RETURN = reverse("billing:returned")
NOTIFICATION = reverse("billing:notified")


@pytest.fixture
def family_client(client, parent):
    client.force_login(parent)
    return client


def words(page):
    return unescape(pages.words(page))


def press(client, invoice, instalment=""):
    return client.post(reverse("billing:pay", args=[invoice.pk]), {"echeance": instalment})


def page_of(attempt):
    return reverse("billing:payment", args=[attempt.pk])


def strict():
    """A browser that comes from elsewhere: no session, and CSRF is checked."""
    return Client(enforce_csrf_checks=True)


class TestPay:
    def test_from_the_invoice_to_payfip_by_a_plain_link(self, family_client, invoice, payfip):
        page = family_client.get(reverse("billing:invoice", args=[invoice.pk]))
        assert "Payer 38,00\xa0€ en ligne" in words(page)

        answer = press(family_client, invoice)

        attempt = PaymentAttempt.objects.get()
        assert answer.url == reverse("billing:leave", args=[attempt.pk])
        page = family_client.get(answer.url)
        assert f'href="{payfip_client.payment_page(attempt.idop)}"' in page.content.decode()
        assert "38,00\xa0€" in words(page)

    @pytest.mark.parametrize("method", ["get", "head"])
    def test_its_address_alone_is_the_invoice(self, family_client, invoice, payfip, method):
        answer = getattr(family_client, method)(reverse("billing:pay", args=[invoice.pk]))

        assert answer.url == reverse("billing:invoice", args=[invoice.pk])
        assert not PaymentAttempt.objects.exists()

    def test_the_amount_is_the_server_s(self, family_client, invoice, payfip):
        url = reverse("billing:pay", args=[invoice.pk])
        family_client.post(url, {"echeance": "", "montant": "1", "amount": "1"})

        assert PaymentAttempt.objects.get().amount == 3800

    @pytest.mark.parametrize("asked", ["-1", "1.5", "١", "9" * 50, "x", "\x00"])
    def test_a_senseless_instalment_is_no_fault(self, family_client, invoice, payfip, asked):
        assert press(family_client, invoice, asked).url == reverse(
            "billing:invoice", args=[invoice.pk]
        )
        assert not PaymentAttempt.objects.exists()

    def test_instalments_are_offered(self, family_client, make_issued, family, account, payfip):
        invoice = make_issued(family=family, parts=3, amounts=["100.00"])

        page = words(family_client.get(reverse("billing:invoice", args=[invoice.pk])))

        assert "Payer 33,34\xa0€ en ligne (échéance 1)" in page
        assert "Payer 100,00\xa0€ en ligne (tout ce qui reste)" in page

    def test_where_nobody_pays_online_it_says_so(self, family_client, make_issued, family):
        page = family_client.get(reverse("billing:invoice", args=[make_issued(family=family).pk]))

        assert "Le paiement en ligne n'est pas ouvert." in words(page)

    def test_payfip_away_is_a_clear_sentence(self, family_client, invoice, payfip):
        payfip.operations.moods.service = "unavailable"

        answer = press(family_client, invoice)

        page = words(family_client.get(answer.url))
        assert "ne répond pas. Rien n'est débité" in page
        assert "Payer 38,00\xa0€ en ligne" in page

    def test_one_under_way_is_shown_on_the_invoice(self, family_client, invoice, payfip):
        press(family_client, invoice)

        page = words(family_client.get(reverse("billing:invoice", args=[invoice.pk])))

        assert "Un paiement de 38,00\xa0€ est en cours pour cette facture." in page

    def test_paid_at_the_counter_meanwhile_one_does_not_leave(
        self, family_client, invoice, payfip, accountant
    ):
        leave = press(family_client, invoice).url
        services.record_payment(
            invoice,
            amount=Decimal(38),
            means=PaymentMeans.CHEQUE,
            paid_on=timezone.localdate(),
            reference="CHQ 1",
            actor=accountant,
        )

        assert family_client.get(leave).url == page_of(PaymentAttempt.objects.get())

    def test_after_a_quarter_of_an_hour_one_does_not_leave(self, family_client, invoice, payfip):
        leave = press(family_client, invoice).url
        attempt = later(PaymentAttempt.objects.get(), minutes=16)

        assert family_client.get(leave).url == page_of(attempt)


class TestSomebodyElse:
    @pytest.mark.parametrize("name", ["payment", "leave"])
    def test_another_household_s_attempt_is_that_of_nobody(
        self, client, stranger, start, invoice, name
    ):
        attempt = start(invoice)
        client.force_login(stranger)

        theirs = client.get(reverse(f"billing:{name}", args=[attempt.pk]))

        assert theirs.status_code == 404
        nobodys = client.get(reverse(f"billing:{name}", args=[987_654]))
        assert answer_of(theirs) == answer_of(nobodys)

    def test_another_household_s_invoice_is_not_paid(self, client, stranger, invoice, payfip):
        client.force_login(stranger)

        assert press(client, invoice).status_code == 404
        assert not PaymentAttempt.objects.exists()

    def test_without_a_session_every_key_answers_the_same(self, client, pay, invoice):
        attempt = pay(invoice, "carte")

        nowhere = reverse("billing:payment", args=[987_654])
        ours = client.get(page_of(attempt)).content.decode()
        nobodys = client.get(nowhere).content.decode()

        assert ours.replace(page_of(attempt), "here") == nobodys.replace(nowhere, "here")
        assert "38,00" not in ours
        assert attempt.refdet not in ours


class TestReturn:
    """From another site, by GET or POST, with or without the session."""

    @pytest.mark.parametrize("name", ["idop", "idOp"])
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_it_asks_payfip_and_shows_the_truth(
        self, family_client, start, invoice, payfip, method, name
    ):
        attempt = start(invoice)
        choose(payfip, attempt.idop, "carte")

        answer = getattr(strict(), method)(RETURN, {name: attempt.idop})

        assert answer.url == page_of(attempt)
        assert money_of(invoice) == [("38.00", "online")]
        page = words(family_client.get(answer.url))
        assert "Paiement reçu" in page
        assert attempt.refdet in page
        assert "Reste à payer aujourd'hui 0,00\xa0€" in page

    def test_before_the_notification_then_the_notification(
        self, family_client, start, invoice, payfip
    ):
        payfip.operations.moods.late_answers = 2
        attempt = start(invoice)
        choose(payfip, attempt.idop, "carte")

        back = strict().get(RETURN, {"idop": attempt.idop})
        page = family_client.get(back.url)
        assert "Vérification en cours" in words(page)
        assert page["Refresh"] == f"5; url={back.url}?essai=1"
        payfip.operations.rows[attempt.idop].late_answers = 0
        strict().post(NOTIFICATION, {"idop": attempt.idop})

        page = family_client.get(back.url)
        assert "Paiement reçu" in words(page)
        assert "Refresh" not in page

    def test_a_forged_return_proves_nothing(self, start, invoice):
        attempt = start(invoice)

        strict().get(RETURN, {"idop": attempt.idop, "resultrans": "P", "montant": "3800"})

        attempt.refresh_from_db()
        assert attempt.is_open
        assert money_of(invoice) == []

    def test_a_replayed_return_changes_nothing(self, pay, invoice):
        attempt = pay(invoice, "carte")

        for _ in range(3):
            strict().get(RETURN, {"idop": attempt.idop})

        assert money_of(invoice) == [("38.00", "online")]

    @pytest.mark.parametrize("idop", ["", "x", "11111111-1111-1111-1111-111111111111", "é\x01"])
    def test_an_unknown_idop_is_a_page_that_says_nothing(self, db, idop):
        answer = strict().post(RETURN, {"idop": idop})

        assert answer.status_code == 200
        assert "Vérification en cours" in words(answer)

    def test_payfip_away_the_family_is_told_that_nothing_is_lost(
        self, family_client, start, invoice, payfip
    ):
        attempt = start(invoice)
        choose(payfip, attempt.idop, "carte")
        payfip.operations.moods.service = "unavailable"

        back = strict().get(RETURN, {"idop": attempt.idop})

        assert "Rien n'est perdu" in words(family_client.get(back.url))


class TestNotification:
    @pytest.mark.parametrize("name", ["idop", "idOp"])
    def test_it_settles(self, start, invoice, payfip, name):
        attempt = start(invoice)
        choose(payfip, attempt.idop, "prelevement")

        answer = strict().post(NOTIFICATION, {name: attempt.idop})

        assert (answer.status_code, answer.content) == (200, b"")
        assert money_of(invoice) == [("38.00", "debit")]

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"idop": "x" * 5000},
            {"idop": "11111111-1111-1111-1111-111111111111"},
            {"idop": "\x00"},
        ],
    )
    def test_a_senseless_one_is_200_empty_and_logged(self, db, caplog, body):
        answer = strict().post(NOTIFICATION, body)

        assert (answer.status_code, answer.content) == (200, b"")
        assert "no attempt has the idOp" in caplog.text

    def test_payfip_away_is_still_200(self, start, invoice, payfip):
        attempt = start(invoice)
        payfip.operations.moods.service = "unavailable"

        assert strict().post(NOTIFICATION, {"idop": attempt.idop}).status_code == 200
        attempt.refresh_from_db()
        assert attempt.is_open

    def test_before_the_person_is_back(self, family_client, start, invoice, payfip):
        attempt = start(invoice)
        choose(payfip, attempt.idop, "annuler")
        strict().post(NOTIFICATION, {"idop": attempt.idop})

        back = strict().post(RETURN, {"idOp": attempt.idop})

        assert "Paiement annulé" in words(family_client.get(back.url))

    def test_it_is_a_post(self, client, db):
        assert client.get(NOTIFICATION).status_code == 405


class TestResult:
    @pytest.mark.parametrize(
        ("choice", "title", "sentence"),
        [
            ("carte", "Paiement reçu", "est enregistré"),
            ("prelevement", "Prélèvement accepté", "présenté à votre banque"),
            ("refus-carte", "Paiement refusé", "Rien n'est débité"),
            ("annuler", "Paiement annulé", "Rien n'est débité"),
        ],
    )
    def test_it_says_what_became_of_it(self, family_client, pay, invoice, choice, title, sentence):
        page = family_client.get(page_of(pay(invoice, choice)))

        assert f"<h1>{title}" in " ".join(page.content.decode().split()).replace("> ", ">")
        assert sentence in words(page)
        assert "Refresh" not in page

    @pytest.mark.parametrize("choice", ["annuler", "refus-carte"])
    def test_one_begins_again_from_there(self, family_client, pay, invoice, choice):
        page = family_client.get(page_of(pay(invoice, choice)))

        assert "Payer 38,00\xa0€ en ligne" in words(page)

    def test_an_anomaly_asks_not_to_pay_twice(self, family_client, pay, invoice, payfip):
        payfip.operations.moods.falsified = {"montant": "3801"}

        page = words(family_client.get(page_of(pay(invoice, "carte"))))

        assert "Ne payez pas une seconde fois" in page
        assert "38,01" not in page
        page = words(family_client.get(reverse("billing:invoice", args=[invoice.pk])))
        assert "en cours de vérification par le conservatoire" in page
        assert "en ligne" not in page

    @pytest.mark.parametrize("falsified", [{"montant": "3801"}, {"resultrans": "Q"}])
    def test_once_an_agent_has_looked_it_may_be_paid(
        self, family_client, pay, invoice, payfip, accountant, falsified
    ):
        payfip.operations.moods.falsified = falsified
        attempt = dismiss(pay(invoice, "carte"), actor=accountant)

        page = words(family_client.get(page_of(attempt)))

        assert "Paiement vérifié Le conservatoire a vérifié ce paiement de 38,00\xa0€" in page
        assert "Il reste 38,00\xa0€ à payer" in page
        assert "Payer 38,00\xa0€ en ligne" in page
        assert "une seconde fois" not in page

    def test_once_an_agent_has_found_the_money_nothing_is_left(
        self, family_client, pay, invoice, payfip, accountant
    ):
        payfip.operations.moods.falsified = {"montant": "3801"}
        attempt = pay(invoice, "carte")
        services.record_payment(
            invoice,
            amount=Decimal(38),
            means=PaymentMeans.CARD,
            paid_on=timezone.localdate(),
            reference=attempt.refdet,
            actor=accountant,
        )
        dismiss(attempt, actor=accountant)

        page = words(family_client.get(page_of(attempt)))

        assert "Paiement vérifié" in page
        assert "38,00\xa0€ à payer" not in page
        assert "Il ne reste rien à payer." in page

    @pytest.mark.parametrize("choice", ["annuler", "refus-carte"])
    def test_one_that_is_over_and_in_doubt_asks_not_to_pay_twice(
        self, family_client, pay, invoice, monkeypatch, choice
    ):
        """PayFiP answers a fault that we do not know about a payment that was refused."""
        attempt = pay(invoice, choice)

        def fault(idop):
            raise payfip_client.FunctionalFault("Z9", "Nouveau")

        monkeypatch.setattr(payfip_client, "payment_detail", fault)
        settle(attempt, AskedBy.POLL)

        page = words(family_client.get(page_of(attempt)))

        assert "Ne payez pas une seconde fois" in page
        assert "recommencer" not in page
        assert "en ligne" not in page

    def test_too_much_is_said(self, family_client, pay, invoice, payfip):
        first = pay(invoice, "annuler")
        pay(invoice, "carte")
        payfip.operations.rows[first.idop].result = "P"

        page = words(family_client.get(RETURN, {"idop": first.idop}, follow=True))

        assert "a reçu plus que le total" in page

    def test_it_stops_refreshing_by_itself_or_when_asked(self, family_client, start, invoice):
        attempt = start(invoice)

        assert "Refresh" in family_client.get(page_of(attempt), {"essai": "7"})
        for stopped in ("8", "500"):
            assert "Refresh" not in family_client.get(page_of(attempt), {"essai": stopped})
        for odd in ("-1", "x", "9" * 40):
            assert family_client.get(page_of(attempt), {"essai": odd}).status_code == 200

    def test_a_page_refreshed_too_often_does_not_ask_each_time(
        self, family_client, start, invoice, payfip
    ):
        attempt = start(invoice)
        payfip.operations.calls.clear()

        for _ in range(3):
            family_client.get(page_of(attempt))

        assert payfip.operations.calls == ["recupererDetailPaiementSecurise"]

    def test_it_is_kept_nowhere(self, family_client, pay, invoice):
        assert "no-store" in family_client.get(page_of(pay(invoice, "carte")))["Cache-Control"]


def test_the_last_day_online_is_told(family_client, invoice, payfip):
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    Invoice.objects.filter(pk=invoice.pk).update(online_until=yesterday)

    page = words(family_client.get(reverse("billing:invoice", args=[invoice.pk])))

    assert "Le paiement en ligne de cette facture s'est terminé le" in page


def test_the_state_of_an_attempt_is_never_posted(family_client, start, invoice):
    attempt = start(invoice)

    assert family_client.post(page_of(attempt), {"state": "paid"}).status_code == 405
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.OPEN
