"""The allotment of a campaign: run, look, change a line, publish.

Publishing keeps every place of the plan in one transaction, or none; the sender of mails then
seats one dossier after the other, and tells the families once they all sit (settings.
BETWEEN_MAILS). Whatever is killed, the rest is done at the next call.
"""

import logging
import secrets

from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from accounts.models import User
from reenrolment import emails
from reenrolment.demand import Demand, busy_of, lesson_of, load_demand
from reenrolment.enums import TO_EXAMINE
from reenrolment.models import Allocation, Allotment, Campaign, Reenrolment
from reenrolment.models.allotments import KEPT
from reenrolment.services.moves import lock
from students import reservations
from students import services as students
from students.allotment import draw
from students.models import Slot, WaitingEntry
from students.waiting import check_reason

logger = logging.getLogger(__name__)

BATCH = 500  # rows of one INSERT


@transaction.atomic
def run(campaign: Campaign, *, actor: User, seed: str = "", note: str = "") -> Allotment:
    """A trial with this seed, or a new one drawn at random. Nothing changes for anybody.

    Raises ValidationError `first_come` for a campaign without wishes, `published`, `nobody` when
    no dossier deposited waits for its slots; or under `seed`, `note`.
    """
    _check_mode(campaign)
    _check_not_published(campaign)
    demand = load_demand(campaign)
    if not demand.choices:
        raise ValidationError(
            "Aucun dossier déposé n'attend de créneau\u00a0: il n'y a rien à répartir.",
            code="nobody",
        )
    allotment = Allotment(
        campaign=campaign,
        seed=seed.strip() or secrets.token_hex(8),
        note=note.strip(),
        made_at=timezone.now(),
        made_by=actor,
    )
    allotment.full_clean()
    allotment.save()
    numbers = draw(allotment.seed, (choice.reenrolment.reference for choice in demand.choices))
    outcomes = demand.allot(numbers)
    Allocation.objects.bulk_create(
        [_allocation(allotment, choice, demand, numbers, outcomes) for choice in demand.choices],
        batch_size=BATCH,
    )
    return allotment


@transaction.atomic
def change(allocation: Allocation, slot: Slot | None, *, reason: str, actor: User) -> Allocation:
    """Gives one line another slot that has a place left in this plan, or none; it says why.

    Raises ValidationError `published`, `reason_required`, `reason_too_long`, `wrong_course`,
    `slot_full` (in this plan) or `clash` (with what the plan gives him, or what he has).
    """
    allotment = Allotment.objects.select_for_update().get(pk=allocation.allotment_id)
    _check_not_published(allotment.campaign)
    check_reason(reason.strip())
    allocation = Allocation.objects.for_list().get(pk=allocation.pk)
    if slot is not None and slot != allocation.slot:
        _check_may_go(allocation, slot)
    allocation.slot = slot
    allocation.preference = allocation.preference_for(slot)
    allocation.reason, allocation.changed_by = reason.strip(), actor
    allocation.save(update_fields=["slot", "preference", "reason", "changed_by"])
    return allocation


@transaction.atomic
def publish(allotment: Allotment, *, actor: User) -> Allotment:
    """Keeps every place of the plan; `seat_next` and `tell_next` do the rest.

    A dossier withdrawn, refused or placed by hand since the run is left out: its place goes to the
    waiting list. Raises ValidationError, and nothing is done: `not_closed`, `published`,
    `outdated` (wishes or dossiers that the run does not know), `clash`, `slot_full` (one message
    for each slot without enough places).
    """
    # NO KEY: a family that opens its dossier need not wait for us.
    campaign = Campaign.objects.select_for_update(no_key=True).get(pk=allotment.campaign_id)
    allotment = Allotment.objects.select_for_update(no_key=True).get(pk=allotment.pk)
    if timezone.now() < campaign.closes_at:
        raise ValidationError(
            "Les vœux peuvent encore changer\u00a0: la répartition se publie après la clôture.",
            code="not_closed",
        )
    _check_not_published(campaign)
    demand = load_demand(campaign)
    plan = _plan_of(allotment, demand)
    _check_no_clash(plan, demand)
    reservations.reserve(
        [(row.choice.reenrolment.student, row.slot) for row in plan], until=timezone.now() + KEPT
    )
    allotment.published_at, allotment.published_by = timezone.now(), actor
    allotment.save(update_fields=["published_at", "published_by"])
    return allotment


def seat_next() -> Reenrolment | None:
    """Seats the student of one dossier in all that a published plan gives him; None: all sit.

    Whatever is wrong with one dossier is noted in its lines, and the next ones go on.
    """
    first = Allocation.objects.to_settle().order_by("pk").first()
    if first is None:
        return None
    with transaction.atomic():
        reenrolment, rows = _lock_rows(first, Allocation.objects.to_settle())
        try:
            with transaction.atomic():
                for row in rows:
                    _seat(reenrolment, row)
        except (OperationalError, InterfaceError):  # not this dossier's fault: it is tried again
            raise
        except Exception as error:  # the others must have their places
            logger.exception("Allocations of dossier %s could not be seated", reenrolment.pk)
            for row in rows:
                row.problem = f"Place impossible à donner ({type(error).__name__})."
        for row in rows:
            row.settled_at = timezone.now()
            row.save(update_fields=["settled_at", "problem"])
    return reenrolment


