"""Whom an overdue invoice's reminder reaches, at which level, and never twice a day."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.enums import MailKind
from accounts.models import Mail
from billing import services
from billing.absorbing import Reminders
from billing.enums import PaymentMeans, ReminderLevel
from billing.enums import PaymentReminderOutcome as Outcome
from billing.models import PaymentReminder, PaymentReminderLine, RegieSettings, RemindedInvoice
from billing.regie.overdue import IN_DOUBT, PAYING, overdue_households
from billing.services import reminders
from imuse.invariants import violations
from tests.billing.attempts import attempt_of
from tests.billing.due_dates import fall_due
from tests.billing.regie.days import on
from tests.factories import (
    EstablishmentFactory,
    FamilyFactory,
    GuardianFactory,
    InvoiceLineFactory,
    UserFactory,
)
from tests.races import no_deadlock, run_together


def household(name="Martin"):
    email = f"{name.lower()}@example.org"
    family = FamilyFactory(name=name)
    GuardianFactory(family=family, email=email, user__email=email)
    return family


def make_late(make_issued, family, amount="38.00", days=10):
    invoice = make_issued(family=family, amounts=[amount])
    fall_due(timezone.localdate() - dt.timedelta(days=days), invoice)
    return invoice


def remind(establishment, actor, *families, **kwargs):
    reminder = reminders.plan(establishment, [f.pk for f in families], actor=actor, **kwargs)
    while reminders.remind_next():
        pass
    reminder.refresh_from_db()
    return reminder


def sent():
    """The reminders; each invoice has its own mail too."""
    return Mail.objects.filter(kind=MailKind.PAYMENT_REMINDER)


def code_of(action, *args, **kwargs):
    try:
        action(*args, **kwargs)
    except ValidationError as error:
        return getattr(error, "code", None)
    return "done"


def pay(invoice, actor, amount="38.00"):
    return services.record_payment(
        invoice,
        amount=Decimal(amount),
        means=PaymentMeans.CARD,
        paid_on=timezone.localdate(),
        reference=f"CB {invoice.pk}",
        actor=actor,
        overpaid=True,
    )


def test_a_late_household_gets_one_mail(make_issued, establishment, accountant):
    family = household()
    invoice = make_late(make_issued, family)
    make_issued(family=family)  # not due yet

    reminder = remind(establishment, accountant, family, word="Bon courage.")

    mail = sent().get()
    assert (mail.to, mail.subject) == (
        "martin@example.org",
        "Conservatoire : une facture reste à payer",
    )
    assert f"facture {invoice} : 38,00\u00a0€" in mail.body
    assert "Bon courage." in mail.body
    assert reminder.ended_at
    line = reminder.lines.get()
    assert (line.outcome, line.day) == (Outcome.SENT, timezone.localdate())
    asked = invoice.reminders.get()
    assert (asked.level, asked.overdue) == (ReminderLevel.FIRST, Decimal(38))


def test_never_twice_the_same_day(make_issued, establishment, accountant):
    family = household()
    make_late(make_issued, family)
    remind(establishment, accountant, family)

    assert code_of(remind, establishment, accountant, family) == "already"
    assert sent().count() == 1


def test_planned_for_later_what_is_owed_is_read_then(make_issued, establishment, accountant):
    family, payer = household(), household("Petit")
    make_late(make_issued, family)
    paid = make_late(make_issued, payer)
    at = timezone.now() + dt.timedelta(days=2)

    reminder = remind(establishment, accountant, family, payer, planned_for=at)
    assert (reminder.started_at, sent().count()) == (None, 0)
    other = code_of(remind, establishment, accountant, family, planned_for=at)
    assert other == "already"  # the same day; not on another one
    assert code_of(remind, establishment, accountant, family) == "done"
    pay(paid, accountant)
    with on(at.date() + dt.timedelta(days=1)):
        while reminders.remind_next():
            pass

    outcomes = dict(reminder.lines.values_list("family__name", "outcome"))
    assert outcomes == {"Martin": Outcome.SENT, "Petit": Outcome.SETTLED}
    assert sent().count() == 2
    assert code_of(reminders.cancel, reminder, actor=accountant) == "started"


def test_cancelled_before_its_moment_nothing_leaves(make_issued, establishment, accountant):
    family = household()
    make_late(make_issued, family)
    at = timezone.now() + dt.timedelta(days=2)
    reminder = remind(establishment, accountant, family, planned_for=at)

    reminders.cancel(reminder, actor=accountant)
    with on(at.date() + dt.timedelta(days=1)):
        assert reminders.remind_next() is None

    assert not sent().exists()
    again = code_of(remind, establishment, accountant, family, planned_for=at)
    assert again == "done"  # what is cancelled keeps no day


@pytest.mark.parametrize(
    ("wait", "code"), [(dt.timedelta(), "past"), (dt.timedelta(days=367), "too_far")]
)
def test_a_moment_past_or_too_far_is_refused(make_issued, establishment, accountant, wait, code):
    family = household()
    make_late(make_issued, family)

    planned_for = timezone.now() + wait
    assert code_of(remind, establishment, accountant, family, planned_for=planned_for) == code


def test_invariants_see_a_reminder_that_wrote_nothing(make_issued, establishment, accountant):
    family = household()
    make_late(make_issued, family)
    reminder = remind(establishment, accountant, family)
    assert not [each for each in violations() if "Relance" in each]

    sent().delete()

    [wrong] = [each for each in violations() if "Relance" in each]
    assert f"(n° {reminder.pk}) dit avoir relancé" in wrong


def test_three_levels_then_the_treasury(make_issued, establishment, accountant):
    family = household()
    invoice = make_late(make_issued, family)
    today = timezone.localdate()

    for number in range(3):
        with on(today + dt.timedelta(days=20 * number)):
            remind(establishment, accountant, family)
    with on(today + dt.timedelta(days=60)):
        assert code_of(remind, establishment, accountant, family) == "nobody"
        [found] = overdue_households(establishment)

    assert list(invoice.reminders.values_list("level", flat=True)) == [1, 2, 3]
    assert (found.level, found.invoices, found.total) == (None, [], Decimal(38))
    subjects = list(sent().order_by("pk").values_list("subject", flat=True))
    assert "deuxième relance" in subjects[1]
    assert "avant transmission au comptable" in subjects[2]


@pytest.mark.parametrize(("amount", "code"), [("14.99", "nobody"), ("15.00", "done")])
def test_too_little_is_not_asked_for(make_issued, establishment, accountant, amount, code):
    family = household()
    make_late(make_issued, family, amount)

    assert code_of(remind, establishment, accountant, family) == code


def test_the_least_amount_is_a_setting(make_issued, establishment, accountant):
    RegieSettings.objects.create(establishment=establishment, claim_minimum=Decimal(50))
    family = household()
    make_late(make_issued, family)

    assert code_of(remind, establishment, accountant, family) == "nobody"


def test_only_the_parts_that_are_past_are_asked_for(make_issued, establishment, accountant):
    family = household()
    invoice = make_issued(family=family, amounts=["90"], parts=3)
    first = invoice.instalments.first()
    first.due_on = timezone.localdate() - dt.timedelta(days=3)
    first.save()

    [found] = overdue_households(establishment)

    assert (found.amount, found.days) == (Decimal(30), 3)


def test_whoever_paid_meanwhile_gets_nothing(make_issued, establishment, accountant):
    family = household()
    invoice = make_late(make_issued, family)
    reminder = reminders.plan(establishment, [family.pk], actor=accountant)
    pay(invoice, accountant)

    while reminders.remind_next():
        pass

    assert reminder.lines.get().outcome == Outcome.SETTLED
    assert not sent().exists()


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({}, PAYING),
        ({"alert": "Résultat inconnu."}, IN_DOUBT),
        ({"state": "anomaly", "alert": "Un autre montant."}, IN_DOUBT),
    ],
)
def test_whoever_pays_online_is_not_reminded(make_issued, establishment, accountant, facts, why):
    """For whatever invoice of theirs: it is the household that would read the mail."""
    family, other = household(), household("Benali")
    make_late(make_issued, family)
    make_late(make_issued, other)
    attempt_of(make_issued(family=family), **facts)

    found = {each.family: each.paying for each in overdue_households(establishment)}

    assert found == {family: why, other: ""}
    assert code_of(reminders.plan, establishment, [family.pk], actor=accountant) == "nobody"


@pytest.mark.parametrize(
    "facts",
    [
        {"state": "refused"},
        {"state": "lost"},
        {"state": "anomaly"},  # dismissed: somebody has looked
        {"idop": None},  # PayFiP never had it
    ],
)
def test_an_attempt_that_came_to_nothing_changes_nothing(make_issued, establishment, facts):
    attempt_of(make_late(make_issued, household()), **facts)

    assert [each.paying for each in overdue_households(establishment)] == [""]


def test_an_attempt_of_another_site_is_that_site_s(make_issued, establishment, accountant):
    family = household()
    make_late(make_issued, family)
    line = InvoiceLineFactory(
        invoice__family=family, invoice__establishment=EstablishmentFactory(name="Annexe")
    )
    attempt_of(services.issue(line.invoice, actor=accountant))

    assert [each.paying for each in overdue_households(establishment)] == [""]


def test_whoever_leaves_for_payfip_meanwhile_gets_nothing(make_issued, establishment, accountant):
    family = household()
    invoice = make_late(make_issued, family)
    reminder = reminders.plan(establishment, [family.pk], actor=accountant)
    attempt_of(invoice)

    while reminders.remind_next():
        pass

    assert reminder.lines.get().outcome == Outcome.PAYING
    assert not RemindedInvoice.objects.exists()


def test_an_excess_elsewhere_that_covers_it_is_carried_over_first(
    make_issued, establishment, accountant
):
    family = household()
    make_late(make_issued, family)
    other = make_issued(family=family)
    pay(other, accountant, "76.00")

    assert overdue_households(establishment) == []


def test_nobody_to_write_to(make_issued, establishment, accountant):
    family = FamilyFactory(name="Sans adresse")
    make_late(make_issued, family)

    assert code_of(remind, establishment, accountant, family) == "nobody"
    assert code_of(remind, establishment, accountant, household()) == "nobody"  # owes nothing


def test_another_establishment_s_invoices_are_not_asked_for(make_issued, accountant):
    family = household()
    make_late(make_issued, family)

    assert overdue_households(EstablishmentFactory(name="Annexe")) == []


def test_a_fault_with_one_household_stops_nobody(
    make_issued, establishment, accountant, monkeypatch
):
    families = [household("Un"), household("Deux")]
    for family in families:
        make_late(make_issued, family)
    real = reminders.remind_payment

    def fail(site, found, *args):
        if found.family == families[0]:
            raise ValueError("?")
        return real(site, found, *args)

    monkeypatch.setattr(reminders, "remind_payment", fail)
    reminder = remind(establishment, accountant, *families)

    outcomes = {line.family: line.outcome for line in reminder.lines.all()}
    assert outcomes == {families[0]: Outcome.FAILED, families[1]: Outcome.SENT}
    assert RemindedInvoice.objects.count() == 1


@pytest.mark.parametrize("count", [1, 4])
def test_queries_do_not_grow(
    make_issued, establishment, accountant, count, django_assert_num_queries
):
    for number in range(count):
        make_late(make_issued, household(f"Foyer {number}"))

    with django_assert_num_queries(11):
        assert len(overdue_households(establishment)) == count


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(10))
def test_two_reminders_and_many_workers_write_one_mail_to_each(turn):
    site, actor = EstablishmentFactory(), UserFactory()
    families = [household(f"Foyer {turn} {number}") for number in range(4)]
    for family in families:
        family.guardians.get().user.establishments.add(site)
        line = InvoiceLineFactory(invoice__family=family, invoice__establishment=site)
        services.issue(line.invoice, actor=actor)
    fall_due(timezone.localdate() - dt.timedelta(days=5))
    for _ in range(2):  # past the check of `plan`
        reminder = PaymentReminder.objects.create(establishment=site, actor=actor)
        for family in families:
            PaymentReminderLine.objects.create(reminder=reminder, family=family)

    def work(_number):
        while reminders.remind_next():
            pass

    with no_deadlock():
        run_together(work, 6)

    assert sent().count() == RemindedInvoice.objects.count() == len(families)
    assert PaymentReminderLine.objects.filter(outcome=Outcome.SENT).count() == len(families)
    assert not PaymentReminder.objects.filter(ended_at=None).exists()


def test_the_reminders_of_a_double_follow_its_household(make_issued, establishment, accountant):
    """Both were reminded the same day: one line is left, which asked for both invoices."""
    kept, double = household("Martin"), household("Martine")
    invoices = [make_late(make_issued, family) for family in (kept, double)]
    remind(establishment, accountant, kept, double)

    Reminders().absorb(kept, double)

    line = PaymentReminderLine.objects.get()
    assert line.family == kept
    assert {row.invoice for row in line.invoices.all()} == set(invoices)
