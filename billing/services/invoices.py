"""Drafts, issued invoices, credit notes. Lock order: the invoice, the counter of numbers last."""

import datetime as dt
from collections.abc import Iterable

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import Establishment, User
from billing import emails
from billing.enums import InvoiceKind, InvoiceStatus, RunOutcome
from billing.models import (
    Instalment,
    Invoice,
    InvoiceLine,
    InvoiceRun,
    InvoiceSeries,
    RunHousehold,
)
from billing.money import ZERO, euros, round_cents
from billing.schedule import months_later, spread
from families.models import Family
from students.models import SchoolYear

DATES = ["published_on", "due_on", "online_until", "counter_until"]
OF_A_RUN = ["establishment", "school_year", "family", "kind"]  # what a run's draft keeps
DRAFT_FIELDS = [*OF_A_RUN, "parts", *DATES]
WHAT_IS_COPIED = ["establishment", "school_year", "family__commune"]  # when it is issued
KEYS = ["establishment", "school_year", "family", "run", "credits"]  # the database knows them


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
    parts: int = 1,
    published_on: dt.date | None = None,
    online_until: dt.date | None = None,
    counter_until: dt.date | None = None,
    run: InvoiceRun | None = None,
) -> Invoice:
    """Prepares an invoice that nobody but the régie sees.

    Each line is a dict of `label`, `amount` (euros, rounded to the cent here, negative for a
    deduction) and, if there is more to say, `explanation`, `kind` and `student`; they keep the
    order given. `parts`: how many times it is paid in.
    """
    invoice = Invoice(
        establishment=establishment,
        school_year=school_year,
        family=family,
        kind=kind,
        run=run,
        parts=parts,
        published_on=published_on,
        due_on=due_on,
        online_until=online_until,
        counter_until=counter_until,
    )
    save_draft(invoice, actor=actor)
    _add_lines(invoice, lines)
    _log(invoice, ADDITION, "Brouillon préparé.", actor=actor)
    return invoice


@transaction.atomic
def draft_many(
    drafts: Iterable[tuple[Invoice, Iterable[dict]]], *, actor: User
) -> list[InvoiceLine]:
    """`draft` for many at once: new rows and the lines of each, in three queries; gives the lines.

    What the database refuses of one (IntegrityError, DataError) refuses all: `draft` says why.
    """
    drafts = list(drafts)
    for invoice, _ in drafts:
        invoice.clean_fields(exclude=KEYS)
    Invoice.objects.bulk_create(invoice for invoice, _ in drafts)
    rows = InvoiceLine.objects.bulk_create(
        line for invoice, lines in drafts for line in _cleaned_lines(invoice, lines)
    )
    LogEntry.objects.log_actions(
        actor.pk, [invoice for invoice, _ in drafts], ADDITION, "Brouillon préparé."
    )
    return rows


@transaction.atomic
def save_draft(invoice: Invoice, *, actor: User) -> None:
    """Writes what a draft is about, new or not; refuses an issued invoice.

    That of a run stays to its household (code `of_a_run`): the run counts on it.
    """
    if invoice.pk:
        held = _lock_draft(invoice)
        moved = any(getattr(held, name) != getattr(invoice, name) for name in OF_A_RUN)
        if held.run_id and moved:
            raise ValidationError(
                "Ce brouillon vient d'une facturation groupée : son foyer, son établissement,"
                " son année et son genre ne changent plus. Retirez-le et préparez-en un autre.",
                code="of_a_run",
            )
    invoice.full_clean()
    invoice.save(update_fields=DRAFT_FIELDS if invoice.pk else None)


@transaction.atomic
def delete_draft(invoice: Invoice, *, actor: User) -> None:
    """A draft goes with its lines, having no number yet; refuses an issued invoice.

    That of a run is out of the run.
    """
    draft = _lock_draft(invoice)
    _note_in_run(draft, RunOutcome.REMOVED)
    draft.delete()


