"""The scenarios of docs/payfip.md that need several processes: workers, a poll, a PayFiP apart.

Everything passes by HTTP, as the families, the régie and PayFiP do. The database is emptied once,
at the end, which takes as long as all of them: each test has a household and invoices of its own.
"""

from threading import Thread

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts import roles
from accounts.enums import MailKind
from accounts.models import Mail
from billing import services
from billing.enums import AttemptState
from billing.models import Invoice, Payment, PaymentAttempt
from billing.payfip import client, settling
from tests.billing.payfip.orders import later, money_of
from tests.billing.payfip.workers import (
    payfip_process,
    run_command,
    site_processes,
    somebody_waits_for_us,
    wait_until,
)
from tests.factories import GuardianFactory, InvoiceLineFactory, PayFiPAccountFactory, UserFactory
from tests.races import no_deadlock, run_together

pytestmark = pytest.mark.postgres
NOTIFICATION = reverse("billing:notified")
RETURN = reverse("billing:returned")
DESK = reverse("admin:billing_paymentattempt_changelist")
SENTENCE_AWAY = "PayFiP ne répond pas pour l'instant. Rien n'est perdu"


@pytest.fixture(scope="module")
def transactional_db(django_db_setup, django_db_blocker):
    """pytest-django's, but emptied at the end only."""
    with django_db_blocker.unblock():
        roles.sync()
        yield
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(scope="module")
def processes(transactional_db, tmp_path_factory):
    with payfip_process() as payfip:
        log = tmp_path_factory.mktemp("site") / "access.log"
        with site_processes(payfip, log) as site:
            yield site, payfip


@pytest.fixture
def site(processes, settings):
    site, payfip = processes
    payfip.behave()
    settings.PAYFIP_URL = payfip.url  # for what is asked from the process of the test
    client.rest.end()
    yield site
    PaymentAttempt.objects.update(ask_at=None)  # the next test's poll has nothing to ask of it


@pytest.fixture
def payfip(processes):
    return processes[1]


@pytest.fixture
def claire(site):
    return GuardianFactory()


def make_agent(role):
    agent = UserFactory(is_staff=True)
    agent.groups.add(Group.objects.get(name=role))
    return agent


@pytest.fixture(scope="module")
def accountant(processes):
    return make_agent(roles.REGIE)


@pytest.fixture(scope="module")
def director(processes):
    return make_agent(roles.DIRECTION)


@pytest.fixture
def make_invoice(claire, accountant):
    """Of 38 €, hers."""

    def make():
        draft = InvoiceLineFactory(invoice__family=claire.family).invoice
        PayFiPAccountFactory(establishment=draft.establishment)
        return services.issue(draft, actor=accountant)

    return make


@pytest.fixture
def leave(site, claire):
    """`leave(invoice)`: she presses « Payer » at the site; gives the attempt."""

    def leave(invoice):
        answer = press(site.browser(claire.user), invoice)
        assert answer.status == 302
        attempt = invoice.attempts.open().get()
        assert answer.location == reverse("billing:leave", args=[attempt.pk])
        return attempt

    return leave


def press(browser, invoice):
    return browser.post(reverse("billing:pay", args=[invoice.pk]), echeance="")


def page_of(attempt):
    return reverse("billing:payment", args=[attempt.pk])


def fresh(attempt):
    return PaymentAttempt.objects.get(pk=attempt.pk)


def mails(kind, *attempts):
    """About these payments."""
    about = Q()
    for attempt in attempts:
        about |= Q(key__startswith=f"{kind}:{attempt.pk}:")
    return Mail.objects.filter(about)


def everybody(site, attempt, claire, accountant):
    """Who may hear of a payment, each at his door: eight calls to make at the same instant."""
    told = {"idop": attempt.idop}
    family, desk = site.browser(claire.user), site.browser(accountant)
    return [
        *[lambda: site.browser().post(NOTIFICATION, **told)] * 3,
        lambda: site.browser().get(RETURN, **told),
        lambda: site.browser().post(RETURN, idOp=attempt.idop),
        lambda: family.get(page_of(attempt)),
        lambda: desk.post(DESK, action="ask_payfip", _selected_action=attempt.pk),
        settling.settle_next,
    ]


def all_at_once(calls):
    results = run_together(lambda n: calls[n](), len(calls))
    assert [each for each in results if isinstance(each, Exception)] == []
    assert [each for each in results if getattr(each, "status", 200) >= 400] == []
    return results


