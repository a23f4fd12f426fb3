"""The hour of an individual lesson: what is written, refused, told."""

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Mail
from students.enums import EnrolmentStatus, Scheduling, Weekday
from teaching.classes import hours
from teaching.classes.hours import Wanted
from teaching.enums import LessonState
from teaching.lessons import Hours, find, lessons
from teaching.models import Lesson, LessonChange, LessonTime
from teaching.register import services as register
from teaching.timetable import services as timetable
from tests.factories import (
    CourseFactory,
    CustodyFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    GuardianFactory,
    SlotFactory,
    StudentFactory,
    TeacherFactory,
    make_time,
)

OPENS = dt.date(2026, 9, 14)
TODAY = dt.date(2026, 10, 14)  # a Wednesday
TUESDAY, NEXT_TUESDAY = dt.date(2026, 10, 13), dt.date(2026, 10, 20)


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    noon = dt.datetime.combine(TODAY, dt.time(12), timezone.get_default_timezone())
    monkeypatch.setattr(timezone, "now", lambda: noon)


@pytest.fixture
def course(year_2026, teacher):
    return CourseFactory(
        name="Piano", school_year=year_2026, scheduling=Scheduling.TEACHER, teacher=teacher
    )


@pytest.fixture
def louise(course):
    """Of two households: three guardians, one without an address."""
    student = StudentFactory(first_name="Louise")
    guardian = GuardianFactory(email="claire@example.org")
    GuardianFactory(family=guardian.family, email="", first_name="Marc", user=None)
    CustodyFactory(student=student, family=guardian.family)
    other = GuardianFactory(email="paul@example.org")
    CustodyFactory(student=student, family=other.family, rank=2)
    return EnrolmentFactory(student=student, course=course)


def at(hour=17, minute=0, *, weekday=Weekday.TUESDAY, from_day=TODAY, room="", length=30):
    starts, ends = hour * 60 + minute, hour * 60 + minute + length
    times = [dt.time(*divmod(each, 60)) for each in (starts, ends)]
    return Wanted(weekday, *times, from_day, room)


def refusal(*args, **kwargs):
    with pytest.raises(ValidationError) as caught:
        hours.fix(*args, **kwargs)
    return caught.value


def code(error):
    by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
    return {field: [each.code for each in errors] for field, errors in by_field.items()}


def shown(time):
    time.refresh_from_db()
    return time.weekday, time.starts_at, time.starts_on, time.ends_on


