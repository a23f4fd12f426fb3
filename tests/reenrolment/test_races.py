"""The opening evening, on PostgreSQL: many families want the last place at the same moment."""

import datetime as dt
import logging
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import Mail
from documents import services as documents
from documents.models import Document
from imuse.invariants import violations
from reenrolment.enums import Status
from reenrolment.models import CourseChoice, Reenrolment
from reenrolment.pieces import load_pieces
from reenrolment.services import decisions, drafts, submission, supplies
from reenrolment.services.drafts import Edit
from students import services as students
from students.enums import Weekday
from students.models import Enrolment, Hold, Slot
from tests.documents.builders import make_pdf
from tests.factories import (
    CourseFactory,
    DocumentFactory,
    EnrolmentFactory,
    PieceRuleFactory,
    SlotFactory,
    StudentFactory,
)
from tests.races import run_together
from tests.reenrolment.conftest import BLANK, make_case

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

FAMILIES, ROUNDS = 50, 20


@pytest.fixture
def rush(parent):
    """Fifty ready drafts; each round gives them a new slot with one place."""
    course = CourseFactory(coming=True)
    first = SlotFactory(course=course)
    cases = [
        make_case(StudentFactory(family=parent.guardian.family), slot=first)
        for _ in range(FAMILIES)
    ]
    for case in cases:
        case.fill_in()

    def play():
        slot = SlotFactory(course=course)
        for case in cases:
            case.reenrolment.choices.filter(enrolment=case.theory).update(wanted=True, slot=slot)
        results = run_together(lambda n: cases[n].submit(parent), FAMILIES)
        won = [result for result in results if not isinstance(result, Exception)]
        for reenrolment in won:
            submission.withdraw(reenrolment, actor=parent)
            submission.take_up(reenrolment, actor=parent)
        return slot, results, won

    return play


def stopped_by_the_constraint(caplog):
    return sum("stopped by the constraint" in record.message for record in caplog.records)


def test_the_last_place_goes_to_exactly_one_family(rush, caplog):
    caplog.set_level(logging.WARNING, logger="students.services")
    for _ in range(ROUNDS):
        _, results, won = rush()
        lost = [result for result in results if result not in won]

        assert len(won) == 1
        assert {type(error) for error in lost} == {ValidationError}
        assert {each.code for error in lost for each in error.error_list} == {"slot_full"}
    assert stopped_by_the_constraint(caplog) == 0


def test_without_the_lock_the_constraint_has_to_stop_claims(rush, caplog, monkeypatch):
    """Proves that the test above can fail: it is the lock that keeps the constraint idle."""
    caplog.set_level(logging.WARNING, logger="students.services")
    monkeypatch.setattr(students, "lock_slots", _without_locking)
    winners = [len(rush()[2]) for _ in range(3)]

    assert winners == [1] * 3
    assert stopped_by_the_constraint(caplog) > 0


def test_the_last_place_is_held_for_exactly_one_family(parent):
    """They pick it at the same moment, before anybody has submitted."""
    family = parent.guardian.family
    slot = SlotFactory(course=CourseFactory(coming=True))
    cases = [make_case(StudentFactory(family=family), slot=slot) for _ in range(FAMILIES)]
    for _ in range(ROUNDS):
        results = run_together(lambda n: cases[n].fill_in(), FAMILIES)

        [held] = Hold.objects.all()
        winner = next(n for n, case in enumerate(cases) if case.student == held.student)
        assert results.pop(winner) == []
        assert [[each.error.code for each in refused] for refused in results] == [["slot_full"]] * (
            FAMILIES - 1
        )
        cases[winner].let_holds_end()
        CourseChoice.objects.update(wanted=False, slot=None)


def test_a_hold_that_ends_is_taken_by_one_and_never_by_two(parent):
    """Its family validates at the very moment when five others pick the place."""
    family = parent.guardian.family
    course = CourseFactory(coming=True)
    for _ in range(ROUNDS):
        slot = SlotFactory(course=course)
        mine = make_case(StudentFactory(family=family), slot=slot)
        others = [make_case(StudentFactory(family=family), slot=slot) for _ in range(5)]
        mine.fill_in()
        mine.let_holds_end()

        submitted, *picked = run_together(
            lambda n, mine=mine, others=others: (
                others[n - 1].fill_in() if n else mine.submit(parent)
            ),
            6,
        )

        won = [unsaved for unsaved in picked if unsaved == []]
        if isinstance(submitted, Exception):
            assert [each.code for each in submitted.error_list] == ["slot_full"]
            assert len(won) == 1
        else:
            assert won == []
        assert list(violations()) == []


