"""Calling a register: what is written, once, and what is refused."""

import datetime as dt
import uuid

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from teaching.absences import services as absences
from teaching.enums import LessonState, Presence
from teaching.models import Absence, AbsenceMove, AbsenceNotice, Lesson, Register, RegisterEntry
from teaching.register import services
from teaching.register.marks import Mark
from teaching.register.selectors import announced_at, not_called, sheet_of
from tests.factories import TeacherFactory
from tests.teaching.register_cases import ABSENT, EXCUSED, HERE, LATE, Case, make_home


@pytest.fixture
def case(teacher):
    return Case(teacher)


def code_of(refused):
    return refused.value.code


class TestCall:
    def test_everybody_is_present_but_for_whom_one_says_otherwise(self, case, teacher):
        called = case.call(HERE, ABSENT, Mark(Presence.LATE, 10, "bus"))

        register = Register.objects.get()
        assert (register.version, register.called_by) == (1, teacher.user)
        assert (register.held_on, register.teacher) == (case.today, teacher)
        assert case.kinds() == {"Louise 1": "absent", "Louise 2": "late"}
        late = Absence.objects.get(kind=Presence.LATE)
        assert (late.minutes, late.note) == (10, "bus")
        assert called.version == 1
        assert not_called([case.lesson]) == []

    def test_all_present_is_a_register_too(self, case):
        case.call(HERE, HERE, HERE)

        assert case.version == 1
        assert case.kinds() == {}

    def test_a_correction_is_logged_and_nothing_is_lost(self, case, teacher):
        case.call(HERE, ABSENT, HERE)
        case.call(HERE, HERE, LATE)

        assert case.kinds() == {"Louise 2": "late"}
        moves = AbsenceMove.objects.values_list("entry__version", "from_kind", "to_kind")
        assert list(moves) == [
            (1, "present", "absent"),
            (2, "absent", "present"),
            (2, "present", "late"),
        ]
        assert Absence.objects.count() == 2  # the one that was taken back is kept

    def test_the_same_sending_twice_counts_once(self, case):
        key = uuid.uuid4()
        case.call(HERE, ABSENT, HERE, key=key, version=0)
        case.call(HERE, HERE, HERE)  # somebody corrects meanwhile

        called = case.call(HERE, ABSENT, HERE, key=key, version=0)

        assert called.version == 2
        assert RegisterEntry.objects.count() == 2
        assert case.kinds() == {}

    def test_the_same_key_for_something_else_is_refused(self, case):
        """The page was left by « back » and changed: it is not the same sending."""
        key = uuid.uuid4()
        case.call(HERE, ABSENT, HERE, key=key, version=0)

        with pytest.raises(ValidationError) as refused:
            case.call(ABSENT, ABSENT, HERE, key=key, version=0)

        assert code_of(refused) == "stale"

    def test_a_stale_page_is_refused_and_writes_nothing(self, case):
        case.call(HERE, ABSENT, HERE)

        with pytest.raises(ValidationError) as refused:
            case.call(HERE, HERE, LATE, version=0)

        assert code_of(refused) == "stale"
        assert case.kinds() == {"Louise 1": "absent"}

    def test_a_stale_page_that_says_the_same_is_right(self, case):
        case.call(HERE, ABSENT, HERE)

        assert case.call(HERE, ABSENT, HERE, version=0).version == 1
        assert RegisterEntry.objects.count() == 1

    def test_a_version_of_a_register_that_was_never_called_is_refused(self, case):
        with pytest.raises(ValidationError) as refused:
            case.call(HERE, HERE, HERE, version=3)

        assert code_of(refused) == "stale"

    def test_a_cancelled_lesson_has_none_even_if_it_was_just_cancelled(self, case):
        lesson = case.lesson  # read before
        Lesson.objects.create(slot=case.slot, planned_on=case.today, state=LessonState.CANCELLED)

        with pytest.raises(ValidationError) as refused:
            services.call(lesson, {}, version=0, key=uuid.uuid4(), actor=case.teacher.user)

        assert code_of(refused) == "cancelled"

    def test_not_before_the_day_of_the_lesson(self, case):
        tomorrow = case.today + dt.timedelta(days=1)
        Lesson.objects.create(
            slot=case.slot,
            planned_on=case.today,
            state=LessonState.MOVED,
            moved_on=tomorrow,
            starts_at=dt.time(18),
            ends_at=dt.time(19),
        )

        with pytest.raises(ValidationError) as refused:
            case.call(HERE, HERE, HERE)

        assert code_of(refused) == "too_early"
        assert not Register.objects.exists()

    def test_not_after_the_school_year(self, case):
        lesson = case.lesson
        year = lesson.course.school_year
        year.starts_on -= dt.timedelta(days=800)
        year.ends_on = case.today - dt.timedelta(days=1)

        with pytest.raises(ValidationError) as refused:
            services.call(lesson, {}, version=0, key=uuid.uuid4(), actor=case.teacher.user)

        assert code_of(refused) == "too_late"

    def test_a_student_who_is_not_expected_is_counted_and_left_out(self, case):
        stranger = Case(TeacherFactory(), name="Solfège").enrolments[0]

        called = services.call(
            case.lesson,
            {stranger.pk: ABSENT, 999_999: ABSENT, 999_998: HERE},
            version=0,
            key=uuid.uuid4(),
            actor=case.teacher.user,
        )

        assert called.unexpected == 2
        assert case.kinds() == {}


