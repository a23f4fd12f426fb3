"""« Besoins par discipline »: who goes, may go or waits, the places, and what is missing."""

import csv
import datetime as dt
import io

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from reenrolment.enums import Status
from reenrolment.needs import Figures, needs_of, said_of, shortest_of, total_of
from reenrolment.services import submission
from students import closing, services
from students.enums import Cycle, EnrolmentStatus, Scheduling
from students.models import Enrolment, Hold, WaitingEntry
from tests.factories import (
    CampaignFactory,
    CourseFactory,
    DisciplineFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    SchoolYearFactory,
    SlotFactory,
    StudentFactory,
    TeacherFactory,
)
from tests.queries import count_queries

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:reenrolment_campaign_needs")
EXPORT = reverse("admin:reenrolment_campaign_needs_export")


@pytest.fixture
def year(establishment):
    SchoolYearFactory()
    return SchoolYearFactory.coming()


@pytest.fixture
def admin(client, registrar):
    client.force_login(registrar)
    return client


def coming(name, *, places=0, discipline="Formation musicale", **course):
    """A course of the coming year, and one slot if it has places."""
    course = CourseFactory(
        coming=True, name=name, discipline=DisciplineFactory(name=discipline), **course
    )
    if places:
        SlotFactory(course=course, places=places)
    return course


def expect(course, count=1, **enrolment):
    """Students who follow this year a course that leads there."""
    former, _ = CourseFactory._meta.model.objects.get_or_create(
        name=f"Avant {course}",
        school_year=SchoolYearFactory(),
        establishment=course.establishment,
        defaults={"discipline": course.discipline, "cycle": Cycle.FIRST, "next_course": course},
    )
    return [EnrolmentFactory(course=former, **enrolment).student for _ in range(count)]


def wait(student, course, slot=None):
    return WaitingEntry.objects.create(
        student=student, course=course, slot=slot, since=timezone.now()
    )


def pick(student, slot):
    until = timezone.now() + dt.timedelta(minutes=9)
    return services.hold(student, slot, until=until)


def seat(student, slot, *, confirmed=False):
    enrolment = services.claim(student, slot, cycle=Cycle.FIRST, ahead=True)
    return services.confirm(enrolment) if confirmed else enrolment


def figures(establishment, year, **kwargs):
    """By name of the course, what is not nought."""
    return {
        need.course.name: {k: v for k, v in vars(need.figures).items() if v}
        for each in needs_of(establishment, year, **kwargs)
        for need in each.courses
    }


