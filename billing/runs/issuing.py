"""The queue's work while a run is issued: one draft at a time, each in its own transaction.

The draft is locked before it is issued, and is one no more after: killed in between, the number
goes back with the rest, and the next worker takes the same draft.
"""

import logging

from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from billing import services
from billing.enums import InvoiceStatus, RunOutcome, RunState
from billing.models import Invoice, InvoiceRun, RunHousehold
from billing.runs.planning import drafts_of

logger = logging.getLogger(__name__)

AT_ONCE = 10  # invoices between two mails: less than half a second
LONGEST = RunHousehold._meta.get_field("sentence").max_length


def issue_some() -> int:
    """`issue_next` a few times; gives how many drafts were looked at. Run by `send_mails`."""
    number = 0
    while number < AT_ONCE and issue_next():
        number += 1
    return number


def issue_next() -> Invoice | None:
    """Issues one draft of the oldest run under way; None when nothing is left to do.

    One query then. One that is refused is noted with the reason, and the next ones go on. A run
    that was stopped ends once its last draft is removed, or issued by hand: it would forbid any
    other of the year.
    """
    drafts = Invoice.objects.filter(run=OuterRef("pk"), status=InvoiceStatus.DRAFT)
    to_end = Q(state=RunState.PAUSED) & ~Exists(drafts)
    run = (
        InvoiceRun.objects.filter(Q(state=RunState.ISSUING) | to_end)
        .select_related("issued_by")
        .order_by("issued_at", "pk")
        .first()
    )
    if run is None:
        return None
    with transaction.atomic():
        invoice = to_issue(run).select_for_update(skip_locked=True).order_by("pk").first()
        if invoice:
            _issue(invoice, run)
    if invoice is None and not to_issue(run).exists():  # not even one that another worker holds
        under_way = InvoiceRun.objects.filter(pk=run.pk, state=run.state)
        under_way.update(state=RunState.ISSUED, ended_at=timezone.now())
    return invoice


def to_issue(run: InvoiceRun):
    """Its drafts, but for those that were refused."""
    refused = RunHousehold.objects.filter(
        run=run, family=OuterRef("family"), outcome=RunOutcome.REFUSED
    )
    return drafts_of(run).filter(~Exists(refused))


def _issue(invoice, run):
    launched_on = timezone.localdate(run.issued_at)
    try:
        services.issue(invoice, actor=run.issued_by, launched_on=launched_on)
    except ValidationError as error:
        _refuse(invoice, error.messages[0])
    except (OperationalError, InterfaceError):  # not this one's fault: it is tried again
        raise
    except Exception as error:
        logger.exception("The draft %s could not be issued", invoice.pk)
        _refuse(invoice, f"Émission impossible ({type(error).__name__}).")


def _refuse(invoice, sentence):
    rows = RunHousehold.objects.filter(run=invoice.run_id, family=invoice.family_id)
    rows.update(outcome=RunOutcome.REFUSED, sentence=sentence[:LONGEST])
