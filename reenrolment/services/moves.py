"""The state machine of a dossier: one lock, one move, one line in the log."""

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from accounts.prepared import prepared
from reenrolment.enums import DECIDED, NEXT, Status
from reenrolment.models import Reenrolment, Transition


def lock(reenrolment: Reenrolment) -> Reenrolment:
    """A fresh row, held until the end of the transaction: the caller's copy may be stale."""
    found = _locked(reenrolment.pk)
    if not found:
        raise Reenrolment.DoesNotExist
    return found[0]


@prepared
def _locked(pk: int) -> QuerySet[Reenrolment]:
    related = ["campaign__establishment", "campaign__school_year", "campaign__terms", "student"]
    dossiers = Reenrolment.objects.filter(pk=pk).select_related(*related)
    return dossiers.select_for_update(of=["self"])


def check_move(reenrolment: Reenrolment, to: Status, *, only_from: Status | None = None) -> None:
    """Raises ValidationError `bad_transition` when the state of a locked dossier forbids the move.

    A double click, an old tab, the other parent, a colleague.
    """
    if to not in NEXT[reenrolment.status] or only_from not in (None, reenrolment.status):
        raise ValidationError(
            f"Ce dossier est maintenant «\u00a0{Status(reenrolment.status).label}\u00a0»\u00a0: "
            "l'action n'est plus possible.",
            code="bad_transition",
        )


def move(reenrolment: Reenrolment, to: Status, *, actor, reason: str = "") -> Transition:
    """Moves a locked dossier and logs it. The dates that depend on the state follow it.

    `submitted_by`, `terms` and `complement_until` are the caller's to set before. Raises
    ValidationError as `check_move`.
    """
    check_move(reenrolment, to)
    before = reenrolment.status
    now = timezone.now()
    reenrolment.status = to
    reenrolment.submitted_at = {Status.SUBMITTED: now, Status.DRAFT: None}.get(
        to, reenrolment.submitted_at
    )
    reenrolment.decided_at, reenrolment.decided_by = (now, actor) if to in DECIDED else (None, None)
    if to != Status.INCOMPLETE:
        reenrolment.complement_until = None
    reenrolment.save()
    return Transition.objects.create(
        reenrolment=reenrolment, from_status=before, to_status=to, actor=actor, reason=reason
    )