@transaction.atomic
def issue(invoice: Invoice, *, actor: User, launched_on: dt.date | None = None) -> Invoice:
    """Makes a draft an invoice: numbered, dated today, in the payer's name. It never changes again.

    The numbers of an establishment and calendar year follow each other without a gap: the counter
    moves in this very transaction. The dates left empty are set, the instalments written, and a
    mail to each responsable, which leaves from `published_on` on. Refuses an invoice issued
    already, without a line, of a negative total, or that would be overdue at once, and dates out
    of order. `launched_on`: see `set_dates`.
    """
    invoice = _lock_draft(invoice, *WHAT_IS_COPIED)
    amounts = [line.amount for line in invoice.lines.all()]
    if not amounts:
        raise ValidationError("Cette facture n'a aucune ligne.", code="no_line")
    if sum(amounts) < ZERO:
        raise ValidationError("Le total d'une facture ne peut pas être négatif.", code="negative")
    set_dates(invoice, launched_on)
    _number(invoice)
    instalments = Instalment.objects.bulk_create(
        Instalment(invoice=invoice, number=number, due_on=due_on, amount=amount)
        for number, (due_on, amount) in enumerate(
            spread(sum(amounts), invoice.parts, invoice.due_on), start=1
        )
    )
    _note_in_run(invoice, RunOutcome.ISSUED)
    emails.tell_issued(invoice, instalments)
    _log(invoice, CHANGE, "Facture émise.", actor=actor)
    return invoice


@transaction.atomic
def credit(invoice: Invoice, *, lines: Iterable[dict], reason: str, actor: User) -> Invoice:
    """Issues a credit note (« avoir ») on an issued invoice, and returns it.

    `lines` as in `draft`, their amounts positive: what is taken off. Refuses a draft, a credit
    note, an empty `reason`, and more than what the invoice has left to credit (its total, less what
    other credit notes took). What was paid beyond is then an overpayment, to refund or carry over.
    """
    invoice = _lock_issued(invoice)
    lines = [{**line, "amount": round_cents(line["amount"])} for line in lines]
    taken = sum((line["amount"] for line in lines), ZERO)
    if taken <= ZERO:
        raise ValidationError("Un avoir porte sur un montant positif.", code="nothing_to_credit")
    if taken > invoice.total - invoice.credited:
        raise ValidationError(
            f"Cet avoir de {euros(taken)} dépasse ce qui reste de la facture\u00a0: "
            f"{euros(invoice.total - invoice.credited)}.",
            code="too_much_credited",
        )
    if not reason.strip():
        raise ValidationError({"reason": ValidationError("Dites pourquoi.", code="no_reason")})
    today = timezone.localdate()
    note = Invoice(
        establishment=invoice.establishment,
        school_year=invoice.school_year,
        family=invoice.family,
        kind=invoice.kind,
        credits=invoice,
        reason=reason.strip(),
        payer_name=invoice.payer_name,
        payer_address=invoice.payer_address,
        published_on=max(today, invoice.published_on),
        **dict.fromkeys(["due_on", "online_until", "counter_until"], today),
    )
    _number(note)
    _add_lines(note, [{**line, "amount": -line["amount"]} for line in lines])
    _log(note, ADDITION, f"Avoir sur la facture {invoice}\u00a0: {note.reason}", actor=actor)
    _log(invoice, CHANGE, f"Avoir {note}\u00a0: {note.reason}", actor=actor)
    return note


@transaction.atomic
def cancel(invoice: Invoice, *, reason: str, actor: User) -> Invoice:
    """Cancels an issued invoice by a credit note of all that is left of it, line by line.

    The mail that announces it does not leave, if it had not yet.
    """
    invoice = _lock_issued(invoice)
    emails.take_back(invoice)
    if invoice.credited:
        lines = [
            {
                "label": f"Annulation du solde de la facture {invoice}",
                "amount": invoice.total - invoice.credited,
            }
        ]
        return credit(invoice, lines=lines, reason=reason, actor=actor)
    kept = ["kind", "student", "label", "explanation", "amount"]
    lines = invoice.lines.select_related("student")
    lines = [{name: getattr(line, name) for name in kept} for line in lines]
    return credit(invoice, lines=lines, reason=reason, actor=actor)


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