class TestFix:
    def test_a_first_hour(self, louise):
        time = hours.fix(louise, at(room="Studio 3"))

        assert shown(time) == (Weekday.TUESDAY, dt.time(17), TODAY, None)
        assert (time.course, time.enrolment, time.room) == (louise.course, louise, "Studio 3")

    def test_from_the_first_day_of_lessons_it_has_no_beginning_of_its_own(self, louise):
        assert hours.fix(louise, at(from_day=OPENS)).starts_on is None

    def test_before_any_lesson_it_is_written_over(self, louise):
        time = hours.fix(louise, at())

        changed = hours.fix(louise, at(18, weekday=Weekday.FRIDAY))

        assert changed == time
        assert shown(time) == (Weekday.FRIDAY, dt.time(18), TODAY, None)
        assert time.revision == 2

    def test_once_a_lesson_lies_behind_it_is_ended_and_another_one_follows(self, louise):
        former = make_time(louise.course, louise)

        time = hours.fix(louise, at(18, weekday=Weekday.FRIDAY))

        assert shown(former) == (Weekday.TUESDAY, dt.time(17), None, TODAY - dt.timedelta(days=1))
        assert shown(time) == (Weekday.FRIDAY, dt.time(18), TODAY, None)
        both = Hours([], [former, time])
        found = lessons(both, dt.date(2026, 10, 5), dt.date(2026, 10, 25))
        days = [lesson.planned_on.day for lesson in found]
        assert days == [6, 13, 16, 23]

    def test_a_lesson_that_has_a_row_keeps_its_name(self, louise):
        former = make_time(louise.course, louise, starts_on=TUESDAY)
        Lesson.objects.create(time=former, planned_on=TUESDAY)

        hours.fix(louise, at(18))

        kept = find(LessonTime.objects.get(pk=former.pk), TUESDAY)
        assert kept.starts.time() == dt.time(17)

    def test_lessons_cancelled_in_advance_were_those_of_the_former_hour(self, louise):
        former = make_time(louise.course, louise)
        Lesson.objects.create(time=former, planned_on=NEXT_TUESDAY, state=LessonState.CANCELLED)

        hours.fix(louise, at(18))

        assert not former.lessons.exists()

    @pytest.mark.parametrize("acts", [["cancel"], ["cancel", "restore"]])
    def test_with_the_log_of_who_changed_them(self, louise, superuser, acts):
        former = make_time(louise.course, louise)
        for act in acts:
            getattr(timetable, act)([find(former, NEXT_TUESDAY)], actor=superuser)

        hours.fix(louise, at(18))

        assert not former.lessons.exists()
        assert not LessonChange.objects.exists()

    def test_but_not_those_whose_register_was_called(self, louise, superuser):
        former = make_time(louise.course, louise, weekday=TODAY.isoweekday())
        timetable.cancel([find(former, TODAY)], actor=superuser)
        timetable.restore([find(former, TODAY)], actor=superuser)
        register.call(find(former, TODAY), {}, version=0, key=uuid.uuid4(), actor=superuser)

        error = refusal(louise, at(18, from_day=TODAY))

        assert code(error) == {"from_day": ["lessons_given"]}
        assert LessonChange.objects.count() == 2

    def test_not_from_a_day_whose_register_was_called(self, louise):
        former = make_time(louise.course, louise)
        Lesson.objects.create(time=former, planned_on=TUESDAY)

        error = refusal(louise, at(18, from_day=dt.date(2026, 10, 10)))

        assert code(error) == {"from_day": ["lessons_given"]}
        assert "13/10/2026" in error.messages[0]
        assert shown(former)[-1] is None

    def test_nor_from_a_past_day_that_was_cancelled(self, louise):
        former = make_time(louise.course, louise)
        Lesson.objects.create(time=former, planned_on=TUESDAY, state=LessonState.CANCELLED)

        error = refusal(louise, at(18, from_day=dt.date(2026, 10, 10)))

        assert code(error) == {"from_day": ["lessons_given"]}

    def test_the_room_alone_is_written_over(self, louise):
        time = make_time(louise.course, louise, room="A1")

        assert hours.fix(louise, at(room="B2")) == time
        assert LessonTime.objects.get().room == "B2"

    def test_the_same_again_changes_nothing_and_tells_nobody(self, louise):
        time = make_time(louise.course, louise, room="A1")

        hours.fix(louise, at(room="A1"))

        time.refresh_from_db()
        assert time.revision == 1
        assert not Mail.objects.exists()

    def test_an_announced_change_is_replaced_by_another(self, louise):
        former = make_time(louise.course, louise)
        hours.fix(louise, at(18, from_day=dt.date(2026, 11, 2)))

        hours.fix(louise, at(19, from_day=dt.date(2026, 10, 19)))

        assert [shown(time)[1:] for time in LessonTime.objects.order_by("starts_at")] == [
            (dt.time(17), None, dt.date(2026, 10, 18)),
            (dt.time(19), dt.date(2026, 10, 19), None),
        ]
        assert shown(former)[-1] == dt.date(2026, 10, 18)

    def test_it_may_have_begun_earlier(self, louise):
        time = hours.fix(louise, at())

        hours.fix(louise, at(from_day=OPENS))

        assert shown(time)[2] is None


