"""The lines of the table Cours · Cycle · Ha · Réinscription · Cours disponible."""

import datetime as dt
from dataclasses import dataclass, field, replace
from functools import cached_property

from django.db.models import FilteredRelation, Q

from reenrolment.models import Campaign, CourseChoice, Reenrolment
from reenrolment.pieces import followed_courses
from reenrolment.waits import Wait, is_waiting, waits_of
from students.enums import Art, Scheduling
from students.models import Course, Enrolment, Slot, Student
from students.selectors import may_pick, slots_for


@dataclass(frozen=True)
class Row:
    """A course of this year, what is proposed for the coming one, and the family's choice."""

    enrolment: Enrolment
    course: Course | None  # of the coming year; None: the administration will say
    all_slots: list[Slot]  # of `course`, in the week's order (students.selectors.slots_for)
    choice: CourseChoice  # unsaved while there is no draft
    by_allotment: bool = False  # the slots are ranked, not picked (Campaign.by_allotment)
    waits: list[Wait] = field(default_factory=list)  # for places of the course that goes on

    @cached_property
    def slots(self) -> list[Slot]:
        """Those that the family may pick: a place is left, or is held for the student."""
        return [slot for slot in self.all_slots if may_pick(slot)]

    @property
    def full_slots(self) -> list[Slot]:
        """Those for which it may wait."""
        return [slot for slot in self.all_slots if not may_pick(slot)]

    @property
    def section(self) -> str:
        """The name of the row's part of the page (services.drafts.save_draft)."""
        return f"course-{self.enrolment.pk}"

    @property
    def granted(self) -> Enrolment | None:
        """The coming year's enrolment, None once it was given back (refused, withdrawn)."""
        granted = self.choice.granted
        return granted if granted and granted.is_live else None

    @property
    def next_course(self) -> Course | None:
        """In which the student is, or else would be, the coming year."""
        return self.granted.course if self.granted else self.course

    @property
    def offers(self) -> list[Wait]:
        """The places of the waiting list that he may accept at this moment."""
        return [wait for wait in self.waits if wait.offered]

    @property
    def lines(self) -> list[Wait]:
        """The slots for which he still waits."""
        return [wait for wait in self.waits if not wait.offered]

    @property
    def scheduling(self) -> Scheduling:
        """Who fixes the hour; a course not known yet is the administration's."""
        return Scheduling(self.course.scheduling) if self.course else Scheduling.ADMINISTRATION

    @property
    def is_full(self) -> bool:
        return self.scheduling == Scheduling.FAMILY and not self.slots and not self.ranks_slots

    @property
    def offers_slots(self) -> bool:
        chosen = self.scheduling == Scheduling.FAMILY and not self.by_allotment
        return chosen and bool(self.slots)

    @property
    def ranks_slots(self) -> bool:
        """In a campaign by allotment: full or not, each slot may be wished for."""
        chosen = self.scheduling == Scheduling.FAMILY and self.by_allotment
        return chosen and bool(self.all_slots)

    @property
    def is_ranked(self) -> bool:
        """The wishes stand in their order, and in no line yet: the allotment is to come."""
        return self.by_allotment and bool(self.waits) and not self.waits[0].has_line

    @property
    def lacks_wishes(self) -> bool:
        return self.choice.wanted and self.ranks_slots and not self.waits

    @property
    def slot_is_gone(self) -> bool:
        """The slot picked in the draft has been filled by others, or is no longer proposed."""
        return bool(self.choice.slot_id) and self.choice.slot_id not in {s.pk for s in self.slots}

    @property
    def held_until(self) -> dt.datetime | None:
        """Until when the place picked is kept for the student; None if it is not, or no more."""
        held = (slot.held_until for slot in self.slots if slot.pk == self.choice.slot_id)
        return next(held, None)

    @property
    def is_no_longer_held(self) -> bool:
        """A slot is picked of which a place is left, but anybody may take it."""
        picked = self.choice.wanted and self.offers_slots and self.choice.slot_id
        return bool(picked) and not self.slot_is_gone and self.held_until is None

    @property
    def lacks_slot(self) -> bool:
        """Nothing is picked among the slots that are left, nor waited for among the others."""
        picked = self.choice.slot_id or self.waits
        return self.choice.wanted and self.offers_slots and not picked


def rows_of(
    campaign: Campaign,
    student: Student,
    reenrolment: Reenrolment | None,
    *,
    with_slots=True,
    with_waits=True,
) -> list[Row]:
    """One row for each course followed this year.

    Two queries, one without the slots, and two more for a student who waits for a place.
    """
    enrolments = list(_enrolments(campaign, student, reenrolment))
    courses = {e.pk: _proposed(e, campaign) for e in enrolments}
    slots = _slots(courses.values(), student) if with_slots else {}
    rows = [
        Row(
            enrolment=enrolment,
            course=course,
            all_slots=slots.get(course.pk, []) if course else [],
            # An outer join that finds nothing sets no attribute.
            choice=getattr(enrolment, "choice", None)
            or CourseChoice(reenrolment=reenrolment, enrolment=enrolment),
            by_allotment=campaign.by_allotment,
        )
        for enrolment, course in ((e, courses[e.pk]) for e in enrolments)
    ]
    if not with_waits or not any(enrolment.is_waiting for enrolment in enrolments):
        return rows
    waits = waits_of(campaign, student, {row.next_course for row in rows} - {None})
    return [
        replace(row, waits=waits.get(row.next_course.pk, [])) if row.next_course else row
        for row in rows
    ]


def load_rows(reenrolment: Reenrolment) -> list[Row]:
    """`rows_of` for whoever holds nothing but the dossier: the services and the admin."""
    return rows_of(reenrolment.campaign, reenrolment.student, reenrolment)


def any_dance(rows: list[Row]) -> bool:
    """Is one of the courses of the year under way dance? (It asks for pieces of its own.)"""
    return any(row.enrolment.course.discipline.art == Art.DANCE for row in rows)


def _enrolments(campaign, student, reenrolment):
    """Followed now, or followed when the dossier was made; each with its `choice`, or None."""
    ours = Q(choices__reenrolment=reenrolment.pk if reenrolment else None)
    followed = followed_courses(campaign).filter(student=student).values("pk")
    return (
        Enrolment.objects.annotate(
            choice=FilteredRelation("choices", condition=ours),
            is_waiting=is_waiting(campaign, student),
        )
        .filter(Q(pk__in=followed) | Q(choice__isnull=False))
        .select_related(
            "course__discipline",
            "course__next_course",
            "next_course",
            "choice__slot__course",
            "choice__granted__course",
            "choice__granted__place__slot__course",
        )
        .order_by("course__sort_name", "pk")
    )


def _proposed(enrolment, campaign):
    course = enrolment.proposed_course
    prepared = (campaign.establishment_id, campaign.school_year_id)
    ours = course and (course.establishment_id, course.school_year_id) == prepared
    return course if ours else None


def _slots(courses, student):
    wanted = [c.pk for c in courses if c and c.scheduling == Scheduling.FAMILY]
    slots = {}
    for slot in slots_for(student).filter(course__in=wanted).select_related("course"):
        slots.setdefault(slot.course_id, []).append(slot)
    return slots
