"""A month of the régie's work balances to the cent, against sums made here, in Python alone."""

import csv
import datetime as dt
import io
import random
from collections import defaultdict
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db.models import Sum

from billing import services
from billing.enums import (
    AT_THE_COUNTER,
    CAN_BE_ANNULLED,
    CAN_BOUNCE,
    AccountingEntry,
    InvoiceKind,
    LineKind,
    PaymentMeans,
)
from billing.instruments import deposits
from billing.instruments.enums import DepositState
from billing.models import AccountingCode, Invoice, Payment, RegieSettings
from billing.money import CENT, ZERO
from billing.regie.exports import journal_file, treasury_file
from billing.regie.journal import journal_of
from tests.billing.regie.days import on
from tests.factories import (
    EstablishmentFactory,
    FamilyFactory,
    RentalFactory,
    SchoolYearFactory,
)

FIRST, LAST = dt.date(2026, 9, 1), dt.date(2026, 9, 30)
BEFORE = dt.date(2026, 8, 20)
MEANS = [means for means in PaymentMeans if means != PaymentMeans.CARRIED]


class Month:
    """Plays the régie at random, and keeps its own books: what each move does to what is owed."""

    def __init__(self, seed, establishment, actor):
        self.chance = random.Random(seed)
        self.establishment, self.actor = establishment, actor
        self.year = SchoolYearFactory()
        self.families = [FamilyFactory(name=f"Famille {number}") for number in range(3)]
        self.left = {}  # invoice -> what is left of it
        self.credited = defaultdict(lambda: ZERO)
        self.may_bounce = []  # what was handed over at once, by cheque or debit
        self.may_annul = []  # the same, by other means of the counter
        self.kept = defaultdict(lambda: ZERO)  # day -> of deposits of rentals
        self.moves = []  # (day, what, change of what is owed)
        self.till = defaultdict(lambda: ZERO)  # (day, means) -> net
        self.kinds = defaultdict(lambda: ZERO)  # (day, kind)
        self.played = defaultdict(int)
        self.references = 0

    def work(self, day):
        self.day = day
        with on(day):
            for _ in range(self.chance.randint(2, 8)):
                act = self.chance.choice(
                    [
                        *[
                            self.invoice,
                            self.invoice,
                            self.pay,
                            self.pay,
                            self.pay_several,
                            self.online,
                        ],
                        *[self.overpay, self.credit, self.refund, self.carry, self.bounce],
                        *[self.annul, self.keep_deposit],
                    ]
                )
                if act():
                    self.played[act.__name__] += 1

    def invoice(self):
        kinds = self.chance.sample(list(LineKind), self.chance.randint(1, 3))
        amounts = [self.amount(1, 30_000) for _ in kinds]
        family = self.chance.choice(self.families)
        draft = services.draft(
            establishment=self.establishment,
            school_year=self.year,
            family=family,
            kind=InvoiceKind.COTISATION,
            due_on=self.day + dt.timedelta(days=30),
            parts=self.chance.choice([1, 2, 3, 4, 6]),
            lines=[
                {"label": "Ligne", "amount": amount, "kind": kind}
                for kind, amount in zip(kinds, amounts, strict=True)
            ],
            actor=self.actor,
        )
        self.left[services.issue(draft, actor=self.actor)] = sum(amounts)
        self.note("invoiced", sum(amounts))
        for kind, amount in zip(kinds, amounts, strict=True):
            self.kinds[self.day, kind] += amount
        return True

    def pay(self):
        if not (invoice := self.some(lambda left: left > 0)):
            return False
        amount = min(self.left[invoice], self.amount(1, 20_000))
        means = self.means_for(amount)
        payment = services.record_payment(
            invoice, amount=amount, means=means, **self.facts(), actor=self.actor
        )
        self.receive({invoice: amount}, means)
        self.may_undo([payment], means)
        return True

    def pay_several(self):
        for family in self.chance.sample(self.families, len(self.families)):
            due = [i for i, left in self.left.items() if left > 0 and i.family_id == family.pk]
            if len(due) > 1:
                break
        else:
            return False
        parts = {invoice: self.left[invoice] for invoice in due}
        means = self.means_for(sum(parts.values()))
        deposit = services.record_deposit(parts, means=means, **self.facts(), actor=self.actor)
        self.receive(parts, means)
        self.may_undo(list(deposit.payments.all()), means)
        return True

    def online(self):
        if not (invoice := self.some(lambda left: True)):
            return False
        means = self.chance.choice([PaymentMeans.ONLINE, PaymentMeans.DEBIT])
        amount = self.amount(100, 9_000)
        payment = services.record_online_payment(
            invoice, amount=amount, means=means, **self.facts()
        )
        self.receive({invoice: amount}, means)
        self.may_undo([payment], means)
        return True

    def overpay(self):
        if not (invoice := self.some(lambda left: left > 0)):
            return False
        amount = self.left[invoice] + self.amount(1, 5_000)
        services.record_payment(
            invoice,
            amount=amount,
            means=PaymentMeans.TRANSFER,
            **self.facts(),
            actor=self.actor,
            overpaid=True,
        )
        self.receive({invoice: amount}, PaymentMeans.TRANSFER)
        return True

    def credit(self):
        invoice = self.some(lambda left: True)
        if not invoice:
            return False
        line = self.chance.choice(list(invoice.lines.all()))
        total = sum(each.amount for each in invoice.lines.all())
        amount = min(line.amount, self.amount(1, 8_000), total - self.credited[invoice])
        if amount <= 0:
            return False
        lines = [{"label": line.label, "amount": amount, "kind": line.kind}]
        services.credit(invoice, lines=lines, reason="Erreur", actor=self.actor)
        self.credited[invoice] += amount
        self.left[invoice] -= amount
        self.note("credited", -amount)
        self.kinds[self.day, line.kind] -= amount
        return True

    def refund(self):
        if not (invoice := self.some(lambda left: left < 0)):
            return False
        amount = min(-self.left[invoice], self.amount(1, 4_000))
        means = self.chance.choice(AT_THE_COUNTER)
        services.refund(invoice, amount=amount, means=means, **self.facts(), actor=self.actor)
        self.left[invoice] += amount
        self.note("refunded", amount)
        self.till[self.day, means] -= amount
        return True

    def carry(self):
        pairs = [
            (source, target)
            for source, excess in self.left.items()
            for target, left in self.left.items()
            if excess < 0 < left and source.family_id == target.family_id
        ]
        if not pairs:
            return False
        source, target = self.chance.choice(pairs)
        amount = min(-self.left[source], self.left[target])
        services.carry_over(source, target, amount=amount, actor=self.actor)
        self.left[source] += amount
        self.left[target] -= amount
        self.note("carried", ZERO)
        return True

    def bounce(self):
        return self.undo(self.may_bounce)

    def annul(self):
        return self.undo(self.may_annul, note="Saisi par erreur.")

    def may_undo(self, parts, means):
        if means in CAN_BOUNCE:
            self.may_bounce.append(parts)
        elif means in CAN_BE_ANNULLED:
            self.may_annul.append(parts)

    def undo(self, found, **about):
        """From whichever of its parts, the whole."""
        if not found:
            return False
        parts = found.pop(self.chance.randrange(len(found)))
        services.bounce(self.chance.choice(parts), **self.facts(), actor=self.actor, **about)
        for payment in parts:
            [invoice] = [invoice for invoice in self.left if invoice.pk == payment.invoice_id]
            self.left[invoice] += payment.amount
            self.till[self.day, payment.means] -= payment.amount
        self.note("bounced", sum(payment.amount for payment in parts))
        return True

    def keep_deposit(self):
        rental = RentalFactory(
            instrument__establishment=self.establishment,
            family=self.chance.choice(self.families),
            deposit_state=DepositState.HELD,
            deposit_received_on=self.day,
        )
        amount = self.amount(1, 20_000)
        deposits.keep(rental, on=self.day, amount=amount, reason="Chute.", actor=self.actor)
        self.kept[self.day] += amount
        self.note("kept", ZERO)  # due and paid at once
        return True

    def receive(self, parts, means):
        for invoice, amount in parts.items():
            self.left[invoice] -= amount
        self.note("received", -sum(parts.values()))
        self.till[self.day, means] += sum(parts.values())

    def means_for(self, amount):
        means = self.chance.choice(AT_THE_COUNTER)
        return PaymentMeans.CHEQUE if means == PaymentMeans.CASH and amount > 300 else means

    def note(self, what, change):
        self.moves.append((self.day, what, change))

    def facts(self):
        self.references += 1
        return {"paid_on": self.day, "reference": f"PIECE {self.references}"}

    def amount(self, least, most):
        return self.chance.randint(least, most) * CENT

    def some(self, wanted):
        found = [invoice for invoice, left in self.left.items() if wanted(left)]
        return self.chance.choice(found) if found else None

    def owed(self, until):
        return sum((change for day, _, change in self.moves if day <= until), ZERO)

    def sum(self, what, first, last):
        found = [c for day, name, c in self.moves if name == what and first <= day <= last]
        return sum(found, ZERO)


