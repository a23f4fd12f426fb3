"""The administration examines a dossier: each move is logged, told by mail, and final or not."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from documents.pieces import Piece
from reenrolment import emails
from reenrolment.enums import TO_EXAMINE, Status
from reenrolment.models import CourseChoice, Reenrolment, RequestedPiece
from reenrolment.pieces import load_pieces
from reenrolment.services.moves import lock, move
from reenrolment.services.submission import freeze, release_all
from students import services as students
from students import waiting
from students.enums import EnrolmentStatus
from students.models import Course, Slot


@transaction.atomic
def place(
    choice: CourseChoice,
    *,
    course: Course,
    slot: Slot | None = None,
    reason: str = "",
    actor=None,
) -> CourseChoice:
    """Seats the student for one line of the dossier, in a slot or in a course without slots.

    An earlier seat is given back once the new one is held. `reason`: why before those who wait for
    the slot, kept in its log. Raises ValidationError: `bad_transition` unless the dossier is to
    examine, `not_wanted`, `slot_required`, `wrong_year`, `wrong_establishment`, `wrong_course`,
    `reason_required` and `reason_too_long` (students.waiting.check_order), and the codes of
    students.services (`slot_full`, `already_enrolled`, `clash`…).
    """
    reenrolment = lock(choice.reenrolment)
    choice = reenrolment.choices.select_related("granted__place").get(pk=choice.pk)
    _check_placeable(reenrolment, choice, course, slot)
    before = choice.granted if choice.granted and choice.granted.is_live else None
    locked = students.lock_slots(_slot_pks(before, slot))
    if before is not None:  # before the offers that have ended, which `check_order` frees
        students.lock_enrolment(before)
    passing = {"ahead": True, "actor": actor}
    if slot is not None and slot.pk in locked:
        rule = reenrolment.campaign.waiting_rule
        passing["reason"] = waiting.check_order(
            reenrolment.student, locked[slot.pk], reason=reason, rule=rule
        )
    if before is not None and before.course_id == course.pk:
        if slot is not None:
            students.place(before, slot, **passing)
        return choice
    level = {"cycle": course.cycle}
    choice.granted = (
        students.claim(
            reenrolment.student, slot, leaving=before, even_closed=True, **level, **passing
        )
        if slot is not None
        else students.enrol_without_place(reenrolment.student, course, **level)
    )
    choice.save(update_fields=["granted"])
    if before is not None:
        students.release(before)
    return choice


@transaction.atomic
def request_complement(
    reenrolment: Reenrolment, *, pieces: list[Piece], until: dt.datetime, message: str = "", actor
) -> Reenrolment:
    """« Demander un complément »: the family may send exactly these pieces, until that moment.

    Raises ValidationError: `no_piece`, `not_lacking` for a piece that is neither missing nor
    refused, `past` for a moment already gone, `bad_transition`.
    """
    reenrolment = lock(reenrolment)
    if not pieces:
        raise ValidationError("Cochez au moins une pièce à redemander.", code="no_piece")
    lacking = {piece.key for piece in load_pieces(reenrolment) if piece.sets_top_rate}
    if any(piece.key not in lacking for piece in pieces):
        raise ValidationError(
            "Seule une pièce manquante ou refusée se redemande.", code="not_lacking"
        )
    if until <= timezone.now():
        raise ValidationError("Le délai doit être à venir.", code="past")
    reenrolment.complement_until = until
    transition = move(reenrolment, Status.INCOMPLETE, actor=actor, reason=message.strip())
    RequestedPiece.objects.bulk_create(
        RequestedPiece(transition=transition, document_type=piece.type, family=piece.family)
        for piece in pieces
    )
    emails.ask_complement(reenrolment, transition, pieces)
    return reenrolment


@transaction.atomic
def validate(reenrolment: Reenrolment, *, actor) -> Reenrolment:
    """« Valider la réinscription »: the coming year's enrolments are confirmed.

    A missing or refused piece does not forbid it: it sets `top_rate` (the manual, step 7). Raises
    ValidationError: `not_placed`, `bad_transition`.
    """
    reenrolment = lock(reenrolment)
    pieces = load_pieces(reenrolment)
    reenrolment.top_rate = any(piece.sets_top_rate for piece in pieces)
    transition = move(reenrolment, Status.VALIDATED, actor=actor)
    freeze(reenrolment, pieces)  # a piece sent for a complement that was not sent back counts
    wanted = list(choices_of(reenrolment).filter(wanted=True))
    unplaced = [c for c in wanted if c.granted is None or not c.granted.is_placed]
    if unplaced:
        names = ", ".join(f"«\u00a0{choice}\u00a0»" for choice in unplaced)
        raise ValidationError(f"Il reste à placer l'élève en {names}.", code="not_placed")
    for choice in sorted(wanted, key=lambda choice: choice.granted_id):
        if choice.granted.status == EnrolmentStatus.REQUESTED:  # not confirmed by hand already
            students.confirm(choice.granted)
    emails.tell_validated(reenrolment, transition)
    return reenrolment


@transaction.atomic
def refuse(reenrolment: Reenrolment, *, reason: str, actor) -> Reenrolment:
    """The places are given back. Raises ValidationError `reason_required`, `bad_transition`."""
    if not reason.strip():
        raise ValidationError("Dites à la famille pourquoi.", code="reason_required")
    reenrolment = lock(reenrolment)
    transition = move(reenrolment, Status.REFUSED, actor=actor, reason=reason.strip())
    release_all(reenrolment)
    emails.tell_refused(reenrolment, transition)
    return reenrolment


def choices_of(reenrolment: Reenrolment):
    """The lines of a dossier with all that says whether each is placed."""
    return reenrolment.choices.select_related(
        "enrolment__course", "granted__course", "granted__place__slot__course"
    )


def _check_placeable(reenrolment, choice, course, slot):
    if reenrolment.status not in TO_EXAMINE:
        raise ValidationError("Ce dossier n'est plus à examiner.", code="bad_transition")
    if not choice.wanted:
        raise ValidationError("La famille arrête ce cours.", code="not_wanted")
    if course.school_year_id != reenrolment.campaign.school_year_id:
        raise ValidationError("Ce cours n'est pas de l'année préparée.", code="wrong_year")
    if course.establishment_id != reenrolment.campaign.establishment_id:
        raise ValidationError("Ce cours est d'un autre établissement.", code="wrong_establishment")
    if slot is not None and slot.course_id != course.pk:
        raise ValidationError("Ce créneau n'est pas de ce cours.", code="wrong_course")
    if course.has_slots and slot is None:
        raise ValidationError("Choisissez un créneau.", code="slot_required")


def _slot_pks(granted, slot):
    return [
        *([granted.place.slot_id] if granted and granted.place_id else []),
        *([slot.pk] if slot else []),
    ]
