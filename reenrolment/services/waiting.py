"""The waiting list of a campaign: the wishes of a dossier, the places offered, the answers.

`offer_next` runs between two mails (settings.BETWEEN_MAILS). A place that nobody has offered yet is
open to no other family either: a sender that is down makes offers late, never unjust.
"""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from reenrolment import emails
from reenrolment.enums import Status
from reenrolment.models import Campaign, CourseChoice, Reenrolment, WaitingCriterion
from reenrolment.selectors import awaits_allotment, before_allotment
from reenrolment.services.drafts import check_open, open_draft
from reenrolment.services.moves import lock
from students import services as students
from students import waiting, waiting_moves
from students.enums import Criterion, Scheduling, WaitingState
from students.models import Course, Slot, Student, WaitingEntry
from students.suitability import coming_level

DEPOSITED = [Status.SUBMITTED, Status.INCOMPLETE, Status.VALIDATED]


@transaction.atomic
def wish(
    campaign: Campaign,
    student: Student,
    course: Course,
    slots: list[Slot | None],
    *,
    actor,
    seen: list[int | None] | None = None,
) -> None:
    """What the student waits for in a course of the coming year, the preferred first.

    Of a draft, the course is then wanted; of a dossier deposited, the place that it has stays
    until a better one is accepted. Of a campaign by allotment these are the ranked wishes: they
    are frozen from the closing until its publication, and a dossier deposited keeps one at least.
    `seen`: what the page showed. Raises ValidationError `not_open`, `closed`, `bad_transition`,
    `not_proposed`, `not_suited`, `no_wish`, and as students.waiting.set_wishes.
    """
    reenrolment = _lock_dossier(campaign, student)
    choice = _line_of(reenrolment, course)
    _check_suited(student, course, slots, coming_level(choice.enrolment))
    if campaign.by_allotment:
        _check_may_rank(campaign, reenrolment, slots)
    waiting.set_wishes(student, course, slots, actor=actor, seen=seen)
    if slots and not choice.wanted:
        choice.wanted, choice.stop_reason = True, ""
        choice.save(update_fields=["wanted", "stop_reason"])


@transaction.atomic
def accept(entry: WaitingEntry, *, actor) -> Reenrolment:
    """« Accepter »: the place is the student's; of a draft, it is the slot picked.

    The seat that he had in the course goes back, and the wishes liked less end. Raises
    ValidationError `bad_transition` (answered already, withdrawn), `too_late`, `clash`, and for
    a draft `closed`, `not_suited`.
    """
    entry = WaitingEntry.objects.select_related("course").get(pk=entry.pk)
    campaign = campaign_of(entry.course)
    reenrolment = lock(Reenrolment.objects.get(campaign=campaign, student=entry.student_id))
    slot = waiting.check_offer_runs(entry).place.slot
    choice = _line_of(reenrolment, entry.course)
    students.lock_slots([slot.pk, *_slots_of(choice)])
    if choice.granted is not None:  # before the wishes, as an agent's release takes them
        students.lock_enrolment(choice.granted)
    wishes = WaitingEntry.objects.filter(student=entry.student_id, course=entry.course_id)
    entry = next(wish for wish in waiting_moves.lock(wishes) if wish == entry)
    waiting.check_offer_runs(entry)  # the time may have passed while we waited for the locks
    if reenrolment.status == Status.DRAFT:
        check_open(campaign, reenrolment.student)
        level, until = coming_level(choice.enrolment), campaign.hold_until
        held = students.hold(reenrolment.student, slot, until=until, level=level)
        choice.wanted, choice.slot, choice.stop_reason = True, slot, ""
        choice.save(update_fields=["wanted", "slot", "stop_reason"])
    else:
        held = None
        students.place(choice.granted, slot, actor=actor)
    emails.tell_place_accepted(reenrolment, entry, slot, until=held and held.until)
    return reenrolment


def offer_next() -> int:
    """Offers one free place to the first who waits for it; 1, or 0 when there is none to offer.

    One query when nobody waits.
    """
    for slot in _slots_to_offer():
        campaign = campaign_of(slot.course)
        if campaign is None:
            continue
        _drop_drafts_left_behind(campaign, slot.course)
        waiting.end_unsuited(slot)
        with transaction.atomic():
            entry = waiting.offer_next(slot, campaign.waiting_rule, delay=campaign.offer_delay)
            if entry is not None:
                _tell_offered(campaign, entry)
                return 1
    return 0


@transaction.atomic
def offer_to(entry: WaitingEntry, slot: Slot, *, actor, reason: str) -> WaitingEntry:
    """An agent offers a place to whom he chooses.

    Raises `before_allotment`, where the wishes are not allotted yet, `not_open` or `closed` for a
    draft that could not accept it, or as students.waiting.offer_to.
    """
    campaign = campaign_of(entry.course)
    if awaits_allotment(campaign):
        raise ValidationError(
            "Les vœux de cette campagne ne sont pas encore répartis\u00a0: aucune place ne se "
            "propose avant.",
            code="before_allotment",
        )
    if not _is_deposited(campaign, entry.student):
        check_open(campaign, entry.student)
    offered = waiting.offer_to(
        entry,
        slot,
        campaign.waiting_rule,
        delay=campaign.offer_delay,
        actor=actor,
        reason=reason,
    )
    _tell_offered(campaign, offered)
    return offered