class TestCounts:
    def test_who_is_expected_and_has_not_answered(self, establishment, year):
        theory = coming("FM 2", places=3)
        expect(theory, 5)

        assert figures(establishment, year) == {
            "FM 2": {
                "expected": 5,
                "unanswered": 5,
                "places": 3,
                "free": 3,
                "wanted": 5,
                "missing": 2,
            }
        }

    def test_every_way_to_ask_counts_a_student_once(self, establishment, year):
        theory = coming("FM 2", places=4)
        slot = theory.slots.get()
        seated, asking, picking, waiting, silent = expect(theory, 5)
        seat(seated, slot, confirmed=True)
        seat(asking, slot)
        pick(picking, slot)
        wait(waiting, theory)
        wait(waiting, theory, slot)
        newcomer = StudentFactory()
        wait(newcomer, theory, slot)
        wait(asking, theory)  # has a place already, and waits for another hour
        assert silent

        assert figures(establishment, year) == {
            "FM 2": {
                "expected": 5,
                "unanswered": 1,
                "requested": 1,
                "confirmed": 1,
                "waiting": 3,
                "held": 1,
                "places": 4,
                "free": 1,
                "wanted": 6,
                "missing": 2,
            }
        }

    def test_without_a_place_yet_it_is_a_request_and_said(self, establishment, year):
        choir = coming("Chorale", places=2, scheduling=Scheduling.ADMINISTRATION)
        for _ in range(3):
            services.enrol_without_place(StudentFactory(), choir, cycle=Cycle.FIRST)

        [[need]] = [each.courses for each in needs_of(establishment, year)]

        assert (need.figures.requested, need.figures.missing, need.unseated) == (3, 1, 3)

    def test_what_is_over_does_not_count(self, establishment, year):
        theory = coming("FM 2", places=4)
        slot = theory.slots.get()
        services.release(seat(StudentFactory(), slot))
        Hold.objects.filter(pk=pick(StudentFactory(), slot).pk).update(until=timezone.now())
        entry = wait(StudentFactory(), theory)
        entry.state = "left"
        entry.save()
        expect(theory, status=EnrolmentStatus.RELEASED)

        assert figures(establishment, year) == {"FM 2": {"places": 4, "free": 4, "spare": 4}}

    def test_two_courses_that_lead_to_one_expect_a_student_once(self, establishment, year):
        theory = coming("FM 2", places=1)
        [student] = expect(theory)
        other = CourseFactory(name="Éveil", next_course=theory)
        EnrolmentFactory(student=student, course=other)

        assert figures(establishment, year)["FM 2"]["expected"] == 1

    def test_the_decision_for_one_student_leads_him_elsewhere(self, establishment, year):
        second, third = coming("FM 2", places=9), coming("FM 3", places=9)
        [student] = expect(second)
        Enrolment.objects.filter(student=student).update(next_course=third)

        found = figures(establishment, year)

        assert "expected" not in found["FM 2"]
        assert found["FM 3"]["expected"] == 1

    def test_a_dossier_that_was_sent_is_an_answer(self, establishment, year, case, parent):
        expected = figures(establishment, year)
        name = case.slot.course.name
        case.fill_in()
        case.submit(parent)
        withdrawn = submission.withdraw(case.reenrolment, actor=parent)
        assert withdrawn.status == Status.WITHDRAWN

        found = figures(establishment, year)

        assert expected[name]["unanswered"] == 1
        assert found[name]["expected"] == 1
        assert "unanswered" not in found[name]

    def test_once_the_campaign_is_over_the_silent_are_not_reckoned_with(self, establishment, year):
        theory = coming("FM 2", places=2)
        expect(theory, 3)

        found = figures(establishment, year, awaited=False)

        assert found["FM 2"]["unanswered"] == 3
        assert found["FM 2"]["spare"] == 2

    def test_of_this_site_and_this_year(self, establishment, year):
        annexe = EstablishmentFactory(name="Annexe")
        theirs = CourseFactory(coming=True, name="Là-bas", establishment=annexe)
        SlotFactory(course=theirs, places=3)
        CourseFactory(name="Cette année")
        ours = coming("FM 2", places=1)

        assert list(figures(establishment, year)) == [ours.name]
        assert list(figures(annexe, year)) == [theirs.name]

    def test_of_one_cycle(self, establishment, year):
        coming("FM 2", places=1)
        coming("FM 7", places=1, cycle=Cycle.SECOND)

        assert list(figures(establishment, year, cycle=Cycle.SECOND)) == ["FM 7"]

    def test_without_slots_nothing_is_missing(self, establishment, year):
        piano = coming("Piano", scheduling=Scheduling.TEACHER)
        expect(piano, 2)

        [[need]] = [each.courses for each in needs_of(establishment, year)]

        assert (need.figures.missing, need.figures.spare, need.figures.rate) == (0, 0, None)
        assert need.said == "2 élèves, fixé par l'enseignant"

    def test_with_slots_to_choose_but_none_open_all_is_missing(self, establishment, year):
        theory = coming("FM 2")
        expect(theory, 2)

        [[need]] = [each.courses for each in needs_of(establishment, year)]

        assert need.said == "il manque 2 places"

    def test_slot_by_slot(self, establishment, year):
        theory = coming("FM 2", places=2)
        first = theory.slots.get()
        second = SlotFactory(course=theory, group="B", places=1)
        seat(StudentFactory(), first, confirmed=True)
        seat(StudentFactory(), first)
        wait(StudentFactory(), theory, first)
        wait(StudentFactory(), theory)
        closing.close(second)

        [[need]] = [each.courses for each in needs_of(establishment, year)]

        told = [(each.slot, each.figures.waiting, each.figures.rate) for each in need.slots]
        assert told == [(first, 2, 100), (second, 1, 0)]
        assert [each.said for each in need.slots] == ["complet", "fermé aux familles"]
        assert (need.figures.rate, need.figures.missing) == (66, 1)


