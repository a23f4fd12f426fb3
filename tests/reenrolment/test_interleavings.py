"""What families and staff may do to a few places, in any order; hypothesis draws the orders.

After each move the database is compared with a model of a few lines, and `check_invariants` holds.
The draws are always the same; `INTERLEAVINGS=2000 pytest tests/reenrolment/test_interleavings.py`
draws that many, new ones each time.
"""

import datetime as dt
import os
from dataclasses import dataclass, field

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Value
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from imuse.invariants import violations
from reenrolment.enums import TO_EXAMINE, Status
from reenrolment.models import Reenrolment
from reenrolment.pieces import load_pieces
from reenrolment.readiness import fingerprint_of
from reenrolment.rows import load_rows
from reenrolment.services import decisions, drafts, submission
from reenrolment.services.drafts import Edit
from students import services as students
from students.enums import Scheduling, Weekday
from students.models import Enrolment, Hold, Slot
from tests.factories import (
    CampaignFactory,
    CourseFactory,
    EnrolmentFactory,
    PieceRuleFactory,
    SlotFactory,
    StudentFactory,
)

DRAWN = int(os.environ.get("INTERLEAVINGS", 0))
PROFILE = settings(
    max_examples=DRAWN or 20,
    derandomize=not DRAWN,
    stateful_step_count=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


class Town:
    """Three students of two households, who all follow the same three courses; few places.

    The slots of one hour belong to two courses: who has one may not have the other.
    """

    HOURS = {
        "theory": [Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY],
        "orchestra": [Weekday.MONDAY, Weekday.TUESDAY, Weekday.THURSDAY],
        "choir": [Weekday.WEDNESDAY, Weekday.FRIDAY, Weekday.SATURDAY],
    }

    def __init__(self, parent, stranger, registrar):
        self.parents, self.registrar = [parent, parent, stranger], registrar
        self.campaign = CampaignFactory()
        PieceRuleFactory()  # which nobody ever sends: a complement may be asked for
        self.students = [StudentFactory(family=p.guardian.family) for p in self.parents]
        self.slots, self.followed = {}, {}
        for rank, (name, days) in enumerate(self.HOURS.items()):
            scheduling = Scheduling.ADMINISTRATION if name == "choir" else Scheduling.FAMILY
            coming = CourseFactory(coming=True, name=name, scheduling=scheduling)
            course = CourseFactory(name=f"{rank} {name}", next_course=coming)
            self.slots[name] = [SlotFactory(course=coming, weekday=day) for day in days]
            for n, student in enumerate(self.students):
                self.followed[n, name] = EnrolmentFactory(student=student, course=course)


STUDENTS = st.integers(0, 2)
COURSES = st.sampled_from(sorted(Town.HOURS))
CHOSEN = st.sampled_from(["theory", "orchestra"])  # by the families; staff allot the choir
SLOTS = st.integers(0, 2)


@dataclass
class Model:
    """What each student was told that he has: nobody else's, for as long as it is kept."""

    slots: dict[str, list[Slot]]  # by course
    capacity: dict[Slot, int]
    status: list[Status] = field(default_factory=lambda: [Status.DRAFT] * 3)
    # By number of the student and course, for the courses wanted: the slot picked.
    picked: dict[tuple[int, str], Slot | None] = field(default_factory=dict)
    kept: dict[tuple[int, str], Slot] = field(default_factory=dict)  # held or granted

    def places_left(self, slot):
        return self.capacity[slot] - list(self.kept.values()).count(slot)

    def unplaced(self, n):
        return [key for key in self.picked if key[0] == n and key not in self.kept]

    def take(self, n, slot):
        """Keeps a place of the slot for the student; gives the code of the refusal, or None."""
        key = n, slot.course.name
        others = [s for (m, _), s in self.kept.items() if m == n and s.course != slot.course]
        if any(other.weekday == slot.weekday for other in others):
            return "clash"
        if self.kept.get(key) != slot and self.places_left(slot) < 1:
            return "slot_full"
        self.kept[key] = slot
        return None

    def take_again(self, n):
        """What is picked and still free, in the order of the locks; gives the refusals."""
        mine = [slot for (m, _), slot in self.picked.items() if m == n and slot]
        return [self.take(n, slot) for slot in sorted(mine, key=lambda slot: slot.pk)]

    def pick(self, n, wishes):
        """Each course by itself, then those that clash together; gives the refusals."""
        moves = {
            name: slot
            for name, slot in wishes.items()
            if (n, name) not in self.picked or self.picked[n, name] != slot
        }
        refusals = {name: self._move(n, name, slot) for name, slot in moves.items()}
        clashing = [name for name, refusal in refusals.items() if refusal == "clash"]
        before = dict(self.kept)
        for name in clashing:
            self.kept.pop((n, name), None)
        still = {self._move(n, name, moves[name]) for name in clashing} - {None}
        if still:
            self.kept = before
        else:
            refusals |= dict.fromkeys(clashing)
        self.picked |= {(n, k): slot for k, slot in moves.items() if refusals[k] is None}
        return sorted(filter(None, refusals.values()))

    def submit(self, n):
        """All the places or none; gives the code of the refusal, or None."""
        if self.status[n] != Status.DRAFT:
            return "bad_transition"
        if any(self._lacks_slot(*key) for key in self.picked if key[0] == n):
            return "not_ready"
        before = dict(self.kept)
        refusals = set(self.take_again(n)) - {None}
        if refusals:
            self.kept = before
            return "clash" if "clash" in refusals else "slot_full"
        self.status[n] = Status.SUBMITTED
        return None

    def give_back(self, n, status):
        self.status[n] = status
        self.kept = {key: slot for key, slot in self.kept.items() if key[0] != n}

    def _lacks_slot(self, n, name):
        """A full course may be asked for without a slot."""
        to_choose = name != "choir" and self.picked[n, name] is None
        return to_choose and any(self.places_left(slot) > 0 for slot in self.slots[name])

    def _move(self, n, name, slot):
        if slot is not None:
            return self.take(n, slot)
        self.kept.pop((n, name), None)
        return None


def some_in(*states):
    """A move is drawn while a dossier is in one of these states."""
    return precondition(lambda self: set(states) & set(self.model.status))


class OpeningEvening(RuleBasedStateMachine):
    town: Town

    @initialize()
    def open(self):
        """Each draw starts from the town as it was made: what it writes is rolled back."""
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        slots = [slot for slots in self.town.slots.values() for slot in slots]
        self.model = Model(self.town.slots, dict.fromkeys(slots, 1))
        ticked = {"administrative": Edit({"administrative": False}, {"administrative": True})}
        for n, student in enumerate(self.town.students):
            drafts.save_draft(self.town.campaign, student, ticked)
            self._pick(n, {"choir": None})

    def teardown(self):
        if hasattr(self, "transaction"):
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    # --- The families

    @rule(n=STUDENTS, course=CHOSEN, slot=SLOTS)
    def pick(self, n, course, slot):
        """The first slot, or another instead."""
        n = self._one_in([Status.DRAFT], n)
        self._pick(n, {course: self.town.slots[course][slot]})

    @rule(n=STUDENTS, theory=SLOTS, orchestra=SLOTS)
    def pick_two(self, n, theory, orchestra):
        """In one save: two courses that exchange their hours are among them."""
        n = self._one_in([Status.DRAFT], n)
        slots = self.town.slots
        wishes = {"theory": slots["theory"][theory], "orchestra": slots["orchestra"][orchestra]}
        self._pick(n, wishes)

    @rule(n=STUDENTS, course=CHOSEN)
    def unpick(self, n, course):
        n = self._one_in([Status.DRAFT], n)
        self._pick(n, {course: None})

    @rule(n=STUDENTS)
    def prolong(self, n):
        n = self._one_in([Status.DRAFT], n)
        code = _code_of(drafts.keep_places, self.town.campaign, self.town.students[n])
        if self._as_a_draft(n, code):
            self.model.take_again(n)

    @rule(n=STUDENTS)
    def let_expire(self, n):
        """Time alone passes: nothing sweeps."""
        n = self._one_in([Status.DRAFT], n)
        Hold.objects.filter(student=self.town.students[n]).update(until=timezone.now())
        if self.model.status[n] == Status.DRAFT:
            self.model.give_back(n, Status.DRAFT)

    @rule(n=STUDENTS)
    def submit(self, n):
        n = self._one_in([Status.DRAFT], n)
        dossier = self._dossier(n)
        read = fingerprint_of(dossier, load_rows(dossier), load_pieces(dossier))
        terms, actor = self.town.campaign.terms, self.town.parents[n]
        code = _code_of(submission.submit, dossier, actor=actor, terms=terms, fingerprint=read)
        assert code == self.model.submit(n)

    @some_in(*TO_EXAMINE)
    @rule(n=STUDENTS)
    def withdraw(self, n):
        n = self._one_in(TO_EXAMINE, n)
        code = _code_of(submission.withdraw, self._dossier(n), actor=self.town.parents[n])
        if self._as_a_move_from(TO_EXAMINE, n, code):
            self.model.give_back(n, Status.WITHDRAWN)

    @some_in(Status.WITHDRAWN)
    @rule(n=STUDENTS)
    def take_up(self, n):
        n = self._one_in([Status.WITHDRAWN], n)
        code = _code_of(submission.take_up, self._dossier(n), actor=self.town.parents[n])
        if self._as_a_move_from([Status.WITHDRAWN], n, code):
            self.model.status[n] = Status.DRAFT
            self.model.take_again(n)

    # --- The staff

    @some_in(*TO_EXAMINE)
    @rule(n=STUDENTS)
    def refuse(self, n):
        n = self._one_in(TO_EXAMINE, n)
        actor = self.town.registrar
        code = _code_of(decisions.refuse, self._dossier(n), reason="Âge.", actor=actor)
        if self._as_a_move_from(TO_EXAMINE, n, code):
            self.model.give_back(n, Status.REFUSED)

    @some_in(Status.SUBMITTED)
    @rule(n=STUDENTS)
    def ask_for_a_complement(self, n):
        n = self._one_in([Status.SUBMITTED], n)
        dossier = self._dossier(n)
        code = _code_of(
            decisions.request_complement,
            dossier,
            pieces=load_pieces(dossier),
            until=timezone.now() + dt.timedelta(days=9),
            actor=self.town.registrar,
        )
        if self._as_a_move_from([Status.SUBMITTED], n, code):
            self.model.status[n] = Status.INCOMPLETE

    @some_in(*TO_EXAMINE)
    @rule(n=STUDENTS, placing=st.booleans())
    def validate(self, n, placing):
        """At once, or after the student was placed wherever it can be."""
        n = self._one_in(TO_EXAMINE, n)
        if placing:
            for course in [name for _, name in self.model.unplaced(n)]:
                for slot in self.town.slots[course]:
                    self._place(n, course, slot)
        code = _code_of(decisions.validate, self._dossier(n), actor=self.town.registrar)
        if self.model.unplaced(n):
            assert code == "not_placed"
        elif self._as_a_move_from(TO_EXAMINE, n, code):
            self.model.status[n] = Status.VALIDATED

    @some_in(*TO_EXAMINE)
    @rule(n=STUDENTS, course=COURSES, slot=SLOTS)
    def place(self, n, course, slot):
        n = self._one_in(TO_EXAMINE, n)
        self._place(n, course, self.town.slots[course][slot])

    @rule(n=STUDENTS, course=COURSES)
    def release_by_hand(self, n, course):
        """« Rendre », on the enrolment's own page."""
        mine = Enrolment.objects.live().filter(student=self.town.students[n])
        for enrolment in mine.filter(course=self.town.slots[course][0].course):
            students.release(enrolment)
            self.model.kept.pop((n, course), None)

    @rule(course=COURSES, slot=SLOTS, capacity=st.integers(0, 2))
    def set_capacity(self, course, slot, capacity):
        slot = self.town.slots[course][slot]
        taken = self.model.capacity[slot] - self.model.places_left(slot)
        code = _code_of(students.set_capacity, slot, capacity)
        assert code == ("capacity_below_taken" if capacity < taken else None)
        if code is None:
            self.model.capacity[slot] = capacity

    @rule(course=COURSES, slot=SLOTS)
    def add_a_place(self, course, slot):
        slot = self.town.slots[course][slot]
        students.add_place(slot, reason="Sa sœur est dans ce groupe.")
        self.model.capacity[slot] += 1

    # --- What holds after each move

    @invariant()
    def all_is_well(self):
        self._check_what_each_has()
        self._check_the_slots()
        self._check_the_dossiers()
        assert list(violations()) == []

    def _check_what_each_has(self):
        """The places held or granted are those of the model; one live enrolment in a course."""
        numbers = {student: n for n, student in enumerate(self.town.students)}
        year = self.town.campaign.school_year
        granted = Enrolment.objects.live().filter(course__school_year=year).for_list()
        live = [(numbers[row.student], row.course.name) for row in granted]
        assert len(live) == len(set(live))
        held = Hold.objects.filter(until__gt=timezone.now()).select_related("place__slot__course")
        rows = [row for row in [*granted, *held] if row.place]
        found = [((numbers[row.student], row.course.name), row.place.slot) for row in rows]
        assert dict(found) == self.model.kept
        assert len(found) == len(self.model.kept)

    def _check_the_slots(self):
        """None is oversold."""
        for slot in Slot.objects.with_places():
            assert slot.capacity == self.model.capacity[slot]
            assert slot.places_left == self.model.places_left(slot)
            assert slot.places_left >= 0

    def _check_the_dossiers(self):
        """A course wanted, of a dossier to examine, has a place, or there is a reason.

        No slot was left to pick, the administration allots it, or an agent gave it back.
        """
        assert [self._dossier(n).status for n in range(3)] == self.model.status
        for (n, course), slot in self.model.picked.items():
            if self.model.status[n] in TO_EXAMINE and (n, course) not in self.model.kept:
                granted = self._choice(n, course).granted
                assert granted is not None
                assert slot is None or not granted.is_live

    # --- How the services are called

    def _one_in(self, states, n):
        """A student whose dossier is in one of these states, or one whose dossier refuses."""
        possible = [m for m in range(3) if self.model.status[m] in states] or [n]
        return possible[n % len(possible)]

    def _pick(self, n, wishes):
        """Saves the page, opened just now, with these slots."""
        edits = {}
        for course, slot in wishes.items():
            choice = self._choice(n, course)
            base = {"wanted": choice.wanted, "slot_id": choice.slot_id}
            mine = {"wanted": True, "slot_id": slot and slot.pk}
            edits[f"course-{choice.enrolment_id}"] = Edit(base, mine)
        try:
            unsaved = drafts.save_draft(self.town.campaign, self.town.students[n], edits)
        except ValidationError as error:
            self._as_a_draft(n, error.code)
        else:
            self._as_a_draft(n, None)
            assert sorted(each.error.code for each in unsaved) == self.model.pick(n, wishes)

    def _place(self, n, course, slot):
        code = _code_of(decisions.place, self._choice(n, course), course=slot.course, slot=slot)
        wanted = (n, course) in self.model.picked
        assert code == (self.model.take(n, slot) if wanted else "not_wanted")

    def _as_a_draft(self, n, code):
        """Was it saved? It must be if, and only if, the dossier is a draft."""
        assert code == (None if self.model.status[n] == Status.DRAFT else "not_draft")
        return code is None

    def _as_a_move_from(self, states, n, code):
        assert code == (None if self.model.status[n] in states else "bad_transition")
        return code is None

    def _dossier(self, n):
        return Reenrolment.objects.get(student=self.town.students[n])

    def _choice(self, n, course):
        choices = self._dossier(n).choices.select_related("granted")
        return choices.get(enrolment=self.town.followed[n, course])


@pytest.fixture
def machine(parent, stranger, registrar):
    return type("Evening", (OpeningEvening,), {"town": Town(parent, stranger, registrar)})


def test_whatever_the_order_of_the_moves(machine):
    run_state_machine_as_test(machine, settings=PROFILE)


@pytest.mark.parametrize(
    ("module", "name", "fault"),
    [
        (students, "let_go", lambda *args: None),
        (submission, "release_all", lambda *args: None),
        (students, "first_free_place", lambda *args, **_: _any_place(*args)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fault_is_found(machine, monkeypatch, module, name, fault):
    """Proves that the test above can fail: each of these does its part."""
    monkeypatch.setattr(module, name, fault)

    with pytest.raises((AssertionError, IntegrityError)):
        run_state_machine_as_test(machine, settings=settings(PROFILE, phases=[Phase.generate]))


def _any_place(slot, student):
    """Somebody else's too, while he has only picked it."""
    places = slot.places.filter(enrolment=None)
    places = places.annotate(kept_until=F("hold__until"), student_waits=Value(True))
    if not places.exists():
        raise ValidationError("", code="slot_full")
    return places.first()


def _code_of(service, *args, **kwargs):
    """The code of the refusal, or None."""
    try:
        service(*args, **kwargs)
    except ValidationError as error:
        [code] = {each.code for each in error.error_list}
        return code
