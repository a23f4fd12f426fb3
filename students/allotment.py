"""The allotment of ranked wishes: who gets which lesson. Pure functions, no database.

Deferred acceptance, the students asking (Gale and Shapley, 1962), one course after the other in
the published order. In each course:

1. every student asks for the first lesson of his list that does not clash with one he has;
2. a lesson keeps the first of its line, as many as it has places: those who meet the campaign's
   criteria, in their order, then the smallest number drawn;
3. whoever is not kept asks for the next one of his list, and may so take the place of another.

Nobody gains by ranking a course's lessons otherwise than he likes them, and no student misses a
lesson that he prefers while somebody after him in its line has it (tests/students/
test_allotment.py). Nothing depends on the order in which the wishes came.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from hashlib import sha256
from heapq import heappop, heappush

from students.enums import Fate


@dataclass(frozen=True)
class Lesson:
    """When a slot is taught; `slot` is its key, None for an hour that is no slot's."""

    slot: int | None
    weekday: int
    starts_at: dt.time
    ends_at: dt.time

    def clashes_with(self, other: "Lesson") -> bool:
        """A minute in common, in one week."""
        return (
            self.weekday == other.weekday
            and self.starts_at < other.ends_at
            and other.starts_at < self.ends_at
        )


@dataclass(frozen=True)
class Wish:
    """A lesson asked for, by its slot's key; None: any lesson of the course, in the week's order.

    `met`: does the student meet each of the campaign's criteria, the most important first?
    """

    slot: int | None
    met: tuple[bool, ...] = ()


@dataclass(frozen=True)
class Applicant:
    """A student in one course: his wishes, the preferred first, and what he has elsewhere."""

    student: int
    draw: int  # his number in the draw, another for each student
    wishes: Sequence[Wish]
    busy: Sequence[Lesson] = ()


@dataclass(frozen=True)
class Contest:
    """A course: its lessons in the week's order, the free places of each, who asks for them."""

    course: int
    lessons: Sequence[Lesson]
    places: Mapping[int, int]
    applicants: Sequence[Applicant]


@dataclass(frozen=True)
class Siblings:
    """For the criterion « a sister has a lesson on that day »: its position, who is whose."""

    criterion: int
    of: Mapping[int, Set[int]]


@dataclass(frozen=True)
class Outcome:
    """What a student gets in a course: the slot, and by which of his wishes (1 for the first)."""

    slot: int | None
    preference: int | None
    fates: Sequence[Fate]  # one for each wish


@dataclass
class _Plan:
    """What the courses treated so far have given."""

    lessons: dict[int, list[Lesson]] = field(default_factory=lambda: defaultdict(list))

    def days_of(self, students: Iterable[int]) -> set[int]:
        return {lesson.weekday for each in students for lesson in self.lessons.get(each, ())}


@dataclass(frozen=True)
class _Request:
    slot: int
    preference: int
    strength: tuple  # the greater comes first; never the same for two students


def allot(
    contests: Iterable[Contest], siblings: Siblings | None = None
) -> dict[tuple[int, int], Outcome]:
    """What each student gets in each course, by (student, course).

    The courses are treated in the order given: a lesson got in the first ones makes those at the
    same time impossible in the next ones, and its day counts for the sisters and brothers.
    """
    plan, outcomes = _Plan(), {}
    for contest in contests:
        lessons = {lesson.slot: lesson for lesson in contest.lessons}
        lists = {
            applicant.student: _requests_of(applicant, contest, plan, siblings)
            for applicant in contest.applicants
        }
        got = _match(lists, contest.places)
        for applicant in contest.applicants:
            request = got.get(applicant.student)
            outcomes[applicant.student, contest.course] = _outcome(
                applicant, lists[applicant.student], request
            )
            if request:
                plan.lessons[applicant.student].append(lessons[request.slot])
    return outcomes


def draw(seed: str, references: Iterable[str]) -> dict[str, int]:
    """The numbers of a draw, 1 first: the references in the order of their fingerprints."""
    ordered = sorted(set(references), key=lambda each: (fingerprint(seed, each), each))
    return {reference: number for number, reference in enumerate(ordered, start=1)}


def fingerprint(seed: str, reference: str) -> str:
    """What sorts a reference in the draw; whoever knows both can make it anew.

    On any machine: `printf '%s' 'SEED:R-00042' | sha256sum`.
    """
    return sha256(f"{seed}:{reference}".encode()).hexdigest()


def _requests_of(applicant, contest, plan, siblings):
    """The lessons that he may have, the preferred first, each once."""
    busy = [*applicant.busy, *plan.lessons.get(applicant.student, ())]
    days = plan.days_of(siblings.of.get(applicant.student, ())) if siblings else set()
    seen, requests = set(), []
    for preference, wish in enumerate(applicant.wishes, start=1):
        for lesson in contest.lessons:
            if wish.slot not in (None, lesson.slot) or lesson.slot in seen:
                continue
            seen.add(lesson.slot)
            if any(lesson.clashes_with(other) for other in busy):
                continue
            met = wish.met
            # As on the waiting list, a wish for any lesson has no day.
            if wish.slot and lesson.weekday in days:
                met = tuple(one or at == siblings.criterion for at, one in enumerate(met))
            requests.append(_Request(lesson.slot, preference, (*met, -applicant.draw)))
    return requests


def _match(lists, places):
    """Deferred acceptance; its end does not depend on who is asked first."""
    remaining = {student: iter(requests) for student, requests in lists.items()}
    lines = defaultdict(list)  # slot: those kept so far, the last of the line on top
    asking = list(lists)
    while asking:
        student = asking.pop()
        request = next(remaining[student], None)
        if request is None:
            continue
        line = lines[request.slot]
        heappush(line, (request.strength, student, request))
        if len(line) > places[request.slot]:
            _, rejected, _ = heappop(line)
            asking.append(rejected)
    return {student: request for line in lines.values() for _, student, request in line}


def _outcome(applicant, requests, got):
    possible = {request.slot for request in requests}
    fates = []
    for preference, wish in enumerate(applicant.wishes, start=1):
        if got and preference == got.preference:
            fates.append(Fate.OBTAINED)
        elif got and preference > got.preference:
            fates.append(Fate.UNUSED)
        elif wish.slot in possible or (wish.slot is None and possible):
            fates.append(Fate.FULL)
        else:
            fates.append(Fate.CLASH)
    return Outcome(got and got.slot, got and got.preference, fates)