def locked(invoice: Invoice) -> Invoice:
    """The row as it is now, locked until the transaction ends, with its amounts (`with_amounts`).

    A second query: the sums of the one that waits for the lock would date from before the wait.
    """
    Invoice.objects.select_for_update().get(pk=invoice.pk)
    return Invoice.objects.with_amounts().get(pk=invoice.pk)


def _lock_draft(invoice, *related):
    """A fresh row: the caller's copy may be stale. Its lines and its payer are read after the lock,
    in two queries more, if there are `related` rows to join."""
    rows = Invoice.objects.select_for_update(of=["self"])
    if related:
        rows = rows.select_related(*related).prefetch_related("lines", "family__guardians")
    invoice = rows.get(pk=invoice.pk)
    if invoice.is_issued:
        raise ValidationError(
            f"La facture {invoice.reference} est déjà émise\u00a0: elle ne change plus.",
            code="already_issued",
        )
    return invoice


def _lock_issued(invoice):
    invoice = locked(invoice)
    if not invoice.is_issued:
        raise ValidationError("Un avoir corrige une facture émise.", code="not_issued")
    if invoice.is_credit_note:
        raise ValidationError("Un avoir ne se corrige pas par un avoir.", code="credit_note")
    return invoice


def set_dates(invoice: Invoice, launched_on: dt.date | None = None) -> None:
    """Sets the dates left empty of an invoice about to be issued, and writes nothing.

    `launched_on`: the day when somebody let the queue issue it. Visible from a day that has come
    and gone since then, midnight having passed, it is visible from today. Raises ValidationError
    `due_date_past`, `published_out_of_order` or `closed_before_due`.
    """
    today = timezone.localdate()
    last = months_later(invoice.due_on, invoice.parts - 1)
    invoice.published_on = invoice.published_on or today
    invoice.online_until = invoice.online_until or last
    invoice.counter_until = invoice.counter_until or last
    if launched_on and launched_on <= invoice.published_on < today:
        invoice.published_on = today
    if invoice.due_on < today:
        raise ValidationError("La date limite de paiement est déjà passée.", code="due_date_past")
    if not today <= invoice.published_on <= invoice.due_on:
        raise ValidationError(
            "La facture se publie entre aujourd'hui et la date limite de paiement.",
            code="published_out_of_order",
        )
    if min(invoice.online_until, invoice.counter_until) < last:
        raise ValidationError(
            "La facture doit rester payable, en ligne et au guichet, jusqu'à la dernière échéance.",
            code="closed_before_due",
        )


def _number(invoice):
    """Issues the row itself: number, date and payer; it is written here."""
    today = timezone.localdate()
    invoice.status = InvoiceStatus.ISSUED
    invoice.issued_on = today
    if not invoice.payer_name:
        invoice.payer_name = payer_name(invoice.family)
        invoice.payer_address = payer_address(invoice.family)
    invoice.year = today.year
    invoice.number = _next_number(invoice.establishment, today.year)
    invoice.clean_fields(exclude=KEYS)  # the constraints: the database, in one query less each
    issued = ["status", "issued_on", "year", "number", "payer_name", "payer_address", *DATES]
    invoice.save(update_fields=issued if invoice.pk else None)


def _next_number(establishment, year):
    series, _ = InvoiceSeries.objects.select_for_update().get_or_create(
        establishment=establishment, year=year
    )
    series.last_number += 1
    series.save(update_fields=["last_number"])
    return series.last_number


def _add_lines(invoice, lines):
    InvoiceLine.objects.bulk_create(_cleaned_lines(invoice, lines))


def _cleaned_lines(invoice, lines):
    for position, line in enumerate(lines, start=1):
        line = InvoiceLine(invoice=invoice, position=position, **line)
        line.amount = round_cents(line.amount)
        line.clean_fields(exclude=["invoice", "student"])
        yield line


def _note_in_run(invoice, outcome):
    """Whoever issues or removes a draft of a run, it says so; always after the invoice's lock."""
    if invoice.run_id:
        rows = RunHousehold.objects.filter(run=invoice.run_id, family=invoice.family_id)
        rows.update(outcome=outcome, sentence="")


def _log(invoice, flag, message, *, actor):
    LogEntry.objects.log_actions(actor.pk, [invoice], flag, message, single_object=True)
