"""The lines of the table Cours · Cycle · Ha · Réinscription · Cours disponible."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import FilteredRelation, Q

from reenrolment.enums import Status
from reenrolment.models import Campaign, CourseChoice, Reenrolment
from reenrolment.pieces import is_followed
from students.enums import Art, Scheduling
from students.models import Course, Enrolment, Slot, Student


@dataclass(frozen=True)
class Row:
    """A course of this year, what is proposed for the coming one, and the family's choice."""

    enrolment: Enrolment
    course: Course | None  # of the coming year; None: the administration will say
    # Those of `course` with a place left, or held for the student: `places_left`, `held_until`.
    slots: list[Slot]
    choice: CourseChoice  # unsaved while there is no draft

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
    def scheduling(self) -> Scheduling:
        """Who fixes the hour; a course not known yet is the administration's."""
        return Scheduling(self.course.scheduling) if self.course else Scheduling.ADMINISTRATION

    @property
    def is_full(self) -> bool:
        return self.scheduling == Scheduling.FAMILY and not self.slots

    @property
    def offers_slots(self) -> bool:
        return self.scheduling == Scheduling.FAMILY and bool(self.slots)

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
        return self.choice.wanted and self.offers_slots and not self.choice.slot_id


def rows_of(
    campaign: Campaign, student: Student, reenrolment: Reenrolment | None, *, with_slots=True
) -> list[Row]:
    """One row for each course followed this year. Two queries, one without the slots."""
    enrolments = _enrolments(campaign, student, reenrolment)
    courses = {e.pk: _proposed(e, campaign) for e in enrolments}
    slots = _open_slots(courses.values(), student) if with_slots else {}
    return [
        Row(
            enrolment=enrolment,
            course=course,
            slots=slots.get(course.pk, []) if course else [],
            # An outer join that finds nothing sets no attribute.
            choice=getattr(enrolment, "choice", None)
            or CourseChoice(reenrolment=reenrolment, enrolment=enrolment),
        )
        for enrolment, course in ((e, courses[e.pk]) for e in enrolments)
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
    related = ["course__discipline", "course__next_course", "next_course", "choice__slot__course"]
    if reenrolment and reenrolment.status != Status.DRAFT:  # a draft is granted nothing
        related += ["choice__granted__course", "choice__granted__place__slot__course"]
    enrolments = (
        student.enrolments.annotate(choice=FilteredRelation("choices", condition=ours))
        .filter(is_followed(campaign) | Q(choice__isnull=False))
        .select_related(*related)
        .order_by()
    )
    return sorted(enrolments, key=lambda e: (e.course.sort_name, e.pk))


def _proposed(enrolment, campaign):
    course = enrolment.proposed_course
    prepared = (campaign.establishment_id, campaign.school_year_id)
    ours = course and (course.establishment_id, course.school_year_id) == prepared
    return course if ours else None


def _open_slots(courses, student):
    wanted = {c.pk: c for c in courses if c and c.scheduling == Scheduling.FAMILY}
    slots = {}
    for slot in Slot.objects.open_to(student).filter(course__in=wanted):
        slot.course = wanted[slot.course_id]
        slots.setdefault(slot.course_id, []).append(slot)
    return slots
