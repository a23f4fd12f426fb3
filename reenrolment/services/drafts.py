"""What a family fills in before it submits. A draft holds no place."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from reenrolment.enums import Status
from reenrolment.models import Campaign, CourseChoice, Reenrolment
from reenrolment.pieces import followed_courses
from reenrolment.services.moves import lock
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


def check_open(campaign: Campaign) -> None:
    """Raises ValidationError `not_open` or `closed` outside `opens_at ≤ now < closes_at`."""
    if campaign.is_to_come:
        raise ValidationError("Les réinscriptions ne sont pas encore ouvertes.", code="not_open")
    if not campaign.is_open:
        raise ValidationError("Les réinscriptions sont closes.", code="closed")


@transaction.atomic
def save_draft(campaign: Campaign, student: Student, edits: dict[str, Edit]) -> list[Conflict]:
    """Saves the sections one by one; creates the dossier the first time.

    Keys of `edits`: « administrative », « comment », or « course-<pk of this year's enrolment> »
    with `wanted`, `slot_id` and `stop_reason`. A section is compared three ways: what somebody
    else saved meanwhile is never overwritten unseen. Returns the sections in conflict. Raises
    ValidationError `not_open`, `closed`, or `not_draft` once the dossier is submitted.
    """
    check_open(campaign)
    reenrolment = open_draft(campaign, student)
    choices = {f"course-{choice.enrolment_id}": choice for choice in reenrolment.choices.all()}
    conflicts = []
    for section, edit in edits.items():
        row = choices.get(section) if section.startswith("course-") else reenrolment
        if row is None:  # the student has left the course since the page was read
            continue
        theirs = {name: getattr(row, name) for name in edit.mine}
        if edit.mine in (edit.base, theirs):
            continue
        if theirs != edit.base:
            conflicts.append(Conflict(section, theirs))
            continue
        for name, value in edit.mine.items():
            setattr(row, name, value)
        row.full_clean()
        row.save(update_fields=list(edit.mine))
    return conflicts


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
