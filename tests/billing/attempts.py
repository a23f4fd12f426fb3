"""Attempts to pay online in any state, written as PayFiP's answers would leave them."""

import datetime as dt

from billing.models import PaymentAttempt

NOON = dt.datetime(2026, 9, 10, 10, tzinfo=dt.UTC)


def attempt_of(invoice, *, cents=3800, state="open", at=NOON, **facts):
    """Of `cents`, closed as it was asked for unless it is open."""
    number = invoice.attempts.count() + 1
    refdet = f"E{invoice.establishment_id}F{invoice.year}{invoice.number:05}N{number}"
    return PaymentAttempt.objects.create(
        invoice=invoice,
        number=number,
        refdet=refdet,
        amount=cents,
        numcli="090909",
        saisie="T",
        state=state,
        created_at=at,
        **{
            "idop": f"idop-{refdet}",
            "settled_at": None if state == "open" else at,
            **facts,
        },
    )
