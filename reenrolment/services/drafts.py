"""What a family fills in before it submits; the slots it picks are held meanwhile."""

from contextlib import suppress
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Coalesce

from reenrolment.enums import Status
from reenrolment.models import Campaign, CourseChoice, Reenrolment
from reenrolment.pieces import followed_courses
from reenrolment.services.moves import lock
from students import services as students
from students import waiting_moves
from students.models import Student


@dataclass(frozen=True)
class Edit:
    """One section of the page: what it showed when it was opened, and what was sent.

    `base` and `mine` map field names to values.
    """

    base: dict
    mine: dict


@dataclass(frozen=True)
class Conflict:
    """A section that somebody else changed meanwhile, differently: nothing of it was saved."""

    section: str
    theirs: dict


@dataclass(frozen=True)
class Refusal:
    """A section of which nothing was saved, because no place of the slot picked could be held."""

    section: str
    error: ValidationError


def check_open(campaign: Campaign) -> None:
    """Raises ValidationError `not_open` or `closed` outside `opens_at ≤ now < closes_at`."""
    if campaign.is_to_come:
        raise ValidationError("Les réinscriptions ne sont pas encore ouvertes.", code="not_open")
    if not campaign.is_open:
        raise ValidationError("Les réinscriptions sont closes.", code="closed")


@transaction.atomic
def save_draft(
    campaign: Campaign, student: Student, edits: dict[str, Edit]
) -> list[Conflict | Refusal]:
    """Saves the sections one by one; creates the dossier the first time.

    Keys of `edits`: « administrative », « comment », or « course-<pk of this year's enrolment> »
    with `wanted`, `slot_id` and `stop_reason`. A section is compared three ways: what somebody
    else saved meanwhile is never overwritten unseen. A slot newly picked is held for the student
    (`Campaign.hold_minutes`), before the one picked until then goes back. Returns what was not
    saved. Raises ValidationError `not_open`, `closed`, or `not_draft` once it is submitted.
    """
    check_open(campaign)
    reenrolment = open_draft(campaign, student)
    unsaved, changes = [], {}
    for section, row in _rows_of(reenrolment).items():
        edit = edits.get(section)
        theirs = {name: getattr(row, name) for name in edit.mine} if edit else {}
        if edit is None or edit.mine in (edit.base, theirs):
            continue
        if theirs != edit.base:
            unsaved.append(Conflict(section, theirs))
        else:
            changes[section] = row, edit.mine
    slots = _lock_slots_of(changes.values())
    for section, (row, mine) in changes.items():
        try:
            _hold_picked(reenrolment, row, slots.get(mine.get("slot_id")))
        except ValidationError as error:
            unsaved.append(Refusal(section, error))
            continue
        for name, value in mine.items():
            setattr(row, name, value)
        row.full_clean()
        row.save(update_fields=list(mine))
        if mine.get("wanted") is False:
            _stop_waiting(reenrolment.student, row)
    return unsaved


@transaction.atomic
def keep_places(campaign: Campaign, student: Student) -> None:
    """Holds the slots picked for `hold_minutes` from now, where a place is left (« Prolonger »).

    A slot that is full by now, the page shows by itself. Raises ValidationError as `save_draft`.
    """
    check_open(campaign)
    hold_places(open_draft(campaign, student))


def hold_places(reenrolment: Reenrolment) -> None:
    """The same for a locked draft; a slot that is not proposed any more is left to the others."""
    picked = reenrolment.choices.filter(wanted=True).exclude(slot=None)
    proposed = Coalesce("enrolment__next_course", "enrolment__course__next_course")
    picked = picked.filter(slot__course=proposed)
    slots = students.lock_slots(picked.values_list("slot_id", flat=True))
    for slot in slots.values():
        with suppress(ValidationError):
            students.hold(reenrolment.student, slot, until=reenrolment.campaign.hold_until)


def open_draft(campaign: Campaign, student: Student) -> Reenrolment:
    """The locked draft of this student, made if need be, with a line for each course followed."""
    reenrolment, _ = Reenrolment.objects.get_or_create(campaign=campaign, student=student)
    reenrolment = lock(reenrolment)
    if reenrolment.status != Status.DRAFT:
        raise ValidationError(
            "Ce dossier a déjà été déposé\u00a0: il ne se modifie plus.", code="not_draft"
        )
    followed = followed_courses(campaign).filter(student=student)
    CourseChoice.objects.bulk_create(
        CourseChoice(reenrolment=reenrolment, enrolment=enrolment)
        for enrolment in followed.exclude(choices__reenrolment=reenrolment)
    )
    return reenrolment


def _rows_of(reenrolment):
    """What each section of the page writes to; a course left since the page was read has none."""
    choices = reenrolment.choices.select_related(
        "slot__course", "enrolment__next_course", "enrolment__course__next_course"
    )
    return {
        "administrative": reenrolment,
        "comment": reenrolment,
        **{f"course-{choice.enrolment_id}": choice for choice in choices},
    }


def _lock_slots_of(changes):
    """Locks what was picked until now and what is picked now, and gives them by key."""
    picked = {getattr(row, "slot_id", None) for row, _ in changes}
    picked |= {mine.get("slot_id") for _, mine in changes}
    return students.lock_slots(picked - {None})


def _hold_picked(reenrolment, row, picked):
    """Raises ValidationError as students.services.hold; the former place is then kept.

    And `by_allotment` where the slots are ranked, never picked.
    """
    if picked is not None and reenrolment.campaign.by_allotment:
        raise ValidationError(
            "Cette année, les horaires ne se choisissent pas ici : classez vos vœux, ils "
            "seront répartis après la clôture.",
            code="by_allotment",
        )
    before = getattr(row, "slot", None)
    if picked is not None and picked != before:
        students.hold(reenrolment.student, picked, until=reenrolment.campaign.hold_until)
    if before is not None and (picked is None or picked.course_id != before.course_id):
        students.let_go(reenrolment.student, before.course)


def _stop_waiting(student, choice):
    """A course that stops is waited for no more."""
    if course := choice.enrolment.proposed_course:
        reason = "La famille arrête ce cours."
        waiting_moves.leave_all(student, course, reason=reason)
