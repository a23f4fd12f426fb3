import pytest

from students import services
from students.enums import Cycle, EnrolmentStatus, Scheduling, Weekday
from students.models import Course, Enrolment, Slot, Student
from tests.factories import (
    CourseFactory,
    CustodyFactory,
    DisciplineFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    RepertoirePieceFactory,
    SchoolYearFactory,
    SlotFactory,
    StudentFactory,
    TeacherFactory,
)
from tests.queries import count_queries


@pytest.fixture
def staff(client, registrar):
    client.force_login(registrar)
    return client


def url_of(row, page="change"):
    return f"/admin/students/{row._meta.model_name}/{row.pk}/{page}/"


def rows_of(response):
    return list(response.context["cl"].queryset)


class TestStudents:
    def posted(self, student, *households):
        data = {
            "last_name": student.last_name,
            "first_name": student.first_name,
            "birth_date": "14/03/2016",
            "custodies-TOTAL_FORMS": len(households),
            "custodies-INITIAL_FORMS": 0,
            "enrolments-TOTAL_FORMS": 0,
            "enrolments-INITIAL_FORMS": 0,
        }
        for number, (family, rank) in enumerate(households):
            data |= {
                f"custodies-{number}-family": family.pk,
                f"custodies-{number}-rank": rank,
                f"custodies-{number}-student": student.pk,
            }
        return data

    def test_two_households(self, staff):
        student = StudentFactory()
        one, two = FamilyFactory.create_batch(2)
        page = self.posted(student, (one, 1), (two, 2)) | {"phone": "0612345678"}

        assert staff.post(url_of(student), page).status_code == 302

        student.refresh_from_db()
        assert list(student.custodies.values_list("family", "rank")) == [(one.pk, 1), (two.pk, 2)]
        assert student.phone == "06 12 34 56 78"

    @pytest.mark.parametrize("ranks", [(1, 1), (1, 2, 2), (1, 3)])
    def test_not_two_first_ones_nor_three(self, staff, ranks):
        student = StudentFactory()
        households = [(FamilyFactory(), rank) for rank in ranks]

        response = staff.post(url_of(student), self.posted(student, *households))

        assert response.status_code == 200
        assert len(response.context["errors"]) > 0
        assert not student.custodies.exists()

    def test_not_the_same_household_twice(self, staff, family):
        student = StudentFactory()

        response = staff.post(url_of(student), self.posted(student, (family, 1), (family, 2)))

        assert response.status_code == 200
        assert not student.custodies.exists()

    def test_shows_the_courses_of_this_year_and_the_next(self, staff, student):
        now = EnrolmentFactory(student=student)
        coming = EnrolmentFactory(student=student, course__coming=True)
        EnrolmentFactory(student=student, course__school_year=SchoolYearFactory(offset=-1))

        response = staff.get(url_of(student))

        formset = response.context["inline_admin_formsets"][1].formset
        assert {form.instance for form in formset.forms} == {now, coming}

    @pytest.mark.parametrize("typed", ["nguyen", "Nguyễn", "d'arcy"])
    def test_is_found_without_accents(self, staff, typed):
        wanted = StudentFactory(last_name="Nguyễn", first_name="D'Arcy")
        StudentFactory()

        assert rows_of(staff.get("/admin/students/student/", {"q": typed})) == [wanted]

    def test_the_page_makes_as_many_queries_for_three_courses_as_for_one(self, staff, student):
        self.seat(student, Weekday.MONDAY)
        one = count_queries(staff, url_of(student))
        self.seat(student, Weekday.TUESDAY)
        self.seat(student, Weekday.FRIDAY)

        assert count_queries(staff, url_of(student)) == one

    def seat(self, student, weekday):
        slot = SlotFactory(teacher=TeacherFactory(), weekday=weekday)
        services.claim(student, slot, cycle=Cycle.FIRST)


class TestOwnEstablishments:
    @pytest.fixture
    def elsewhere(self):
        return CourseFactory(establishment=EstablishmentFactory(name="Annexe"))

    @pytest.mark.parametrize("model", ["course", "slot", "enrolment"])
    def test_the_rows_of_other_ones_do_not_exist(self, staff, client, superuser, elsewhere, model):
        here = CourseFactory()
        rows = [
            {
                "course": lambda course: course,
                "slot": lambda course: SlotFactory(course=course),
                "enrolment": lambda course: EnrolmentFactory(course=course),
            }[model](course)
            for course in (here, elsewhere)
        ]
        url = f"/admin/students/{model}/"

        assert rows_of(staff.get(url)) == rows[:1]
        assert staff.get(url_of(rows[1])).url == "/admin/"  # as for a key that does not exist

        client.force_login(superuser)
        assert rows_of(client.get(url)) == rows[:1]  # the site chosen at sign-in
        assert set(rows_of(client.get(url, {"site": "tous"}))) == set(rows)

    def test_a_course_is_made_in_one_s_own(self, staff, establishment, elsewhere):
        page = {
            "establishment": elsewhere.establishment_id,
            "school_year": SchoolYearFactory().pk,
            "discipline": DisciplineFactory().pk,
            "name": "Éveil",
            "cycle": Cycle.AWAKENING,
            "scheduling": Scheduling.FAMILY,
        }
        url = "/admin/students/course/add/"

        assert list(staff.post(url, page).context["adminform"].form.errors) == ["establishment"]
        assert staff.post(url, page | {"establishment": establishment.pk}).status_code == 302
        assert Course.objects.filter(sort_name="eveil").count() == 1


