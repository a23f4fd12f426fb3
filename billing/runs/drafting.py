"""The queue's work while a run is prepared: a batch of households at a time becomes drafts.

A household is taken by its locked row and leaves the state « à calculer » in the transaction that
writes its draft: whatever is killed, whoever comes next does the rest, and nobody does it twice.
"""

import logging
from itertools import groupby
from operator import attrgetter

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, transaction

from billing import services
from billing.enums import InvoiceStatus, RunOutcome, RunState
from billing.instruments import charges
from billing.models import Invoice, InvoiceRun, RunHousehold
from billing.money import ZERO
from billing.pricing.bills import Bill
from billing.runs import comparing, instalments, pricing, rentals
from billing.runs.planning import DATES
from billing.runs.rentals import ToDraft

logger = logging.getLogger(__name__)

AT_ONCE = 50  # households of one transaction: a quarter of a second
CLEARED_AT_ONCE = 200  # drafts
NOTED = ["outcome", "sentence", "total", "billed", "last_year", "at_top_rate", "grid"]
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

    Those that a worker was writing when the run was abandoned go too; their households are noted
    « retiré ». After the invoices' lock, as whoever issues or removes one.
    """
    drafts = Invoice.objects.filter(run__state=RunState.ABANDONED, status=InvoiceStatus.DRAFT)
    if not drafts.exists():
        return 0
    with transaction.atomic():
        free = drafts.select_for_update(skip_locked=True, of=["self"])
        taken = list(free.order_by("run_id", "pk")[:CLEARED_AT_ONCE])
        for run, drafts in groupby(taken, attrgetter("run_id")):
            households = RunHousehold.objects.filter(
                run=run, family__in=[draft.family_id for draft in drafts]
            )
            households.update(outcome=RunOutcome.REMOVED, sentence="")
        Invoice.objects.filter(pk__in=[draft.pk for draft in taken]).delete()
    return len(taken)


def _draft(run, rows):
    last_year = comparing.billed_last_year(run, [row.family_id for row in rows])
    for row in rows:
        row.last_year = last_year.get(row.family_id)
    _write(run, (rentals.to_bill if run.is_of_rentals else _lessons_to_bill)(run, rows))
    RunHousehold.objects.bulk_update(rows, NOTED)


def _lessons_to_bill(run, rows):
    families = [row.family for row in rows]
    keys = [family.pk for family in families]
    grids = pricing.grids_for(families, run)
    bills = _priced(families, run, grids)
    billed = comparing.billed_so_far(run, keys)
    elsewhere = comparing.drafted_elsewhere(run, keys)
    choices = instalments.choices_of(run, keys)
    drafts = []
    for row in rows:
        bill = bills.get(row.family_id, Bill(()))
        row.grid = grids[row.family_id]
        row.billed = sum(billed.get(row.family_id, {}).values(), ZERO)
        if row.family_id in elsewhere:
            bill = "Un brouillon de cette année existe déjà\u00a0: émettez-le ou supprimez-le."
        if isinstance(bill, str):
            _give_up(row, bill)
        elif lines := _to_bill(row, bill, billed.get(row.family_id, {})):
            more = sum((line["amount"] for line in lines), ZERO)
            drafts.append(ToDraft(row, lines, terms=choices.terms_of(row.family_id, more)))
    return drafts


def _to_bill(row, bill, billed):
    """Notes what becomes of the household, and gives the lines of its draft, if there is one."""
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
        row.outcome = RunOutcome.DRAFTED
        return lines
    return []


def _give_up(row, sentence):
    row.outcome, row.sentence, row.total = RunOutcome.PROBLEM, sentence[:LONGEST], None


def _write(run, drafts):
    """All those of the batch at once; if one of them cannot be, one by one, to find which."""
    try:
        _write_all(run, drafts)
    except (ValidationError, DataError, IntegrityError):
        for draft in drafts:
            _write_one(run, draft)


@transaction.atomic
def _write_all(run, drafts):
    lines = services.draft_many(
        [(_invoice(run, draft), draft.lines) for draft in drafts], actor=run.created_by
    )
    if rented := [rental for draft in drafts for rental in draft.rentals]:
        charges.note(zip(rented, lines, strict=True), actor=run.created_by)


def _write_one(run, draft):
    try:
        _write_all(run, [draft])
    except ValidationError as error:
        _give_up(draft.row, error.messages[0])
    except (DataError, IntegrityError) as error:
        logger.exception("The household %s could not be drafted", draft.row.family_id)
        _give_up(draft.row, f"Brouillon impossible ({type(error).__name__}).")


def _invoice(run, draft):
    return Invoice(
        establishment=run.establishment,
        school_year=run.school_year,
        family=draft.row.family,
        kind=run.kind,
        run=run,
        **{name: getattr(run, name) for name in DATES} | draft.terms,
    )


def _priced(families, run, grids):
    """As `pricing.priced`; the fault of one household is its own."""
    try:
        with transaction.atomic():
            return pricing.priced(families, run, grids)
    except (OperationalError, InterfaceError):  # nobody's fault: the batch is tried again
        raise
    except Exception as error:
        if len(families) > 1:
            bills = {}
            for family in families:
                bills |= _priced([family], run, grids)
            return bills
        [family] = families
        logger.exception("The household %s could not be priced", family.pk)
        return {family.pk: f"Calcul impossible ({type(error).__name__})."}