class TestOrder:
    def test_where_most_is_missing_comes_first(self, establishment, year):
        for name, discipline, places, count in [
            ("FM 1", "Formation musicale", 9, 0),
            ("FM 2", "Formation musicale", 1, 3),
            ("FM 3", "Formation musicale", 1, 2),
            ("Impro", "Théâtre", 1, 6),
            ("Chant", "Chant", 1, 1),
        ]:
            expect(coming(name, places=places, discipline=discipline), count)

        needs = needs_of(establishment, year)

        disciplines = [str(each.discipline) for each in needs]
        assert disciplines == ["Théâtre", "Formation musicale", "Chant"]
        assert [each.course.name for each in needs[1].courses] == ["FM 2", "FM 3", "FM 1"]
        assert [each.course.name for each in shortest_of(needs)] == ["Impro", "FM 2", "FM 3"]
        total = total_of(needs)
        assert (total.missing, total.spare, total.places, total.expected) == (8, 9, 13, 12)
        assert needs[1].said == "il manque 3 places, 9 places resteront libres"


@pytest.mark.parametrize(
    ("missing", "spare", "said"),
    [
        (0, 0, "juste assez de places"),
        (1, 0, "il manque 1 place"),
        (14, 0, "il manque 14 places"),
        (0, 1, "1 place restera libre"),
        (2, 9, "il manque 2 places, 9 places resteront libres"),
    ],
)
def test_the_words(missing, spare, said):
    assert said_of(Figures(missing=missing, spare=spare)) == said


class TestPage:
    def test_it_says_what_is_missing_and_leads_to_act(self, admin, year, establishment):
        theory = coming("FM 2", places=1)
        slot = theory.slots.get()
        expect(theory, 3)

        page = admin.get(PAGE)

        assert page.context["form"].chosen_year == year
        text = page.text
        assert f'<a href="#cours-{theory.pk}">FM 2</a>&nbsp;: il manque 2 places' in text
        for name, args, query in [
            ("students_slot_change", [slot.pk], f"?suite={PAGE}"),
            ("students_slot_add", [], f"?course={theory.pk}&amp;suite={PAGE}"),
            ("students_slot_close", [slot.pk], f"?suite={PAGE}"),
            ("students_course_add", [], f"?school_year={year.pk}&amp;establishment="),
            ("teaching_lesson_loads", [], f"?annee={year.pk}&amp;site={establishment.pk}"),
            ("teaching_lesson_year_rooms", [], f"?annee={year.pk}&amp;site={establishment.pk}"),
        ]:
            address = f"{reverse(f'admin:{name}', args=args)}{query}"
            assert address.replace("/", "%2F", 0) in text.replace("%2F", "/"), name

    def test_the_year_the_cycle_and_nothing_else(self, admin, year):
        this = SchoolYearFactory()
        CourseFactory(name="Cette année", school_year=this, cycle=Cycle.THIRD)
        coming("FM 2")

        page = admin.get(PAGE, {"annee": this.pk, "cycle": Cycle.THIRD})

        assert [each.course.name for need in page.context["needs"] for each in need.courses] == [
            "Cette année"
        ]
        none = admin.get(PAGE, {"annee": this.pk, "cycle": Cycle.SECOND})
        assert "Aucun cours de ce cycle" in none.text

    @pytest.mark.parametrize("data", [{"annee": "999"}, {"site": "x"}, {"cycle": "c9"}])
    def test_what_is_no_choice_is_said_beside_the_field(self, admin, year, data):
        coming("FM 2")

        page = admin.get(PAGE, data)

        assert list(page.context["form"].errors) == list(data)
        assert len(page.context["needs"]) == 1

    def test_another_site_of_the_agent_and_none_of_others(self, admin, registrar, year):
        annexe, theirs = EstablishmentFactory(name="Annexe"), EstablishmentFactory(name="Ailleurs")
        registrar.establishments.add(annexe)
        for site in (annexe, theirs):
            CourseFactory(coming=True, name=f"Cours {site}", establishment=site)

        assert "Cours Annexe" in admin.get(PAGE, {"site": annexe.pk}).text
        refused = admin.get(PAGE, {"site": theirs.pk})
        assert "Cours Ailleurs" not in refused.text
        unknown = admin.get(PAGE, {"site": "999999"})
        assert list(refused.context["form"].errors) == list(unknown.context["form"].errors)

    def test_it_says_when_the_campaign_is_over(self, admin, year):
        coming("FM 2")
        assert "La campagne est close" not in admin.get(PAGE).text
        CampaignFactory(closed=True)

        assert "La campagne est close" in admin.get(PAGE).text

    def test_not_for_the_regie(self, client, accountant, year):
        client.force_login(accountant)

        assert client.get(PAGE).status_code == 403
        assert client.get(EXPORT).status_code == 403

    def test_before_the_first_year_there_is_no_page(self, admin):
        assert admin.get(PAGE).status_code == 404


