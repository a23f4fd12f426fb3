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
    that bounced, wherever it was carried; a refund, the money that came last; what is carried to
    another invoice keeps the day on which it was received, so that no year gains or loses by it.
    Less than nothing (a cheque refunded, then bounced) is nothing, until more is received.
    """
    boxes: dict[int, _Box] = defaultdict(_Box)
    carried: dict[int, list[_Piece]] = {}
    for payment in sorted(payments, key=lambda payment: payment.pk):  # as they were recorded
        box = boxes[payment.invoice_id]
        if payment.nature == PaymentNature.BOUNCED:
            _bounce(boxes, box, payment)
        elif payment.nature == PaymentNature.REFUNDED:
            box.take(-payment.amount)  # no more than the excess
        elif payment.nature == PaymentNature.CARRIED and payment.amount < ZERO:
            carried[payment.pk] = box.take(-payment.amount)
        elif payment.nature == PaymentNature.CARRIED:
            for piece in carried.get(payment.counterpart_id, []):
                box.put(replace(piece, rank=payment.pk))
        else:
            kept = Kept(payment.paid_on, payment.means, payment.amount)
            box.put(_Piece(payment.pk, payment.pk, kept))
    return {invoice: box.sorted() for invoice, box in boxes.items()}


@dataclass(frozen=True)
class _Piece:
    """Money of one payment received (`source`), in the box by the payment `rank`."""

    source: int
    rank: int
    kept: Kept

    @property
    def amount(self) -> Decimal:
        return self.kept.amount

    def of(self, amount: Decimal) -> "_Piece":
        return replace(self, kept=replace(self.kept, amount=amount))


class _Box:
    """What is held for one invoice, and what is lacking: for itself, or for another one that the
    money had been carried to."""

    def __init__(self):
        self.pieces: list[_Piece] = []
        self.lacking: list[tuple[Decimal, _Box]] = []

    def lack(self, amount: Decimal, box: "_Box | None" = None) -> None:
        if amount > ZERO:
            self.lacking.append((amount, box or self))

    def put(self, piece: _Piece) -> None:
        """What was lacking first."""
        lacking, self.lacking = self.lacking, []
        for missing, box in lacking:
            given = min(missing, piece.amount)
            if given and box is not self:
                box.put(piece.of(given))
            piece = piece.of(piece.amount - given)
            self.lack(missing - given, box)
        if piece.amount:
            self.pieces.append(piece)

    def take(self, amount: Decimal, source: int | None = None) -> list[_Piece]:
        """Takes what came last, of the payment `source` alone if it is given; gives the pieces."""
        taken, remaining = [], []
        for piece in reversed(self.pieces):
            part = min(amount, piece.amount) if source in (None, piece.source) else ZERO
            amount -= part
            if part:
                taken.append(piece.of(part))
            if piece.amount > part:
                remaining.append(piece.of(piece.amount - part))
        self.pieces = sorted(remaining, key=lambda piece: piece.rank)
        return taken

    def sorted(self) -> list[Kept]:
        return sorted((piece.kept for piece in self.pieces), key=lambda kept: kept.received_on)


def _bounce(boxes, box, payment):
    """What it had carried away is made up for by what it holds, or else is lacking."""
    amount = -payment.amount
    amount -= _sum(box.take(amount, payment.reverses_id))
    for other in list(boxes.values()):
        gone = _sum(other.take(amount, payment.reverses_id))
        amount -= gone
        instead = box.take(gone)
        for piece in instead:
            other.put(replace(piece, rank=payment.pk))
        box.lack(gone - _sum(instead), other)
    box.lack(amount - _sum(box.take(amount)))  # it was given back


def _sum(pieces):
    return sum((piece.amount for piece in pieces), ZERO)
