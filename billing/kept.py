"""Of the money received for invoices, what the establishment still holds: rows in, amounts out."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from billing.enums import PaymentMeans, PaymentNature
from billing.models import Payment
from billing.money import ZERO


@dataclass(frozen=True)
class Kept:
    """An amount (euros, positive) of what came in on a day, by some means."""

    received_on: dt.date
    means: PaymentMeans
    amount: Decimal


def kept_by_invoice(payments: Iterable[Payment]) -> dict[int, list[Kept]]:
    """By key of invoice, what is held for it, oldest first.

    `payments`: all those of a household in one establishment. A bounce takes off the very payment
    that bounced; a refund, the money that came last; what is carried to another invoice keeps the
    day on which it was received, so that no year gains or loses by it. Less than nothing (a cheque
    refunded, then bounced) is nothing, until more is received.
    """
    boxes: dict[int, _Box] = defaultdict(_Box)
    carried: dict[int, list[Kept]] = {}
    for payment in sorted(payments, key=lambda payment: payment.pk):  # as they were recorded
        box = boxes[payment.invoice_id]
        if payment.nature == PaymentNature.BOUNCED:
            box.take(-payment.amount, first=payment.reverses_id)
        elif payment.nature == PaymentNature.REFUNDED:
            box.take(-payment.amount)
        elif payment.nature == PaymentNature.CARRIED and payment.amount < ZERO:
            carried[payment.pk] = box.take(-payment.amount)
        elif payment.nature == PaymentNature.CARRIED:
            for piece in carried.get(payment.counterpart_id, []):
                box.put(payment.pk, piece)
        else:
            box.put(payment.pk, Kept(payment.paid_on, payment.means, payment.amount))
    return {invoice: box.sorted() for invoice, box in boxes.items()}


class _Box:
    """What is held for one invoice: pieces with the payment that each came by, and what is owed."""

    def __init__(self):
        self.pieces: list[tuple[int, Kept]] = []
        self.lacking = ZERO

    def put(self, payment: int, piece: Kept) -> None:
        missing = min(self.lacking, piece.amount)
        self.lacking -= missing
        if piece.amount > missing:
            self.pieces.append((payment, replace(piece, amount=piece.amount - missing)))

    def take(self, amount: Decimal, first: int | None = None) -> list[Kept]:
        """Takes from the payment `first`, then from the last ones; returns what was taken."""
        taken, remaining = [], []
        last_first = self.pieces[::-1]
        for payment, piece in sorted(last_first, key=lambda each: each[0] != first):
            part = min(amount, piece.amount)
            amount -= part
            if part:
                taken.append(replace(piece, amount=part))
            if piece.amount > part:
                remaining.append((payment, replace(piece, amount=piece.amount - part)))
        self.pieces = sorted(remaining, key=lambda each: each[0])
        self.lacking += amount
        return taken

    def sorted(self) -> list[Kept]:
        return sorted((piece for _, piece in self.pieces), key=lambda piece: piece.received_on)
