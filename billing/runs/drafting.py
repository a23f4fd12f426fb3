"""The queue's work while a run is prepared: a batch of households at a time becomes drafts.

A household is taken by its locked row and leaves the state « à calculer » in the transaction that
writes its draft: whatever is killed, whoever comes next does the rest, and nobody does it twice.
"""

import logging

from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError, transaction

from billing import services
from billing.enums import InvoiceStatus, RunOutcome, RunState
from billing.models import Invoice, InvoiceRun, RunHousehold
from billing.money import ZERO
from billing.pricing.bills import Bill
from billing.runs import comparing, instalments, pricing

logger = logging.getLogger(__name__)

AT_ONCE = 20  # households of one transaction: half a second
LONGEST = RunHousehold._meta.get_field("sentence").max_length


def draft_next() -> int:
    """Prices one batch of households and drafts their invoices; gives how many were done.

    Run by `send_mails` between two mails. One query when there is nothing to do.
    """
    run = (
        InvoiceRun.objects.filter(state=RunState.PREPARING)
        .select_related("establishment", "school_year", "grid", "created_by")
        .order_by("pk")
        .first()
    )
    if run is None:
        return 0
    with transaction.atomic():
        to_do = run.households.filter(outcome=RunOutcome.TO_DO)
        rows = to_do.select_for_update(skip_locked=True, of=["self"]).select_related("family")
        rows = list(rows.order_by("pk")[:AT_ONCE])
        if rows:
            _draft(run, rows)
    if not run.households.filter(outcome=RunOutcome.TO_DO).exists():
        under_way = InvoiceRun.objects.filter(pk=run.pk, state=RunState.PREPARING)
        under_way.update(state=RunState.TO_CHECK)
    return len(rows)


def clear_next() -> int:
    """Deletes some of the drafts of abandoned runs; gives how many. One query when there is none.

    Those that a worker was writing when the run was abandoned go too.
    """
    drafts = Invoice.objects.filter(run__state=RunState.ABANDONED, status=InvoiceStatus.DRAFT)
    if not drafts.exists():
        return 0
    with transaction.atomic():
        taken = list(drafts.select_for_update(skip_locked=True, of=["self"]).order_by("pk")[:200])
        Invoice.objects.filter(pk__in=[draft.pk for draft in taken]).delete()
    return len(taken)


def _draft(run, rows):
    families = [row.family for row in rows]
    keys = [family.pk for family in families]
    bills = _priced(families, run)
    billed = comparing.billed_so_far(run, keys)
    last_year = comparing.billed_last_year(run, keys)
    elsewhere = comparing.drafted_elsewhere(run, keys)
    choices = instalments.choices_of(run, keys)
    for row in rows:
        bill = bills.get(row.family_id, Bill(()))
        row.last_year = last_year.get(row.family_id)
        row.billed = sum(billed.get(row.family_id, {}).values(), ZERO)
        if row.family_id in elsewhere:
            bill = "Un brouillon de cette année existe déjà\u00a0: émettez-le ou supprimez-le."
        if isinstance(bill, str):
            row.outcome, row.sentence = RunOutcome.PROBLEM, bill[:LONGEST]
        else:
            _draft_one(row, bill, billed.get(row.family_id, {}), choices)
        row.full_clean(exclude=["run", "family"])
        row.save(
            update_fields=["outcome", "sentence", "total", "billed", "last_year", "at_top_rate"]
        )


def _draft_one(row, bill, billed, choices):
    """Notes what becomes of the household, and writes its draft if there is more to bill."""
    row.total, row.at_top_rate = bill.total, bill.at_top_rate
    lines = comparing.lines_to_bill(bill, billed)
    more = sum((line["amount"] for line in lines), ZERO)
    if not lines:
        row.outcome = RunOutcome.SAME if billed else RunOutcome.NOTHING
    elif more < ZERO:
        row.outcome = RunOutcome.LESS
    elif more == ZERO and billed:  # one lesson for another, at the same price
        row.outcome = RunOutcome.SAME
    else:
        try:
            _write(choices.run, row.family, lines, choices.terms_of(row.family_id, more))
        except ValidationError as error:
            row.outcome, row.total = RunOutcome.PROBLEM, None
            row.sentence = error.messages[0][:LONGEST]
        else:
            row.outcome = RunOutcome.DRAFTED


@transaction.atomic
def _write(run, family, lines, terms):
    services.draft(
        establishment=run.establishment,
        school_year=run.school_year,
        family=family,
        kind=run.kind,
        run=run,
        published_on=run.published_on,
        due_on=run.due_on,
        **terms,
        lines=lines,
        actor=run.created_by,
    )


def _priced(families, run):
    """As `pricing.priced`; the fault of one household is its own."""
    try:
        with transaction.atomic():
            return pricing.priced(families, run)
    except (OperationalError, InterfaceError):  # nobody's fault: the batch is tried again
        raise
    except Exception as error:
        if len(families) > 1:
            bills = {}
            for family in families:
                bills |= _priced([family], run)
            return bills
        [family] = families
        logger.exception("The household %s could not be priced", family.pk)
        return {family.pk: f"Calcul impossible ({type(error).__name__})."}