def tell_next() -> Reenrolment | None:
    """Writes the mails of one dossier, once all sit: the ranks that they tell are then true."""
    if Allocation.objects.to_settle().exists():
        return None
    first = Allocation.objects.to_tell().order_by("pk").first()
    if first is None:
        return None
    with transaction.atomic():
        reenrolment, rows = _lock_rows(first, Allocation.objects.to_tell())
        told = [row for row in rows if _takes_part(reenrolment, row) and not row.problem]
        if told:
            emails.tell_allotted(reenrolment, first.allotment, told)
        keys = [row.pk for row in rows]
        Allocation.objects.filter(pk__in=keys).update(told_at=timezone.now())
    return reenrolment


def _check_mode(campaign):
    if not campaign.by_allotment:
        raise ValidationError(
            "Dans cette campagne, le premier arrivé est le premier servi\u00a0: il n'y a pas de "
            "vœux à répartir.",
            code="first_come",
        )


def _check_not_published(campaign):
    if campaign.allotments.published().exists():
        raise ValidationError(
            "La répartition de cette campagne est déjà publiée.", code="published"
        )


def _allocation(allotment, choice, demand: Demand, numbers, outcomes):
    outcome = outcomes[choice.pk]
    return Allocation(
        allotment=allotment,
        choice=choice,
        course=choice.granted.course,
        slot_id=outcome.slot,
        preference=outcome.preference,
        draw=numbers[choice.reenrolment.reference],
        wishes=[
            {"slot": entry.slot_id, "words": entry.within_course, "fate": fate}
            for entry, fate in zip(demand.entries_of(choice), outcome.fates, strict=True)
        ],
    )


def _check_may_go(allocation, slot):
    if slot.course_id != allocation.course_id:
        raise ValidationError("Ce créneau n'est pas de ce cours.", code="wrong_course")
    plan = Allocation.objects.filter(allotment=allocation.allotment_id).exclude(pk=allocation.pk)
    left = Slot.objects.with_places().get(pk=slot.pk).places_left
    if plan.filter(slot=slot).count() >= left:
        raise ValidationError(
            "Le créneau «\u00a0%(slot)s\u00a0» n'a plus de place dans cette répartition\u00a0: "
            "libérez-en une, ou ajoutez une place au créneau.",
            code="slot_full",
            params={"slot": slot},
        )
    student = allocation.choice.reenrolment.student_id
    others = plan.filter(choice__reenrolment__student=student, slot__isnull=False)
    lessons = [lesson_of(row.slot) for row in others.select_related("slot")]
    lessons += busy_of([student], allocation.allotment.campaign).get(student, [])
    if any(lesson_of(slot).clashes_with(lesson) for lesson in lessons):
        raise _clash(allocation, slot)


def _plan_of(allotment, demand):
    """What is to be given of it now. Raises `outdated` when the run was of something else."""
    rows = list(allotment.allocations.for_list())
    wished = {choice.pk: demand.wished(choice) for choice in demand.choices}
    known = {row.choice_id: row.wished for row in rows}
    outdated = [choice for choice in demand.choices if known.get(choice.pk) != wished[choice.pk]]
    if outdated:
        raise ValidationError(
            "Le dossier %(dossier)s a changé depuis ce calcul\u00a0: refaites la répartition, "
            "avec la même graine.",
            code="outdated",
            params={"dossier": outdated[0].reenrolment},
        )
    return [row for row in rows if row.slot and row.choice_id in wished]


def _check_no_clash(plan, demand):
    """He may have been placed elsewhere by hand since the run."""
    for row in plan:
        busy = demand.busy.get(row.choice.reenrolment.student_id, ())
        if any(lesson_of(row.slot).clashes_with(lesson) for lesson in busy):
            raise _clash(row, row.slot)


def _clash(allocation, slot):
    return ValidationError(
        "%(student)s a déjà un cours à l'heure de «\u00a0%(slot)s\u00a0».",
        code="clash",
        params={"student": allocation.choice.reenrolment.student, "slot": slot},
    )


def _lock_rows(first, rows):
    """The dossier, and those of its lines that another sender has not done meanwhile."""
    dossier = Reenrolment.objects.get(choices=first.choice_id)
    reenrolment = lock(dossier)
    return reenrolment, list(rows.for_list().filter(choice__reenrolment=reenrolment).order_by("pk"))


def _takes_part(reenrolment, row):
    granted = row.choice.granted
    return reenrolment.status in TO_EXAMINE and granted is not None and granted.is_live


def _seat(reenrolment, row):
    """His number counts for the wishes that go on waiting, and he gets the place kept for him."""
    granted = row.choice.granted
    if _takes_part(reenrolment, row) and granted.place_id is None:
        waiting = WaitingEntry.objects.live().filter(student=reenrolment.student, course=row.course)
        waiting.update(draw=row.draw)
        if row.slot:
            try:
                students.place(
                    granted, row.slot, ahead=True, actor=row.changed_by, reason=row.reason
                )
            except ValidationError as error:  # placed elsewhere at that time, since the publication
                row.problem = error.messages[0][:300]
    # Withdrawn, or placed by hand: what was kept for him goes to the waiting list.
    students.let_go(reenrolment.student, row.course)
