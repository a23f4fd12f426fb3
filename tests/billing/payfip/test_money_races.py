"""Every move of money at once, over the same two invoices: no deadlock, and the sums hold."""

from decimal import Decimal
from itertools import count

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from billing import services
from billing.absorbing import Invoices, Reminders
from billing.enums import AskedBy, PaymentMeans
from billing.models import Invoice, Payment
from billing.payfip import attempts
from billing.payfip.settling import settle
from billing.services.reminders import plan, remind_next
from imuse.invariants import violations
from tests.billing.due_dates import fall_due
from tests.billing.payfip.orders import choose
from tests.factories import (
    FamilyFactory,
    GuardianFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    PayFiPAccountFactory,
    UserFactory,
)
from tests.races import no_deadlock, run_together

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
ROUNDS = 5


@pytest.fixture
def claire():
    return GuardianFactory(user__username="martin.c")


def make_issued(family, actor, establishment=None):
    about = {"family": family} | ({"establishment": establishment} if establishment else {})
    invoice = InvoiceFactory(**about)
    InvoiceLineFactory(invoice=invoice, amount="38.00")
    return services.issue(invoice, actor=actor)


def refused(results):
    """What is not a refusal in French of a service."""
    return [
        each
        for each in results
        if isinstance(each, Exception) and not isinstance(each, ValidationError)
    ]


def test_counter_carry_credit_issue_payfip_and_closing(payfip, claire):
    actor, references = UserFactory(), count(1)
    today = timezone.localdate()
    with no_deadlock():
        for _ in range(ROUNDS):
            first = make_issued(claire.family, actor)
            site = first.establishment
            PayFiPAccountFactory(establishment=site)
            second = make_issued(claire.family, actor, site)
            draft = InvoiceLineFactory(
                invoice__family=claire.family, invoice__establishment=site
            ).invoice
            attempt = attempts.start(first, instalment=None, user=claire.user)
            choose(payfip, attempt.idop, "carte")

            def pay(invoices, refs=references):
                return services.record_deposit(
                    dict.fromkeys(invoices, Decimal(38)),
                    means=PaymentMeans.CARD,
                    paid_on=today,
                    reference=f"CB {next(refs)}",
                    actor=actor,
                    overpaid=True,
                )

            pay([second, first])
            calls = [
                lambda: pay([first, second]),  # noqa: B023
                lambda: pay([second, first]),  # noqa: B023
                lambda: services.carry_over(second, first, amount=Decimal(5), actor=actor),  # noqa: B023
                lambda: services.carry_over(first, second, amount=Decimal(5), actor=actor),  # noqa: B023
                lambda: services.cancel(first, reason="Erreur.", actor=actor),  # noqa: B023
                lambda: services.cancel(second, reason="Erreur.", actor=actor),  # noqa: B023
                lambda: services.issue(draft, actor=actor),  # noqa: B023
                lambda: settle(attempt, AskedBy.NOTIFICATION),  # noqa: B023
            ]

            results = run_together(lambda n: calls[n](), len(calls))  # noqa: B023

            assert refused(results) == []
            attempt.refresh_from_db()
            assert attempt.is_paid
    assert list(violations()) == []


def test_a_day_is_closed_with_all_that_is_recorded_on_it(claire):
    """Each payment is in the totals frozen, or refused."""
    actor, today = UserFactory(), timezone.localdate()
    invoice = make_issued(claire.family, actor)
    site = invoice.establishment

    def play(number):
        if number == 3:
            return services.close_day(site, today, actor=actor)
        return services.record_payment(
            invoice,
            amount=Decimal(5),
            means=PaymentMeans.CARD,
            paid_on=today,
            reference=f"CB {number}",
            actor=actor,
        )

    with no_deadlock():
        results = run_together(play, 8)

    assert refused(results) == []
    frozen = sum(total.received for total in results[3].totals.all())
    assert frozen == sum(payment.amount for payment in Payment.objects.all())
    assert list(violations()) == []


def test_a_merge_of_households_while_they_are_reminded(claire):
    actor = UserFactory()
    with no_deadlock():
        for _ in range(ROUNDS):
            kept, double = FamilyFactory(), GuardianFactory().family
            invoices = [make_issued(double, actor) for _ in range(3)]
            fall_due(timezone.localdate().replace(year=2020), *invoices)
            plan(invoices[0].establishment, [double.pk], actor=actor)

            def merge(kept=kept, double=double):
                with transaction.atomic():
                    for follower in (Reminders(), Invoices()):
                        follower.absorb(kept, double)

            calls = [merge, remind_next]

            results = run_together(lambda n: calls[n](), 2)  # noqa: B023

            assert refused(results) == []
            assert Invoice.objects.filter(family=kept).count() == 3
