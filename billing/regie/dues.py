"""What each household owes over all its invoices, and what the régie has to settle."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import Establishment
from accounts.names import sort_key
from billing.enums import CAN_BOUNCE, InvoiceStatus, PaymentNature
from billing.models import Instalment, Invoice, InvoiceLine, Payment
from billing.money import CENT, ZERO, round_cents
from billing.references import reference_in
from families.models import Family

MOST = 30  # households found, beyond which the search says to be more precise


@dataclass(frozen=True)
class Due:
    """A household and its invoices of one establishment that are not settled, oldest first."""

    family: Family
    invoices: list[Invoice]

    @property
    def to_pay(self) -> list[Invoice]:
        return [invoice for invoice in self.invoices if invoice.left > ZERO]

    @property
    def overpaid(self) -> list[Invoice]:
        return [invoice for invoice in self.invoices if invoice.left < ZERO]

    @property
    def left(self) -> Decimal:
        return sum((invoice.left for invoice in self.to_pay), ZERO)

    @property
    def excess(self) -> Decimal:
        return -sum((invoice.left for invoice in self.overpaid), ZERO)


def dues_found(establishment: Establishment, query: str) -> list[Due]:
    """The households that a name, an invoice's reference or an amount left (« 123,50 ») finds.

    One more than MOST at most. Those that owe nothing are found by name too.
    """
    issued = payable_invoices(establishment)
    if reference := reference_in(query):
        found = issued.filter(year=reference[0], number=reference[1]).values("family")
    elif (amount := _amount_in(query)) is not None:
        return [due for due in _owing(issued) if _has(due, amount)][: MOST + 1]
    else:
        words = sort_key(query).split()
        named = Q()
        for word in words:
            named &= Q(family__sort_name__contains=word)
        found = issued.filter(named).values("family")
    families = Family.objects.filter(pk__in=found.order_by()).order_by("sort_name", "pk")
    families = list(families[: MOST + 1])
    invoices = defaultdict(list)
    for invoice in _unsettled(issued.filter(family__in=families)):
        invoices[invoice.family_id].append(invoice)
    return [Due(family, invoices[family.pk]) for family in families]


def due_of(establishment: Establishment, family: Family) -> Due:
    return Due(family, list(_unsettled(payable_invoices(establishment).filter(family=family))))


def payable_invoices(establishment: Establishment) -> QuerySet[Invoice]:
    """Issued, and no credit notes."""
    return Invoice.objects.filter(
        establishment=establishment, status=InvoiceStatus.ISSUED, credits=None
    )


def overpaid_invoices(establishment: Establishment) -> QuerySet[Invoice]:
    """What was received in excess, the oldest first; `has_others`: something to carry it to."""
    others = payable_invoices(establishment).with_amounts().filter(left__gt=0)
    others = others.filter(family=OuterRef("family")).order_by()
    overpaid = payable_invoices(establishment).with_amounts().filter(left__lt=0)
    return (
        overpaid.annotate(has_others=Exists(others))
        .select_related("family")
        .order_by("issued_on", "pk")
    )


def bounced_unpaid(establishment: Establishment) -> QuerySet[Payment]:
    """Cheques and debits that bounced, whose invoice has something left to pay; newest first."""
    due = payable_invoices(establishment).with_amounts().filter(left__gt=0, pk=OuterRef("invoice"))
    bounced = Payment.objects.filter(
        Exists(due.order_by()),
        nature=PaymentNature.BOUNCED,
        means__in=CAN_BOUNCE,
        invoice__establishment=establishment,
    )
    return bounced.select_related("invoice__family", "reverses").order_by("-paid_on", "-pk")


def counts_to_settle(establishment: Establishment) -> dict[str, int]:
    """How many invoices are `overdue`, and `overpaid`, as `settlement` says it. Three queries.

    Each reads its table once: a condition on `settlement` would sum each invoice's lines, credits,
    payments and instalments again and again, 23 s for 22,000 of them (docs/performance.md).
    """
    ours = {"invoice__establishment": establishment}
    issued = Q(invoice__status=InvoiceStatus.ISSUED) | Q(invoice__credits__isnull=False)
    lines = InvoiceLine.objects.filter(issued, **ours)  # those of a credit note are negative
    due = _sums(lines.annotate(of=Coalesce("invoice__credits", "invoice")), "of")
    paid = _sums(Payment.objects.filter(invoice__credits=None, **ours), "invoice")
    fallen = Instalment.objects.filter(
        due_on__lt=timezone.localdate(),
        invoice__status=InvoiceStatus.ISSUED,
        invoice__credits=None,
        **ours,
    )
    fallen = _sums(fallen, "invoice")
    return {
        "overdue": sum(
            paid.get(invoice, ZERO) < min(amount, fallen.get(invoice, ZERO))
            for invoice, amount in due.items()
        ),
        "overpaid": sum(paid.get(invoice, ZERO) > amount for invoice, amount in due.items()),
    }


def split(amount: Decimal, invoices: Iterable[Invoice]) -> dict[Invoice, Decimal]:
    """Oldest first, as much as each has left; what is beyond goes to the last."""
    parts, rest = {}, round_cents(amount)
    invoices = list(invoices)
    for invoice in invoices:
        parts[invoice] = min(rest, invoice.left)
        rest -= parts[invoice]
    if rest and invoices:
        parts[invoices[-1]] += rest
    return {invoice: part for invoice, part in parts.items() if part >= CENT}


def _sums(rows, invoice):
    """{key of the invoice: the sum of its amounts}."""
    rows = rows.order_by().values_list(invoice).annotate(Sum("amount"))
    return {key: round_cents(amount) for key, amount in rows}


def _unsettled(invoices):
    return invoices.with_amounts().exclude(left=0).order_by("due_on", "pk")


def _owing(issued):
    by_family = defaultdict(list)
    for invoice in _unsettled(issued).select_related("family"):
        by_family[invoice.family].append(invoice)
    return [Due(family, invoices) for family, invoices in by_family.items()]


def _has(due, amount):
    return amount in {due.left, *(invoice.left for invoice in due.to_pay)}


def _amount_in(query):
    """« 123,50 », « 123.50 € »; None for a name."""
    kept = query.replace("€", "").replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
    if not kept or not set(kept) <= set("0123456789,.") or len(kept) > 12:
        return None
    try:
        return round_cents(Decimal(kept.replace(",", ".")))
    except InvalidOperation:
        return None