class TestFile:
    def rows(self, admin, **query):
        content = admin.get(EXPORT, query).content.decode("utf-8-sig")
        return list(csv.reader(io.StringIO(content), delimiter=";"))

    def test_csv_a_line_for_each_course_and_slot(self, admin, year):
        theory = coming("=FM 2", places=2)
        expect(theory, 3)
        seat(StudentFactory(), theory.slots.get())
        coming("Piano", scheduling=Scheduling.TEACHER)

        headers, course, slot, piano = self.rows(admin)

        assert headers[:5] == ["Discipline", "Cours", "Cycle", "Créneau", "Attendus"]
        assert course == [
            *["Formation musicale", "'=FM 2", "Cycle 1", "", "3", "3", "1", "0", "0", "0", "2"],
            *["1", "50", "2", "0", "il manque 2 places"],
        ]
        hour = "A – LUNDI – 18\u00a0h\u00a030 à 19\u00a0h\u00a030"
        assert slot == [
            *["Formation musicale", "'=FM 2", "Cycle 1", hour, "", "", "1", "0", "0", "0", "2"],
            *["1", "50", "", "", ""],
        ]
        assert piano[-4:] == ["", "", "", "0 élève, fixé par l'enseignant"]

    def test_excel_holds_numbers(self, admin, year):
        coming("FM 2", places=2)

        answer = admin.get(EXPORT, {"format": "xlsx"})

        sheet = load_workbook(io.BytesIO(answer.content)).active
        assert [cell.value for cell in sheet[2]][10:15] == [2, 2, 0, 0, 2]
        assert f'filename="besoins-{year}.xlsx"' in answer["Content-Disposition"]


@pytest.mark.parametrize("count", [1, 3])
def test_as_many_queries_whatever_the_count(admin, year, count):
    CampaignFactory()
    for number in range(count):
        theory = coming(f"FM {number}", places=count, discipline=f"Discipline {number}")
        slot = theory.slots.get()
        slot.teacher = TeacherFactory(user=None)
        slot.save()
        students = expect(theory, count * 2)
        seat(students[0], slot)
        wait(students[1], theory)
    admin.get(PAGE)

    assert (count_queries(admin, PAGE), count_queries(admin, EXPORT)) == (16, 16)
