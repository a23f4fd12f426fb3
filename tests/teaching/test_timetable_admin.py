"""What the staff plan: closures, one lesson, an absence, rooms, conflicts, a slot that overlaps."""

import datetime as dt

import pytest
from django.urls import reverse

from accounts.models import Mail
from students.enums import Weekday
from students.models import Enrolment
from teaching.enums import ClosureKind
from teaching.lessons import find
from teaching.models import Closure, Lesson, LessonChange
from teaching.timetable import conflicts, services
from tests.factories import EnrolmentFactory, StudentFactory, TeacherFactory
from tests.queries import count_queries
from tests.teaching.timetable_cases import (
    around_today,
    make_slot,
    make_time,
    next_lesson,
    next_monday,
    plan,
)

CLOSURES = "/admin/teaching/closure/"
ROOMS = "/admin/teaching/lesson/salles/"
ABSENCE = "/admin/teaching/lesson/absence/"
CONFLICTS = "/admin/teaching/lesson/conflits/"


class TestClosures:
    def data(self, **fields):
        return {
            "establishment": "",
            "kind": ClosureKind.CLOSED,
            "name": "Pont",
            "first_on": next_monday(),
            "last_on": next_monday(),
        } | fields

    def add(self, staff, establishment, **fields):
        data = self.data(establishment=establishment.pk, **fields)
        return staff.post(f"{CLOSURES}add/", data, follow=True).text

    def test_it_says_what_families_lose(self, staff, establishment):
        one, other = StudentFactory.create_batch(2)
        make_slot(one, other)
        make_slot(one, starts_at=dt.time(14), ends_at=dt.time(15))
        make_slot(starts_at=dt.time(16), ends_at=dt.time(17))  # nobody comes

        page = self.add(staff, establishment)

        assert "2 séances n&#x27;ont pas lieu ces jours-là, 2 élèves y étaient attendus." in page
        [closure] = Closure.objects.all()
        assert f'<a href="{CLOSURES}{closure.pk}/prevenir/">Les prévenir</a>' in page

    def test_a_cancelled_lesson_is_not_one_that_stays(self, staff, establishment, registrar):
        services.cancel([next_lesson(make_slot(StudentFactory()))], actor=registrar)

        page = self.add(staff, establishment)

        assert "séance" not in page.split('class="messagelist"')[1].split("</ul>")[0]

    def test_it_says_what_stays(self, staff, establishment, registrar):
        slot = make_slot(StudentFactory())
        services.replace([next_lesson(slot)], substitute=TeacherFactory(), actor=registrar)

        page = self.add(staff, establishment)

        assert "1 séance a déjà un appel ou un changement\u00a0: elle reste" in page
        assert "pas lieu" not in page

    def test_of_past_days_nobody_is_to_be_told(self, staff, establishment):
        make_slot(StudentFactory())
        monday = next_monday() - dt.timedelta(days=14)

        page = self.add(staff, establishment, first_on=monday, last_on=monday)

        assert "1 séance n&#x27;a pas lieu ces jours-là, 1 élève y était attendu." in page
        assert "Les prévenir" not in page

    def test_those_of_all_the_sites_are_written_by_whoever_has_them_all(
        self, staff, registrar, annexe
    ):
        page = staff.post(f"{CLOSURES}add/", self.data())
        assert page.status_code == 200
        assert not Closure.objects.exists()

        registrar.establishments.add(annexe)
        staff.post(f"{CLOSURES}add/", self.data())
        assert Closure.objects.get().establishment is None

    def test_those_of_all_the_sites_are_read_by_everybody(self, staff, annexe, establishment):
        town = Closure.objects.create(**self.data(establishment=None))
        theirs = Closure.objects.create(**self.data(establishment=annexe, name="Travaux"))

        page = staff.get(CLOSURES).text
        assert "Pont" in page
        assert "Travaux" not in page
        change = f"{CLOSURES}{town.pk}/change/"
        assert staff.get(change).status_code == 200
        assert staff.post(change, self.data(name="Volé")).status_code == 403
        assert staff.post(f"{CLOSURES}{town.pk}/delete/", {"post": "yes"}).status_code == 403
        staff.post(f"{CLOSURES}{theirs.pk}/change/", self.data(name="Volé"))
        assert not Closure.objects.filter(name="Volé").exists()

    def test_not_for_another_site(self, staff, annexe):
        staff.post(f"{CLOSURES}add/", self.data(establishment=annexe.pk))

        assert not Closure.objects.exists()


