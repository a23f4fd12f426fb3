"""The weeks of a household, a student and a teacher; the notices of « Accueil »."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from students.enums import Weekday
from teaching.concerts import services as concerts
from teaching.enums import ClosureKind
from teaching.lessons import find
from teaching.models import Closure, LessonChange, TimetableSettings
from teaching.timetable import services
from teaching.timetable.notices import notices_of
from teaching.timetable.services import Where
from teaching.timetable.week import household_week, teacher_week
from tests.factories import (
    ConcertFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    SchoolYearFactory,
    StudentFactory,
    TeacherFactory,
    make_turn,
)
from tests.teaching.timetable_cases import (
    around_today,
    make_slot,
    make_time,
    next_lesson,
    next_monday,
)

WEEK = "/extranet/emploi-du-temps/"
TEACHER_WEEK = "/extranet/enseignant/emploi-du-temps/"


def close(first, last=None, **fields):
    return Closure.objects.create(
        kind=ClosureKind.HOLIDAYS,
        name="Vacances de la Toussaint",
        first_on=first,
        last_on=last or first,
        **fields,
    )


def shown(week):
    """{day: {column: what stands there}}, the days and columns that have something."""
    return {
        day.date.isoweekday(): {
            cell.label: [(entry.lesson.name, *entry.notes) for entry in cell.entries]
            for cell in day.cells
            if cell.entries
        }
        for day in week.days
        if not day.is_empty
    }


def evening(day):
    return timezone.make_aware(dt.datetime.combine(day, dt.time(20)))


def of_next_week(url):
    return f"{url}?semaine={next_monday()}"


class TestHousehold:
    def test_each_student_has_his_column(self, parent, student, family):
        hugo = StudentFactory(first_name="Hugo", family=family)
        make_slot(student, hugo)
        make_time(student)
        make_time(StudentFactory())  # of another household

        assert shown(household_week(parent, next_monday())) == {
            1: {
                "Louise": [("Formation musicale A",)],
                "Hugo": [("Formation musicale A",)],
            },
            2: {"Louise": [("Piano",)]},
        }

    def test_a_moved_lesson_is_on_both_days_in_words(self, parent, student, registrar):
        lesson = next_lesson(make_slot(student))
        friday = next_monday() + dt.timedelta(days=4)
        services.move(lesson, Where(friday, dt.time(14), dt.time(15)), actor=registrar)

        found = shown(household_week(parent, next_monday()))

        [(_, left)] = found[1]["Louise"]
        [(_, there)] = found[5]["Louise"]
        assert left.startswith("Déplacé au vendredi")
        assert there.startswith("Déplacé\u00a0: il était prévu le lundi")

    def test_one_moved_to_another_week_says_so_where_it_was(self, parent, student, registrar):
        lesson = next_lesson(make_slot(student))
        later = next_monday() + dt.timedelta(days=11)
        services.move(lesson, Where(later, dt.time(14), dt.time(15)), actor=registrar)

        found = shown(household_week(parent, next_monday()))

        assert list(found) == [1]
        assert found[1]["Louise"][0][1].startswith("Déplacé au vendredi")

    def test_a_cancelled_and_a_replaced_one_say_so_in_words(
        self, client, parent, student, registrar
    ):
        services.cancel([next_lesson(make_slot(student))], actor=registrar, reason="Grève")
        services.replace(
            [next_lesson(make_time(student))],
            substitute=TeacherFactory(user=None, first_name="Paul", last_name="Durand"),
            actor=registrar,
        )
        client.force_login(parent)

        page = client.get(of_next_week(WEEK)).text

        assert "Annulé\u00a0: le cours n&#x27;a pas lieu" in page
        assert "Grève" in page
        assert "Remplacé\u00a0: par Paul Durand, à la place de Cécile Vasseur" in page

    def test_holidays_are_named(self, client, parent, student):
        make_slot(student)
        close(next_monday())
        close(
            next_monday() + dt.timedelta(days=1),
            establishment=EstablishmentFactory(name="Annexe"),
        )
        client.force_login(parent)

        response = client.get(of_next_week(WEEK))

        assert response.context["week"].days[0].closures == ["Vacances de la Toussaint"]
        assert response.context["week"].days[1].closures == []  # of a site that is not theirs
        assert "Vacances de la Toussaint&nbsp;: pas de cours" in response.text

    def test_who_has_stopped_has_no_lesson(self, parent, student):
        slot = make_slot(student)
        slot.course.enrolments.update(ends_on=timezone.localdate() - dt.timedelta(days=1))

        assert shown(household_week(parent, next_monday())) == {}

    def test_an_individual_lesson_ends_with_its_enrolment(self, teacher, student):
        time = make_time(student, teacher)
        time.course.enrolments.update(ends_on=next_monday())

        time.refresh_from_db()
        assert find(time, next_monday() + dt.timedelta(days=1)) is None

    def test_previous_and_next(self, client, parent, student):
        client.force_login(parent)

        page = client.get(f"{WEEK}?semaine=2026-10-14").text

        assert "Semaine du lundi 12\u00a0octobre" in page.replace("&nbsp;", "\u00a0")
        assert "?semaine=2026-10-05" in page
        assert "?semaine=2026-10-19" in page

    @pytest.mark.parametrize("asked", ["", "hier", "0001-01-01", "9999-12-31", "2026-13-45"])
    def test_nonsense_is_this_week(self, client, parent, asked):
        client.force_login(parent)

        response = client.get(WEEK, {"semaine": asked})

        assert response.context["week"].is_this_week

    @pytest.mark.parametrize("count", [1, 3])
    def test_a_constant_number_of_queries(
        self, client, parent, student, family, count, registrar, django_assert_num_queries
    ):
        for _ in range(count):
            slot = make_slot(StudentFactory(family=family), teacher=None)
            make_time(student)
            services.cancel([next_lesson(slot)], actor=registrar)
        client.force_login(parent)

        # session, user, establishments, guardian, students, hours twice, attendees twice,
        # rows, closures, concerts, closures with their names
        with django_assert_num_queries(13):
            client.get(of_next_week(WEEK))


class TestStudent:
    def test_what_comes_next_and_the_week(self, client, parent, student, registrar):
        services.cancel([next_lesson(make_slot(student))], actor=registrar)
        client.force_login(parent)

        response = client.get(reverse("teaching:student_week", args=[student.pk]))

        coming = response.context["next_lessons"]
        assert 1 <= len(coming) <= 5
        assert any(lesson.is_cancelled for lesson in coming)
        assert 'aria-current="page">cours' in response.text.replace("\n", "")

    def test_the_courses_tab_leads_there(self, client, parent, student):
        client.force_login(parent)

        page = client.get(reverse("students:courses", args=[student.pk])).text

        assert reverse("teaching:student_week", args=[student.pk]) in page


class TestTeacher:
    def test_his_own_those_given_for_him_and_those_where_he_replaces(
        self, teacher, student, registrar
    ):
        own = make_time(student, teacher)
        away = make_slot(teacher=teacher)
        for_another = make_slot(weekday=Weekday.FRIDAY)
        make_slot(weekday=Weekday.FRIDAY)  # somebody else's
        substitute = TeacherFactory(user=None, first_name="Paul", last_name="Durand")
        services.replace([next_lesson(away)], substitute=substitute, actor=registrar)
        services.replace([next_lesson(for_another)], substitute=teacher, actor=registrar)

        found = shown(teacher_week(teacher, teacher.user.establishments.all(), next_monday()))

        assert list(found) == [1, 2, 5]
        assert found[2][""] == [(own.course.name,)]
        assert "par Paul Durand" in found[1][""][0][1]
        assert len(found[5][""]) == 1

    def test_not_the_week_after_where_he_replaces_no_more(self, teacher, registrar):
        slot = make_slot()
        services.replace([next_lesson(slot)], substitute=teacher, actor=registrar)
        friday = next_monday() + dt.timedelta(days=11)
        services.move(
            find(slot, next_monday()), Where(friday, dt.time(14), dt.time(15)), actor=registrar
        )

        after = next_monday() + dt.timedelta(days=7)
        found = shown(teacher_week(teacher, teacher.user.establishments.all(), after))

        assert list(found) == [5]  # the moved one, and not that week's own

    @pytest.mark.parametrize("count", [1, 4])
    def test_a_constant_number_of_queries(self, client, teacher, count, django_assert_num_queries):
        for _ in range(count):
            make_slot(teacher=teacher)
            make_time(StudentFactory(), teacher)
        client.force_login(teacher.user)

        # session, user, establishments, teacher, hours twice, rows, closures, concerts, closures
        # with their names, where they may change their lessons
        with django_assert_num_queries(11):
            client.get(of_next_week(TEACHER_WEEK))


class TestConcerts:
    """On its day, in the column of whoever plays."""

    @pytest.fixture
    def louise(self, student, teacher):
        """Louise Martin, in a class of `teacher`."""
        return make_time(student, teacher).enrolment

    @pytest.fixture
    def concert(self, louise):
        concert = ConcertFactory(
            published=True, starts_at=evening(next_monday()), school_year=around_today()
        )
        make_turn(concert, louise, minutes=4)
        return concert

    def test_who_plays_reads_it_between_his_lessons(
        self, client, parent, student, family, louise, concert
    ):
        StudentFactory(first_name="Hugo", family=family)
        make_slot(student)  # at 18:30
        client.force_login(parent)

        response = client.get(of_next_week(WEEK))

        monday = response.context["week"].days[0]
        cells = {cell.label: cell.entries for cell in monday.cells}
        assert [entry.hours for entry in cells["Louise"]] == [
            "18\u00a0h\u00a030 à 19\u00a0h\u00a030",
            "20\u00a0h",
        ]
        assert cells["Hugo"] == []
        assert reverse("teaching:concert", args=[student.pk, concert.pk]) in response.text
        assert "Salle Ravel" in response.text

    def test_a_draft_is_nobody_s(self, parent, louise):
        draft = ConcertFactory(starts_at=evening(next_monday()), school_year=around_today())
        make_turn(draft, louise)

        assert household_week(parent, next_monday()).days[0].is_empty

    def test_cancelled_it_says_why(self, client, parent, concert, registrar):
        concerts.cancel(concert, reason="Salle inondée", actor=registrar)
        client.force_login(parent)

        assert "Annulée\u00a0: Salle inondée" in client.get(of_next_week(WEEK)).text.replace(
            "&nbsp;", "\u00a0"
        )

    def test_the_others_who_play_are_named_to_nobody(self, client, parent, stranger, concert):
        paul = StudentFactory(first_name="Paul", last_name="Bizet", family=stranger.guardian.family)
        make_turn(concert, EnrolmentFactory(student=paul))
        client.force_login(parent)

        page = client.get(of_next_week(WEEK)).text

        assert "Audition de printemps" in page
        assert "Paul" not in page
        assert "Bizet" not in page

    def test_a_teacher_reads_those_of_his_pupils(
        self, client, teacher, stranger, concert, django_assert_num_queries
    ):
        paul = StudentFactory(first_name="Paul", last_name="Bizet", family=stranger.guardian.family)
        make_turn(concert, EnrolmentFactory(student=paul))
        elsewhere = ConcertFactory(
            published=True,
            title="Ailleurs",
            starts_at=concert.starts_at,
            school_year=around_today(),
        )
        make_turn(elsewhere, EnrolmentFactory(student=paul))
        client.force_login(teacher.user)

        with django_assert_num_queries(11):
            page = client.get(of_next_week(TEACHER_WEEK)).text

        assert reverse("teacher:concert", args=[concert.pk]) in page
        assert "Vos élèves&nbsp;: Louise Martin" in page
        assert "Bizet" not in page
        assert "Ailleurs" not in page

    def test_of_another_year_it_leads_nowhere(self, client, teacher, concert):
        concert.school_year = SchoolYearFactory(
            starts_on=dt.date(2019, 9, 1), ends_on=dt.date(2020, 8, 31)
        )
        concert.save()
        client.force_login(teacher.user)
        url = reverse("teacher:concert", args=[concert.pk])

        assert url not in client.get(of_next_week(TEACHER_WEEK)).text
        assert client.get(url).status_code == 404


class TestChangeLesson:
    @pytest.fixture
    def lesson(self, teacher, student, parent):
        return next_lesson(make_time(student, teacher))

    @pytest.fixture
    def allowed(self, lesson):
        return TimetableSettings.objects.create(
            establishment=lesson.course.establishment, teachers_change_lessons=True
        )

    def url(self, lesson):
        return reverse("teacher:change_lesson", args=[lesson.key])

    def test_staff_only_unless_the_establishment_says_so(self, client, teacher, lesson):
        client.force_login(teacher.user)

        assert client.get(self.url(lesson)).status_code == 404
        assert client.post(self.url(lesson), {"act": "cancel"}).status_code == 404
        assert not LessonChange.objects.exists()
        assert "Changer" not in client.get(of_next_week(TEACHER_WEEK)).text

    def test_he_cancels_moves_and_restores_his_own(self, client, teacher, lesson, allowed):
        client.force_login(teacher.user)
        assert self.url(lesson) in client.get(of_next_week(TEACHER_WEEK)).text

        client.post(self.url(lesson), {"act": "cancel", "cancel-reason": "Concert"})
        assert find(lesson.hour, lesson.planned_on).reason == "Concert"

        client.post(self.url(lesson), {"act": "restore"})
        assert find(lesson.hour, lesson.planned_on).is_as_planned

        where = {"day": next_monday(), "starts_at": "10:00", "ends_at": "10:30", "room": ""}
        client.post(self.url(lesson), {"act": "move", **{f"move-{k}": v for k, v in where.items()}})
        assert find(lesson.hour, lesson.planned_on).is_moved

    def test_he_passes_over_no_conflict(self, client, teacher, lesson, allowed):
        make_slot(teacher=teacher)
        client.force_login(teacher.user)
        where = {"day": next_monday(), "starts_at": "18:30", "ends_at": "19:30", "room": ""}
        data = {f"move-{k}": v for k, v in where.items()}

        page = client.post(
            self.url(lesson), {"act": "move", "move-despite": "Tant pis", "despite": "x", **data}
        )

        assert "Cécile Vasseur donne Formation musicale A" in page.text
        assert not LessonChange.objects.exists()

    def test_not_a_colleague_s(self, client, lesson, allowed):
        client.force_login(TeacherFactory(user__username="autre.t").user)

        assert client.get(self.url(lesson)).status_code == 404


class TestNotices:
    def lesson(self, student, days=2):
        """One of the coming days."""
        day = timezone.localdate() + dt.timedelta(days=days)
        slot = make_slot(student, weekday=day.isoweekday(), ends_at=dt.time(23, 59))
        return find(slot, day)

    def test_a_cancelled_one(self, client, parent, student, registrar):
        services.cancel([self.lesson(student)], actor=registrar, reason="Grève")
        client.force_login(parent)

        [notice] = notices_of(parent)

        assert notice.title.endswith("\u00a0: Formation musicale A n'a pas lieu")
        assert notice.title[0].isupper()
        assert "Louise" in notice.hint
        assert "Grève" in notice.hint
        assert "Grève" in client.get("/extranet/accueil/").text

    def test_a_moved_and_a_replaced_one(self, parent, student, registrar):
        lesson = self.lesson(student)
        to = Where(lesson.planned_on + dt.timedelta(days=1), dt.time(14), dt.time(15))
        services.move(lesson, to, actor=registrar)
        services.replace(
            [self.lesson(student, days=4)],
            substitute=TeacherFactory(user=None, first_name="Paul", last_name="Durand"),
            actor=registrar,
        )

        moved, replaced = notices_of(parent)

        assert "est déplacé au" in moved.title
        assert replaced.title.endswith("est donné par Paul Durand")

    def test_not_of_another_household_nor_later_nor_past(
        self, parent, stranger, student, registrar
    ):
        services.cancel([self.lesson(student)], actor=registrar)
        assert notices_of(stranger) == []

        services.cancel(
            [self.lesson(student, days=9), self.lesson(student, days=-2)], actor=registrar
        )
        assert len(notices_of(parent)) == 1

    def test_not_once_restored_nor_once_the_student_has_left(self, parent, student, registrar):
        lesson = self.lesson(student)
        services.cancel([lesson], actor=registrar)
        student.enrolments.update(ends_on=around_today().starts_on)
        assert notices_of(parent) == []

        student.enrolments.update(ends_on=None)
        services.restore([find(lesson.hour, lesson.planned_on)], actor=registrar)
        assert notices_of(parent) == []

    def test_one_query_when_there_is_nothing(self, parent, student, django_assert_num_queries):
        make_slot(student)

        with django_assert_num_queries(1):
            assert notices_of(parent) == []