@pytest.mark.parametrize(
    ("choice", "state", "money", "receipts"),
    [
        ("carte", AttemptState.PAID, [("38.00", "online")], 1),
        ("prelevement", AttemptState.DEBITED, [("38.00", "debit")], 1),
        ("refus-carte", AttemptState.REFUSED, [], 0),
        ("annuler", AttemptState.CANCELLED, [], 0),
    ],
)
def test_everybody_hears_of_it_at_once(
    site, payfip, make_invoice, leave, claire, accountant, choice, state, money, receipts
):
    workers = set()
    with no_deadlock():
        for turn in range(20):
            if turn >= 3 and len(workers) > 1:  # on a busy machine one may answer all of a turn
                break
            invoice = make_invoice()
            attempt = later(leave(invoice), minutes=6)
            payfip.choose(attempt.idop, choice)

            all_at_once(everybody(site, attempt, claire, accountant))

            assert fresh(attempt).state == state
            assert money_of(invoice) == money
            assert mails(MailKind.PAYMENT_RECEIPT, attempt).count() == receipts
            assert attempt.moves.count() == 1
            workers |= site.answered(attempt.idop)
    assert len(workers) > 1  # or else it was no race


def test_a_falsified_amount_is_one_anomaly_and_one_alert(
    site, payfip, make_invoice, leave, claire, accountant
):
    invoice = make_invoice()
    attempt = later(leave(invoice), minutes=6)
    payfip.choose(attempt.idop, "carte")
    payfip.behave(falsified="montant")

    all_at_once(everybody(site, attempt, claire, accountant))

    attempt = fresh(attempt)
    assert attempt.state == AttemptState.ANOMALY
    assert "38,01\xa0€ au lieu de 38,00\xa0€" in attempt.alert
    assert money_of(invoice) == []
    assert [mail.to for mail in mails(MailKind.PAYMENT_ALERT, attempt)] == [accountant.email]
    assert attempt.moves.count() == 1


def test_clicks_at_every_worker_are_one_payment(site, payfip, make_invoice, claire):
    for _ in range(3):
        invoice = make_invoice()
        browsers = [site.browser(claire.user) for _ in range(6)]

        answers = all_at_once([lambda b=b: press(b, invoice) for b in browsers])  # noqa: B023

        attempt = invoice.attempts.get()
        assert {answer.location for answer in answers} == {
            reverse("billing:leave", args=[attempt.pk])
        }
        assert payfip.asked_for(attempt.refdet) == 1


def test_an_idop_told_again_pays_nothing_else(site, payfip, make_invoice, leave):
    """That of a payment already received, replayed while another one is under way."""
    first, second = make_invoice(), make_invoice()
    paid = leave(first)
    payfip.choose(paid.idop, "carte")
    site.browser().post(NOTIFICATION, idop=paid.idop)
    waiting = leave(second)

    replays = [lambda: site.browser().post(NOTIFICATION, idop=paid.idop)] * 4
    all_at_once([*replays, lambda: site.browser().get(RETURN, idop=paid.idop)])

    assert money_of(first) == [("38.00", "online")]
    assert money_of(second) == []
    assert fresh(waiting).is_open
    assert mails(MailKind.PAYMENT_RECEIPT, paid, waiting).count() == 1


def test_back_before_the_notification(site, payfip, make_invoice, leave, claire):
    invoice = make_invoice()
    payfip.behave(late_answers=1)
    attempt = leave(invoice)
    payfip.choose(attempt.idop, "carte")

    back = site.browser().get(RETURN, idop=attempt.idop)
    waiting = site.browser(claire.user).get(back.location)
    site.browser().post(NOTIFICATION, idop=attempt.idop)

    assert back.location == page_of(attempt)
    assert "Vérification en cours" in waiting.page
    assert "Paiement reçu" in site.browser(claire.user).get(back.location).page
    assert money_of(invoice) == [("38.00", "online")]


@pytest.mark.parametrize("notify", ["before", "thrice"])
def test_payfip_itself_notifies(site, payfip, make_invoice, leave, claire, notify):
    invoice = make_invoice()
    attempt = leave(invoice)
    payfip.behave(notify=notify)

    payfip.choose(attempt.idop, "prelevement")  # it tells us before it answers

    assert money_of(invoice) == [("38.00", "debit")]
    site.browser().post(RETURN, idop=attempt.idop)
    assert "Prélèvement accepté" in site.browser(claire.user).get(page_of(attempt)).page
    assert mails(MailKind.PAYMENT_RECEIPT, attempt).count() == 1


def test_never_told_two_polls_find_it_once(payfip, site, make_invoice, leave):
    """Two machines run the same cron."""
    invoices = [make_invoice() for _ in range(4)]
    attempts = [later(leave(invoice), minutes=6) for invoice in invoices]
    for attempt in attempts:
        payfip.choose(attempt.idop, "carte")

    polls = [run_command(payfip, "poll_payfip") for _ in range(2)]
    outputs = [poll.communicate(timeout=60)[0] for poll in polls]

    assert [poll.returncode for poll in polls] == [0, 0], outputs
    assert [money_of(invoice) for invoice in invoices] == [[("38.00", "online")]] * 4
    assert mails(MailKind.PAYMENT_RECEIPT, *attempts).count() == 4