class TestPlan:
    @pytest.fixture
    def lesson(self, teacher, student, parent):
        return next_lesson(make_slot(student, teacher=teacher))

    def test_each_act_and_its_log(self, staff, lesson, registrar):
        substitute = TeacherFactory(user=None, first_name="Paul", last_name="Durand")
        acts = [
            {"act": "replace", "replace-substitute": substitute.pk},
            {
                "act": "move",
                "move-day": next_monday() + dt.timedelta(days=3),
                **{"move-starts_at": "14:00", "move-ends_at": "15:00", "move-room": "Auditorium"},
            },
            {"act": "cancel", "cancel-reason": "Grève"},
            {"act": "restore"},
        ]

        for data in acts:
            response = staff.post(plan(lesson), data)
            assert response.status_code == 302, response.context["failed"].errors

        assert [change.act for change in LessonChange.objects.order_by("pk")] == [
            *["replaced", "moved", "cancelled", "restored"],
        ]
        page = staff.get(plan(lesson)).text
        assert "Paul Durand" in page
        assert "Grève" in page

    def test_a_conflict_is_said_and_passed_over_with_a_reason(self, staff, lesson, teacher):
        make_slot(teacher=teacher, weekday=Weekday.FRIDAY)
        data = {
            "act": "move",
            "move-day": next_monday() + dt.timedelta(days=4),
            **{"move-starts_at": "18:30", "move-ends_at": "19:30", "move-room": "Auditorium"},
        }

        assert "Cécile Vasseur donne Formation musicale" in staff.post(plan(lesson), data).text
        assert not LessonChange.objects.exists()

        staff.post(plan(lesson), data | {"move-despite": "Il se dédouble"})
        assert LessonChange.objects.get().despite == "enseignant\u00a0: Il se dédouble"

    def test_of_another_site_is_not_found(self, staff, annexe):
        lesson = next_lesson(make_slot(course__establishment=annexe))

        assert staff.get(plan(lesson)).status_code == 404
        assert staff.post(plan(lesson), {"act": "cancel"}).status_code == 404
        assert not Lesson.objects.exists()

    @pytest.mark.parametrize("key", ["x", "c1", "c1-2026-99-99", "z1-2026-10-12", "c1-9999-12-31"])
    def test_a_wrong_key_is_not_found(self, staff, key):
        assert staff.get(f"/admin/teaching/lesson/seance/{key}/").status_code == 404

    def test_the_list_holds_ones_own_sites(self, staff, superuser, lesson, annexe):
        other = next_lesson(make_slot(course__establishment=annexe, course__name="Zydanse"))
        services.cancel([lesson], actor=superuser)
        services.cancel([other], actor=superuser)

        page = staff.get("/admin/teaching/lesson/").text

        assert "Formation musicale" in page
        assert "Zydanse" not in page


class TestAbsence:
    @pytest.fixture
    def lessons(self, teacher, student, parent):
        hours = [make_slot(student, teacher=teacher), make_time(student, teacher)]
        return [next_lesson(hour) for hour in hours]

    def url(self, teacher):
        return f"{ABSENCE}?teacher={teacher.pk}&first={next_monday()}&last=" + str(
            next_monday() + dt.timedelta(days=4)
        )

    def test_all_of_them_in_one_act_and_one_mail(self, staff, teacher, lessons):
        page = staff.get(self.url(teacher))
        assert [lesson for lesson, *_ in page.context["lessons"]] == lessons

        staff.post(
            self.url(teacher),
            {
                "act": "cancel",
                "lesson": [each.key for each in lessons],
                "cancel-reason": "Souffrante",
            },
        )

        assert all(find(each.hour, each.planned_on).is_cancelled for each in lessons)
        assert Mail.objects.filter(to="martin.c@example.org").count() == 1

    def test_those_ticked_alone_are_replaced(self, staff, teacher, lessons):
        substitute = TeacherFactory(user=None)

        staff.post(
            self.url(teacher),
            {
                "act": "replace",
                "lesson": [lessons[1].key],
                "replace-substitute": substitute.pk,
            },
        )

        assert find(lessons[0].hour, lessons[0].planned_on).is_as_planned
        assert find(lessons[1].hour, lessons[1].planned_on).teacher == substitute

    def test_nothing_ticked_is_said(self, staff, teacher, lessons):
        page = staff.post(self.url(teacher), {"act": "cancel"}).text

        assert "Choisissez au moins une séance." in page
        assert not LessonChange.objects.exists()

    def test_not_those_of_another_site(self, staff, teacher, annexe):
        other = next_lesson(make_slot(teacher=teacher, course__establishment=annexe))

        assert staff.get(self.url(teacher)).context["lessons"] == []
        staff.post(self.url(teacher), {"act": "cancel", "lesson": [other.key]})
        assert not LessonChange.objects.exists()


