"""The family submits its dossier, completes it, withdraws it or takes it up again."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from documents.models import Document
from documents.pieces import Piece, lacking
from families.models import Family
from reenrolment import emails, payment
from reenrolment.enums import Status
from reenrolment.models import Reenrolment, SuppliedPiece, Terms
from reenrolment.pieces import demand_of, load_pieces
from reenrolment.readiness import fingerprint_of, unanswered
from reenrolment.rows import any_dance, load_rows
from reenrolment.services.drafts import check_open, hold_places
from reenrolment.services.moves import check_move, lock, move
from students import services as students
from students import waiting_moves
from students.enums import WaitingState
from students.models import Course, WaitingEntry
from students.suitability import coming_level

# The codes after which the family picks another slot.
GONE = {"slot_full", "slot_awaited", "slot_closed", "not_suited"}


@transaction.atomic
def submit(
    reenrolment: Reenrolment,
    *,
    actor,
    terms: Terms,
    fingerprint: str,
    pays: tuple[Family, int] | None = None,
) -> Reenrolment:
    """« Valider »: claims all the places or none, freezes the pieces, writes the mails.

    A place still held is the student's; one whose time is over is claimed like any other.

    `pays`: the household that chose in how many parts it pays, and how many.

    `fingerprint` is what `fingerprint_of` gave for the recap that was read. Raises
    ValidationError, and nothing is submitted: `closed`, `not_open`, `bad_transition`,
    `terms_changed`, `changed` (somebody changed the dossier since the recap), `not_ready`
    (see `unanswered`), one of GONE (one message for each place that is gone, or is not for the
    student any more).
    """
    reenrolment = lock(reenrolment)
    check_move(reenrolment, Status.SUBMITTED, only_from=Status.DRAFT)  # see `complete`
    check_open(reenrolment.campaign, reenrolment.student)
    if terms.pk != reenrolment.campaign.terms_id:
        raise ValidationError(
            "Les conditions générales ont changé\u00a0: relisez-les avant de valider.",
            code="terms_changed",
        )
    rows = load_rows(reenrolment)
    pieces = load_pieces(reenrolment, dances=any_dance(rows))
    if fingerprint_of(reenrolment, rows, pieces) != fingerprint:
        raise ValidationError(
            "Le dossier a été modifié depuis ce récapitulatif\u00a0: relisez-le avant de valider.",
            code="changed",
        )
    reenrolment.submitted_by, reenrolment.terms = actor, terms
    reenrolment.missing_pieces = sum(piece.is_missing for piece in lacking(pieces))
    transition = move(reenrolment, Status.SUBMITTED, actor=actor)
    if found := unanswered(reenrolment, rows):
        raise ValidationError([ValidationError(message, code="not_ready") for _, message in found])
    _claim_all(reenrolment, [row for row in rows if row.choice.wanted])
    freeze(reenrolment, pieces)
    emails.acknowledge(reenrolment, transition, pieces)
    if pays:
        family, parts = pays
        payment.choose(reenrolment.campaign, family, parts, actor=actor)
    return reenrolment


@transaction.atomic
def complete(reenrolment: Reenrolment, *, actor) -> Reenrolment:
    """Sends the dossier again with the pieces asked for; the courses stay as they were.

    Raises ValidationError: `bad_transition`, `too_late` after `complement_until`, `not_ready`
    while a piece asked for is not there.
    """
    reenrolment = lock(reenrolment)
    check_complement(reenrolment)
    pieces = load_pieces(reenrolment)
    asked = {row.key for row in demand_of(reenrolment)}
    still = lacking([piece for piece in pieces if piece.key in asked])
    if still:
        names = ", ".join(f"«\u00a0{piece.type}\u00a0»" for piece in still)
        raise ValidationError(f"Il manque encore\u00a0: {names}.", code="not_ready")
    reenrolment.submitted_by = actor
    reenrolment.missing_pieces = sum(piece.is_missing for piece in lacking(pieces))
    transition = move(reenrolment, Status.SUBMITTED, actor=actor)
    freeze(reenrolment, pieces)
    emails.acknowledge(reenrolment, transition, pieces)
    return reenrolment


@transaction.atomic
def withdraw(reenrolment: Reenrolment, *, actor, reason: str = "") -> Reenrolment:
    """Gives the places back; raises ValidationError `bad_transition` once it is decided."""
    reenrolment = lock(reenrolment)
    transition = move(reenrolment, Status.WITHDRAWN, actor=actor, reason=reason)
    release_all(reenrolment)
    emails.tell_withdrawn(reenrolment, transition)
    return reenrolment


@transaction.atomic
def take_up(reenrolment: Reenrolment, *, actor) -> Reenrolment:
    """A withdrawn dossier becomes a draft again, and holds its slots if it can.

    Raises ValidationError `closed` outside the period, `bad_transition`.
    """
    reenrolment = lock(reenrolment)
    check_open(reenrolment.campaign, reenrolment.student)
    reenrolment.submitted_by = reenrolment.terms = None
    reenrolment.missing_pieces = 0
    move(reenrolment, Status.DRAFT, actor=actor)
    reenrolment.choices.update(granted=None)
    hold_places(reenrolment)
    return reenrolment


def check_complement(reenrolment: Reenrolment) -> None:
    """Raises ValidationError `bad_transition` if nothing is asked for, `too_late` past the date."""
    if reenrolment.status != Status.INCOMPLETE:
        raise ValidationError("Aucun complément n'est demandé.", code="bad_transition")
    if timezone.now() >= reenrolment.complement_until:
        raise ValidationError(
            "Le délai pour compléter ce dossier est passé\u00a0: l'administration va l'examiner "
            "tel qu'il est.",
            code="too_late",
        )


def release_all(reenrolment: Reenrolment) -> None:
    """Gives back what the dossier was granted, in the order of the locks; it waits no more."""
    granted = [c.granted for c in reenrolment.choices.select_related("granted__place")]
    granted = [enrolment for enrolment in granted if enrolment and enrolment.is_live]
    students.lock_slots([e.place.slot_id for e in granted if e.place_id])
    for enrolment in sorted(granted, key=lambda enrolment: enrolment.pk):
        students.release(enrolment)
    prepared = Course.objects.filter(
        establishment=reenrolment.campaign.establishment_id,
        school_year=reenrolment.campaign.school_year_id,
    )
    # Those of a course that was proposed once, too: no enrolment ends them.
    left = WaitingEntry.objects.live().filter(student=reenrolment.student, course__in=prepared)
    for entry in waiting_moves.lock(left):
        why = f"Le dossier est {reenrolment.get_status_display()}."
        waiting_moves.move(entry, WaitingState.LEFT, reason=why)


def freeze(reenrolment: Reenrolment, pieces: list[Piece]) -> None:
    """The documents of the dossier, whatever is uploaded later."""
    documents = [piece.document for piece in pieces if piece.document]
    _hold(documents)
    reenrolment.supplied_pieces.exclude(document__in=documents).update(in_force=False)
    SuppliedPiece.objects.bulk_create(
        [SuppliedPiece(reenrolment=reenrolment, document=document) for document in documents],
        update_conflicts=True,  # back in force, what an earlier submission was made with
        unique_fields=["reenrolment", "document"],
        update_fields=["in_force"],
    )


def _claim_all(reenrolment, rows):
    slots = students.lock_slots([row.choice.slot_id for row in rows if row.choice.slot_id])
    gone = []
    for row in sorted(rows, key=lambda row: row.choice.slot_id or 0):
        try:
            row.choice.granted = _grant(reenrolment.student, row, slots.get(row.choice.slot_id))
        except ValidationError as error:
            if error.code not in GONE:
                raise
            gone.append(error)
        else:
            row.choice.save(update_fields=["granted"])
    if gone:
        raise ValidationError(gone)


def _grant(student, row, slot):
    """The coming year's enrolment, None where the administration has yet to choose the course."""
    if row.course is None:
        return None
    level = {"cycle": row.course.cycle}
    if slot is not None:
        if slot.course_id != row.course.pk:
            raise ValidationError(
                f"Le créneau «\u00a0{slot}\u00a0» n'est plus proposé.", code="slot_full"
            )
        students.check_suited(student, slot, coming_level(row.enrolment))
        return students.claim(student, slot, **level)
    return students.enrol_without_place(student, row.course, **level)


def _hold(documents):
    """Keeps the documents until the commit: the other parent may be taking one back right now.

    Locked in one order, for the dossiers of two brothers share them.
    """
    rows = Document.objects.filter(pk__in=[d.pk for d in documents]).order_by("pk")
    held = {_hold_on(document) for document in rows.select_for_update(no_key=True)}
    if held != {_hold_on(document) for document in documents}:
        raise ValidationError(
            "Une pièce vient d'être retirée ou remplacée\u00a0: relisez le dossier avant de"
            " valider.",
            code="changed",
        )


def _hold_on(document):
    return document.pk, document.removed_at, document.file_gone_at
