"""Money received, given back, bounced or carried over.

Lock order: the invoices by key, the day of the till.
"""

import datetime as dt
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from billing import emails
from billing.enums import (
    BY_PAYFIP,
    CAN_BE_ANNULLED,
    CAN_BOUNCE,
    PaymentMeans,
    PaymentNature,
)
from billing.models import Invoice, Payment
from billing.money import ZERO, euros, round_cents
from billing.services.deposits import (
    payable,
    ranked,
    record_deposit,
    too_much,
    write,
    write_by_hand,
)
from billing.services.invoices import locked


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
    """Records money received (euros) for one issued invoice; refuses what `record_deposit` does."""
    deposit = record_deposit(
        {invoice: amount},
        means=means,
        paid_on=paid_on,
        reference=reference,
        actor=actor,
        note=note,
        overpaid=overpaid,
    )
    return deposit.payments.get()


@transaction.atomic
def record_online_payment(
    invoice: Invoice, *, amount: Decimal, means: PaymentMeans, paid_on: dt.date, reference: str
) -> Payment:
    """Records what PayFiP says it received: never refused for being too much, once by `reference`.

    Nor for the day, though the till be closed. Raises ValidationError "payment_recorded" when it is
    recorded already.
    """
    if means not in BY_PAYFIP:
        raise ValueError(f"{means} is not paid online")
    return write(
        Payment(
            invoice=payable(invoice),
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
    invoice = payable(invoice)
    amount = round_cents(amount)
    _check_in_excess(invoice, amount)
    return write_by_hand(
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
) -> list[Payment]:
    """What the bank sends back, or what was typed in error at the counter: undone whole, once.

    A cheque that paid several invoices is undone for all of them: `payment` is any of its parts,
    and those undone already are left alone. The invoices are due again, and one mail to each
    responsable says so. Gives a row for each part, by invoice. Refuses what PayFiP has paid by card
    and what is carried over ("cannot_bounce"), what is undone already ("bounced") and, of what the
    bank does not send back, an annulment without a `note` that says why ("no_reason").
    """
    parts = _undoable(payment)
    note = note.strip()
    if payment.means in CAN_BE_ANNULLED and not note:
        raise ValidationError("Dites pourquoi cet encaissement est annulé.", code="no_reason")
    if paid_on < parts[0].paid_on:
        raise ValidationError("Un rejet suit le paiement.", code="bounced_before")
    undone = [
        write_by_hand(
            Payment(
                invoice=part.invoice,
                nature=PaymentNature.BOUNCED,
                amount=-part.amount,
                means=part.means,
                paid_on=paid_on,
                reference=ranked(reference.strip(), rank, len(parts)),
                note=note,
                reverses=part,
                recorded_by=actor,
            )
        )
        for rank, part in enumerate(parts, start=1)
    ]
    left = {part.invoice: locked(part.invoice).left for part in parts}
    emails.tell_bounced(undone, left=left)
    return undone


def parts_of_deposit(payment: Payment) -> QuerySet[Payment]:
    """The payments handed over with it, itself included, by invoice: what bounces together."""
    together = Q(deposit=payment.deposit_id) if payment.deposit_id else Q(pk=payment.pk)
    parts = Payment.objects.filter(together, nature=PaymentNature.RECEIVED)
    return parts.select_related("invoice").order_by("invoice_id", "pk")


@transaction.atomic
def carry_over(source: Invoice, target: Invoice, *, amount: Decimal, actor: User) -> Payment:
    """Gives what one invoice has received in excess (euros) to another of the same household.

    Returns the target's payment. Refuses more than the excess, more than what the target has left,
    another household, another establishment.
    """
    if source.pk == target.pk:
        raise ValidationError("Choisissez une autre facture.", code="same_invoice")
    both = sorted([source, target], key=lambda invoice: invoice.pk)
    rows = {invoice.pk: payable(invoice) for invoice in both}
    source, target = rows[source.pk], rows[target.pk]
    amount = round_cents(amount)
    if (source.family_id, source.establishment_id) != (target.family_id, target.establishment_id):
        raise ValidationError(
            "Un trop-perçu se reporte sur une facture du même foyer et du même établissement.",
            code="another_household",
        )
    _check_in_excess(source, amount)
    if amount > target.left:
        raise too_much(amount, max(target.left, ZERO))
    count = Payment.objects.filter(invoice=source, nature=PaymentNature.CARRIED).count()
    about = {
        "nature": PaymentNature.CARRIED,
        "means": PaymentMeans.CARRIED,
        "paid_on": timezone.localdate(),
        "recorded_by": actor,
    }
    # Two establishments number their invoices alike: the key tells them apart.
    reference = f"REPORT {source} ({source.pk}-{count + 1})"
    taken = write_by_hand(
        Payment(invoice=source, amount=-amount, reference=reference, note=f"Vers {target}", **about)
    )
    given = write_by_hand(
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


def _undoable(payment):
    """The parts of what was received that are not undone yet, their invoices locked by key."""
    parts = list(parts_of_deposit(payment))
    for invoice in sorted({part.invoice for part in parts}, key=lambda each: each.pk):
        payable(invoice)
    can_be_undone = [*CAN_BOUNCE, *CAN_BE_ANNULLED]
    payment = Payment.objects.get(pk=payment.pk)
    if payment.nature != PaymentNature.RECEIVED or payment.means not in can_be_undone:
        raise ValidationError(
            "Ni un report ni un paiement en ligne par carte ne s'annule ici.", code="cannot_bounce"
        )
    left = list(parts_of_deposit(payment).filter(bounce=None))
    if not left:
        raise ValidationError("Ce paiement est déjà rejeté ou annulé.", code="bounced")
    return left


def _check_in_excess(invoice, amount):
    if amount <= ZERO:
        raise ValidationError("Le montant doit être positif.", code="not_positive")
    if amount > -invoice.left:
        raise ValidationError(
            f"{euros(amount)} dépasse ce qui a été reçu en trop\u00a0: "
            f"{euros(max(-invoice.left, ZERO))}.",
            code="not_in_excess",
        )
