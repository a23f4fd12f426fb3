"""The rent of a rental, on invoices of kind « location »."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from billing import services
from billing.enums import InvoiceKind, LineKind
from billing.instruments.enums import RentalEvent, RentalState
from billing.instruments.prices import calendar_months, charged, due
from billing.instruments.rentals import lock
from billing.models import Invoice, InvoiceLine, Rental, RentalCharge, RentalMove
from billing.money import ZERO, euros


@transaction.atomic
def draft_invoice(rental: Rental, *, due_on: dt.date, actor: User) -> Invoice:
    """A draft for what is not invoiced yet, to control and to issue as any other.

    Once the rental is extended, only what its days add. Refuses when there is nothing to ask
    (code "nothing_due") and a cancelled rental.
    """
    rental = lock(rental)
    if rental.state == RentalState.CANCELLED:
        raise ValidationError("Cette location est annulée.", code="bad_transition")
    already = charged(rental)
    amount = due(rental) - already
    if amount <= ZERO:
        raise ValidationError(
            f"Tout est déjà facturé\u00a0: {euros(already)}."
            if already
            else "Cette location est gratuite\u00a0: il n'y a rien à facturer.",
            code="nothing_due",
        )
    invoice = services.draft(
        establishment=rental.instrument.establishment,
        school_year=rental.school_year,
        family=rental.family,
        kind=InvoiceKind.LOCATION,
        due_on=due_on,
        lines=[line_of(rental, already)],
        actor=actor,
    )
    note([(rental, invoice.lines.get())], actor=actor)
    return invoice


def line_of(rental: Rental, already: Decimal) -> dict:
    """The line, as `services.draft` takes it, of what is not invoiced yet."""
    return {
        "kind": LineKind.RENTAL,
        "student": rental.student,
        "label": f"Location, {rental.instrument}",
        "explanation": explanation(rental, already),
        "amount": due(rental) - already,
    }


def note(charged: Iterable[tuple[Rental, InvoiceLine]], *, actor: User) -> None:
    """That these lines, new ones, invoice these rentals, whose rows are locked."""
    charged = list(charged)
    RentalCharge.objects.bulk_create(
        RentalCharge(rental=rental, line=line) for rental, line in charged
    )
    RentalMove.objects.bulk_create(
        RentalMove(
            rental=rental,
            event=RentalEvent.INVOICED,
            actor=actor,
            details=f"{euros(line.amount)}.",
        )
        for rental, line in charged
    )


def explanation(rental: Rental, already: Decimal = ZERO) -> str:
    """« Du 15 septembre 2026 au 30 juin 2027, 10 mois commencés : 150,00 € »."""
    begun = calendar_months(rental.starts_on, rental.ends_on)
    text = f"D{rental.period[1:]}, {begun} mois commencé{'s' if begun > 1 else ''}\u00a0: "
    if begun < rental.months:
        text += f"{begun}/{rental.months} de {euros(rental.rent)} l'année = {euros(due(rental))}"
    else:
        text += f"l'année entière, {euros(rental.rent)}"
    if already:
        text += f", moins {euros(already)} déjà facturés"
    return f"{text}."
