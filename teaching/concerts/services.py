"""Every write on concerts, under the lock of the concert's row; mails in the same transaction."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.dates import moment
from accounts.models import User
from students import repertoire
from students.models import Enrolment, SchoolYear, Teacher
from teaching.concerts import emails
from teaching.enums import NEXT_CONCERT, ConcertAct, ConcertState
from teaching.models import Concert, ConcertPerformer, ConcertTurn

CLOSED = "Les propositions pour cette audition sont closes."
# Names what a performer's piece came by: recorded again, it is written once (students/repertoire).
RECORDED = uuid.UUID("6e2f6f52-9f0c-4b60-9d0f-2f9a3b2c7c11")


@dataclass(frozen=True)
class Turn:
    """What a teacher types of one turn."""

    composer: str
    title: str
    minutes: int
    movement: str = ""
    accompanist: str = ""


@transaction.atomic
def save(concert: Concert, *, actor: User) -> Concert:
    """Writes what an agent typed; the families of one that was announced are told, once, if its
    hour or its place changes.

    Raises ValidationError: on `starts_at` without a school year that holds it, or moved into the
    past; `cancelled`.
    """
    before = Concert.objects.select_for_update().filter(pk=concert.pk).first()
    if before and before.is_cancelled:
        raise ValidationError("Cette audition est annulée.", code="cancelled")
    concert.school_year = year_of(concert)
    for name in ("state", "published_at", "recorded_at", "revision", "cancel_reason"):
        if before:  # the page may be older than these
            setattr(concert, name, getattr(before, name))
    is_moved = (
        before is not None
        and before.state == ConcertState.PUBLISHED
        and (before.starts_at, before.place) != (concert.starts_at, concert.place)
    )
    if is_moved and concert.is_past and before.starts_at != concert.starts_at:
        raise ValidationError(
            {"starts_at": "Une audition annoncée ne se déplace pas dans le passé."}
        )
    concert.revision += is_moved
    concert.save()
    if is_moved:
        said = f"{_where(before)} → {_where(concert)}"
        concert.moves.create(act=ConcertAct.MOVED, actor=actor, said=said[:400])
        if not concert.is_past:
            emails.tell_moved(concert, before)
    return concert


@transaction.atomic
def publish(concert: Concert, *, actor: User) -> Concert:
    """Announces it: one mail to each responsable of those who play.

    Raises ValidationError: `bad_transition`, `past`, `empty` (nobody plays), `nobody` (a turn
    without anybody).
    """
    concert = _lock(concert)
    _check_next(concert, ConcertState.PUBLISHED)
    if concert.is_past:
        raise ValidationError("La date de cette audition est passée.", code="past")
    turns = list(concert.turns.prefetch_related("performers"))
    if not turns:
        raise ValidationError("Le programme est vide\u00a0: personne ne joue.", code="empty")
    alone = [turn for turn in turns if not turn.performers.all()]
    if alone:
        raise ValidationError(
            "«\u00a0%(turn)s\u00a0» n'a aucun interprète\u00a0: choisissez-en un, ou supprimez ce"
            " passage.",
            code="nobody",
            params={"turn": alone[0]},
        )
    concert.state, concert.published_at = ConcertState.PUBLISHED, timezone.now()
    concert.save(update_fields=["state", "published_at"])
    concert.moves.create(act=ConcertAct.PUBLISHED, actor=actor)
    _tell_new(concert)
    return concert


@transaction.atomic
def cancel(concert: Concert, *, reason: str, actor: User) -> Concert:
    """The families of those who were to play are told, with the reason.

    Raises ValidationError: `bad_transition`, `past`.
    """
    concert = _lock(concert)
    _check_next(concert, ConcertState.CANCELLED)
    if concert.is_past:
        raise ValidationError("Cette audition a déjà eu lieu.", code="past")
    concert.state, concert.cancel_reason = ConcertState.CANCELLED, reason
    concert.save(update_fields=["state", "cancel_reason"])
    concert.moves.create(act=ConcertAct.CANCELLED, actor=actor, said=reason)
    emails.tell_cancelled(concert)
    return concert


@transaction.atomic
def record(concert: Concert, *, actor: User) -> int:
    """Writes what was played to each performer's repertoire; gives how many pieces.

    Again, it writes what is new on the programme and nothing twice. Raises ValidationError:
    `not_played` (not announced, cancelled, or to come).
    """
    concert = _lock(concert)
    if concert.state != ConcertState.PUBLISHED or not concert.is_past:
        raise ValidationError(
            "Une audition s'inscrit aux répertoires une fois qu'elle a eu lieu.",
            code="not_played",
        )
    played_on = timezone.localdate(concert.starts_at)
    count = 0
    for turn in _turns(concert):
        played = repertoire.Played(
            turn.composer, turn.title, turn.movement, concert.title, played_on
        )
        enrolments = [performer.enrolment for performer in turn.performers.all()]
        if enrolments:
            sending = uuid.uuid5(RECORDED, str(turn.pk))
            count += len(
                repertoire.add(played, enrolments, teacher=turn.proposed_by, sending=sending)
            )
    if concert.recorded_at is None:
        concert.recorded_at = timezone.now()
        concert.save(update_fields=["recorded_at"])
        concert.moves.create(act=ConcertAct.RECORDED, actor=actor)
    return count


def next_position(concert: Concert) -> int:
    """The rank after the last one of the programme."""
    return (concert.turns.aggregate(last=Max("position"))["last"] or 0) + 1


@transaction.atomic
def propose(
    concert: Concert,
    typed: Turn,
    enrolments: Collection[Enrolment],
    *,
    teacher: Teacher,
    sending: uuid.UUID,
) -> ConcertTurn:
    """A teacher's turn, at the end of the programme; the same sending makes one.

    Raises ValidationError `closed`.
    """
    concert = _lock_open(concert)
    turn, is_new = ConcertTurn.objects.get_or_create(
        concert=concert,
        sending=sending,
        defaults={"position": next_position(concert), "proposed_by": teacher, **vars(typed)},
    )
    if is_new:
        _set_performers(turn, enrolments)
    return turn


@transaction.atomic
def correct(
    turn: ConcertTurn, typed: Turn, enrolments: Collection[Enrolment], *, edition: int
) -> ConcertTurn:
    """A teacher's correction, while proposals are open.

    Raises ValidationError: `closed`, `gone`, `stale` (`params` has `current`).
    """
    _lock_open(turn.concert)
    row = ConcertTurn.objects.filter(pk=turn.pk).first()
    if row is None:
        raise ValidationError("Ce passage a été retiré entre-temps.", code="gone")
    if row.edition != edition:
        raise ValidationError(
            "Ce passage a été modifié entre-temps, depuis une autre page\u00a0:"
            " «\u00a0%(other)s\u00a0». Votre saisie est gardée ci-dessous\u00a0; enregistrer de"
            " nouveau remplacera l'autre version.",
            code="stale",
            params={"other": str(row), "current": row.edition},
        )
    for name, value in vars(typed).items():
        setattr(row, name, value)
    row.edition += 1
    row.save()
    _set_performers(row, enrolments)
    return row


@transaction.atomic
def withdraw(turn: ConcertTurn) -> None:
    """A teacher's, while proposals are open. Raises ValidationError `closed`."""
    _lock_open(turn.concert)
    ConcertTurn.objects.filter(pk=turn.pk).delete()


