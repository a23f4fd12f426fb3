"""« Reconduire les cours »: a year made anew from the one before, once."""

import datetime as dt

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from students import closing, rollover, services
from students.enums import Cycle, Scheduling, Weekday
from students.models import Course, Enrolment, Place, SchoolYear, Slot
from tests.factories import (
    CourseFactory,
    DisciplineFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    SchoolYearFactory,
    SlotFactory,
    TeacherFactory,
)
from tests.races import run_together

pytestmark = pytest.mark.django_db


@pytest.fixture
def coming(db):
    return SchoolYearFactory.coming()


@pytest.fixture
def year(coming):
    return SchoolYearFactory()


def course(name, **changes):
    return CourseFactory(name=name, **changes)


def play(establishment, year):
    plan = rollover.plan_of(establishment, year)
    return rollover.roll_over(establishment, year, expected=len(plan.to_make))


def code_of(call, *args, **kwargs):
    with pytest.raises(ValidationError) as refusal:
        call(*args, **kwargs)
    return refusal.value.code


def values(row, *without):
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.name not in ("id", *without)
    }


class TestWhatIsMade:
    def test_the_courses_and_slots_with_all_they_hold(self, establishment, year, coming):
        piano = course(
            "Piano",
            discipline=DisciplineFactory(name="Piano"),
            scheduling=Scheduling.TEACHER,
            teacher=TeacherFactory(),
            cycle=Cycle.SECOND,
        )
        theory = course("Solfège")
        slots = [
            SlotFactory(course=theory, places=12, room="Salle Fauré", teacher=piano.teacher),
            SlotFactory(course=theory, group="B", weekday=Weekday.SATURDAY, places=0),
        ]

        made = play(establishment, year)

        assert [each.name for each in made] == ["Piano", "Solfège"]
        kept = "school_year", "next_course"
        assert [values(each, *kept) for each in made] == [
            values(each, *kept) for each in (piano, theory)
        ]
        assert {each.school_year for each in made} == {coming}
        copies = Slot.objects.filter(course=made[1]).with_places()
        assert [values(each, "course") for each in copies] == [
            values(each, "course") for each in slots
        ]
        assert [each.capacity for each in copies] == [12, 0]
        numbers = Place.objects.filter(slot=copies[0]).values_list("number", flat=True)
        assert list(numbers) == list(range(1, 13))

    def test_neither_enrolments_nor_an_added_place_nor_a_closing(self, establishment, year):
        slot = SlotFactory(course=course("Solfège"), places=2)
        enrolment = EnrolmentFactory(course=slot.course, place=slot.places.first())
        services.add_place(slot, reason="Un élève de trop")
        closing.close(slot)

        [made] = play(establishment, year)

        copy = made.slots.with_places().get()
        assert (copy.capacity, copy.places_left, copy.closed_at) == (2, 2, None)
        assert list(Enrolment.objects.all()) == [enrolment]

    def test_of_this_site_alone(self, establishment, year):
        theirs = course("Solfège", establishment=EstablishmentFactory(name="Annexe"))

        plan = rollover.plan_of(establishment, year)

        assert plan.to_make == plan.existing == []
        assert code_of(rollover.roll_over, establishment, year, expected=0) == "nothing"
        assert list(Course.objects.all()) == [theirs]

    def test_what_exists_is_named_and_left_as_it_is(self, establishment, year, coming):
        SlotFactory(course=course("Chœur"), places=9)
        former = SlotFactory(course=course("Solfège"), places=9).course
        prepared = course("Solfège", school_year=coming, cycle=Cycle.THIRD)

        plan = rollover.plan_of(establishment, year)
        assert [each.course.name for each in plan.to_make] == ["Chœur"]
        assert (plan.existing, plan.slots, plan.places) == (["Solfège"], 1, 9)
        play(establishment, year)

        prepared.refresh_from_db()
        former.refresh_from_db()
        assert (prepared.cycle, prepared.slots.count()) == (Cycle.THIRD, 0)
        assert former.next_course is None

    def test_twice_makes_nothing_more(self, establishment, year):
        SlotFactory(course=course("Solfège"), places=3)
        play(establishment, year)

        assert rollover.plan_of(establishment, year).existing == ["Solfège"]
        assert code_of(rollover.roll_over, establishment, year, expected=1) == "changed"
        assert code_of(rollover.roll_over, establishment, year, expected=0) == "nothing"
        assert (Course.objects.count(), Slot.objects.count(), Place.objects.count()) == (2, 2, 6)

    def test_without_a_next_year_nothing(self, establishment):
        alone = SchoolYearFactory()
        course("Solfège")

        assert code_of(rollover.plan_of, establishment, alone) == "no_next_year"
        assert code_of(rollover.roll_over, establishment, alone, expected=1) == "no_next_year"

    def test_the_next_year_is_the_first_that_follows(self, year, coming):
        SchoolYearFactory(offset=3)

        assert rollover.year_after(year) == coming