@pytest.fixture
def month(request, establishment, accountant):
    month = Month(getattr(request, "param", 1), establishment, accountant)
    for number in range(5):  # the summer: what September opens with
        month.work(BEFORE + dt.timedelta(days=number))
    for number in range((LAST - FIRST).days + 1):
        month.work(FIRST + dt.timedelta(days=number))
    return month


@pytest.mark.parametrize("month", [1, 2, 3], indirect=True)
def test_a_month_balances_to_the_cent(month, establishment):
    eve = FIRST - dt.timedelta(days=1)
    assert len(month.played) == 11, "every kind of move was made"

    journal = journal_of(establishment, FIRST, LAST)

    assert journal.opening == month.owed(eve) != 0
    assert journal.closing == month.owed(LAST)
    for what in ("invoiced", "credited", "received", "refunded", "bounced", "carried"):
        assert getattr(journal.totals, what) == month.sum(what, FIRST, LAST), what
    assert [day.day for day in journal.days] == sorted({m[0] for m in month.moves if m[0] > eve})
    assert journal.totals.kept == sum(a for day, a in month.kept.items() if day >= FIRST) != 0
    assert {line.means for line in journal.till} == set(MEANS), "by every means"
    for day in journal.days:
        assert day.kept == month.kept[day.day]
        assert day.opening == month.owed(day.day - dt.timedelta(days=1))
        assert day.closing == month.owed(day.day)
    # By means, and by what is invoiced.
    assert {line.means: line.net for line in journal.till} == _sums(month.till)
    assert dict(journal.kinds) == _sums(month.kinds)
    # What the family sees, invoice by invoice.
    lefts = {row.pk: row.left for row in Invoice.objects.with_amounts().filter(credits=None)}
    assert lefts == {invoice.pk: left for invoice, left in month.left.items()}
    assert sum(lefts.values()) == journal.closing