def test_two_families_that_exchange_their_slots_lose_none(parent):
    """Each wants the other's full slot: both are refused, neither waits for ever."""
    family = parent.guardian.family
    course = CourseFactory(coming=True)
    slots = [SlotFactory(course=course, group=group) for group in "AB"]
    cases = [make_case(StudentFactory(family=family), slot=slot) for slot in slots]
    for case in cases:
        case.fill_in()
    for _ in range(ROUNDS):
        results = run_together(
            lambda n: drafts.save_draft(
                cases[n].campaign,
                cases[n].student,
                {
                    f"course-{cases[n].theory.pk}": Edit(
                        BLANK | {"wanted": True, "slot_id": slots[n].pk},
                        BLANK | {"wanted": True, "slot_id": slots[1 - n].pk},
                    )
                },
            ),
            2,
        )

        assert [[each.error.code for each in refused] for refused in results] == [["slot_full"]] * 2
        assert {held.place.slot for held in Hold.objects.all()} == set(slots)


def test_two_parents_who_pick_two_slots_hold_one_place(case):
    """The one who saves second is shown what the first one saved."""
    slots = [SlotFactory(course=case.slot.course, group=group) for group in "BC"]
    for _ in range(ROUNDS):
        results = run_together(lambda n: case.fill_in(slot=slots[n]), 2)

        assert sorted(len(unsaved) for unsaved in results) == [0, 1]
        assert Hold.objects.count() == 1
        assert Hold.objects.get().place.slot == case.choice(case.theory).slot
        Hold.objects.all().delete()
        Reenrolment.objects.update(administrative=False)
        CourseChoice.objects.update(wanted=False, slot=None)


def test_a_double_click_submits_once(parent, student):
    slot = SlotFactory(course=CourseFactory(coming=True), places=ROUNDS)
    for _ in range(ROUNDS):
        case = make_case(StudentFactory(family=parent.guardian.family), slot=slot)
        case.fill_in()
        Mail.objects.all().delete()

        results = run_together(lambda _, case=case: case.submit(parent), 4)

        codes = [r.error_list[0].code for r in results if isinstance(r, ValidationError)]
        assert codes == ["bad_transition"] * 3
        assert Mail.objects.count() == 1
        assert Enrolment.objects.filter(student=case.student, place__isnull=False).count() == 1


def test_two_tabs_open_one_draft(parent, student):
    case = make_case(student)

    results = run_together(lambda _: drafts.save_draft(case.campaign, student, {}), 8)

    assert results == [[]] * 8
    assert Reenrolment.objects.get().status == Status.DRAFT
    assert case.reenrolment.choices.count() == 2


def test_two_families_that_cross_their_slots_do_not_deadlock(parent):
    """Each wants both slots, in opposite orders of courses: the locks go by ascending key."""
    family = parent.guardian.family
    days = (Weekday.MONDAY, Weekday.TUESDAY)
    slots = [SlotFactory(course=CourseFactory(coming=True), weekday=d, places=2) for d in days]
    for _ in range(ROUNDS):
        cases = [_wants_both(StudentFactory(family=family), slots[::step]) for step in (1, -1)]

        results = run_together(lambda n, cases=cases: cases[n].submit(parent), 2)

        assert [r.status for r in results] == [Status.SUBMITTED] * 2
        for reenrolment in results:
            submission.withdraw(reenrolment, actor=parent)


def test_a_piece_taken_back_while_a_dossier_is_submitted(parent):
    """Either the dossier goes with it, or the family is told; never half of each."""
    family = parent.guardian.family
    rule = PieceRuleFactory()
    slot = SlotFactory(course=CourseFactory(coming=True), places=ROUNDS)
    for _ in range(ROUNDS):
        case = make_case(StudentFactory(family=family), slot=slot)
        document = DocumentFactory(type=rule.document_type, family=family)
        case.fill_in()

        _, submitted = run_together(
            lambda n, case=case, document=document: (
                documents.remove(document) if n == 0 else case.submit(parent)
            ),
            2,
        )

        supplied = case.reenrolment.supplied_pieces.count()
        if isinstance(submitted, Exception):
            assert {each.code for each in submitted.error_list} == {"changed"}
            assert case.reenrolment.status == Status.DRAFT
        else:
            assert supplied == 1 - case.reenrolment.missing_pieces


