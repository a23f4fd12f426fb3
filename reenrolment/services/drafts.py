"""What a family fills in before it submits; the slots it picks are held meanwhile."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import FilteredRelation, Q, QuerySet

from accounts.dates import moment
from accounts.prepared import prepared
from reenrolment.early_access import opening_of
from reenrolment.enums import Status
from reenrolment.models import Campaign, CourseChoice, Reenrolment
from reenrolment.pieces import is_followed
from reenrolment.rows import proposed_course
from students import services as students
from students import waiting_moves
from students.enums import Scheduling
from students.models import Enrolment, Student
from students.suitability import coming_level


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
    campaign: Campaign,
    student: Student,
    edits: dict[str, Edit],
    *,
    keeps_places: bool = False,
    strict: bool = False,
) -> list[Conflict | Refusal]:
    """Saves the sections one by one; creates the dossier the first time.

    Keys of `edits`: « administrative », « comment », or « course-<pk of this year's enrolment> »
    with `wanted`, `slot_id` and `stop_reason`. A section is compared three ways: what somebody
    else saved meanwhile is never overwritten unseen. A slot newly picked is held for the student
    (`Campaign.hold_minutes`), before the one picked until then goes back. `keeps_places`: the
    others too, as `keep_places` does. Returns what was not saved. A section that the student does
    not have any more is left out, or with `strict` raises `no_section`. Raises ValidationError
    `not_open`, `closed`, or `not_draft` once it is submitted.
    """
    check_open(campaign, student)
    reenrolment, choices = _open_draft(campaign, student)
    unsaved, changes, sections = [], {}, _sections(reenrolment, choices)
    if strict and edits.keys() - sections.keys():
        raise ValidationError("Ce cours n'est plus suivi.", code="no_section")
    for section, row in sections.items():
        edit = edits.get(section)
        theirs = {name: getattr(row, name) for name in edit.mine} if edit else {}
        if edit is None or edit.mine in (edit.base, theirs):
            continue
        if theirs != edit.base:
            unsaved.append(Conflict(section, theirs))
        else:
            changes[section] = row, edit.mine
    slots = _lock_slots_of(changes.values(), choices if keeps_places else [])
    refused = _hold_all(reenrolment, changes, slots)
    unsaved += [Refusal(section, error) for section, error in refused.items()]
    saved = [change for section, change in changes.items() if section not in refused]
    _write(saved)
    for row, mine in saved:
        if mine.get("wanted") is False:
            _stop_waiting(reenrolment.student, row)
    if keeps_places:
        _hold_again(reenrolment, choices, slots)
    return unsaved


def keep_places(campaign: Campaign, student: Student) -> None:
    """Holds the slots picked for `hold_minutes` from now, where a place is left (« Prolonger »).

    A slot that is full by now, the page shows by itself. Raises ValidationError as `save_draft`.
    """
    save_draft(campaign, student, {}, keeps_places=True)


def hold_places(reenrolment: Reenrolment) -> None:
    """The same for a locked draft."""
    choices, _ = _lines_of(reenrolment)
    _hold_again(reenrolment, choices, _lock_slots_of([], choices))


def open_draft(campaign: Campaign, student: Student) -> Reenrolment:
    """The locked draft of this student, made if need be, with a line for each course followed."""
    return _open_draft(campaign, student)[0]


def _open_draft(campaign, student):
    """With its lines."""
    found = _locked_dossier(campaign.pk, student.pk)
    if not found:
        Reenrolment.objects.get_or_create(campaign=campaign, student=student)
        found = _locked_dossier(campaign.pk, student.pk)
    [reenrolment] = found
    reenrolment.campaign, reenrolment.student = campaign, student
    if reenrolment.status != Status.DRAFT:
        raise ValidationError(
            "Ce dossier a déjà été déposé\u00a0: il ne se modifie plus.", code="not_draft"
        )
    choices, without = _lines_of(reenrolment)
    if without:
        choices += CourseChoice.objects.bulk_create(
            CourseChoice(reenrolment=reenrolment, enrolment=enrolment) for enrolment in without
        )
    return reenrolment, choices


@prepared
def _locked_dossier(campaign: int, student: int) -> QuerySet[Reenrolment]:
    dossiers = Reenrolment.objects.filter(campaign=campaign, student=student)
    return dossiers.order_by().select_for_update()


def _lines_of(reenrolment):
    """The lines of the dossier, and the courses followed that have none yet. One query.

    In the order of the page: of two courses picked at the same hour, the first one has it.
    """
    campaign, choices, without = reenrolment.campaign, [], []
    found = _enrolments_and_choices(
        reenrolment.pk,
        reenrolment.student_id,
        campaign.establishment_id,
        campaign.previous_year_id,
    )
    for enrolment in sorted(found, key=lambda e: (e.course.sort_name, e.pk)):
        # An outer join that finds nothing sets no attribute.
        if choice := getattr(enrolment, "choice", None):
            choice.reenrolment, choice.enrolment = reenrolment, enrolment
            choices.append(choice)
        else:
            without.append(enrolment)
    return choices, without


@prepared
def _enrolments_and_choices(
    reenrolment: int, student: int, site: int, year: int
) -> QuerySet[Enrolment]:
    ours = FilteredRelation("choices", condition=Q(choices__reenrolment=reenrolment))
    followed = is_followed(Campaign(establishment_id=site, previous_year_id=year))
    enrolments = Enrolment.objects.filter(student=student).annotate(choice=ours)
    enrolments = enrolments.filter(followed | Q(choice__isnull=False))
    # What tells of a choice to which level it leads (students.suitability).
    leads_to = ["course__next_course", "next_course"]
    return enrolments.select_related(*leads_to, "choice__slot__course").order_by()


def _sections(reenrolment, choices):
    """What each section of the page writes to; a course left since the page was read has none."""
    return {
        "administrative": reenrolment,
        "comment": reenrolment,
        **{f"course-{choice.enrolment_id}": choice for choice in choices},
    }


def _write(changes):
    """Each row's own columns that change; the lines that change alike, in one UPDATE."""
    alike = defaultdict(list)
    for row, mine in changes:
        changed = {name: value for name, value in mine.items() if getattr(row, name) != value}
        for name, value in changed.items():
            setattr(row, name, value)
        # The lengths alone: the slot is locked, and the database refuses the rest by itself.
        row.clean_fields(exclude={field.name for field in row._meta.fields} - set(changed))
        alike[type(row), tuple(changed.items())].append(row.pk)
    for (model, changed), keys in alike.items():
        model.objects.filter(pk__in=keys).update(**dict(changed))


