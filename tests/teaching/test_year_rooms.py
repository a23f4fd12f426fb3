"""« Salles de l'année » and « Heures d'enseignement »: the weekly hours of a year, at a site."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from students.enums import EnrolmentStatus, Scheduling, Weekday
from students.models import Slot
from teaching.models import TimetableSettings
from teaching.timetable.admin import reading
from teaching.timetable.loads import loads_of, total_of
from teaching.timetable.year_rooms import duration, minutes_of_week, rooms_of_year, said_of
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    SchoolYearFactory,
    SlotFactory,
    StudentFactory,
    TeacherFactory,
    make_time,
)
from tests.queries import count_queries

pytestmark = pytest.mark.django_db

ROOMS = reverse("admin:teaching_lesson_year_rooms")
LOADS = reverse("admin:teaching_lesson_loads")


@pytest.fixture
def year(establishment):
    SchoolYearFactory()
    return SchoolYearFactory.coming()


@pytest.fixture
def admin(client, registrar):
    client.force_login(registrar)
    return client


@pytest.fixture
def vasseur():
    return TeacherFactory(user=None)


def slot(starts, ends, room="Ravel", *, course=None, **changes):
    course = course or CourseFactory(coming=True)
    times = {"starts_at": dt.time.fromisoformat(starts), "ends_at": dt.time.fromisoformat(ends)}
    return SlotFactory(course=course, room=room, **times, **changes)


def individual(teacher, student=None, **hour):
    course = CourseFactory(
        coming=hour.pop("coming", True), scheduling=Scheduling.TEACHER, teacher=teacher
    )
    enrolment = EnrolmentFactory(course=course, student=student or StudentFactory())
    return make_time(course, enrolment, **hour)


def plain(text):
    return str(text).replace("\u00a0", " ")


class TestRooms:
    def test_who_is_in_and_what_is_left(self, establishment, year, vasseur):
        TimetableSettings.objects.create(
            establishment=establishment, opens_at=dt.time(9), closes_at=dt.time(20)
        )
        late = slot("18:00", "21:00", teacher=vasseur)
        early = slot("08:30", "10:00", "RAVEL ")
        lesson = individual(vasseur, room="Studio 3")

        found = rooms_of_year(establishment, year)

        ravel, studio = found.rooms
        assert (ravel.name, studio.name) == ("RAVEL", "Studio 3")
        monday, tuesday, *_ = ravel.days
        assert [use.hour for use in monday.uses] == [early, late]
        assert [plain(each) for each in monday.free] == ["10 h à 18 h"]
        assert [plain(each) for each in tuesday.free] == ["9 h à 20 h"]
        assert plain(ravel.hours) == "4 h 30"
        [use] = studio.days[1].uses
        assert use.who == f"{vasseur}, {lesson.enrolment.student}"
        assert [plain(each) for each in studio.days[1].free] == ["9 h à 17 h", "17 h 30 à 20 h"]

    def test_without_settings_from_eight_to_ten(self, establishment, year):
        slot("08:00", "22:00")

        [room] = rooms_of_year(establishment, year).rooms

        assert room.days[0].free == []
        assert [plain(each) for each in room.days[2].free] == ["8 h à 22 h"]

    def test_sunday_only_if_something_is_taught_then(self, establishment, year):
        slot("10:00", "11:00")
        assert len(rooms_of_year(establishment, year).weekdays) == 6

        slot("10:00", "11:00", weekday=Weekday.SUNDAY)

        assert len(rooms_of_year(establishment, year).weekdays) == 7

    def test_what_clashes_in_words(self, establishment, year, vasseur):
        annexe = EstablishmentFactory(name="Annexe")
        one = slot("18:00", "19:00", teacher=vasseur)
        two = slot("18:30", "19:30", "ravel")
        away = slot(
            "18:15",
            "19:15",
            course=CourseFactory(coming=True, establishment=annexe, name="Là-bas"),
            teacher=vasseur,
        )
        slot("19:30", "20:30")

        found = rooms_of_year(establishment, year)

        assert [(o.kind.value, o.one, o.other) for o in found.overlaps] == [
            ("teacher", one, away),
            ("room", one, two),
        ]
        teacher, room = [plain(said_of(overlap)) for overlap in found.overlaps]
        assert teacher == (f"{vasseur} : {plain(one)} (Conservatoire) et {plain(away)} (Annexe)")
        assert room.startswith("Salle « Ravel » : ")
        [week] = found.rooms
        assert [use.is_clashing for use in week.days[0].uses] == [True, True, False]

    def test_without_a_room(self, establishment, year):
        nowhere = slot("10:00", "11:00", "")

        found = rooms_of_year(establishment, year)

        assert [use.hour for use in found.without_room] == [nowhere]
        assert found.rooms == []

    def test_a_room_that_is_free(self, establishment, year):
        slot("10:00", "11:00", "Ravel")
        slot("11:00", "12:00", "Satie")

        found = rooms_of_year(establishment, year)

        def free(starts, ends, day=Weekday.MONDAY):
            times = map(dt.time.fromisoformat, (starts, ends))
            return found.free_rooms(day, *times)

        assert free("10:30", "11:30") == []
        assert free("10:00", "11:00") == ["Satie"]
        assert free("12:00", "13:00") == ["Ravel", "Satie"]
        assert free("10:00", "12:00", Weekday.FRIDAY) == ["Ravel", "Satie"]

    def test_what_is_over_and_who_has_left_take_no_room(self, establishment, vasseur):
        this = SchoolYearFactory()
        yesterday = timezone.localdate() - dt.timedelta(days=1)
        individual(vasseur, coming=False, room="A", ends_on=yesterday)
        left = individual(vasseur, coming=False, room="B")
        left.enrolment.ends_on = yesterday
        left.enrolment.save()
        released = individual(vasseur, coming=False, room="C")
        released.enrolment.status = EnrolmentStatus.RELEASED
        released.enrolment.save()
        individual(vasseur, coming=False, room="D")

        assert [room.name for room in rooms_of_year(establishment, this).rooms] == ["D"]


class TestRoomsPage:
    def test_the_grid(self, admin, year, vasseur):
        one = slot("18:00", "19:00", teacher=vasseur)
        slot("18:30", "19:30")
        nowhere = slot("10:00", "11:00", "")

        page = admin.get(ROOMS)

        assert page.context["form"].chosen_year == year
        for each in (one, nowhere):
            assert reverse("admin:students_slot_change", args=[each.pk]) in page.text
        assert "se heurte" in page.text
        assert "Salle «\u00a0Ravel\u00a0»" in page.text

    def test_too_many_clashes_are_not_all_said(self, admin, year, monkeypatch):
        monkeypatch.setattr(reading, "MOST_SAID", 1)
        for _ in range(3):
            slot("18:00", "19:00")

        page = admin.get(ROOMS)

        assert (len(page.context["overlaps"]), page.context["not_said"]) == (1, 2)
        assert f'<a href="{reverse("admin:teaching_lesson_conflicts")}">2 autres</a>' in page.text

    def test_a_free_room(self, admin, year):
        slot("18:00", "19:00")
        slot("10:00", "11:00", "Satie")
        asked = {"jour": Weekday.MONDAY.value, "de": "18:00", "a": "18:30"}

        assert "Libres&nbsp;: Satie." in admin.get(ROOMS, asked).text
        none = admin.get(ROOMS, asked | {"de": "10:00"})
        assert "Aucune salle n'est libre à ces heures." in none.text

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({"jour": "1"}, "__all__"),
            ({"jour": "1", "de": "18:00"}, "__all__"),
            ({"de": "18:00", "a": "19:00"}, "__all__"),
            ({"jour": "1", "de": "18:00", "a": "18:00"}, "a"),
            ({"jour": "8", "de": "18:00", "a": "19:00"}, "jour"),
            ({"jour": "1", "de": "x", "a": "19:00"}, "de"),
            ({"annee": "999"}, "annee"),
        ],
    )
    def test_what_is_badly_asked_is_said(self, admin, year, asked, field):
        slot("18:00", "19:00")

        page = admin.get(ROOMS, asked)

        assert list(page.context["form"].errors) == [field]
        assert page.context["free"] == []
        assert "Ravel" in page.text

    def test_another_site_s_rooms_are_not_shown(self, admin, year):
        theirs = EstablishmentFactory(name="Ailleurs")
        slot("10:00", "11:00", "Secrète", course=CourseFactory(coming=True, establishment=theirs))

        assert "Secrète" not in admin.get(ROOMS, {"site": theirs.pk}).text

    @pytest.mark.parametrize("count", [1, 3])
    def test_as_many_queries_whatever_the_count(self, admin, year, vasseur, count):
        for number in range(count):
            slot("18:00", "19:00", f"Salle {number}", teacher=vasseur)
            individual(vasseur, room=f"Studio {number}")
        admin.get(ROOMS)

        assert (count_queries(admin, ROOMS), count_queries(admin, LOADS)) == (10, 12)


class TestLoads:
    def test_this_year_and_the_coming_one(self, establishment, year, vasseur):
        annexe = EstablishmentFactory(name="Annexe")
        slot("18:00", "19:30", teacher=vasseur)
        slot("18:00", "19:00", teacher=vasseur, course=CourseFactory())  # this year
        slot(
            "10:00",
            "10:45",
            course=CourseFactory(coming=True, establishment=annexe),
            teacher=vasseur,
        )
        individual(vasseur)
        paired = individual(vasseur)  # at the same hour: a lesson for two
        EnrolmentFactory(course=paired.course)
        slot("09:00", "10:00", "", teacher=None)

        found = loads_of(establishment, year, SchoolYearFactory())

        named, nobody = found
        assert named.teacher == vasseur
        assert (named.before, named.minutes, named.elsewhere) == (60, 120, 45)
        assert (named.slots, named.fixed, named.to_fix) == (1, 2, 1)
        assert plain(named.change) == "+ 1 h"
        assert (nobody.teacher, nobody.minutes, nobody.change) == (None, 60, "+ 1\u00a0h")
        assert total_of(found).minutes == 180

    def test_who_teaches_there_no_more_is_still_named(self, establishment, year, vasseur):
        slot("18:00", "19:00", teacher=vasseur, course=CourseFactory())

        [load] = loads_of(establishment, year, SchoolYearFactory())

        assert (load.minutes, plain(load.change)) == (0, "− 1 h")

    def test_who_teaches_elsewhere_only_is_not(self, establishment, year, vasseur):
        annexe = EstablishmentFactory(name="Annexe")
        slot("09:00", "10:00", course=CourseFactory(coming=True, establishment=annexe))

        assert loads_of(establishment, year, None) == []

    def test_the_page(self, admin, year, vasseur):
        slot("18:00", "19:30", teacher=vasseur)

        page = admin.get(LOADS)

        assert str(vasseur) in page.text
        assert plain(page.context["loads"][0].words["minutes"]) == "1 h 30"

    def test_not_for_the_regie(self, client, accountant, year):
        client.force_login(accountant)

        assert client.get(LOADS).status_code == 403
        assert client.get(ROOMS).status_code == 403


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(0, "0 h"), (45, "45 min"), (60, "1 h"), (750, "12 h 30"), (65, "1 h 05")],
)
def test_a_duration(minutes, said):
    assert plain(duration(minutes)) == said


def test_minutes_during_which_something_is_taught():
    def hour(day, starts, ends):
        times = map(dt.time.fromisoformat, (starts, ends))
        return Slot(weekday=day, **dict(zip(("starts_at", "ends_at"), times, strict=True)))

    hours = [
        hour(1, "09:00", "10:00"),
        hour(1, "09:30", "10:30"),
        hour(1, "10:30", "11:00"),
        hour(2, "09:00", "10:00"),
    ]
    assert minutes_of_week(hours) == 180
    assert minutes_of_week([]) == 0
