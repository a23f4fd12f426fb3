"""The year's invoices, issued together by the published grid; and a second run, to check."""

import datetime as dt

from accounts.models import User
from billing import services
from billing.models import Invoice, InvoiceRun
from billing.runs import planning
from billing.runs.drafting import draft_next
from billing.runs.issuing import issue_next
from families.models import Family
from imuse.demo.clock import Clock
from imuse.demo.town import Town

PARTS = 3


def bill_the_year(
    town: Town,
    clock: Clock,
    actor: User,
    families: list[Family],
    *,
    issued: int,
    due: int,
    parts: int = 1,
) -> dict[int, Invoice]:
    """The invoice of each of these households, by its key; those of the others are put off.

    `issued` and `due` in days from today.
    """
    label = f"Cotisations {town.current}" + (f", en {parts} fois" if parts > 1 else "")
    with clock.at(clock.moment(issued - 5, 10)):
        run = _prepare(town, actor, label, clock.day(due), parts)
        for draft in run.invoices.exclude(family__in=families):
            services.delete_draft(draft, actor=actor)
    with clock.at(clock.moment(issued, 10)):
        planning.issue_all(run, actor=actor, expected=planning.drafts_of(run).count())
        while issue_next():
            pass
    return {invoice.family_id: invoice for invoice in run.invoices.all()}


def leave_one_to_check(town: Town, clock: Clock, actor: User) -> None:
    """Those who were put off, drafted yesterday."""
    with clock.at(clock.moment(-1, 16)):
        _prepare(town, actor, "Compléments de l'année", clock.day(40), parts=PARTS)


def _prepare(town: Town, actor: User, label: str, due_on: dt.date, parts: int = 1) -> InvoiceRun:
    run = planning.plan(
        InvoiceRun(
            establishment=town.conservatoire,
            school_year=town.current,
            label=label,
            due_on=due_on,
            parts=parts,
        ),
        actor=actor,
    )
    while draft_next():
        pass
    return run
