"""Money received, given back, bounced or carried over. Lock order: the invoices by key."""

import datetime as dt
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from billing.enums import (
    AT_THE_COUNTER,
    BY_PAYFIP,
    CAN_BOUNCE,
    PaymentMeans,
    PaymentNature,
)
from billing.models import Invoice, Payment
from billing.money import ZERO, euros, round_cents
from billing.services.invoices import locked


@transaction.atomic
def record_payment(
    invoice: Invoice,
    *,
    amount: Decimal,
    means: PaymentMeans,
    paid_on: dt.date,
    reference: str,
    actor: User,
    note: str = "",
    overpaid: bool = False,
) -> Payment:
    """Records money received (euros) for an issued invoice, once for a `reference` of the régie.

    Refuses a draft or a credit note, a reference known already (code "payment_recorded"), a date to
    come, another means than those of the counter and, unless `overpaid` says that it is meant, more
    than what is left to pay.
    """
    invoice = _payable(invoice)
    payment = Payment(
        invoice=invoice,
        amount=round_cents(amount),
        means=means,
        paid_on=paid_on,
        reference=reference.strip(),
        note=note,
        recorded_by=actor,
    )
    if means not in AT_THE_COUNTER:
        raise ValidationError("Ce moyen de paiement ne se saisit pas.", code="not_at_the_counter")
    if payment.amount > invoice.left and not overpaid:
        raise _too_much(payment.amount, max(invoice.left, ZERO))
    return _write(payment)


@transaction.atomic
def record_online_payment(
    invoice: Invoice, *, amount: Decimal, means: PaymentMeans, paid_on: dt.date, reference: str
) -> Payment:
    """Records what PayFiP says it received: never refused for being too much, once by `reference`.

    Raises ValidationError "payment_recorded" when it is recorded already.
    """
    if means not in BY_PAYFIP:
        raise ValueError(f"{means} is not paid online")
    return _write(
        Payment(
            invoice=_payable(invoice),
            amount=round_cents(amount),
            means=means,
            paid_on=paid_on,
            reference=reference,
        )
    )


@transaction.atomic
def refund(
    invoice: Invoice,
    *,
    amount: Decimal,
    means: PaymentMeans,
    paid_on: dt.date,
    reference: str,
    actor: User,
    note: str = "",
) -> Payment:
    """Gives money back (`amount` positive, euros): no more than what was received in excess."""
    invoice = _payable(invoice)
    amount = round_cents(amount)
    _check_in_excess(invoice, amount)
    return _write(
        Payment(
            invoice=invoice,
            nature=PaymentNature.REFUNDED,
            amount=-amount,
            means=means,
            paid_on=paid_on,
            reference=reference.strip(),
            note=note,
            recorded_by=actor,
        )
    )


@transaction.atomic
def bounce(
    payment: Payment, *, paid_on: dt.date, reference: str, actor: User, note: str = ""
) -> Payment:
    """A cheque or a direct debit that the bank sends back: undone whole, once.

    The invoice is due again. Refuses other means, and what bounced already.
    """
    _payable(payment.invoice)
    payment = Payment.objects.get(pk=payment.pk)
    if payment.nature != PaymentNature.RECEIVED or payment.means not in CAN_BOUNCE:
        raise ValidationError(
            "Seul un chèque ou un prélèvement peut être rejeté.", code="cannot_bounce"
        )
    if Payment.objects.filter(reverses=payment).exists():
        raise ValidationError("Ce paiement est déjà rejeté.", code="bounced")
    if paid_on < payment.paid_on:
        raise ValidationError("Un rejet suit le paiement.", code="bounced_before")
    return _write(
        Payment(
            invoice=payment.invoice,
            nature=PaymentNature.BOUNCED,
            amount=-payment.amount,
            means=payment.means,
            paid_on=paid_on,
            reference=reference.strip(),
            note=note,
            reverses=payment,
            recorded_by=actor,
        )
    )


@transaction.atomic
def carry_over(source: Invoice, target: Invoice, *, amount: Decimal, actor: User) -> Payment:
    """Gives what one invoice has received in excess (euros) to another of the same household.

    Returns the target's payment. Refuses more than the excess, more than what the target has left,
    another household, another establishment.
    """
    if source.pk == target.pk:
        raise ValidationError("Choisissez une autre facture.", code="same_invoice")
    both = sorted([source, target], key=lambda invoice: invoice.pk)
    rows = {invoice.pk: _payable(invoice) for invoice in both}
    source, target = rows[source.pk], rows[target.pk]
    amount = round_cents(amount)
    if (source.family_id, source.establishment_id) != (target.family_id, target.establishment_id):
        raise ValidationError(
            "Un trop-perçu se reporte sur une facture du même foyer et du même établissement.",
            code="another_household",
        )
    _check_in_excess(source, amount)
    if amount > target.left:
        raise _too_much(amount, max(target.left, ZERO))
    count = Payment.objects.filter(invoice=source, nature=PaymentNature.CARRIED).count()
    about = {
        "nature": PaymentNature.CARRIED,
        "means": PaymentMeans.CARRIED,
        "paid_on": timezone.localdate(),
        "recorded_by": actor,
    }
    reference = f"REPORT {source} {count + 1}"
    taken = _write(
        Payment(invoice=source, amount=-amount, reference=reference, note=f"Vers {target}", **about)
    )
    given = _write(
        Payment(
            invoice=target,
            amount=amount,
            reference=f"{reference} {target}",
            note=f"De {source}",
            counterpart=taken,
            **about,
        )
    )
    taken.counterpart = given
    taken.save(update_fields=["counterpart"])
    return given


def _payable(invoice):
    """The invoice, locked, with its amounts."""
    invoice = locked(invoice)
    if not invoice.is_issued or invoice.is_credit_note:
        raise ValidationError(
            "Un paiement ne s'enregistre que sur une facture émise.", code="not_issued"
        )
    return invoice


def _check_in_excess(invoice, amount):
    if amount <= ZERO:
        raise ValidationError("Le montant doit être positif.", code="not_positive")
    if amount > -invoice.left:
        raise ValidationError(
            f"{euros(amount)} dépasse ce qui a été reçu en trop\u00a0: "
            f"{euros(max(-invoice.left, ZERO))}.",
            code="not_in_excess",
        )


def _write(payment):
    if payment.paid_on > timezone.localdate():
        raise ValidationError("La date du paiement est à venir.", code="paid_in_future")
    if Payment.objects.filter(reference=payment.reference).exists():
        raise _recorded(payment)
    payment.full_clean(validate_unique=False)
    try:
        with transaction.atomic():
            payment.save()
    except IntegrityError as error:  # the same reference, for another invoice, at this instant
        raise _recorded(payment) from error
    return payment


def _too_much(amount, left):
    return ValidationError(
        f"Ce paiement de {euros(amount)} dépasse ce qui reste à payer\u00a0: {euros(left)}.",
        code="too_much",
    )


def _recorded(payment):
    return ValidationError(
        f"Le paiement de référence «\u00a0{payment.reference}\u00a0» est déjà enregistré.",
        code="payment_recorded",
    )
