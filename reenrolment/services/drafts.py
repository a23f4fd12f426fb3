"""What a family fills in before it submits; the slots it picks are held meanwhile."""

from contextlib import suppress
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from accounts.dates import moment
from accounts.prepared import prepared
from reenrolment.early_access import opening_of
from reenrolment.enums import Status
from reenrolment.models import Campaign, CourseChoice, Reenrolment
from reenrolment.pieces import followed_courses
from reenrolment.services.moves import lock
from students import services as students
from students import waiting_moves
from students.models import Enrolment, Student
from students.suitability import coming_level

# What tells of a choice to which level it leads (students.suitability).
LEADS_TO = ["enrolment__course__next_course", "enrolment__next_course"]


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


def check_open(campaign: Campaign, student: Student) -> None:
    """Raises ValidationError `not_open` or `closed` outside `opens_at ≤ now < closes_at`.

    `opens_at` is the student's own, where his group enters before everybody.
    """
    opening = opening_of(campaign, student)
    if opening.is_to_come:
        raise ValidationError(
            f"Les réinscriptions ne sont pas encore ouvertes pour {student}\u00a0: elles ouvrent"
            f" le {moment(opening.at)}.",
            code="not_open",
        )
    if not opening.is_open:
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
    check_open(campaign, student)
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
    refused = _hold_all(reenrolment, changes)
    unsaved += [Refusal(section, error) for section, error in refused.items()]
    for row, mine in (change for section, change in changes.items() if section not in refused):
        for name, value in mine.items():
            setattr(row, name, value)
        # The lengths alone: the slot is locked, and the database refuses the rest by itself.
        row.clean_fields(exclude={field.name for field in row._meta.fields} - set(mine))
        row.save(update_fields=list(mine))
        if mine.get("wanted") is False:
            _stop_waiting(reenrolment.student, row)
    return unsaved


@transaction.atomic
def keep_places(campaign: Campaign, student: Student) -> None:
    """Holds the slots picked for `hold_minutes` from now, where a place is left (« Prolonger »).

    A slot that is full by now, the page shows by itself. Raises ValidationError as `save_draft`.
    """
    check_open(campaign, student)
    hold_places(open_draft(campaign, student))


def hold_places(reenrolment: Reenrolment) -> None:
    """The same for a locked draft.

    A slot that is not proposed, or not for the student, any more is left to the others.
    """
    picked = reenrolment.choices.filter(wanted=True).exclude(slot=None)
    proposed = Coalesce("enrolment__next_course", "enrolment__course__next_course")
    picked = picked.filter(slot__course=proposed).select_related(*LEADS_TO)
    levels = {choice.slot_id: coming_level(choice.enrolment) for choice in picked}
    until = reenrolment.campaign.hold_until
    for slot in students.lock_slots(levels).values():
        with suppress(ValidationError):
            students.hold(reenrolment.student, slot, until=until, level=levels[slot.pk])


def open_draft(campaign: Campaign, student: Student) -> Reenrolment:
    """The locked draft of this student, made if need be, with a line for each course followed."""
    reenrolment, _ = Reenrolment.objects.get_or_create(campaign=campaign, student=student)
    reenrolment = lock(reenrolment)
    if reenrolment.status != Status.DRAFT:
        raise ValidationError(
            "Ce dossier a déjà été déposé\u00a0: il ne se modifie plus.", code="not_draft"
        )
    site, year = campaign.establishment_id, campaign.previous_year_id
    CourseChoice.objects.bulk_create(
        CourseChoice(reenrolment=reenrolment, enrolment=enrolment)
        for enrolment in _without_choice(reenrolment.pk, student.pk, site, year)
    )
    return reenrolment


@prepared
def _without_choice(reenrolment: int, student: int, site: int, year: int) -> QuerySet[Enrolment]:
    campaign = Campaign(establishment_id=site, previous_year_id=year)
    followed = followed_courses(campaign).filter(student=student)
    return followed.exclude(choices__reenrolment=reenrolment)


def _rows_of(reenrolment):
    """What each section of the page writes to; a course left since the page was read has none."""
    choices = _choices_of(reenrolment.pk)
    return {
        "administrative": reenrolment,
        "comment": reenrolment,
        **{f"course-{choice.enrolment_id}": choice for choice in choices},
    }


@prepared
def _choices_of(reenrolment: int) -> QuerySet[CourseChoice]:
    choices = CourseChoice.objects.filter(reenrolment=reenrolment)
    return choices.select_related("slot__course", *LEADS_TO)


def _hold_all(reenrolment, changes):
    """Holds the slots picked, and gives the refusals by section: their former place is kept.

    Two courses may exchange their hours in one save: those refused as a clash are tried once more,
    together, without the places that they leave; it helps all of them or none.
    """
    slots = _lock_slots_of(changes.values())
    refused = {}
    for section, (row, mine) in changes.items():
        try:
            _hold_picked(reenrolment, row, slots.get(mine.get("slot_id")))
        except ValidationError as error:
            refused[section] = error
    clashing = [section for section, error in refused.items() if error.code == "clash"]
    if clashing:
        with suppress(ValidationError), transaction.atomic():
            moves = [changes[section] for section in clashing]
            for row, _ in moves:
                if row.slot is not None:
                    students.let_go(reenrolment.student, row.slot.course)
            for row, mine in moves:
                _hold_picked(reenrolment, row, slots[mine["slot_id"]])
            refused = {s: error for s, error in refused.items() if s not in clashing}
    return refused


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
        level = coming_level(row.enrolment)
        until = reenrolment.campaign.hold_until
        students.hold(reenrolment.student, picked, until=until, level=level)
    if before is not None and (picked is None or picked.course_id != before.course_id):
        students.let_go(reenrolment.student, before.course)


def _stop_waiting(student, choice):
    """A course that stops is waited for no more."""
    if course := choice.enrolment.proposed_course:
        reason = "La famille arrête ce cours."
        waiting_moves.leave_all(student, course, reason=reason)
