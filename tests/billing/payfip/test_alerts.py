"""What is to be looked at is told to the régie once; the household is told once it has been."""

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts import roles
from accounts.enums import MailKind
from accounts.models import Mail
from billing import services
from billing.enums import AskedBy, PaymentMeans
from billing.payfip.settling import dismiss, settle
from billing.payfip.simulator.operations import UNKNOWN_CLIENT
from billing.personal_data import BillingPart
from families.holdings import Addressee
from tests.factories import EstablishmentFactory, GuardianFactory, UserFactory


def alerts():
    return Mail.objects.filter(kind=MailKind.PAYMENT_ALERT).order_by("pk")


def told_to():
    return list(alerts().values_list("to", flat=True))


@pytest.fixture
def falsified(payfip):
    payfip.operations.moods.falsified = {"montant": "3801"}


def make_agent(username, role, *sites, **facts):
    agent = UserFactory(username=username, is_staff=True, **facts)
    agent.groups.add(Group.objects.get(name=role))
    agent.establishments.set(sites)
    return agent


def test_an_anomaly_is_told_once_to_the_regie(pay, invoice, falsified, accountant, settings):
    attempt = pay(invoice, "carte")
    settle(attempt, AskedBy.POLL)
    settle(attempt, AskedBy.STAFF)

    mail = alerts().get()
    assert mail.to == accountant.email
    assert mail.subject == (
        f"À vérifier : paiement en ligne de 38,00\u00a0€, facture {invoice.reference}"
    )
    assert attempt.alert in mail.body
    assert "Rien n'est encaissé. La famille lit qu'elle ne doit pas payer" in mail.body
    page = reverse("admin:billing_paymentattempt_change", args=[attempt.pk])
    assert f"{settings.SITE_URL}{page}" in mail.body
    assert "Martin" not in mail.body
    assert invoice.family.guardians.get().email not in told_to()


def test_another_anomaly_of_the_same_payment_is_told(pay, invoice, falsified, payfip, accountant):
    attempt = pay(invoice, "carte")
    payfip.operations.moods.falsified = {"montant": "3802"}
    settle(attempt, AskedBy.STAFF)

    assert alerts().count() == 2


@pytest.mark.parametrize("choice", ["carte", "prelevement", "refus-carte", "annuler"])
def test_what_needs_nobody_is_not_told(pay, invoice, accountant, choice):
    pay(invoice, choice)

    assert told_to() == []


def test_the_agents_of_the_regie_of_that_establishment(
    pay, invoice, falsified, accountant, establishment
):
    accountant.establishments.set([establishment])
    make_agent("regie.b", roles.REGIE, establishment, email="b@example.org")
    make_agent("partie", roles.REGIE, establishment, is_active=False)
    make_agent("sans", roles.REGIE, establishment, email="")
    make_agent("ailleurs", roles.REGIE, EstablishmentFactory(name="Annexe"))
    make_agent("direction", roles.DIRECTION, establishment)
    make_agent("secretariat", roles.SECRETARIAT, establishment)

    pay(invoice, "carte")

    assert told_to() == [accountant.email, "b@example.org"]


def test_without_any_the_service_itself(pay, invoice, falsified, accountant, establishment):
    accountant.groups.clear()

    pay(invoice, "carte")

    assert told_to() == [establishment.email]


def test_too_much_is_told_with_what_was_received(start, pay, invoice, payfip, accountant):
    first = pay(invoice, "annuler")
    pay(invoice, "carte")
    payfip.operations.rows[first.idop].result = "P"
    settle(first, AskedBy.POLL)

    mail = alerts().get()
    assert "Trop-perçu de 38,00\u00a0€" in mail.body
    assert "L'argent est encaissé et la famille a son reçu." in mail.body


def test_a_wrong_account_is_told_once_a_day(start, make_issued, family, account, accountant):
    account.numcli = UNKNOWN_CLIENT
    account.save()
    for _ in range(3):
        with pytest.raises(ValidationError):
            start(make_issued(family=family))

    mail = alerts().get()
    assert "T2" in mail.body
    assert "Vérifiez le numéro de client PayFiP" in mail.body


class TestChecked:
    def checked(self):
        return Mail.objects.filter(kind=MailKind.PAYMENT_CHECKED)

    def test_each_responsable_is_told(self, pay, invoice, falsified, accountant, settings):
        GuardianFactory(family=invoice.family, first_name="Paul", email="paul@example.org")
        attempt = dismiss(pay(invoice, "carte"), actor=accountant)

        assert {mail.to for mail in self.checked()} == {"martin.c@example.org", "paul@example.org"}
        body = self.checked().first().body
        assert "Reste à payer : 38,00\u00a0€. Vous pouvez de nouveau payer en ligne" in body
        page = reverse("billing:payment", args=[attempt.pk])
        assert f"{settings.SITE_URL}{page}" in body

    def test_once_the_money_is_recorded_by_hand(self, pay, invoice, falsified, accountant):
        attempt = pay(invoice, "carte")
        services.record_payment(
            invoice,
            amount=attempt.euros,
            means=PaymentMeans.CARD,
            paid_on=invoice.issued_on,
            reference=attempt.refdet,
            actor=accountant,
        )
        dismiss(attempt, actor=accountant)

        assert "Cette facture est entièrement payée" in self.checked().get().body

    def test_not_of_a_payment_that_was_received(self, pay, invoice, payfip, accountant):
        """Its receipt has said that there is too much."""
        first = pay(invoice, "annuler")
        pay(invoice, "carte")
        payfip.operations.rows[first.idop].result = "P"
        dismiss(settle(first, AskedBy.POLL), actor=accountant)

        assert not self.checked().exists()

    def test_not_of_one_that_payfip_never_took(self, start, invoice, account, accountant):
        account.numcli = UNKNOWN_CLIENT
        account.save()
        with pytest.raises(ValidationError):
            start(invoice)
        dismiss(invoice.attempts.get(), actor=accountant)

        assert not self.checked().exists()


def test_a_copy_of_a_household_s_data_holds_no_mail_of_an_agent(
    pay, invoice, falsified, accountant
):
    """Though a responsable have the same key as the agent."""
    pay(invoice, "carte")
    assert alerts().get().key.endswith(f":{accountant.pk}")

    found = BillingPart().mails(Addressee(keys=[accountant.pk], accounts=[]))

    assert not found.exists()