class TestRefusals:
    def test_of_a_course_whose_hours_he_does_not_fix(self, teacher, year_2026):
        cham = CourseFactory(school_year=year_2026, scheduling=Scheduling.SCHOOL, teacher=teacher)

        error = refusal(EnrolmentFactory(course=cham), at())

        assert code(error) == {"": ["not_fixed_by_teacher"]}

    @pytest.mark.parametrize("status", [EnrolmentStatus.REQUESTED, EnrolmentStatus.RELEASED])
    def test_of_an_enrolment_that_is_not_confirmed(self, course, status):
        error = refusal(EnrolmentFactory(course=course, status=status), at())

        assert code(error) == {"": ["not_confirmed"]}

    @pytest.mark.parametrize("day", [dt.date(2026, 9, 13), dt.date(2027, 7, 1)])
    def test_of_a_day_outside_the_lessons(self, louise, day):
        assert code(refusal(louise, at(from_day=day))) == {"from_day": ["outside_year"]}

    def test_of_an_end_before_the_beginning(self, louise):
        assert code(refusal(louise, at(length=0))) == {"ends_at": ["ends_before_start"]}

    def test_another_lesson_of_the_teacher(self, louise, course):
        make_time(course, EnrolmentFactory(course=course))

        error = refusal(louise, at(17, 15), even_so=True)

        assert code(error) == {"starts_at": ["teacher_busy"]}

    def test_a_slot_of_the_teacher(self, louise, teacher, year_2026):
        SlotFactory(teacher=teacher, course__school_year=year_2026, weekday=Weekday.TUESDAY)

        assert code(refusal(louise, at(19))) == {"starts_at": ["teacher_busy"]}

    def test_a_lesson_that_ends_as_his_begins_is_none(self, louise, teacher, year_2026):
        SlotFactory(teacher=teacher, course__school_year=year_2026, weekday=Weekday.TUESDAY)

        assert hours.fix(louise, at(18)).pk

    def test_one_that_has_ended_by_then_is_none(self, louise, course):
        make_time(course, EnrolmentFactory(course=course), ends_on=TUESDAY)

        assert hours.fix(louise, at()).pk

    def test_another_lesson_of_the_student_and_nothing_more_of_it(self, louise, year_2026):
        slot = SlotFactory(course__school_year=year_2026, weekday=Weekday.TUESDAY)
        EnrolmentFactory(student=louise.student, course=slot.course, place=slot.places.get())

        error = refusal(louise, at(18, 15), even_so=True)

        assert code(error) == {"starts_at": ["student_busy"]}
        assert slot.course.name not in error.messages[0]
        assert "18\u00a0h\u00a030 à 19\u00a0h\u00a030" in error.messages[0]

    def test_an_individual_lesson_of_the_student_with_another_teacher(self, louise, year_2026):
        violin = CourseFactory(
            school_year=year_2026, scheduling=Scheduling.TEACHER, teacher=TeacherFactory()
        )
        make_time(violin, EnrolmentFactory(student=louise.student, course=violin))

        assert code(refusal(louise, at())) == {"starts_at": ["student_busy"]}

    def test_the_school_hours_of_the_student(self, louise, year_2026):
        cham = CourseFactory(school_year=year_2026, scheduling=Scheduling.SCHOOL)
        make_time(cham)
        EnrolmentFactory(student=louise.student, course=cham)

        assert code(refusal(louise, at())) == {"starts_at": ["student_busy"]}

    def test_the_database_keeps_one_hour_without_end(self, louise):
        make_time(louise.course, louise)

        with pytest.raises(IntegrityError), transaction.atomic():
            make_time(louise.course, louise, starts_at=dt.time(16))

    def test_the_database_refuses_an_end_before_the_beginning(self, louise):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_time(louise.course, louise, starts_on=NEXT_TUESDAY, ends_on=TUESDAY)


class TestDoubts:
    def test_the_room_is_taken(self, louise, year_2026):
        SlotFactory(
            course__school_year=year_2026,
            weekday=Weekday.TUESDAY,
            room="studio 3",
            teacher=TeacherFactory(),
        )

        error = refusal(louise, at(18, 30, room="Studio 3"))

        assert code(error) == {"": ["doubtful"]}
        assert hours.fix(louise, at(18, 30, room="Studio 3"), even_so=True).pk

    def test_a_room_of_that_name_elsewhere_is_another(self, louise, year_2026):
        annexe = EstablishmentFactory(name="Annexe")
        SlotFactory(
            course__school_year=year_2026,
            course__establishment=annexe,
            weekday=Weekday.TUESDAY,
            room="Studio 3",
        )

        assert hours.fix(louise, at(18, 30, room="Studio 3")).pk

    def test_a_lesson_for_two(self, louise, course):
        make_time(course, EnrolmentFactory(course=course), room="A1")

        assert code(refusal(louise, at(room="A1"))) == {"": ["doubtful"]}
        assert hours.fix(louise, at(room="A1"), even_so=True).pk