def _hold_again(reenrolment, choices, slots):
    """Where a place is left; `slots`, locked, are those of the choices.

    A slot that is not proposed, or not for the student, any more is left to the others.
    """
    until = reenrolment.campaign.hold_until
    picked = [choice for choice in choices if choice.wanted and choice.slot_id in slots]
    for choice in sorted(picked, key=lambda choice: choice.slot_id):
        slot, proposed = slots[choice.slot_id], choice.enrolment.proposed_course
        if proposed is None or slot.course_id != proposed.pk:
            continue
        level = coming_level(choice.enrolment)
        with suppress(ValidationError):
            students.hold_in(slot, reenrolment.student, until=until, level=level)


def _hold_all(reenrolment, changes, slots):
    """Holds the slots picked, and gives the refusals by section: their former place is kept.

    Two courses may exchange their hours in one save: those refused as a clash are tried once more,
    together, without the places that they leave; it helps all of them or none. `slots`: all those,
    locked.
    """
    refused = {}
    for section, (row, mine) in changes.items():
        try:
            _hold_picked(reenrolment, row, _picked(mine, slots))
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
                _hold_picked(reenrolment, row, _picked(mine, slots))
            refused = {s: error for s, error in refused.items() if s not in clashing}
    return refused


def _lock_slots_of(changes, choices):
    """Locks what was picked until now and what is picked now, and gives them by key.

    All at once: a second time would not follow the order of the locks.
    """
    picked = {getattr(row, "slot_id", None) for row, _ in changes}
    picked |= {mine.get("slot_id") for _, mine in changes}
    picked |= {choice.slot_id for choice in choices}
    return students.lock_slots(picked - {None}) if picked - {None} else {}


def _picked(mine, slots):
    """The locked slot; None when none is picked."""
    key = mine.get("slot_id")
    if key is not None and key not in slots:
        raise _not_proposed()
    return slots.get(key)


def _hold_picked(reenrolment, row, picked):
    """Raises ValidationError as students.services.hold; the former place is then kept.

    And `by_allotment` where the slots are ranked, never picked; `slot_gone` for one that the
    family is not to pick after this course.
    """
    if picked is not None and reenrolment.campaign.by_allotment:
        raise ValidationError(
            "Cette année, les horaires ne se choisissent pas ici : classez vos vœux, ils "
            "seront répartis après la clôture.",
            code="by_allotment",
        )
    before = getattr(row, "slot", None)
    if picked is not None and picked != before:
        _check_proposed(reenrolment.campaign, row.enrolment, picked)
        level = coming_level(row.enrolment)
        until = reenrolment.campaign.hold_until
        students.hold_in(picked, reenrolment.student, until=until, level=level)
    if before is not None and (picked is None or picked.course_id != before.course_id):
        students.let_go(reenrolment.student, before.course)


def _check_proposed(campaign, enrolment, slot):
    course = proposed_course(enrolment, campaign)
    is_ours = course is not None and slot.course_id == course.pk
    if not is_ours or course.scheduling != Scheduling.FAMILY:
        raise _not_proposed()


def _not_proposed():
    return ValidationError(
        "Ce créneau n'est plus proposé\u00a0: choisissez-en un autre dans la liste.",
        code="slot_gone",
    )


def _stop_waiting(student, choice):
    """A course that stops is waited for no more."""
    if course := choice.enrolment.proposed_course:
        reason = "La famille arrête ce cours."
        waiting_moves.leave_all(student, course, reason=reason)
