"""What became of the mails of a launch: figures, lines by state, letters to print."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, TextChoices

from accounts import mails
from families.models import Family, Guardian
from reenrolment.models import Launch, LaunchMail


class State(TextChoices):
    """The states of a line; the values are read in the address of the page."""

    TO_DO = "a-preparer", "à préparer"
    WAITING = "en-attente", "en attente d'envoi"
    SENT = "envoye", "envoyé"
    FAILED = "echec", "en échec"
    NO_EMAIL = "sans-adresse", "sans adresse e-mail"


PREPARED = Q(prepared_at__isnull=False)
CONDITIONS = {
    State.TO_DO: ~PREPARED,
    State.WAITING: Q(mail__sent_at=None, mail__last_error="", mail__isnull=False),
    State.SENT: Q(mail__sent_at__isnull=False),
    State.FAILED: ~Q(problem="") | Q(mail__sent_at=None, mail__last_error__gt=""),
    State.NO_EMAIL: PREPARED & Q(mail=None, problem=""),
}


@dataclass(frozen=True)
class Progress:
    """How many responsables, in all and by state."""

    total: int
    counts: dict[State, int]

    @property
    def is_finished(self) -> bool:
        """Is there nothing left to prepare nor to try for the first time?"""
        return not (self.counts[State.TO_DO] or self.counts[State.WAITING])


def progress_of(launch: Launch) -> Progress:
    """One query."""
    counts = launch.launch_mails.order_by().aggregate(
        total=Count("pk"),
        **{state.name: Count("pk", filter=condition) for state, condition in CONDITIONS.items()},
    )
    return Progress(counts["total"], {state: counts[state.name] for state in State})


def lines_of(launch: Launch, *, state: State | None = None) -> QuerySet[LaunchMail]:
    """The lines in this state, by household."""
    lines = launch.launch_mails.select_related("guardian__family", "guardian__user", "mail")
    return lines.filter(CONDITIONS[state]) if state else lines


def state_of(line: LaunchMail) -> State:
    """The same as CONDITIONS, for a line that was read with its mail."""
    if line.prepared_at is None:
        return State.TO_DO
    if line.problem:
        return State.FAILED
    if line.mail is None:
        return State.NO_EMAIL
    if line.mail.sent_at:
        return State.SENT
    return State.FAILED if line.mail.last_error else State.WAITING


def detail_of(line: LaunchMail) -> str:
    """Why it did not leave, and whether it is tried again."""
    if line.mail is None or line.mail.sent_at or not line.mail.last_error:
        return line.problem
    given_up = line.mail.attempts >= mails.MAX_ATTEMPTS
    return f"{'Abandonné' if given_up else 'Nouvel essai prévu'}\u00a0: {line.mail.last_error}"


def families_to_write_to(launch: Launch) -> QuerySet[Family]:
    """Those whom no e-mail reaches, once their accounts are there."""
    lines = launch.launch_mails.order_by()
    reached = Guardian.objects.exclude(email="").order_by()
    return (
        Family.objects.filter(pk__in=lines.values("guardian__family"))
        .exclude(pk__in=lines.filter(prepared_at=None).values("guardian__family"))
        .exclude(pk__in=reached.values("family"))
        .order_by("sort_name", "pk")
    )