class TestPayFiPDown:
    """At each step: nothing is lost, nothing is paid twice, the family reads what is going on."""

    def test_when_it_is_asked_for(self, site, payfip, make_invoice, leave, claire):
        invoice = make_invoice()
        payfip.behave(service="unavailable")
        browser = site.browser(claire.user)

        answer = press(browser, invoice)

        assert answer.location == reverse("billing:invoice", args=[invoice.pk])
        assert invoice.attempts.get().state == AttemptState.LOST
        payfip.behave()
        assert leave(invoice).number == 2

    def test_its_page(self, site, payfip, make_invoice, leave, claire):
        """The way to PayFiP stays open: her page was not opened yet."""
        invoice = make_invoice()
        attempt = leave(invoice)
        payfip.behave(service="unavailable")
        assert payfip.page(attempt.idop).status == 503
        assert SENTENCE_AWAY in site.browser(claire.user).get(page_of(attempt)).page

        payfip.behave()
        again = press(site.browser(claire.user), invoice)
        assert again.location == reverse("billing:leave", args=[attempt.pk])
        payfip.choose(attempt.idop, "carte")
        site.browser().get(RETURN, idop=attempt.idop)

        assert money_of(invoice) == [("38.00", "online")]

    def test_on_return_then_at_the_poll(self, site, payfip, make_invoice, leave, claire):
        invoice = make_invoice()
        attempt = later(leave(invoice), minutes=6)
        payfip.choose(attempt.idop, "carte")
        payfip.behave(service="unavailable")

        back = site.browser().post(RETURN, idop=attempt.idop)
        assert site.browser().post(NOTIFICATION, idop=attempt.idop).status == 200
        seen = site.browser(claire.user).get(back.location)
        poll = run_command(payfip, "poll_payfip")
        told = poll.communicate(timeout=60)[0]

        assert SENTENCE_AWAY in seen.page
        assert (poll.returncode, "rien n'est perdu" in told) == (1, True)
        assert fresh(attempt).is_open
        payfip.behave()
        assert settling.poll() == {"payé par carte": 1}
        assert "Paiement reçu" in site.browser(claire.user).get(back.location).page

    def test_at_the_staff_s_button(self, site, payfip, make_invoice, leave, accountant):
        attempt = leave(make_invoice())
        payfip.behave(service="fault")
        desk = site.browser(accountant)

        desk.post(DESK, action="ask_payfip", _selected_action=attempt.pk)

        assert "PayFiP ne répond pas" in desk.get(DESK).page
        assert fresh(attempt).is_open


class TestKilled:
    """All the workers, without a word; the next news finds everything as it was, and pays once."""

    def tell(self, site, attempt):
        """A notification which nobody will answer."""

        def post():
            try:
                site.browser().post(NOTIFICATION, idop=attempt.idop)
            except OSError:
                heard.append("nothing")

        heard = []
        caller = Thread(target=post)
        caller.start()
        return caller, heard

    def play(self, site, attempt):
        caller, heard = self.tell(site, attempt)
        wait_until(somebody_waits_for_us)
        site.kill_workers()
        caller.join()
        assert heard == ["nothing"]

    def settled_once(self, site, attempt, invoice):
        assert fresh(attempt).is_open
        assert money_of(invoice) == []
        all_at_once([lambda: site.browser().post(NOTIFICATION, idop=attempt.idop)] * 3)
        assert money_of(invoice) == [("38.00", "online")]
        assert mails(MailKind.PAYMENT_RECEIPT, attempt).count() == 1
        assert attempt.moves.count() == 1

    def test_between_the_answer_of_payfip_and_the_first_write(
        self, site, payfip, make_invoice, leave
    ):
        invoice = make_invoice()
        attempt = leave(invoice)
        payfip.choose(attempt.idop, "carte")

        with transaction.atomic():  # PayFiP has answered; the worker comes up against our lock
            Invoice.objects.select_for_update().get(pk=invoice.pk)
            self.play(site, attempt)

        self.settled_once(site, attempt, invoice)

    def test_between_the_payment_and_the_commit(self, site, payfip, make_invoice, leave, claire):
        """The money is written, its receipt is being written."""
        invoice = make_invoice()
        attempt = leave(invoice)
        payfip.choose(attempt.idop, "carte")

        with transaction.atomic():
            Mail.objects.create(  # the receipt's own key: the worker waits for what becomes of it
                key=f"{MailKind.PAYMENT_RECEIPT}:{attempt.pk}:{claire.pk}",
                kind=MailKind.PAYMENT_RECEIPT,
                to="nobody@example.org",
                subject="x",
                body="x",
                due_at=timezone.now(),
            )
            self.play(site, attempt)
            transaction.set_rollback(True)

        self.settled_once(site, attempt, invoice)

    def test_while_payfip_is_asked_for_a_payment(self, site, payfip, make_invoice, leave, claire):
        """Whether it made one nobody will know: nobody was led there. Half a minute, then anew."""
        invoice = make_invoice()
        payfip.behave(service="slow")
        browser = site.browser(claire.user)

        def click():
            with pytest.raises(OSError):  # noqa: PT011 -- the worker is dead
                press(browser, invoice)

        clicking = Thread(target=click)
        clicking.start()
        wait_until(lambda: invoice.attempts.filter(idop=None).exists())
        site.kill_workers()
        clicking.join()
        payfip.behave()
        later(invoice.attempts.get(), seconds=31)

        attempt = leave(invoice)

        assert attempt.number == 2
        assert [each.state for each in invoice.attempts.order_by("pk")] == ["lost", "open"]


