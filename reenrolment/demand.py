"""What an allotment starts from: who takes part, what was ranked, what there is to give."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain

from django.db.models import Exists, OuterRef
from django.utils import timezone

from reenrolment.enums import TO_EXAMINE
from reenrolment.models import Campaign, CourseChoice
from students.allotment import Applicant, Contest, Lesson, Outcome, Siblings, Wish, allot
from students.enums import Criterion, EnrolmentStatus, Scheduling
from students.models import Course, Custody, Enrolment, Hold, Slot, WaitingEntry
from students.waiting_order import Rule, lines_of
from teaching.classes.clashes import fixed_hours_of


@dataclass(frozen=True)
class Demand:
    """The lines of the dossiers deposited that have no place yet, in courses with slots to choose.

    `entries`: the wishes of each line, the preferred first. `slots`: those of each course, in the
    week's order, with `places_left`. `busy`: what each student has elsewhere at this moment.
    """

    rule: Rule
    choices: Sequence[CourseChoice]
    entries: Mapping[int, Sequence[WaitingEntry]]  # by the key of the choice
    slots: Mapping[int, Sequence[Slot]]  # by the key of the course
    busy: Mapping[int, Sequence[Lesson]]  # by the key of the student
    siblings: Mapping[int, Set[int]]  # empty unless they count

    @property
    def courses(self) -> list[Course]:
        """In the order of the allotment: by name."""
        courses = {choice.granted.course for choice in self.choices}
        return sorted(courses, key=lambda course: (course.sort_name, course.pk))

    def entries_of(self, choice: CourseChoice) -> Sequence[WaitingEntry]:
        return self.entries.get(choice.pk, ())

    def wished(self, choice: CourseChoice) -> list[int | None]:
        """The keys of the slots ranked, the preferred first; None: any of the course."""
        return [entry.slot_id for entry in self.entries_of(choice)]

    def allot(self, numbers: Mapping[str, int]) -> dict[int, Outcome]:
        """What each choice gets, by its key; `numbers`: the draw, by reference of the dossier."""
        criteria = self.rule.criteria
        siblings = (
            Siblings(criteria.index(Criterion.SIBLING), self.siblings)
            if Criterion.SIBLING in criteria
            else None
        )
        lines = defaultdict(list)
        for choice in self.choices:
            lines[choice.granted.course_id].append(choice)
        contests = [self._contest(each, lines[each.pk], numbers) for each in self.courses]
        outcomes = allot(contests, siblings)
        return {
            choice.pk: outcomes[choice.reenrolment.student_id, choice.granted.course_id]
            for choice in self.choices
        }

    def _contest(self, course, choices, numbers):
        slots = self.slots[course.pk]
        return Contest(
            course=course.pk,
            lessons=[lesson_of(slot) for slot in slots],
            places={slot.pk: slot.places_left for slot in slots},
            applicants=[self._applicant(choice, numbers) for choice in choices],
        )

    def _applicant(self, choice, numbers):
        student = choice.reenrolment.student_id
        return Applicant(
            student=student,
            draw=numbers[choice.reenrolment.reference],
            wishes=[
                Wish(entry.slot_id, tuple(self.rule.standing_of(entry)))
                for entry in self.entries_of(choice)
            ],
            busy=self.busy.get(student, ()),
        )


def load_demand(campaign: Campaign) -> Demand:
    """Seven queries, nine when brothers and sisters count; one more when hours are fixed."""
    rule = campaign.waiting_rule
    lines = _lines_without_a_place(campaign)
    choices = list(lines)
    courses = {choice.granted.course_id for choice in choices}
    students = lines.order_by().values("reenrolment__student")
    counts = Criterion.SIBLING in rule.criteria
    siblings = _siblings(students) if counts else {}
    entries = _entries(choices, courses, rule)
    if counts:
        _mark_siblings(entries, siblings, _days_of(students, campaign))
    return Demand(
        rule=rule,
        choices=choices,
        entries=entries,
        slots=_slots(courses),
        busy=busy_of(students, campaign),
        siblings=siblings,
    )


def busy_of(students, campaign: Campaign) -> dict[int, list[Lesson]]:
    """The lessons that the students have, or have picked, in the year prepared.

    `students`: keys, or a query that gives them. Three queries, four when hours are fixed already.
    """
    busy = defaultdict(list)
    seats = Enrolment.objects.live().filter(
        student__in=students, course__school_year=campaign.school_year_id, place__isnull=False
    )
    held = Hold.objects.filter(
        student__in=students,
        course__school_year=campaign.school_year_id,
        until__gt=timezone.now(),
        entry=None,
    )
    for rows in (seats, held):
        for row in rows.select_related("place__slot").order_by("pk"):
            busy[row.student_id].append(lesson_of(row.place.slot))
    for student, time in fixed_hours_of(students, campaign.school_year):
        busy[student].append(Lesson(None, time.weekday, time.starts_at, time.ends_at))
    return busy


def lesson_of(slot: Slot) -> Lesson:
    return Lesson(slot.pk, slot.weekday, slot.starts_at, slot.ends_at)


def _lines_without_a_place(campaign):
    has_slots = Exists(Slot.objects.filter(course=OuterRef("granted__course")))
    return (
        CourseChoice.objects.filter(
            has_slots,
            reenrolment__campaign=campaign,
            reenrolment__status__in=TO_EXAMINE,
            granted__course__scheduling=Scheduling.FAMILY,
            granted__place=None,
        )
        .exclude(granted__status=EnrolmentStatus.RELEASED)
        .select_related("reenrolment__student", "granted__course")
        .order_by("pk")
    )


def _entries(choices, courses, rule):
    """With a boolean for each criterion (students.waiting_order.lines_of), but that of siblings.

    For twenty thousand students it would look at each seat of the year for each wish.
    """
    rule = replace(rule, criteria=[each for each in rule.criteria if each != Criterion.SIBLING])
    mine = {(c.reenrolment.student_id, c.granted.course_id): c.pk for c in choices}
    entries = defaultdict(list)
    for entry in lines_of(courses, rule).entries:
        if key := mine.get((entry.student_id, entry.course_id)):
            entries[key].append(entry)
    for each in entries.values():
        each.sort(key=lambda entry: (entry.preference, entry.pk))
    return entries


def _slots(courses):
    slots = defaultdict(list)
    for slot in Slot.objects.filter(course__in=courses).with_places().select_related("course"):
        slots[slot.course_id].append(slot)
    return slots


def _mark_siblings(entries, siblings, days):
    """As the waiting list does: a wish for any slot has no day."""
    for entry in chain.from_iterable(entries.values()):
        theirs = (days.get(each, ()) for each in siblings.get(entry.student_id, ()))
        entry.sibling = bool(entry.slot) and any(entry.slot.weekday in each for each in theirs)


def _days_of(students, campaign):
    """On which days everybody of their households has a seat, in the year prepared."""
    days = defaultdict(set)
    seats = Enrolment.objects.live().filter(
        student__in=_households(students).values("student"),
        course__school_year=campaign.school_year_id,
        place__isnull=False,
    )
    for student, weekday in seats.values_list("student", "place__slot__weekday"):
        days[student].add(weekday)
    return days


def _households(students):
    families = Custody.objects.filter(student__in=students).values("family")
    return Custody.objects.filter(family__in=families).order_by()


def _siblings(students):
    """Who lives with whom: one household is enough."""
    homes = defaultdict(set)
    for family, student in _households(students).values_list("family", "student"):
        homes[family].add(student)
    siblings = defaultdict(set)
    for home in homes.values():
        for student in home:
            siblings[student] |= home - {student}
    return siblings