class TestRooms:
    def test_each_room_of_the_day_and_the_free_ones(self, staff, annexe):
        make_slot(room="Salle Ravel")
        make_slot(room="Salle Fauré", weekday=Weekday.TUESDAY)
        make_slot(room="Zysalle", course__establishment=annexe)

        response = staff.get(ROOMS, {"jour": next_monday(), "de": "19:00", "a": "20:00"})

        assert [(room.name, len(room.lessons)) for room in response.context["rooms"]] == [
            ("Salle Fauré", 0),
            ("Salle Ravel", 1),
        ]
        assert [room.name for room in response.context["free"]] == ["Salle Fauré"]

    def test_a_cancelled_lesson_leaves_its_room(self, staff, registrar):
        services.cancel([next_lesson(make_slot(room="Salle Ravel"))], actor=registrar)

        response = staff.get(ROOMS, {"jour": next_monday(), "de": "19:00", "a": "20:00"})

        assert [room.name for room in response.context["free"]] == ["Salle Ravel"]

    def test_a_constant_number_of_queries(self, staff):
        url = f"{ROOMS}?jour={next_monday()}"
        make_slot()
        make_time(StudentFactory())
        few = count_queries(staff, url)
        for number in range(4):
            make_slot(room=f"Salle {number}")
            make_time(StudentFactory())

        assert count_queries(staff, url) == few


class TestConflicts:
    def found(self, establishment):
        return [
            (overlap.kind, overlap.who)
            for overlap in conflicts.overlaps_of(establishment, around_today())
        ]

    def test_a_teacher_a_room_a_student(self, establishment, teacher, student, annexe):
        slot = make_slot(student, teacher=teacher, room="Salle Ravel")
        make_slot(teacher=teacher, room="", course__establishment=annexe)
        make_slot(room="SALLE RAVEL", starts_at=dt.time(19), ends_at=dt.time(20))
        at = {"weekday": Weekday.MONDAY, "starts_at": dt.time(18), "ends_at": dt.time(19)}
        make_time(student, **at)

        assert self.found(establishment) == [
            (conflicts.Clash.TEACHER, "Cécile Vasseur"),
            (conflicts.Clash.ROOM, "Salle Ravel"),
            (conflicts.Clash.STUDENT, "Louise Martin"),
        ]
        assert self.found(annexe) == [(conflicts.Clash.TEACHER, "Cécile Vasseur")]
        assert slot

    def test_none_one_after_the_other_nor_on_other_days_nor_rooms_of_two_sites(
        self, establishment, teacher, annexe
    ):
        make_slot(teacher=teacher)
        make_slot(teacher=teacher, starts_at=dt.time(19, 30), ends_at=dt.time(20))
        make_slot(teacher=teacher, weekday=Weekday.TUESDAY)
        make_slot(course__establishment=annexe)

        assert self.found(establishment) == []

    def test_a_student_who_only_asks_is_in_no_conflict(self, establishment, student):
        slot = make_slot(student, room="")
        other = make_slot(room="")
        EnrolmentFactory(
            student=student, course=other.course, place=other.places.first(), status="requested"
        )

        assert self.found(establishment) == []
        Enrolment.objects.update(status="confirmed")
        assert [kind for kind, _ in self.found(establishment)] == [conflicts.Clash.STUDENT]
        assert slot

    def test_a_constant_number_of_queries(self, staff, student):
        make_slot(student)
        make_slot()
        make_time(student)
        few = count_queries(staff, CONFLICTS)
        for _ in range(4):
            make_slot(StudentFactory())
            make_time(StudentFactory())

        assert count_queries(staff, CONFLICTS) == few


class TestSlot:
    """The page of a slot warns, once it is saved."""

    def save(self, staff, slot, **fields):
        data = {
            "group": slot.group,
            "weekday": slot.weekday,
            "starts_at": "18:30",
            "ends_at": "19:30",
            "room": slot.room,
            "teacher": slot.teacher_id or "",
            "capacity": 5,
        } | fields
        url = reverse("admin:students_slot_change", args=[slot.pk])
        return staff.post(url, data, follow=True).text

    def test_of_its_teacher_and_of_its_room(self, staff, teacher):
        make_slot(teacher=teacher)
        slot = make_slot(weekday=Weekday.FRIDAY)

        page = self.save(staff, slot, weekday=1, teacher=teacher.pk)

        assert "Cécile Vasseur a déjà Formation musicale A – LUNDI" in page
        assert "La salle Salle Ravel est déjà prise par Formation musicale A" in page
        slot.refresh_from_db()
        assert slot.weekday == Weekday.MONDAY  # saved all the same

    def test_of_nothing_otherwise(self, staff, teacher):
        make_slot(teacher=teacher)
        slot = make_slot(weekday=Weekday.FRIDAY, teacher=teacher)

        assert "a déjà" not in self.save(staff, slot)
