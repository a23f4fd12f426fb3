"""Money handed over at the counter: one deposit, one receipt, payments for one or more invoices.

Lock order: the invoices by key, the day of the till, the counter of receipts last.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from billing.enums import AT_THE_COUNTER, PaymentMeans
from billing.models import Deposit, Invoice, Payment, ReceiptSeries
from billing.money import ZERO, euros, round_cents
from billing.regie.settings import settings_of
from billing.services.closings import lock_open_day
from billing.services.invoices import locked


@transaction.atomic
def record_deposit(
    parts: Mapping[Invoice, Decimal],
    *,
    means: PaymentMeans,
    paid_on: dt.date,
    reference: str,
    actor: User,
    note: str = "",
    overpaid: bool = False,
) -> Deposit:
    """Records what a household hands over: `parts` says how much (euros) for which invoice.

    The invoices are of one household and one establishment ("another_household"). Recorded once for
    a `reference` of the régie ("payment_recorded"): the payment bears it, and « (1/3) » after it
    when there are several. Refuses a draft or a credit note, a date to come or a day closed, more
    cash than `RegieSettings.cash_limit` ("cash_limit"), another means than those of the counter
    and, unless `overpaid` says that it is meant, more than an invoice has left ("too_much").
    """
    reference, amounts = reference.strip(), {}
    if means not in AT_THE_COUNTER:
        raise ValidationError("Ce moyen de paiement ne se saisit pas.", code="not_at_the_counter")
    if not parts:
        raise ValidationError("Choisissez au moins une facture.", code="no_invoice")
    for invoice in sorted(parts, key=lambda each: each.pk):
        amounts[payable(invoice)] = round_cents(parts[invoice])
    first, total = next(iter(amounts)), sum(amounts.values(), ZERO)
    if any(_whose(invoice) != _whose(first) for invoice in amounts):
        raise ValidationError(
            "Un encaissement est pour un seul foyer, d'un seul établissement.",
            code="another_household",
        )
    for invoice, amount in amounts.items():
        if amount > invoice.left and not overpaid:
            raise too_much(amount, max(invoice.left, ZERO))
    _check_cash(first.establishment, means, total)
    check_not_in_future(paid_on)
    lock_open_day(first.establishment, paid_on)
    about = {"means": means, "paid_on": paid_on, "note": note, "recorded_by": actor}
    deposit = _numbered(
        Deposit(
            establishment=first.establishment,
            reference=reference,
            payer_name=first.payer_name,
            amount=total,
            **about,
        )
    )
    for rank, (invoice, amount) in enumerate(amounts.items(), start=1):
        write(
            Payment(
                invoice=invoice,
                deposit=deposit,
                amount=amount,
                reference=ranked(reference, rank, len(amounts)),
                **about,
            )
        )
    return deposit


def ranked(reference: str, rank: int, count: int) -> str:
    """« CHQ 123 (1/3) »: the reference of one part; of an only one, the reference itself."""
    return f"{reference} ({rank}/{count})" if count > 1 else reference


def payable(invoice: Invoice) -> Invoice:
    """The invoice, locked, with its amounts; refuses a draft and a credit note."""
    invoice = locked(invoice)
    if not invoice.is_issued or invoice.is_credit_note:
        raise ValidationError(
            "Un paiement ne s'enregistre que sur une facture émise.", code="not_issued"
        )
    return invoice


def write(payment: Payment) -> Payment:
    """Saves a payment, once by reference."""
    check_not_in_future(payment.paid_on)
    if Payment.objects.filter(reference=payment.reference).exists():
        raise _recorded(payment.reference)
    payment.full_clean(validate_unique=False)
    return _once(payment)


def write_by_hand(payment: Payment) -> Payment:
    """`write`, on a day of the till that is not closed."""
    check_not_in_future(payment.paid_on)
    lock_open_day(payment.invoice.establishment, payment.paid_on)
    return write(payment)


def check_not_in_future(day: dt.date) -> None:
    if day > timezone.localdate():
        raise ValidationError("La date du paiement est à venir.", code="paid_in_future")


def too_much(amount: Decimal, left: Decimal) -> ValidationError:
    return ValidationError(
        f"Ce paiement de {euros(amount)} dépasse ce qui reste à payer\u00a0: {euros(left)}.",
        code="too_much",
    )


def _whose(invoice):
    return invoice.family_id, invoice.establishment_id


def _check_cash(establishment, means, total):
    limit = settings_of(establishment).cash_limit
    if means == PaymentMeans.CASH and total > limit:
        raise ValidationError(
            f"La régie n'accepte pas plus de {euros(limit)} en espèces (article 1680 du code "
            "général des impôts, réglage de la régie).",
            code="cash_limit",
        )


def _numbered(deposit):
    """Saved with the number that follows, or refused for its reference."""
    deposit.year = timezone.localdate().year
    series, _ = ReceiptSeries.objects.select_for_update(of=["self"]).get_or_create(
        establishment=deposit.establishment, year=deposit.year
    )
    series.last_number += 1
    deposit.number = series.last_number
    deposit.full_clean(validate_unique=False)
    if Deposit.objects.filter(reference=deposit.reference).exists():
        raise _recorded(deposit.reference)
    series.save(update_fields=["last_number"])
    return _once(deposit)


def _once(row):
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:  # the same reference, elsewhere, at this instant
        raise _recorded(row.reference) from error
    return row


def _recorded(reference):
    return ValidationError(
        f"Le paiement de référence «\u00a0{reference}\u00a0» est déjà enregistré.",
        code="payment_recorded",
    )
