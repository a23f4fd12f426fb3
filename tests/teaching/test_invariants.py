"""Each invariant of the year is broken behind the services' back (manage.py check_invariants)."""

import datetime as dt
import uuid

import pytest
from django.core.files.storage import storages
from django.db.models import F
from django.utils import timezone

from accounts.dates import NBSP
from documents.models import Document
from students.models import Custody, Enrolment
from teaching import invariants
from teaching.classes import portraits
from teaching.enums import EvaluationState, LessonState, Presence
from teaching.evaluations import services as evaluations
from teaching.evaluations.services import Said
from teaching.models import (
    Absence,
    AbsenceMove,
    Evaluation,
    EvaluationMove,
    Lesson,
    LessonChange,
    Period,
    Portrait,
    Register,
    RegisterEntry,
)
from teaching.timetable import services as timetable
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    PeriodFactory,
    StudentFactory,
    TeacherFactory,
    make_portrait,
)
from tests.teaching.register_cases import ABSENT, HERE, LATE, Case, well_begun
from tests.teaching.timetable_cases import make_slot, next_lesson


def broken(check):
    """What the check finds, with plain spaces."""
    return [sentence.replace("\u00a0", " ") for sentence in check()]


class TestPortraits:
    @pytest.fixture
    def portrait(self, student):
        return make_portrait(student)

    def test_all_is_well(self, portrait):
        assert broken(invariants.portraits) == []

    def test_it_may_no_longer_be_shown(self, portrait):
        Custody.objects.update(image_consent_at=None)

        assert broken(invariants.portraits) == [
            f"{portrait} ne peut plus être montré, et il est toujours là."
        ]
        portraits.make_next()
        assert broken(invariants.portraits) == []

    def test_it_is_another_s(self, portrait):
        Document.objects.update(student=StudentFactory())

        assert f"{portrait} est copié de la photo de quelqu'un d'autre." in broken(
            invariants.portraits
        )

    def test_its_file_is_gone(self, portrait):
        storages["private"].delete(portrait.file.name)

        [said] = broken(invariants.portraits)
        assert said.startswith(f"{portrait} : le fichier ne se lit pas")

    def test_its_file_is_empty(self, portrait):
        storage = storages["private"]
        storage.delete(portrait.file.name)
        with storage.open(portrait.file.name, "wb"):
            pass

        assert broken(invariants.portraits) == [f"{portrait} : le fichier est vide."]

    def test_one_that_could_not_be_drawn_has_none(self, portrait):
        Portrait.objects.update(file="")

        assert broken(invariants.portraits) == []


class TestLessons:
    @pytest.fixture
    def slot(self, student):
        return make_slot(student)

    def acts(self, slot, actor):
        """Every act, one after the other."""
        yield timetable.replace([next_lesson(slot)], substitute=TeacherFactory(), actor=actor)
        where = timetable.Where(slot_day(slot), dt.time(8), dt.time(9))
        yield timetable.move(next_lesson(slot), where, actor=actor)
        yield timetable.replace([next_lesson(slot)], substitute=TeacherFactory(), actor=actor)
        yield timetable.cancel([next_lesson(slot)], actor=actor)
        yield timetable.restore([next_lesson(slot)], actor=actor)

    def test_after_each_act_all_is_well(self, slot, registrar):
        for _ in self.acts(slot, registrar):
            assert broken(invariants.lessons_changed) == []
        assert LessonChange.objects.count() == 5

    @pytest.mark.parametrize(
        ("state", "then"),
        [
            (LessonState.PLANNED, "« annulé »"),
            (LessonState.MOVED, "« annulé »"),
        ],
    )
    def test_the_state_is_not_that_of_the_last_act(self, slot, registrar, state, then):
        timetable.cancel([next_lesson(slot)], actor=registrar)
        moved = {"moved_on": F("planned_on"), "starts_at": dt.time(8), "ends_at": dt.time(9)}
        Lesson.objects.update(state=state, **moved if state == LessonState.MOVED else {})

        [said] = broken(invariants.lessons_changed)
        assert said.endswith(f": l'état est « {state.label} » et le journal dit {then}.")

    def test_replaced_by_nobody(self, slot, registrar):
        timetable.replace([next_lesson(slot)], substitute=TeacherFactory(), actor=registrar)
        Lesson.objects.update(substitute=None)

        [said] = broken(invariants.lessons_changed)
        assert said.endswith("le journal dit « remplacé ».")

    def test_cancelled_by_nobody(self, slot):
        Lesson.objects.create(slot=slot, planned_on=slot_day(slot), state=LessonState.CANCELLED)

        [said] = broken(invariants.lessons_changed)
        assert said.endswith("l'état est « annulé » et le journal dit rien.")

    def test_a_substitute_whom_nobody_chose(self, slot):
        Lesson.objects.create(slot=slot, planned_on=slot_day(slot), substitute=TeacherFactory())

        assert len(broken(invariants.lessons_changed)) == 1

    def test_a_row_that_a_register_made_is_as_planned(self, teacher):
        Case(teacher, year=well_begun()).call(HERE, HERE, HERE)

        assert broken(invariants.lessons_changed) == []


