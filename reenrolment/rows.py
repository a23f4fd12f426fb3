"""The lines of the table Cours · Cycle · Ha · Réinscription · Cours disponible."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field, replace

from django.db.models import FilteredRelation, Q, QuerySet
from django.utils import timezone

from accounts.prepared import prepared
from reenrolment.enums import Status
from reenrolment.models import Campaign, CourseChoice, Reenrolment
from reenrolment.pieces import is_followed
from reenrolment.waits import Wait, is_waiting, waits_of
from students.enums import Art, Scheduling
from students.models import Course, Enrolment, Slot, Student
from students.selectors import may_pick, slots_for
from students.suitability import coming_level, misfits


@dataclass(frozen=True)
class Row:
    """A course of this year, what is proposed for the coming one, and the family's choice."""

    enrolment: Enrolment
    course: Course | None  # of the coming year; None: the administration will say
    choice: CourseChoice  # unsaved while there is no draft
    slots: list[Slot]  # that the family may pick: a place is left, or is held for the student
    full_slots: list[Slot]  # the others that are for his age and level: one may wait for them
    closed: list[Slot]  # by the administration, in mid-rush
    unsuited: list[Slot]  # those that are not for him
    by_allotment: bool = False  # the slots are ranked, not picked (Campaign.by_allotment)
    waits: list[Wait] = field(default_factory=list)  # for places of the course that goes on

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
        nothing = not self.slots and not self.no_slot_suits
        return self.scheduling == Scheduling.FAMILY and nothing and not self.ranks_slots

    @property
    def no_slot_suits(self) -> bool:
        """The course has slots, but for another age or another level."""
        return bool(self.unsuited) and not (self.slots or self.full_slots or self.closed)

    @property
    def offers_slots(self) -> bool:
        chosen = self.scheduling == Scheduling.FAMILY and not self.by_allotment
        return chosen and bool(self.slots)

    @property
    def ranks_slots(self) -> bool:
        """In a campaign by allotment: full or not, each slot may be wished for."""
        chosen = self.scheduling == Scheduling.FAMILY and self.by_allotment
        return chosen and self.to_rank > 0

    @property
    def to_rank(self) -> int:
        """How many slots."""
        return len(self.slots) + len(self.full_slots)

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
    def why_gone(self) -> str:
        """Of a slot that is gone, as it ends the sentence: for others now, closed, or full."""
        if self.choice.slot_id in {slot.pk for slot in self.unsuited}:
            return "ne correspond plus à l'âge ou au niveau de l'élève"
        closed = self.choice.slot.closed_at
        return "n'est plus proposé aux familles" if closed else "est maintenant complet"

    @property
    def held_until(self) -> dt.datetime | None:
        """Until when the place picked is kept for the student; None if it is not, or no more."""
        picked = self.choice.slot_id
        held = (slot.held_until for slot in self.slots if slot.pk == picked)
        return next(held, None) if picked else None

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
    enrolments = _enrolments(campaign, student, reenrolment)
    courses = {e.pk: proposed_course(e, campaign) for e in enrolments}
    slots = _slots_to_choose(courses.values(), campaign, student) if with_slots else {}
    rows = [
        Row(
            enrolment=enrolment,
            course=course,
            # An outer join that finds nothing sets no attribute.
            choice=getattr(enrolment, "choice", None)
            or CourseChoice(reenrolment=reenrolment, enrolment=enrolment),
            by_allotment=campaign.by_allotment,
            **_sorted_out(slots.get(course and course.pk, []), student, enrolment),
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


def proposed_course(enrolment: Enrolment, campaign: Campaign) -> Course | None:
    """What the campaign proposes after this year's course; None: the administration will say."""
    course = enrolment.proposed_course
    prepared = (campaign.establishment_id, campaign.school_year_id)
    ours = course and (course.establishment_id, course.school_year_id) == prepared
    return course if ours else None


def _enrolments(campaign, student, reenrolment):
    """Followed now, or followed when the dossier was made; each with its `choice`, or None."""
    is_draft = reenrolment is None or reenrolment.status == Status.DRAFT
    enrolments = _enrolments_and_choices(
        student.pk,
        reenrolment and reenrolment.pk,
        campaign.establishment_id,
        campaign.previous_year_id,
        campaign.school_year_id,
        is_draft,
    )
    return sorted(enrolments, key=lambda e: (e.course.sort_name, e.pk))


@prepared
def _enrolments_and_choices(
    student: int, reenrolment: int | None, site: int, previous_year: int, year: int, is_draft: bool
) -> QuerySet[Enrolment]:
    campaign = Campaign(establishment_id=site, previous_year_id=previous_year, school_year_id=year)
    ours = Q(choices__reenrolment=reenrolment)
    related = ["course__discipline", "course__next_course", "next_course", "choice__slot__course"]
    if not is_draft:  # a draft is granted nothing
        related += ["choice__granted__course", "choice__granted__place__slot__course"]
    return (
        Enrolment.objects.filter(student=student)
        .annotate(
            choice=FilteredRelation("choices", condition=ours),
            is_waiting=is_waiting(campaign, Student(pk=student)),
        )
        .filter(is_followed(campaign) | Q(choice__isnull=False))
        .select_related(*related)
        .order_by()
    )


def _slots_to_choose(courses, campaign, student):
    """By course; each slot with its course, which is at hand."""
    wanted = {c.pk: c for c in courses if c and c.scheduling == Scheduling.FAMILY}
    for course in wanted.values():
        course.school_year = campaign.school_year
    slots = defaultdict(list)
    for slot in _slots_of(sorted(wanted), student.pk, timezone.now()):
        slot.course = wanted[slot.course_id]
        slots[slot.course_id].append(slot)
    return slots


@prepared
def _slots_of(courses: list[int], student: int, now: dt.datetime) -> QuerySet[Slot]:
    return slots_for(Student(pk=student), now).filter(course__in=courses)


def _sorted_out(slots, student, enrolment):
    """The four lists of a row."""
    lists = {"slots": [], "full_slots": [], "closed": [], "unsuited": []}
    level = coming_level(enrolment)
    for slot in slots:
        lists[_list_of(slot, suits=not misfits(slot, student, level))].append(slot)
    return lists


def _list_of(slot, *, suits):
    if not suits:
        return "unsuited"
    if may_pick(slot):
        return "slots"
    return "closed" if slot.closed_at else "full_slots"
