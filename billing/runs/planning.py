"""What an agent decides of a run. Lock order: the run, then its invoices, their household last."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import Establishment, User
from billing import services
from billing.enums import NEXT_RUN, InvoiceStatus, RunOutcome, RunState
from billing.models import Invoice, InvoiceRun, RunHousehold
from billing.runs import instalments, pricing
from billing.runs.comparing import billed_families
from billing.runs.rentals import rentals_of
from families.models import Family
from students.models import Custody, Enrolment

BATCH = 500  # rows of one INSERT
REDATED = [RunState.TO_CHECK, RunState.PAUSED, RunState.ISSUED]  # when dates may change
DATES = ["parts", "published_on", "due_on", "online_until", "counter_until"]


@transaction.atomic
def plan(run: InvoiceRun, *, actor: User) -> InvoiceRun:
    """Writes a new run and the households that it concerns; the queue then prices them.

    They are those of the year's enrolments, or of its rentals, and those billed already for it, in
    case they left.
    Under the establishment's lock, so that two runs of a year are told from one another. Raises
    ValidationError: `nobody`, `no_grid`, dates as `services.set_dates` says, a run under way.
    """
    run.created_by, run.state = actor, RunState.PREPARING
    Establishment.objects.select_for_update(no_key=True).get(pk=run.establishment_id)
    families = check(run)
    run.grid = None if run.is_of_rentals else pricing.grid_of(run)
    run.save()
    RunHousehold.objects.bulk_create(
        [RunHousehold(run=run, family_id=pk) for pk in families], batch_size=BATCH
    )
    return run


def check(run: InvoiceRun) -> list[int]:
    """The keys of the households of a run to be planned; raises ValidationError as `plan` does."""
    run.full_clean(exclude=["created_by", "grid"])
    _check_dates(run)
    if not run.is_of_rentals and pricing.grid_of(run) is None:
        raise ValidationError(
            "Aucune grille tarifaire n'est publiée pour cette année.", code="no_grid"
        )
    families = households_of(run)
    if not families:
        what = "location" if run.is_of_rentals else "inscription"
        raise ValidationError(f"Aucune {what} de cette année n'est à facturer ici.", code="nobody")
    return families


def households_of(run: InvoiceRun) -> list[int]:
    """The keys of the households concerned, in the order of their names."""
    concerned = rentals_of(run) if run.is_of_rentals else _custodies_of(run)
    families = Family.objects.filter(
        Q(pk__in=concerned.order_by().values("family"))
        | Q(pk__in=billed_families(run).order_by().values("family"))
    )
    return list(families.order_by("sort_name", "pk").values_list("pk", flat=True))


def _custodies_of(run):
    enrolments = Enrolment.objects.filter(
        student=OuterRef("student"),
        course__establishment=run.establishment_id,
        course__school_year=run.school_year_id,
        status__in=run.statuses,
    )
    return Custody.objects.filter(Exists(enrolments))


@transaction.atomic
def redate(run: InvoiceRun, *, actor: User, **dates: dt.date | int | None) -> InvoiceRun:
    """Other dates (see DATES), for the run and for all its drafts, even those changed by hand.

    Until it is issued, and again for what was refused. A household that chose in how many parts it
    pays keeps its choice.
    """
    run = _lock(run)
    if run.state not in REDATED:
        raise ValidationError(
            "Les dates se changent une fois les brouillons préparés, quand rien n'est en route.",
            code="bad_transition",
        )
    for name in DATES:
        setattr(run, name, dates[name])
    run.full_clean()
    _check_dates(run)
    run.save(update_fields=DATES)
    run.invoices.filter(status=InvoiceStatus.DRAFT).update(**{name: dates[name] for name in DATES})
    instalments.respect(run)
    return run


@transaction.atomic
def abandon(run: InvoiceRun, *, actor: User) -> InvoiceRun:
    """Its drafts go, by the queue; what is issued stays. Refuses a run that is issuing: stop it."""
    return _move(run, RunState.ABANDONED)


@transaction.atomic
def issue_all(run: InvoiceRun, *, actor: User, expected: int) -> InvoiceRun:
    """Lets the queue issue its drafts; those refused the last time are tried anew.

    `expected`: how many the page announced. Raises ValidationError: `changed` when there are more
    or fewer now, `nothing`, dates as `services.set_dates` says, `bad_transition`.
    """
    run = _lock(run)
    _check_move(run, RunState.ISSUING)
    run.households.filter(outcome=RunOutcome.REFUSED).update(
        outcome=RunOutcome.DRAFTED, sentence=""
    )
    count = drafts_of(run).count()
    if not count:
        raise ValidationError("Aucun brouillon n'est à émettre.", code="nothing")
    if count != expected:
        raise ValidationError(
            f"La page annonçait {expected} factures, elles sont {count}\u00a0: relisez-la avant"
            " d'émettre.",
            code="changed",
        )
    _check_dates(run)
    return _move(run, RunState.ISSUING, issued_by=actor, issued_at=timezone.now(), ended_at=None)


@transaction.atomic
def stop(run: InvoiceRun, *, actor: User) -> InvoiceRun:
    """The invoice under way is finished, the next ones wait."""
    return _move(run, RunState.PAUSED)


def drafts_of(run: InvoiceRun):
    """The drafts of the run, whether or not one was refused."""
    return Invoice.objects.filter(run=run, status=InvoiceStatus.DRAFT)


def _move(run, state, **changes):
    run = _lock(run)
    _check_move(run, state)
    for name, value in {"state": state, **changes}.items():
        setattr(run, name, value)
    run.full_clean()
    run.save(update_fields=["state", *changes])
    return run


def _check_move(run, state):
    if state not in NEXT_RUN[RunState(run.state)]:
        raise ValidationError("Action déjà faite ou impossible.", code="bad_transition")


def _lock(run):
    return InvoiceRun.objects.select_for_update(of=["self"], no_key=True).get(pk=run.pk)


def _check_dates(run):
    """As an invoice of these dates would be refused, once and before there are thousands."""
    services.set_dates(Invoice(**{name: getattr(run, name) for name in DATES}))
