"""What an agent decides before the pages of a piece: a verdict, and what he read on it.

Two agents may look at one piece: each says what he saw, and the second is told what happened.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.dates import moment
from documents import services
from documents.enums import RefusalReason, Verdict
from documents.models import AUTOMATIC, Document, Reading, Review

VERBS = {Verdict.ACCEPTED: "a accepté", Verdict.REFUSED: "a refusé"}


@dataclass(frozen=True)
class Noted:
    """What the agent read on the pages, or confirmed of what was read for him."""

    issued_on: dt.date | None
    quotient: Decimal | None  # euros
    quotient_month: dt.date | None  # its first day


def seen_of(document: Document) -> str:
    """What a page shows of a piece, for the form that it holds to send back."""
    return _seen(_last_review(document), _reading(document))


@transaction.atomic
def accept(document: Document, *, seen: str, noted: Noted | None = None, actor) -> None:
    """Accepts a piece as it was seen, and writes what was noted with it.

    Raises ValidationError `stale` if a colleague was faster, or the codes of services.accept.
    """
    _check_seen(document, seen)
    if noted is not None:
        _note(document, noted, actor)
    services.accept(document, actor=actor)


@transaction.atomic
def refuse(
    document: Document, *, seen: str, reason: RefusalReason, comment: str = "", actor
) -> None:
    """Raises ValidationError `stale`, or the codes of services.refuse."""
    _check_seen(document, seen)
    services.refuse(document, reason=reason, comment=comment, actor=actor)


@transaction.atomic
def note(document: Document, *, seen: str, noted: Noted, actor) -> None:
    """Writes what was read, and decides nothing. Raises ValidationError `stale`, or the fields'."""
    _check_seen(document, seen)
    _note(document, noted, actor)


def _check_seen(document, seen):
    """Locks the piece, so that what was checked is true until the end of the transaction."""
    if Document.objects.select_for_update().filter(pk=document.pk).first() is None:
        raise ValidationError("La famille vient de retirer cette pièce.", code="stale")
    review, reading = _last_review(document), _reading(document)
    if _seen(review, reading) == seen:
        return
    raise ValidationError(f"{_happened(review, reading, seen)} Relisez avant de décider.", "stale")


def _note(document, noted, actor):
    reading = Reading.objects.filter(document=document).first() or Reading(document=document)
    reading.issued_on = noted.issued_on
    reading.quotient = noted.quotient
    reading.quotient_month = noted.quotient_month
    reading.confirmed_by, reading.confirmed_at = actor, timezone.now()
    reading.full_clean()
    reading.save()


def _seen(review, reading):
    noted = reading.confirmed_at.timestamp() if reading and reading.is_confirmed else 0
    return f"{review.pk if review else 0}-{noted}"


def _happened(review, reading, seen):
    if review and not seen.startswith(f"{review.pk}-"):
        why = services.sentence(review.reason, review.comment)
        said = f" ({why.rstrip('.')})" if why else ""
        verb = VERBS[review.verdict]
        who = f"Le {AUTOMATIC}" if review.is_automatic else review.signed
        return f"{who} {verb} cette pièce le {moment(review.at)}{said}."
    if reading and reading.is_confirmed:
        agent, at = reading.confirmed_by, moment(reading.confirmed_at)
        name = agent.get_full_name() or agent.get_username()
        return f"{name} a noté ce que dit cette pièce le {at}."
    return "Cette pièce a changé depuis l'ouverture de la page."


def _last_review(document):
    return Review.objects.filter(document=document).select_related("actor").first()


def _reading(document):
    return Reading.objects.filter(document=document).select_related("confirmed_by").first()
