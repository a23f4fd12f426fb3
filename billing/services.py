"""Every write of billing. Lock order: the invoice, then the counter of numbers, last."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Establishment, User
from billing.enums import InvoiceKind, InvoiceStatus, PaymentMeans
from billing.models import Invoice, InvoiceLine, InvoiceSeries, Payment
from billing.money import ZERO, euros, round_cents
from families.models import Family
from students.models import SchoolYear

DRAFT_FIELDS = ["establishment", "school_year", "family", "kind", "due_on"]


@transaction.atomic
def draft(
    *,
    establishment: Establishment,
    school_year: SchoolYear,
    family: Family,
    kind: InvoiceKind,
    due_on: dt.date,
    lines: Iterable[dict],
    actor: User,
) -> Invoice:
    """Prepares an invoice that nobody but the régie sees.

    Each line is a dict of `label`, `amount` (euros, rounded to the cent here, negative for a
    deduction) and, if there is more to say, `explanation`; they keep the order given.
    """
    invoice = Invoice(
        establishment=establishment,
        school_year=school_year,
        family=family,
        kind=kind,
        due_on=due_on,
    )
    save_draft(invoice, actor=actor)
    for position, line in enumerate(lines, start=1):
        line = InvoiceLine(invoice=invoice, position=position, **line)
        line.amount = round_cents(line.amount)
        line.full_clean()
        line.save()
    _log(invoice, ADDITION, "Brouillon préparé.", actor=actor)
    return invoice


@transaction.atomic
def save_draft(invoice: Invoice, *, actor: User) -> None:
    """Writes what a draft is about, new or not; refuses an issued invoice."""
    if invoice.pk:
        _lock_draft(invoice)
    invoice.full_clean()
    invoice.save(update_fields=DRAFT_FIELDS if invoice.pk else None)


@transaction.atomic
def delete_draft(invoice: Invoice, *, actor: User) -> None:
    """A draft goes with its lines, having no number yet; refuses an issued invoice."""
    _lock_draft(invoice).delete()


@transaction.atomic
def issue(invoice: Invoice, *, actor: User) -> Invoice:
    """Makes a draft an invoice: numbered, dated today, in the payer's name. It never changes again.

    The numbers of an establishment and calendar year follow each other without a gap: the counter
    moves in this very transaction. Refuses an invoice issued already, without a line, of a
    negative total, or that would be overdue at once.
    """
    invoice = _lock_draft(invoice)
    today = timezone.localdate()
    amounts = list(invoice.lines.values_list("amount", flat=True))
    if not amounts:
        raise ValidationError("Cette facture n'a aucune ligne.", code="no_line")
    if sum(amounts) < ZERO:
        raise ValidationError("Le total d'une facture ne peut pas être négatif.", code="negative")
    if invoice.due_on < today:
        raise ValidationError("La date limite de paiement est déjà passée.", code="due_date_past")

    invoice.status = InvoiceStatus.ISSUED
    invoice.issued_on = today
    invoice.payer_name = payer_name(invoice.family)
    invoice.payer_address = payer_address(invoice.family)
    invoice.year = today.year
    invoice.number = _next_number(invoice.establishment, today.year)
    invoice.full_clean()
    invoice.save(
        update_fields=["status", "issued_on", "payer_name", "payer_address", "year", "number"]
    )
    _log(invoice, CHANGE, "Facture émise.", actor=actor)
    return invoice


@transaction.atomic
def record_payment(
    invoice: Invoice,
    *,
    amount: Decimal,
    means: PaymentMeans,
    paid_on: dt.date,
    reference: str,
    actor: User,
) -> Payment:
    """Records money received (euros) for an issued invoice, once for a `reference` of the régie.

    Refuses a draft, a reference known already (code "payment_recorded"), more than what is left
    to pay, and a date to come.
    """
    Invoice.objects.select_for_update().get(pk=invoice.pk)
    # A second query: the sums of the one that waits for the lock would date from before the wait.
    invoice = Invoice.objects.with_amounts().get(pk=invoice.pk)
    payment = Payment(
        invoice=invoice,
        amount=round_cents(amount),
        means=means,
        paid_on=paid_on,
        reference=reference.strip(),
        recorded_by=actor,
    )
    if not invoice.is_issued:
        raise ValidationError(
            "Un paiement ne s'enregistre que sur une facture émise.", code="not_issued"
        )
    if Payment.objects.filter(reference=payment.reference).exists():
        raise _recorded(payment)
    if payment.amount > invoice.left:
        raise ValidationError(
            f"Ce paiement de {euros(payment.amount)} dépasse ce qui reste à payer\u00a0: "
            f"{euros(invoice.left)}.",
            code="too_much",
        )
    if payment.paid_on > timezone.localdate():
        raise ValidationError("La date du paiement est à venir.", code="paid_in_future")
    payment.full_clean(validate_unique=False)
    try:
        with transaction.atomic():
            payment.save()
    except IntegrityError as error:  # the same reference, for another invoice, at this instant
        raise _recorded(payment) from error
    return payment


def payer_name(family: Family) -> str:
    """« Claire et Paul Martin », « Claire Martin et Paul Durand », or else the family's name."""
    guardians = list(family.guardians.all())
    if not guardians:
        return family.name
    if len({guardian.last_name for guardian in guardians}) == 1:
        first_names = " et ".join(guardian.first_name for guardian in guardians)
        name = f"{first_names} {guardians[0].last_name}"
    else:
        name = " et ".join(str(guardian) for guardian in guardians)
    return name if len(name) <= Invoice._meta.get_field("payer_name").max_length else family.name


def payer_address(family: Family) -> str:
    """The lines of the household's address, as on an envelope."""
    town = f"{family.commune.postal_code} {family.commune.name}"
    return "\n".join(line for line in (family.address, family.address_more, town) if line)


def _lock_draft(invoice):
    """A fresh row: the caller's copy may be stale."""
    invoice = Invoice.objects.select_for_update().get(pk=invoice.pk)
    if invoice.is_issued:
        raise ValidationError(
            f"La facture {invoice.reference} est déjà émise\u00a0: elle ne change plus.",
            code="already_issued",
        )
    return invoice


def _next_number(establishment, year):
    series, _ = InvoiceSeries.objects.select_for_update().get_or_create(
        establishment=establishment, year=year
    )
    series.last_number += 1
    series.save(update_fields=["last_number"])
    return series.last_number


def _recorded(payment):
    return ValidationError(
        f"Le paiement de référence «\u00a0{payment.reference}\u00a0» est déjà enregistré.",
        code="payment_recorded",
    )


def _log(invoice, flag, message, *, actor):
    LogEntry.objects.log_actions(actor.pk, [invoice], flag, message, single_object=True)