class TestEnd:
    def test_once_a_lesson_lies_behind_it_ends_the_day_before(self, louise):
        time = make_time(louise.course, louise)

        hours.end(louise, TODAY)

        assert shown(time)[-1] == dt.date(2026, 10, 13)

    def test_before_any_it_goes(self, louise):
        hours.fix(louise, at())

        hours.end(louise, TODAY)

        assert not LessonTime.objects.exists()

    def test_without_an_hour_nothing_happens(self, louise):
        hours.end(louise, TODAY)

        assert not Mail.objects.exists()

    def test_not_before_a_register_that_was_called(self, louise):
        time = make_time(louise.course, louise)
        Lesson.objects.create(time=time, planned_on=TUESDAY)

        with pytest.raises(ValidationError) as caught:
            hours.end(louise, dt.date(2026, 10, 1))

        assert code(caught.value) == {"from_day": ["lessons_given"]}


class TestMails:
    def test_each_guardian_of_either_household_is_told(self, louise):
        hours.fix(louise, at(room="Studio 3"))

        mails = Mail.objects.order_by("to")
        assert [mail.to for mail in mails] == ["claire@example.org", "paul@example.org"]
        assert mails[0].subject == "Horaire de Louise Martin : Piano"
        for words in [
            "le mardi de 17\u00a0h à 17\u00a0h\u00a030",
            "salle : Studio 3",
            "14\u00a0octobre 2026",
        ]:
            assert words in mails[0].body

    def test_of_two_changes_the_last_one_leaves(self, louise):
        hours.fix(louise, at())
        hours.fix(louise, at(18))

        waiting = Mail.objects.filter(attempts=0)
        assert [mail.subject for mail in waiting] == [
            "Nouvel horaire pour Louise Martin : Piano"
        ] * 2
        assert Mail.objects.count() == 4

    def test_there_and_back_again_is_told_each_time(self, louise):
        for hour in (17, 18, 17):
            hours.fix(louise, at(hour))

        assert Mail.objects.count() == 6

    def test_the_end_is_told(self, louise):
        make_time(louise.course, louise)

        hours.end(louise, TODAY)

        mail = Mail.objects.first()
        assert mail.subject == "Plus d'horaire pour Louise Martin : Piano"
        assert "à partir du 14\u00a0octobre 2026" in mail.body


class TestForAll:
    @pytest.fixture
    def cham(self, year_2026, teacher):
        return CourseFactory(school_year=year_2026, scheduling=Scheduling.SCHOOL, teacher=teacher)

    def test_a_new_one_then_another_in_its_place(self, cham):
        former = hours.fix_for_all(cham, at(14, from_day=OPENS))

        time = hours.fix_for_all(cham, at(15), former=former)

        assert shown(former)[-1] == dt.date(2026, 10, 13)
        assert shown(time) == (Weekday.TUESDAY, dt.time(15), TODAY, None)
        assert not Mail.objects.exists()  # nobody is in the course

    def test_it_ends(self, cham):
        time = hours.fix_for_all(cham, at(14, from_day=OPENS))

        hours.end_for_all(time, TODAY)

        assert shown(time)[-1] == dt.date(2026, 10, 13)

    def test_changed_after_its_end_it_stays_ended(self, cham):
        former = hours.fix_for_all(cham, at(14, from_day=OPENS))
        hours.end_for_all(former, dt.date(2026, 9, 30))

        time = hours.fix_for_all(cham, at(15), former=former)

        assert shown(former)[-1] == dt.date(2026, 9, 29)
        assert time != former

    def test_not_of_a_course_with_slots(self, year_2026):
        with pytest.raises(ValidationError) as caught:
            hours.fix_for_all(CourseFactory(school_year=year_2026), at())

        assert code(caught.value) == {"": ["has_slots"]}