class TestEnrolments:
    def test_is_made_by_the_service(self, staff, student):
        course = CourseFactory()
        page = {
            "student": student.pk,
            "course": course.pk,
            "cycle": Cycle.SECOND,
            "status": EnrolmentStatus.CONFIRMED,  # not a field
        }

        assert staff.post("/admin/students/enrolment/add/", page).status_code == 302
        assert Enrolment.objects.values_list("student", "course", "cycle", "status").get() == (
            student.pk,
            course.pk,
            Cycle.SECOND,
            EnrolmentStatus.REQUESTED,
        )

        again = staff.post("/admin/students/enrolment/add/", page)
        assert again.context["adminform"].form.non_field_errors() == [
            f"{student} est déjà inscrit au cours «\u00a0{course}\u00a0»."
        ]

    def test_state_and_seat_are_no_fields(self, staff):
        enrolment = services.claim(StudentFactory(), SlotFactory(), cycle=Cycle.FIRST)
        page = {
            "cycle": Cycle.THIRD,
            "status": EnrolmentStatus.RELEASED,
            "place": "",
            "course": CourseFactory().pk,
        }

        assert staff.post(url_of(enrolment), page).status_code == 302

        saved = Enrolment.objects.get()
        assert (saved.cycle, saved.status, saved.place, saved.course) == (
            Cycle.THIRD,
            EnrolmentStatus.REQUESTED,
            enrolment.place,
            enrolment.course,
        )

    def test_is_placed_in_a_slot_with_a_place_left(self, staff):
        enrolment = EnrolmentFactory()
        free = SlotFactory(course=enrolment.course, places=2)
        full = SlotFactory(course=enrolment.course, places=0, group="B")
        SlotFactory()  # of another course

        page = staff.get(url_of(enrolment)).context["adminform"].form["move_to"]
        assert [label for _, label in page.field.choices] == [
            "sans changement",
            f"{free} (2 places)",
        ]

        refused = staff.post(url_of(enrolment), {"cycle": Cycle.FIRST, "move_to": full.pk})
        assert list(refused.context["adminform"].form.errors) == ["move_to"]

        staff.post(url_of(enrolment), {"cycle": Cycle.FIRST, "move_to": free.pk})
        assert Enrolment.objects.get().slot == free

    def test_actions_report_row_by_row(self, staff):
        asked, released = [
            EnrolmentFactory(status=status)
            for status in (EnrolmentStatus.REQUESTED, EnrolmentStatus.RELEASED)
        ]

        response = staff.post(
            "/admin/students/enrolment/",
            {"action": "confirm", "_selected_action": [asked.pk, released.pk]},
            follow=True,
        )

        assert {str(message) for message in response.context["messages"]} == {
            f"{asked} : inscription confirmée.",
            f"{released}. Action déjà faite ou impossible.",
        }
        assert Enrolment.objects.confirmed().get() == asked

    def test_releasing_frees_the_seat(self, staff):
        slot = SlotFactory()
        enrolment = services.claim(StudentFactory(), slot, cycle=Cycle.FIRST)

        staff.post(
            "/admin/students/enrolment/",
            {"action": "release", "_selected_action": [enrolment.pk]},
        )

        assert list(Slot.objects.open()) == [slot]

    def test_is_never_deleted(self, client, director):
        client.force_login(director)
        enrolment = EnrolmentFactory()

        assert client.post(url_of(enrolment, "delete"), {"post": "yes"}).status_code == 403


def make(model):
    """One more row of the list, with everything that it shows."""
    year = SchoolYearFactory(offset=-Student.objects.count())
    course = CourseFactory(
        school_year=year, discipline=DisciplineFactory(name=f"Discipline {year}")
    )
    student = StudentFactory()
    CustodyFactory(student=student)
    slot = SlotFactory(course=course, teacher=TeacherFactory())
    services.claim(student, slot, cycle=Cycle.FIRST)
    RepertoirePieceFactory(student=student, school_year=year)


@pytest.mark.parametrize(
    "model",
    [
        *["student", "teacher", "schoolyear", "discipline"],
        *["course", "slot", "enrolment", "repertoirepiece"],
    ],
)
def test_a_list_makes_as_many_queries_for_three_rows_as_for_one(client, director, model):
    client.force_login(director)
    url = f"/admin/students/{model}/"
    make(model)
    one = count_queries(client, url)
    make(model)
    make(model)

    assert count_queries(client, url) == one


def test_a_course_page_makes_as_many_queries_for_three_slots_as_for_one(client, director):
    client.force_login(director)
    course = CourseFactory()
    SlotFactory(course=course, teacher=TeacherFactory())
    one = count_queries(client, url_of(course))
    for _ in range(2):
        SlotFactory(course=course, teacher=TeacherFactory())

    assert count_queries(client, url_of(course)) == one