def test_a_file_sent_while_the_other_parent_submits(parent):
    """Either the dossier goes with it, or its sender is told that it came too late."""
    family, content = parent.guardian.family, make_pdf()
    PieceRuleFactory()
    slot = SlotFactory(course=CourseFactory(coming=True), places=ROUNDS)
    for _ in range(ROUNDS):
        case = make_case(StudentFactory(family=family), slot=slot)
        case.fill_in()
        [piece] = load_pieces(case.reenrolment)
        send = partial(supplies.hand_in, case.campaign, case.student, piece, actor=parent)

        sent, submitted = run_together(
            lambda n, case=case, send=send: (
                send(name="a.pdf", content=content) if n == 0 else case.submit(parent)
            ),
            2,
        )

        frozen = [row.document for row in case.reenrolment.supplied_pieces.all()]
        if isinstance(sent, Exception):
            assert sent.code == "not_draft"
        elif isinstance(submitted, Exception):
            assert {each.code for each in submitted.error_list} == {"changed"}
        else:
            assert frozen == [sent]
        Document.objects.filter(supplied_pieces=None).delete()
        Document.objects.update(removed_at=timezone.now())
    assert {document.file.name for document in Document.objects.all()} <= set(_stored())


def test_brothers_submitted_together_do_not_deadlock(parent):
    """Both dossiers hold the same pieces of the family, and one of them is being replaced."""
    family, content = parent.guardian.family, make_pdf()
    types = [PieceRuleFactory().document_type for _ in range(5)]
    slot = SlotFactory(course=CourseFactory(coming=True), places=6)
    for type_ in types:
        documents.hand_in("a.pdf", content, type=type_, family=family, actor=parent)
    cases = [make_case(StudentFactory(family=family), slot=slot) for _ in range(6)]
    for case in cases:
        case.fill_in()
    brother = make_case(StudentFactory(family=family), slot=slot)
    brother.fill_in()
    for _ in range(ROUNDS):
        [first, *_] = load_pieces(brother.reenrolment)

        def act(n, first=first):
            if n < len(cases):
                return cases[n].submit(parent)
            return supplies.hand_in(
                brother.campaign,
                brother.student,
                first,
                name="a.pdf",
                content=content,
                actor=parent,
            )

        results = run_together(act, len(cases) + 1)

        failures = [result for result in results if isinstance(result, Exception)]
        assert {type(failure) for failure in failures} <= {ValidationError}
        assert list(violations()) == []
        for reenrolment in results[:-1]:
            if not isinstance(reenrolment, Exception):
                submission.withdraw(reenrolment, actor=parent)
                submission.take_up(reenrolment, actor=parent)


@pytest.mark.parametrize("rival", ["withdraw", "refuse", "request_complement"])
def test_two_moves_at_the_same_instant_make_one(parent, registrar, rival):
    """The administration validates while the family withdraws, or a colleague decides."""
    PieceRuleFactory()
    slot = SlotFactory(course=CourseFactory(coming=True), places=ROUNDS)
    for _ in range(ROUNDS):
        case = make_case(StudentFactory(family=parent.guardian.family), slot=slot)
        case.fill_in()
        case.reenrolment.choices.filter(enrolment=case.choir).update(wanted=False)
        dossier = case.submit(parent)
        rivals = {
            "withdraw": partial(submission.withdraw, dossier, actor=parent),
            "refuse": partial(decisions.refuse, dossier, reason="Non.", actor=registrar),
            "request_complement": partial(
                decisions.request_complement,
                dossier,
                pieces=load_pieces(dossier),
                until=timezone.now() + dt.timedelta(days=9),
                actor=registrar,
            ),
        }

        moves = [partial(decisions.validate, dossier, actor=registrar), rivals[rival]]

        results = run_together(lambda n, moves=moves: moves[n](), 2)

        lost = [result for result in results if isinstance(result, Exception)]
        # A complement may be asked for first, and the dossier be validated all the same.
        assert len(lost) <= 1 if rival == "request_complement" else len(lost) == 1
        assert {each.code for error in lost for each in error.error_list} <= {"bad_transition"}
        assert list(violations()) == []


def _stored():
    storage = Document._meta.get_field("file").storage
    folders, _ = storage.listdir("")
    return [f"{folder}/{name}" for folder in folders for name in storage.listdir(folder)[1]]


def _wants_both(student, slots):
    case = make_case(student, slot=slots[0])
    this_year = slots[1].course.previous_courses.first() or CourseFactory(
        next_course=slots[1].course
    )
    second = EnrolmentFactory(student=student, course=this_year)
    case.fill_in()
    case.reenrolment.choices.filter(enrolment=second).update(wanted=True, slot=slots[1])
    return case


def _without_locking(slot_pks):
    return {slot.pk: slot for slot in Slot.objects.select_related("course").filter(pk__in=slot_pks)}
