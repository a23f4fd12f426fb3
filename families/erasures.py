"""« Demander l'effacement »: asked by a household, answered by the direction within a month.

Erasing runs the apps' parts (families/holdings.py) in one transaction, the household locked, the
right-most first: that is the order of the locks. The files go after the commit
(families/files_to_delete.py).
"""

import calendar
import datetime as dt
import logging

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts import emails, mails
from accounts.enums import MailKind
from accounts.mails import MAX_ATTEMPTS
from accounts.models import Mail, User
from accounts.personal_data import empty_mails
from families.enums import ErasureState, Fate
from families.holdings import NOT_A_GUARDIAN, Holding, counts_of, fingerprint_of, holdings, parts
from families.models import Erasure, ErasureRequest, Family, Guardian
from families.services import HOUSEHOLD_GONE, lock_families

security = logging.getLogger("accounts.security")

ASKED, ANSWERED = "asked", "answered"
TEMPLATES = {ASKED: "erasure_asked", ANSWERED: "erasure_answered"}


@transaction.atomic
def ask(family: Family, *, text: str, actor: User) -> ErasureRequest:
    """A request, acknowledged by mail to each guardian of the household.

    The actor is one of them, or the agent who writes down what came by letter.
    Raises ValidationError `already_open`: one at a time; `not_a_guardian` when he is not one now;
    `household_gone` when it was absorbed by its double while he waited.
    """
    # The household's row keeps two tabs, or both parents, from asking at the same time.
    if not lock_families([family.pk]):
        raise ValidationError(HOUSEHOLD_GONE, code="household_gone")
    if not (actor.is_staff or family.guardians.filter(user=actor).exists()):
        raise ValidationError(NOT_A_GUARDIAN, code="not_a_guardian")
    if family.erasure_requests.filter(state=ErasureState.OPEN).exists():
        raise ValidationError(
            "Une demande d'effacement est déjà en cours pour votre foyer.", code="already_open"
        )
    request = ErasureRequest(family=family, asked_by=actor, asked_at=timezone.now(), text=text)
    request.full_clean()
    request.save()
    _tell(request, ASKED, _reached(family))
    return request


@transaction.atomic
def erase(
    request: ErasureRequest, *, answer: str = "", expected: str, actor: User
) -> ErasureRequest:
    """« Effacer ce qui peut l'être »: all that the preview announced, or nothing.

    `expected` is the preview's `fingerprint_of`. Raises ValidationError `decided` (a colleague, a
    double click), `changed` when there is more or less to erase now, `obstacle`.
    """
    request = _lock_open(request)
    lock_families([request.family_id])  # a piece on its way is here by now, or will be refused
    found = holdings(request.family)
    if fingerprint_of(found) != expected:
        raise ValidationError(
            "Ce qui est gardé de ce foyer a changé\u00a0: relisez la page avant d'effacer.",
            code="changed",
        )
    reached = _reached(request.family)
    establishment = _establishment(request)
    for part in reversed(parts()):
        part.erase(request.family)
    kept = [holding for holding in found if holding.fate == Fate.KEPT]
    state = ErasureState.PARTLY if kept else ErasureState.DONE
    request.refresh_from_db(fields=["family", "text"])
    _decide(request, state, answer=answer, actor=actor)
    Erasure.objects.create(
        request=request, actor=actor, at=request.decided_at, counts=counts_of(found)
    )
    # The last mail: `forget_answers` empties it too, once it has left.
    _tell(request, ANSWERED, reached, kept=kept, establishment=establishment)
    security.info("Household %s erased by %s", request.family_id, actor.username)
    return request


@transaction.atomic
def answer(
    request: ErasureRequest, *, state: ErasureState, answer: str, actor: User
) -> ErasureRequest:
    """Refuses, or says what was done by hand: nothing is erased here.

    Raises ValidationError `decided`, `answer_required`.
    """
    if state not in (ErasureState.REFUSED, ErasureState.PARTLY):
        raise ValueError(f"Not an answer: {state}")
    if not answer.strip():
        raise ValidationError(
            "Dites à la famille pourquoi, ou ce qui a été fait.", code="answer_required"
        )
    request = _lock_open(request)
    _decide(request, state, answer=answer, actor=actor)
    _tell(request, ANSWERED, _reached(request.family))
    return request


def forget_answers() -> int:
    """Empties the answers to erased households that have left, or never will; every night."""
    erased = Erasure.objects.values_list("request", flat=True)
    keys = [f"{MailKind.ERASURE}:{pk}:{ANSWERED}:" for pk in erased]
    mails = Mail.objects.filter(kind=MailKind.ERASURE).exclude(to="")
    done = [
        mail.pk
        for mail in mails
        if mail.key.startswith(tuple(keys)) and (mail.sent_at or mail.attempts >= MAX_ATTEMPTS)
    ]
    empty_mails(Mail.objects.filter(pk__in=done))
    return len(done)


def answer_before(request: ErasureRequest) -> dt.date:
    """One month after it was asked (RGPD, article 12.3): the same day, or the month's last."""
    asked = timezone.localdate(request.asked_at)
    year, month = divmod(asked.year * 12 + asked.month, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(asked.day, last))


def other_guardians(request: ErasureRequest) -> list[Guardian]:
    """Those whose data go too, and whose agreement the site does not know."""
    return list(request.family.guardians.exclude(user=request.asked_by_id))


def _lock_open(request):
    request = (
        ErasureRequest.objects.select_for_update(of=["self"])
        .select_related("family__commune", "asked_by")
        .get(pk=request.pk)
    )
    if not request.is_open:
        raise ValidationError("Cette demande vient d'être traitée.", code="decided")
    return request


def _decide(request, state, *, answer, actor):
    request.state, request.answer = state, answer.strip()
    request.decided_at, request.decided_by = timezone.now(), actor
    request.full_clean(exclude=["family", "asked_by", "decided_by"])
    request.save(update_fields=["state", "answer", "decided_at", "decided_by"])


def _reached(family) -> list[Guardian]:
    """As they are now: an erasure empties the rows, not what was read before it."""
    return list(family.guardians.exclude(email="").order_by("pk"))


def _establishment(request):
    return request.asked_by.establishments.order_by("name").first()


def _tell(request, move, guardians, *, kept: list[Holding] = (), establishment=None):
    context = {
        "request": request,
        "before": answer_before(request),
        "kept": kept,
        "is_by_letter": not request.family.guardians.filter(user=request.asked_by_id).exists(),
        "is_erased": hasattr(request, "erasure"),
        "is_refused": request.state == ErasureState.REFUSED,
        "establishment": establishment or _establishment(request),
        "url": settings.SITE_URL + reverse("families:my_data"),
    }
    for guardian in guardians:
        own = {"guardian": guardian, "is_asker": guardian.user_id == request.asked_by_id}
        subject, body = emails.compose(TEMPLATES[move], context | own)
        key = f"{request.pk}:{move}:{guardian.pk}"
        mails.queue(MailKind.ERASURE, key=key, to=guardian.email, subject=subject, body=body)