def offered_until(campaign: Campaign, student: Student) -> dt.datetime:
    """The end of an offer made now: `offer_hours`, for a draft never past the closing."""
    until = timezone.now() + campaign.offer_delay
    return until if _is_deposited(campaign, student) else min(until, campaign.closes_at)


@transaction.atomic
def set_criteria(campaign: Campaign, criteria: list[Criterion]) -> None:
    """The published order of the waiting lists, the first first; each criterion once."""
    campaign.waiting_criteria.all().delete()
    WaitingCriterion.objects.bulk_create(
        WaitingCriterion(campaign=campaign, position=position, criterion=criterion)
        for position, criterion in enumerate(criteria, start=1)
    )


def campaign_of(course: Course) -> Campaign | None:
    """The campaign that prepares the course's year."""
    return (
        Campaign.objects.filter(
            establishment=course.establishment_id, school_year=course.school_year_id
        )
        .select_related("establishment", "school_year")
        .first()
    )


def _tell_offered(campaign, entry):
    """Until the moment when it may still be accepted."""
    entry.hold.until = offered_until(campaign, entry.student)
    entry.hold.save(update_fields=["until"])
    emails.offer_place(campaign, entry)


def _is_deposited(campaign, student):
    return _deposited(campaign).filter(student=student).exists()


def _deposited(campaign):
    return Reenrolment.objects.filter(campaign=campaign, status__in=DEPOSITED)


def _lock_dossier(campaign, student):
    """A draft of an open campaign, made if need be, or a dossier deposited.

    Raises ValidationError `not_open`, `closed`, `bad_transition`.
    """
    reenrolment = Reenrolment.objects.filter(campaign=campaign, student=student).first()
    if reenrolment is None or reenrolment.status == Status.DRAFT:
        check_open(campaign, student)
        return open_draft(campaign, student)
    reenrolment = lock(reenrolment)
    if reenrolment.status not in DEPOSITED:
        raise ValidationError(
            f"Ce dossier est «\u00a0{Status(reenrolment.status).label}\u00a0»\u00a0: "
            "il n'attend plus de place.",
            code="bad_transition",
        )
    return reenrolment


def _check_may_rank(campaign, reenrolment, slots):
    if reenrolment.status == Status.DRAFT:
        return
    is_over = timezone.now() >= campaign.closes_at
    if not is_over and not slots:
        raise ValidationError(
            "Ce dossier est déposé : gardez au moins un vœu pour ce cours.", code="no_wish"
        )
    if is_over and awaits_allotment(campaign):
        raise ValidationError(
            "Les réinscriptions sont closes : vos vœux ne changent plus jusqu'à la "
            "publication de la répartition.",
            code="closed",
        )


def _line_of(reenrolment, course) -> CourseChoice:
    """The line of the dossier that leads to the course. Raises ValidationError `not_proposed`."""
    if course.scheduling == Scheduling.FAMILY:
        for choice in reenrolment.choices.select_related(
            "granted__course",
            "granted__place",
            "enrolment__course__next_course",
            "enrolment__next_course",
        ):
            granted = choice.granted if choice.granted and choice.granted.is_live else None
            is_draft = reenrolment.status == Status.DRAFT
            leads_to = choice.enrolment.proposed_course if is_draft else granted and granted.course
            if leads_to == course:
                return choice
    raise ValidationError("Ce cours n'est pas proposé à cet élève.", code="not_proposed")


def _check_suited(student, course, slots, level):
    """« Any » is a wish for each of the slots: they must all be for him."""
    for slot in course.slots.select_related("course__school_year"):
        if slot in slots or None in slots:
            students.check_suited(student, slot, level)


def _slots_of(choice):
    """Where the student sits, or what he picked: it goes back."""
    granted = choice.granted
    seat = [granted.place.slot_id] if granted and granted.place_id else []
    return [*seat, *([choice.slot_id] if choice.slot_id else [])]


def _slots_to_offer():
    waiting_here = WaitingEntry.objects.waiting().for_outer_slot()
    if not WaitingEntry.objects.waiting().exists():
        return []
    not_yet = before_allotment().filter(
        establishment=OuterRef("course__establishment"), school_year=OuterRef("course__school_year")
    )
    waited_for = Slot.objects.filter(Exists(waiting_here), ~Exists(not_yet), closed_at=None)
    free = waited_for.with_places().filter(places_left__gt=0)
    return free.select_related("course__school_year")


def _drop_drafts_left_behind(campaign, course):
    """After the closing, who has not deposited his dossier waits for nothing any more."""
    if campaign.is_open or campaign.is_to_come:
        return
    deposited = _deposited(campaign).filter(student=OuterRef("student"))
    with transaction.atomic():
        left_behind = WaitingEntry.objects.live().filter(~Exists(deposited), course=course)
        for entry in waiting_moves.lock(left_behind):
            waiting_moves.move(
                entry,
                WaitingState.LEFT,
                reason="Les réinscriptions sont closes et le dossier n'a pas été déposé.",
            )