@transaction.atomic
def programme_changed(concert: Concert, *, gone: Iterable[ConcertPerformer] = ()) -> None:
    """To be called once an agent changed the programme: of one that was announced, whoever comes
    in is told, and whoever was told and no longer plays at all (`gone`: as they were)."""
    concert = _lock(concert)
    if concert.state != ConcertState.PUBLISHED or concert.is_past:
        return
    still = set(
        ConcertPerformer.objects.filter(turn__concert=concert).values_list(
            "enrolment__student", flat=True
        )
    )
    emails.tell_withdrawn(
        concert,
        [each for each in gone if each.told_at and each.enrolment.student_id not in still],
    )
    _tell_new(concert)


def year_of(concert: Concert) -> SchoolYear:
    """The one that holds its day. Raises ValidationError on `starts_at`."""
    day = timezone.localdate(concert.starts_at)
    year = SchoolYear.objects.filter(starts_on__lte=day, ends_on__gte=day).first()
    if year is None:
        raise ValidationError({"starts_at": "Aucune année scolaire ne contient cette date."})
    return year


def _lock(concert):
    return (
        Concert.objects.select_related("establishment", "school_year")
        .select_for_update(of=["self"])
        .get(pk=concert.pk)
    )


def _lock_open(concert):
    concert = _lock(concert)
    if not Concert.objects.open_to_proposals().filter(pk=concert.pk).exists():
        raise ValidationError(CLOSED, code="closed")
    return concert


def _check_next(concert, state):
    if state not in NEXT_CONCERT[concert.state]:
        raise ValidationError("Action déjà faite ou impossible.", code="bad_transition")


def _turns(concert):
    return concert.turns.select_related("proposed_by").prefetch_related(
        "performers__enrolment__student", "performers__enrolment__course__school_year"
    )


def _set_performers(turn, enrolments):
    wanted = {each.pk for each in enrolments}
    turn.performers.exclude(enrolment__in=wanted).delete()
    known = set(turn.performers.values_list("enrolment", flat=True))
    ConcertPerformer.objects.bulk_create(
        ConcertPerformer(turn=turn, enrolment_id=pk) for pk in sorted(wanted - known)
    )


def _tell_new(concert):
    new = list(
        ConcertPerformer.objects.filter(turn__concert=concert, told_at=None)
        .select_related("turn", "enrolment__student")
        .order_by("turn__position", "turn", "pk")
    )
    emails.tell_published(concert, new)
    keys = [each.pk for each in new]
    ConcertPerformer.objects.filter(pk__in=keys).update(told_at=timezone.now())


def _where(concert):
    return f"{moment(concert.starts_at)}, {concert.place}"
