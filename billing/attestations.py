"""« Attestation de paiement »: what a household has paid in a year, child by child.

One text, two shapes: the page and the PDF (`templates/letters/attestation.typ`).
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal

from accounts.dates import day
from accounts.pdfs import render_pdf
from billing.enums import CAN_BOUNCE, PeriodKind
from billing.kept import Kept, kept_by_invoice
from billing.models import Invoice
from billing.money import ZERO, euros, round_cents
from billing.services import payer_address, payer_name
from families.models import Family
from students.models import Student

HOUSEHOLD = "Foyer"


@dataclass(frozen=True)
class Period:
    """A school year, by the year in which it begins, or a calendar year."""

    kind: PeriodKind
    year: int
    label: str  # « année scolaire 2026-2027 »


@dataclass(frozen=True)
class Share:
    """What of a payment is for one student (None: for the household), in euros."""

    invoice: Invoice
    piece: Kept
    student: Student | None
    amount: Decimal

    @property
    def periods(self) -> list[Period]:
        """The calendar year counts what was received in it; the school year, what was for it.

        Fees of a school year are often paid in the summer before it begins.
        """
        year, school_year = self.piece.received_on.year, self.invoice.school_year
        return [
            Period(PeriodKind.SCHOOL, school_year.starts_on.year, f"année scolaire {school_year}"),
            Period(PeriodKind.CIVIL, year, f"année civile {year}"),
        ]


@dataclass(frozen=True)
class Row:
    who: str
    activities: list[str]
    amount: str


@dataclass(frozen=True)
class Attestation:
    """Everything that is read on it, in French."""

    title: str
    period: str
    sender: list[str]
    recipient: list[str]
    sentence: str
    rows: list[Row]
    total: str
    remarks: list[str]
    date: str
    signature: list[str]


def shares_of(invoices: Iterable[Invoice]) -> list[Share]:
    """All that a household has paid in one establishment, shared out among its students.

    `invoices`: all of them, credit notes too, with `lines__student`, `payments`, `school_year`.
    What was received beyond an invoice, once its credit notes are deducted, is not counted: it will
    be given back. A payment is for each student what his lines are of the invoice.
    """
    invoices = list(invoices)
    kept = kept_by_invoice(payment for each in invoices for payment in each.payments.all())
    lines = defaultdict(list)
    for invoice in invoices:
        lines[invoice.credits_id or invoice.pk] += invoice.lines.all()
    return [
        share
        for invoice in invoices
        if not invoice.is_credit_note
        for share in _shares(invoice, lines[invoice.pk], kept.get(invoice.pk, []))
    ]


def periods_of(shares: Iterable[Share]) -> list[tuple[Period, Decimal]]:
    """The years in which something was paid, and how much (euros): the latest first."""
    totals = defaultdict(lambda: ZERO)
    for share in shares:
        for period in share.periods:
            totals[period] += share.amount
    found = [(period, total) for period, total in totals.items() if total > ZERO]
    order = list(PeriodKind)
    return sorted(found, key=lambda each: (order.index(each[0].kind), -each[0].year))


def attest(
    shares: Iterable[Share], kind: str, year: int, family: Family, today: dt.date
) -> Attestation | None:
    """What was paid in that period; None when nothing was. `family` with guardians and commune."""
    found = [
        (period, share)
        for share in shares
        for period in share.periods
        if (period.kind, period.year) == (kind, year)
    ]
    total = sum((share.amount for _, share in found), ZERO)
    if total <= ZERO:
        return None
    period, inside = found[0][0], [share for _, share in found]
    office = inside[0].invoice.establishment
    name = payer_name(family)
    return Attestation(
        title="Attestation de paiement",
        period=period.label,
        sender=[office.name, *office.address.splitlines(), office.phone, office.email],
        recipient=[name, *payer_address(family).splitlines()],
        sentence=f"{office.name} a reçu {euros(total)} du foyer de {name}, {_when(period, today)}.",
        rows=_rows(inside),
        total=euros(total),
        remarks=_remarks(inside),
        date=f"Établie le {day(today)}, d'après les paiements enregistrés à ce jour.",
        signature=[office.name, *office.address.splitlines()],
    )


def print_attestation(attestation: Attestation) -> bytes:
    """The PDF. Raises ValidationError `pdf`."""
    return render_pdf("letters/attestation.typ", asdict(attestation))


def _shares(invoice, lines, pieces):
    """Each piece in turn brings every student from his share of what was paid before it to his
    share of what is paid with it: no cent is lost or gained, however many pieces there are."""
    owed = defaultdict(lambda: ZERO)
    for line in lines:
        owed[line.student] += line.amount
    net = sum(owed.values(), ZERO)
    paid = ZERO
    before = dict.fromkeys(owed, ZERO)
    for piece in pieces:
        paid = min(net, paid + piece.amount)
        if paid <= ZERO:
            return
        after = _shared_out(paid, owed, net)
        for student, amount in after.items():
            if amount != before[student]:
                yield Share(invoice, piece, student, amount - before[student])
        before = after


def _shared_out(paid, owed, net):
    """The last one takes the odd cents."""
    *others, last = owed
    found = {each: round_cents(paid * owed[each] / net) for each in others}
    return found | {last: paid - sum(found.values(), ZERO)}


def _when(period, today):
    if period.kind == PeriodKind.SCHOOL:
        return f"pour les activités de l'{period.label}"
    end = min(today, dt.date(period.year, 12, 31))
    return f"entre le {day(dt.date(period.year, 1, 1))} et le {day(end)}"


def _rows(shares):
    """The students by name, the household last."""
    amounts = defaultdict(lambda: ZERO)
    activities = defaultdict(dict)
    for share in shares:
        amounts[share.student] += share.amount
        for line in share.invoice.lines.all():
            if line.student == share.student and line.amount > ZERO:
                activities[share.student][line.label] = None
    order = sorted(amounts, key=lambda each: (each is None, each.sort_name if each else ""))
    return [
        Row(str(each or HOUSEHOLD), list(activities[each]), euros(amounts[each]))
        for each in order
        if amounts[each]
    ]


def _remarks(shares):
    remarks = [
        "Ce montant ne compte ni ce qui a été reçu en trop, ni ce qui a été remboursé ou rejeté par"
        " la banque."
    ]
    if any(share.piece.means in CAN_BOUNCE for share in shares):
        remarks.append(
            "Les chèques et les prélèvements sont comptés sous réserve de leur encaissement."
        )
    if len({share.student for share in shares}) > 1:
        remarks.append("Une facture payée en partie est répartie selon le montant de chaque ligne.")
    return remarks