class TestWhatFollows:
    def following(self, establishment, year):
        play(establishment, year)
        courses = Course.objects.filter(school_year=year).select_related("next_course")
        return {
            each.name: each.next_course
            and (each.next_course.name, each.next_course.school_year.starts_on.year)
            for each in courses
        }

    def test_its_own_copy_where_nothing_is_known(self, establishment, year, coming):
        course("Solfège")

        after = self.following(establishment, year)

        assert after == {"Solfège": ("Solfège", coming.starts_on.year)}

    def test_what_was_decided_stays(self, establishment, year, coming):
        other = course("Orchestre", school_year=coming)
        course("Chœur", next_course=other)

        after = self.following(establishment, year)

        assert after == {"Chœur": ("Orchestre", coming.starts_on.year)}

    def test_the_same_progress_as_the_year_before(self, establishment, year, coming):
        before = SchoolYearFactory(offset=-1)
        first, second, last = (course(f"FM {n}") for n in (1, 2, 3))
        course("Harpe")  # new this year
        course("FM 1", school_year=before, next_course=second)
        course("FM 2", school_year=before, next_course=last)
        course("FM 3", school_year=before)  # a jury decides
        assert first.next_course is None

        planned = {
            each.course.name: each.following
            for each in rollover.plan_of(establishment, year).to_make
        }
        after = self.following(establishment, year)

        assert planned == {"FM 1": "FM 2", "FM 2": "FM 3", "FM 3": "", "Harpe": "Harpe"}
        assert after == {
            "FM 1": ("FM 2", coming.starts_on.year),
            "FM 2": ("FM 3", coming.starts_on.year),
            "FM 3": None,
            "Harpe": ("Harpe", coming.starts_on.year),
        }


@pytest.mark.parametrize("count", [1, 4])
def test_the_dry_run_makes_six_queries(establishment, year, count, django_assert_num_queries):
    for number in range(count):
        for group in "AB"[:count]:
            SlotFactory(course=course(f"Solfège {number} {group}"), group=group)

    with django_assert_num_queries(6):  # year after, known, courses, year before, its own, slots
        rollover.plan_of(establishment, year)


# --- The page


def url(year):
    return reverse("admin:students_schoolyear_roll_over", args=[year.pk])


def told(response):
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def admin(client, registrar):
    client.force_login(registrar)
    return client


def test_the_page_says_what_it_will_make_then_makes_it(
    admin, registrar, establishment, year, coming
):
    SlotFactory(course=course("Solfège"), places=3)
    course("Chœur")
    course("Chœur", school_year=coming)

    shown = admin.get(url(year))
    done = admin.post(url(year), shown.context["form"].initial, follow=True)

    assert "Créer 1 cours en" in shown.text
    assert Course.objects.filter(school_year=coming).count() == 2
    assert told(done) == [f"Conservatoire\u00a0: 1 cours de {year} reconduits."]
    campaign = reverse("admin:reenrolment_campaign_add")
    link = (
        f"{campaign}?establishment={establishment.pk}&amp;previous_year={year.pk}"
        f"&amp;school_year={coming.pk}"
    )
    assert link in done.text
    assert link not in shown.text
    assert admin.get(link.replace("&amp;", "&")).status_code == 200
    log = LogEntry.objects.order_by("pk")
    assert [(entry.user, entry.object_repr, entry.change_message) for entry in log] == [
        (registrar, "Solfège", f"Reconduit de {year}."),
        (registrar, str(coming), f"Conservatoire\u00a0: 1 cours de {year} reconduits."),
    ]


def test_an_old_page_makes_nothing(admin, registrar, year):
    course("Solfège")
    annexe = EstablishmentFactory(name="École de danse")
    registrar.establishments.add(annexe)
    site = registrar.establishments.get(name="Conservatoire").pk

    fewer = admin.post(url(year), {"site": site, "expected": 4}, follow=True)
    elsewhere = admin.post(url(year), {"site": annexe.pk, "expected": 1}, follow=True)
    nothing = admin.post(url(year), {}, follow=True)

    assert told(fewer) == [
        "La page annonçait 4 cours, il en reste 1 à reconduire\u00a0: relisez-la."
    ]
    assert "rien n'est reconduit" in told(elsewhere)[0]
    assert "rien n'est reconduit" in told(nothing)[0]
    assert Course.objects.count() == 1
    assert not LogEntry.objects.exists()


def test_without_a_next_year_the_page_says_to_make_it(admin, establishment):
    alone = SchoolYearFactory()
    course("Solfège")

    shown = admin.get(url(alone))
    posted = admin.post(url(alone), {"site": establishment.pk, "expected": 1}, follow=True)

    assert reverse("admin:students_schoolyear_add") in shown.text
    assert told(posted) == [
        f"L'année qui suit {alone} n'existe pas encore\u00a0: créez-la d'abord."
    ]


def test_the_year_leads_there_and_the_regie_may_not(admin, client, accountant, year):
    page = reverse("admin:students_schoolyear_change", args=[year.pk])
    assert f'href="{url(year)}"' in admin.get(page).text
    assert admin.get(url(SchoolYear(pk=999_999))).status_code == 404

    client.force_login(accountant)

    assert client.get(url(year)).status_code == 403
    assert client.post(url(year), {}).status_code == 403


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_agents_at_once_make_it_once(establishment):
    today = timezone.localdate()
    for number in range(20):
        start = today + dt.timedelta(days=1000 * (number + 1))
        year, after = (
            SchoolYear.objects.create(
                starts_on=start + dt.timedelta(days=400 * n),
                ends_on=start + dt.timedelta(days=400 * n + 300),
            )
            for n in (0, 1)
        )
        for name in ("Solfège", "Chœur", "Orchestre"):
            SlotFactory(course=course(name, school_year=year), places=5)

        results = run_together(
            lambda _, year=year: rollover.roll_over(establishment, year, expected=3), 2
        )

        [refusal] = [each for each in results if isinstance(each, Exception)]
        assert refusal.code == "changed"
        made = Course.objects.filter(school_year=after)
        assert made.count() == 3
        assert Place.objects.filter(slot__course__in=made).count() == 15