def test_days_add_up_to_their_month(month, establishment):
    days = [journal_of(establishment, day, day) for day in _days()]

    for one, following in zip(days, days[1:], strict=False):
        assert one.closing == following.opening
    whole = journal_of(establishment, FIRST, LAST)
    assert (days[0].opening, days[-1].closing) == (whole.opening, whole.closing)
    assert sum(day.till_total for day in days) == whole.till_total


def test_the_file_for_the_treasury_balances_too(month, establishment):
    settings = RegieSettings.objects.create(establishment=establishment)
    for entry in AccountingEntry:
        AccountingCode.objects.create(
            settings=settings, entry=entry, account=entry.upper()[:12].replace("_", "")
        )

    rows = _read(treasury_file(establishment, FIRST, LAST))

    balance = defaultdict(lambda: ZERO)
    for row in rows:
        amount = Decimal(row["montant"].replace(",", "."))
        assert amount > 0
        balance[row["compte_debit"]] += amount
        balance[row["compte_credit"]] -= amount
    assert sum(balance.values()) == 0
    assert balance["CLAIM"] == month.owed(LAST) - month.owed(FIRST - dt.timedelta(days=1))
    for means, net in _sums(month.till).items():
        assert balance[means.upper()] == net
    kept = sum(amount for day, amount in month.kept.items() if day >= FIRST)
    assert balance["DEPOSIT"] == kept
    revenue = defaultdict(lambda: ZERO, _sums(month.kinds))
    revenue[LineKind.OTHER] += kept
    for kind, amount in revenue.items():
        assert balance[kind.upper().replace("_", "")] == -amount
    natures = {"titre", "avoir", "recette", "remboursement", "rejet", "annulation", "report"}
    assert {row["nature"] for row in rows} == natures | {"dépôt gardé"}
    assert [row["date"] for row in rows] == sorted(row["date"] for row in rows)


def test_the_journal_s_file_ends_on_the_balance(month, establishment):
    rows = _read(journal_file("csv", establishment, FIRST, LAST))

    def number(text):
        return Decimal(text.lstrip("'").replace(",", ".") or 0)

    up = sum(number(row["Augmente ce qui est dû"]) for row in rows)
    down = sum(number(row["Diminue ce qui est dû"]) for row in rows)
    # A carry is two lines of opposite signs.
    assert number(rows[0]["Reste dû"]) + up - down == number(rows[-1]["Reste dû"])
    assert number(rows[-1]["Reste dû"]) == month.owed(LAST)


def test_closing_each_day_changes_nothing_and_agrees_with_the_till(
    month, establishment, accountant
):
    with on(LAST):
        for day in _days():
            closed = services.close_day(establishment, day, actor=accountant)
            frozen = closed.totals.aggregate(
                net=Sum("received") + Sum("refunded") + Sum("bounced")
            )["net"]
            expected = [net for (at, _), net in month.till.items() if at == day]
            assert round(frozen or 0, 2) == sum(expected, ZERO)
        count = Payment.objects.count()
        with pytest.raises(ValidationError) as refusal:
            services.record_payment(
                month.some(lambda left: left > 0),
                amount=CENT,
                means=PaymentMeans.CARD,
                paid_on=FIRST,
                reference="TARD",
                actor=accountant,
            )
    assert refusal.value.code == "day_closed"
    assert Payment.objects.count() == count


def test_another_establishment_is_not_counted(month, accountant):
    annexe = EstablishmentFactory(name="Annexe")

    assert journal_of(annexe, FIRST, LAST).closing == 0
    assert journal_of(annexe, FIRST, LAST).days == []


def _days():
    return [FIRST + dt.timedelta(days=number) for number in range((LAST - FIRST).days + 1)]


def _sums(kept):
    """By means or kind, those of the month that are not nil in every move."""
    sums = defaultdict(lambda: ZERO)
    for (day, name), amount in kept.items():
        if day >= FIRST:
            sums[name] += amount
    return dict(sums)


def _read(file):
    return list(csv.DictReader(io.StringIO(file.decode("utf-8-sig")), delimiter=";"))
