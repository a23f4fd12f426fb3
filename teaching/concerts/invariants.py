"""What must stay true of the concerts (`manage.py check_invariants`)."""

from collections.abc import Iterator

from django.db.models import F
from django.utils import timezone

from teaching.enums import ConcertState
from teaching.models import ConcertPerformer


def concerts() -> Iterator[str]:
    """Of one announced and to come nobody plays untold; who plays is of its year and its site."""
    performers = ConcertPerformer.objects.select_related(
        "turn__concert", "enrolment__student", "enrolment__course"
    ).order_by("pk")
    untold = performers.filter(
        told_at=None,
        turn__concert__state=ConcertState.PUBLISHED,
        turn__concert__starts_at__gt=timezone.now(),
    )
    for performer in untold:
        concert = performer.turn.concert
        yield f"{performer} joue à «\u00a0{concert}\u00a0» sans que sa famille soit prévenue."
    astray = performers.exclude(
        enrolment__course__school_year=F("turn__concert__school_year"),
        enrolment__course__establishment=F("turn__concert__establishment"),
    ).filter(turn__concert__state=ConcertState.PUBLISHED)
    for performer in astray:
        concert = performer.turn.concert
        yield (
            f"{performer} joue à «\u00a0{concert}\u00a0» pour un cours d'une autre année ou d'un"
            " autre site."
        )