def test_two_tabs_that_both_pay_are_two_payments_and_one_alert(
    site, payfip, make_invoice, leave, accountant
):
    """The first tab's page was open when she began again; both end at the same instant."""
    invoice = make_invoice()
    old = leave(invoice)
    assert payfip.page(old.idop).status == 200
    later(old, minutes=16)
    new = leave(invoice)
    assert fresh(old).state == AttemptState.LOST
    payfip.choose(new.idop, "carte")
    payfip.end(old.idop, "carte")

    tell = [lambda a=a: site.browser().post(NOTIFICATION, idop=a.idop) for a in (old, new)]
    all_at_once(tell * 2)

    assert money_of(invoice) == [("38.00", "online")] * 2
    assert [fresh(each).is_paid for each in (old, new)] == [True, True]
    assert mails(MailKind.PAYMENT_RECEIPT, old, new).count() == 2
    flagged = invoice.attempts.to_check().get()
    assert flagged.alert.startswith("Trop-perçu de 38,00\xa0€")
    assert [mail.to for mail in mails(MailKind.PAYMENT_ALERT, old, new)] == [accountant.email]


def test_paid_in_a_tab_while_begun_again_in_another(site, payfip, make_invoice, leave, claire):
    invoice = make_invoice()
    old = leave(invoice)
    payfip.choose(old.idop, "carte")
    later(old, minutes=16)
    browser = site.browser(claire.user)

    again, _ = all_at_once(
        [
            lambda: press(browser, invoice),
            lambda: site.browser().post(NOTIFICATION, idop=old.idop),
        ]
    )

    assert again.location == reverse("billing:invoice", args=[invoice.pk])
    assert Payment.objects.filter(invoice=invoice).count() == 1
    assert invoice.attempts.count() == 1


def test_two_agents_dismiss_it_while_payfip_repeats_itself(
    site, payfip, make_invoice, leave, claire, accountant, director
):
    invoice = make_invoice()
    attempt = leave(invoice)
    payfip.choose(attempt.idop, "carte")
    payfip.behave(falsified="montant")
    site.browser().post(NOTIFICATION, idop=attempt.idop)
    desks = [site.browser(agent) for agent in (accountant, director)]

    def dismiss(desk):
        return desk.post(DESK, action="dismiss", _selected_action=attempt.pk)

    repeats = [lambda: site.browser().post(NOTIFICATION, idop=attempt.idop)] * 3
    all_at_once([*(lambda desk=desk: dismiss(desk) for desk in desks), *repeats])

    attempt = fresh(attempt)
    assert attempt.is_checked
    assert attempt.moves.filter(asked_by="staff").count() == 1
    assert mails(MailKind.PAYMENT_CHECKED, attempt).count() == 1
    assert mails(MailKind.PAYMENT_ALERT, attempt).count() == 1


@pytest.mark.parametrize("end", ["expire", "forget"])
def test_left_on_the_page_and_given_up(site, payfip, make_invoice, leave, claire, end):
    """PayFiP says P4, or P1 once it has forgotten it: anything else may begin at once."""
    invoice = make_invoice()
    attempt = leave(invoice)
    payfip.page(attempt.idop)
    getattr(payfip, end)(attempt.idop)

    seen = site.browser(claire.user).get(page_of(attempt))

    assert "Paiement non abouti" in seen.page
    assert fresh(attempt).state == AttemptState.LOST
    assert leave(invoice).number == 2