class TestRegisters:
    @pytest.fixture
    def case(self, teacher):
        case = Case(teacher, year=well_begun())
        case.call(ABSENT, LATE, HERE)
        case.call(HERE, LATE, HERE)
        return case

    def test_all_is_well(self, case, registrar):
        assert broken(invariants.registers) == broken(invariants.absences) == []

        timetable.cancel([case.lesson], actor=registrar, voids=True)

        assert broken(invariants.registers) == broken(invariants.absences) == []

    def test_a_version_without_its_entry(self, case):
        Register.objects.update(version=3)

        assert broken(invariants.registers) == [
            f"{Register.objects.get()} : la version est 3, le journal n'y mène pas.".replace(
                NBSP, " "
            )
        ]

    def test_an_entry_too_many(self, case, teacher):
        entry = RegisterEntry.objects.last()
        entry.pk, entry.version, entry.key = None, 7, uuid.uuid4()
        entry.save()

        assert len(broken(invariants.registers)) == 1

    def test_it_counts_and_its_lesson_is_cancelled(self, case, registrar):
        timetable.cancel([case.lesson], actor=registrar, voids=True)
        Register.objects.update(void=False)

        [said] = broken(invariants.registers)
        assert said.endswith(": il compte et sa séance n'est plus de ce jour.")

    def test_it_counts_and_its_lesson_is_of_another_day(self, case):
        Register.objects.update(held_on=case.today - dt.timedelta(days=1))

        [said] = broken(invariants.registers)
        assert said.endswith(": il compte et sa séance n'est plus de ce jour.")

    def test_it_is_void_for_nothing(self, case):
        Register.objects.update(void=True)

        [said] = broken(invariants.registers)
        assert said.endswith(": il est sans objet et sa séance est de ce jour.")

    def test_somebody_of_another_course(self, case):
        register, stray = Register.objects.get(), EnrolmentFactory()
        absence = register.absences.create(enrolment=stray, kind=Presence.PRESENT)

        assert broken(invariants.absences) == [f"{absence} : l'appel est celui d'un autre cours."]

    def test_an_absence_that_its_log_does_not_know(self, case):
        absence = Absence.objects.get(kind=Presence.LATE)
        Absence.objects.filter(pk=absence.pk).update(kind=Presence.ABSENT, minutes=None)

        assert broken(invariants.absences) == [
            f"{absence} : l'appel dit « absent » et le journal « en retard »."
        ]

    def test_a_log_that_is_gone(self, case):
        AbsenceMove.objects.all().delete()

        [said] = broken(invariants.absences)
        assert said.endswith("l'appel dit « en retard » et le journal « présent ».")


class TestEvaluations:
    @pytest.fixture
    def evaluation(self, teacher):
        period = PeriodFactory()
        course = CourseFactory(
            establishment=period.establishment, school_year=period.school_year, teacher=teacher
        )
        enrolment = EnrolmentFactory(course=course)
        coming = CourseFactory(coming=True, establishment=period.establishment)
        said = Said(0, comment="Bien.", next_course=coming)
        return evaluations.write(enrolment, period, said, teacher=teacher, finished=True)

    def publish(self, evaluation):
        Period.objects.update(publish_at=timezone.now())
        assert evaluations.publish_next()

    def test_all_is_well(self, evaluation, director):
        assert broken(invariants.evaluations) == []

        self.publish(evaluation)
        assert broken(invariants.evaluations) == []

        evaluations.reopen(evaluation, actor=director, reason="Erreur")
        assert broken(invariants.evaluations) == []

    def test_published_without_its_move(self, evaluation):
        self.publish(evaluation)
        EvaluationMove.objects.filter(to_state=EvaluationState.PUBLISHED).delete()

        assert broken(invariants.evaluations) == [
            f"{evaluation} : l'état est « publiée » et le journal s'arrête à « terminée »."
        ]

    def test_a_move_to_publish_what_is_not(self, evaluation):
        self.publish(evaluation)
        Evaluation.objects.update(state=EvaluationState.DRAFT, published_at=None)

        assert broken(invariants.evaluations) == [
            f"{evaluation} : l'état est « brouillon » et le journal s'arrête à « publiée »."
        ]

    def test_a_log_that_skips_a_state(self, evaluation):
        self.publish(evaluation)
        EvaluationMove.objects.filter(to_state=EvaluationState.READY).delete()

        assert broken(invariants.evaluations) == [
            f"{evaluation} : le journal ne suit pas les états d'une évaluation."
        ]

    def test_a_course_of_the_year_that_ends_is_proposed(self, evaluation):
        Evaluation.objects.update(next_course=Enrolment.objects.get().course)

        assert broken(invariants.evaluations) == [
            f"{evaluation} : le cours proposé n'est pas d'une année qui suit."
        ]


def slot_day(slot):
    return next_lesson(slot).planned_on