class TestForAllTold:
    """Louise and Jules are brother and sister; Louise has two households."""

    @pytest.fixture
    def cham(self, year_2026, teacher):
        return CourseFactory(
            name="Chœur CHAM",
            school_year=year_2026,
            scheduling=Scheduling.SCHOOL,
            teacher=teacher,
        )

    @pytest.fixture
    def families(self, cham, louise):
        claire = louise.student.families.order_by("custodies__rank").first()
        jules = StudentFactory(first_name="Jules", birth_date=dt.date(2018, 5, 1))
        CustodyFactory(student=jules, family=claire)
        for student in (louise.student, jules):
            EnrolmentFactory(student=student, course=cham)

    def mails(self):
        return {mail.to: mail for mail in Mail.objects.exclude(attempts__gt=0).order_by("pk")}

    def test_each_guardian_once_for_all_his_students(self, cham, families):
        hours.fix_for_all(cham, at(14, from_day=OPENS, room="Auditorium"))

        mails = self.mails()
        assert Mail.objects.count() == 2
        assert mails["claire@example.org"].subject == "Horaire de Louise et Jules : Chœur CHAM"
        assert mails["paul@example.org"].subject == "Horaire de Louise : Chœur CHAM"
        body = mails["claire@example.org"].body.replace("\u00a0", " ")
        assert "le mardi de 14 h à 14 h 30" in body
        assert "salle : Auditorium" in body
        assert "dès la reprise des cours" in body
        assert "tous les élèves du cours" in body

    def test_nothing_changes_nobody_is_told(self, cham, families):
        time = hours.fix_for_all(cham, at(14, from_day=OPENS))
        Mail.objects.all().delete()

        again = hours.fix_for_all(cham, at(14), former=time)

        assert again == time
        assert shown(time) == (Weekday.TUESDAY, dt.time(14), None, None)
        assert not Mail.objects.exists()

    def test_the_room_alone_is_told(self, cham, families):
        time = hours.fix_for_all(cham, at(14, from_day=OPENS))
        Mail.objects.all().delete()

        hours.fix_for_all(cham, at(14, room="Salle Satie"), former=time)

        assert self.mails()["paul@example.org"].subject == "Nouvel horaire pour Louise : Chœur CHAM"
        assert shown(time)[2:] == (None, None)

    def test_a_change_then_another_leaves_one_mail_to_go(self, cham, families):
        time = hours.fix_for_all(cham, at(14, from_day=OPENS))
        other = hours.fix_for_all(cham, at(15), former=time)
        hours.fix_for_all(cham, at(16), former=other)

        waiting = Mail.objects.filter(sent_at=None, attempts=0, to="paul@example.org")
        assert [mail.subject for mail in waiting] == ["Nouvel horaire pour Louise : Chœur CHAM"]
        assert "16\u00a0h" in waiting[0].body

    def test_the_end_is_told(self, cham, families):
        time = hours.fix_for_all(cham, at(14, from_day=OPENS))
        Mail.objects.all().delete()

        hours.end_for_all(time, TODAY)
        hours.end_for_all(time, TODAY)  # a second click

        mail = self.mails()["paul@example.org"]
        assert Mail.objects.count() == 2
        assert mail.subject == "Un horaire de moins pour Louise : Chœur CHAM"
        body = mail.body.replace("\u00a0", " ")
        assert "À partir du 14 octobre 2026" in body
        assert "n'a plus lieu le mardi de 14 h à 14 h 30" in body

    def test_who_has_left_or_is_not_confirmed_is_not_told(self, cham, louise):
        EnrolmentFactory(student=louise.student, course=cham, ends_on=dt.date(2026, 10, 1))
        asking = StudentFactory()
        CustodyFactory(student=asking, family=GuardianFactory(email="x@example.org").family)
        EnrolmentFactory(student=asking, course=cham, status=EnrolmentStatus.REQUESTED)

        hours.fix_for_all(cham, at(14))

        assert not Mail.objects.exists()

    @pytest.mark.parametrize("count", [1, 3])
    def test_as_many_queries_whatever_the_count(self, cham, count, django_assert_num_queries):
        for number in range(count):
            student = StudentFactory()
            family = GuardianFactory(email=f"g{number}@example.org").family
            CustodyFactory(student=student, family=family)
            EnrolmentFactory(student=student, course=cham)

        with django_assert_num_queries(17):
            hours.fix_for_all(cham, at(14))

        assert Mail.objects.count() == count


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_once_never_give_a_teacher_two_lessons(year_2026, teacher):
    course = CourseFactory(school_year=year_2026, scheduling=Scheduling.TEACHER, teacher=teacher)
    for _ in range(20):
        pair = [EnrolmentFactory(course=course) for _ in range(2)]

        def fix(enrolment, minute):
            with suppress(ValidationError):
                hours.fix(enrolment, at(17, minute))
            connection.close()

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(fix, pair, [0, 15]))

        assert LessonTime.objects.filter(enrolment__in=pair).count() == 1
        LessonTime.objects.all().delete()