class TestAnnounced:
    @pytest.fixture
    def parent(self, case):
        return make_home(case.enrolments[0].student)

    def announce(self, case, parent, **changes):
        student = case.enrolments[0].student
        asked = {"first_on": case.today, "last_on": case.today, "course": None, "reason": "Fièvre"}
        family = parent.guardian.family
        return absences.announce(student, family, actor=parent, **asked | changes)

    def test_it_is_excused_already(self, case, parent):
        self.announce(case, parent)

        case.call()

        assert case.kinds() == {"Louise 0": "excused"}
        assert Absence.objects.get().announced

    def test_whoever_says_absent_says_excused(self, case, parent):
        self.announce(case, parent)

        case.call(ABSENT, ABSENT, HERE)

        assert case.kinds() == {"Louise 0": "excused", "Louise 1": "absent"}

    def test_he_came_after_all(self, case, parent):
        self.announce(case, parent)

        case.call(HERE, HERE, HERE)

        assert case.kinds() == {}

    def test_of_another_course_or_day_or_withdrawn_it_says_nothing(self, case, parent):
        other = Case(TeacherFactory(), name="Solfège").slot.course
        student = case.enrolments[0].student
        notice = self.announce(case, parent)
        absences.withdraw(notice, actor=parent)
        tomorrow = case.today + dt.timedelta(days=1)
        self.announce(case, parent, first_on=tomorrow, last_on=tomorrow)
        AbsenceNotice.objects.create(
            student=student,
            family=notice.family,
            first_on=case.today,
            last_on=case.today,
            course=other,
            created_at=timezone.now(),
            created_by=parent,
        )

        assert announced_at(case.lesson, case.enrolments) == set()


def test_the_database_refuses_what_the_service_would_never_write(case):
    case.call(HERE, ABSENT, HERE)
    absence = Absence.objects.get()
    wrong = [
        {"kind": "ailleurs"},
        {"minutes": 10},  # of who is absent
        {"kind": Presence.LATE, "minutes": 500},
        {"announced": True},
    ]

    for change in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            Absence.objects.filter(pk=absence.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        Absence.objects.create(
            register=absence.register, enrolment=absence.enrolment, kind=Presence.LATE
        )


def test_excused_by_hand_is_not_announced(case):
    case.call(EXCUSED, HERE, HERE)

    assert not Absence.objects.get().announced
    assert [line.announced for line in sheet_of(case.lesson).lines] == [False] * 3
