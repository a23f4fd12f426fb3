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


class TestChoices:
    def test_a_course_left_out_leads_its_students_elsewhere(self, establishment, year, coming):
        stopped, other = course("Harpe"), course("Piano")
        choices = rollover.Choices(left={stopped.pk}, following={stopped.pk: "Piano"})

        made = rollover.roll_over(establishment, year, expected=2, choices=choices)

        assert [each.name for each in made] == ["Piano"]
        stopped.refresh_from_db()
        other.refresh_from_db()
        assert stopped.next_course == other.next_course == made[0]
        plan = rollover.plan_of(establishment, year)
        assert [each.course.name for each in plan.to_make] == ["Harpe"]

    def test_left_out_without_a_word_its_students_are_allotted(self, establishment, year):
        stopped, _ = course("Harpe"), course("Piano")

        rollover.roll_over(
            establishment, year, expected=2, choices=rollover.Choices(left={stopped.pk})
        )

        stopped.refresh_from_db()
        assert stopped.next_course is None

    def test_another_course_follows_or_none(self, establishment, year, coming):
        decided = course("Orchestre", school_year=coming)
        choir, theory = course("Chœur", next_course=decided), course("Solfège")
        choices = rollover.Choices(following={choir.pk: "Solfège", theory.pk: ""})

        rollover.roll_over(establishment, year, expected=2, choices=choices)

        choir.refresh_from_db()
        theory.refresh_from_db()
        assert (choir.next_course.name, choir.next_course.school_year) == ("Solfège", coming)
        assert theory.next_course is None

    def test_it_must_be_a_course_of_the_next_year(self, establishment, year):
        stopped, theory = course("Harpe"), course("Solfège")
        for choices in (
            rollover.Choices(following={theory.pk: "Théorbe"}),
            rollover.Choices(left={stopped.pk}, following={theory.pk: "Harpe"}),
        ):
            refused = code_of(rollover.roll_over, establishment, year, expected=2, choices=choices)
            assert refused == "unknown_course"

        assert Course.objects.count() == 2

    def test_a_teacher_who_leaves_is_named_nowhere(self, establishment, year, coming):
        leaves, stays = TeacherFactory(user=None), TeacherFactory(user=None)
        theory = course("Solfège")
        for group, teacher in {"A": leaves, "B": stays}.items():
            SlotFactory(course=theory, group=group, teacher=teacher)
        piano = course("Piano", scheduling=Scheduling.TEACHER, teacher=leaves)
        assert rollover.plan_of(establishment, year).teachers == sorted(
            [leaves, stays], key=lambda teacher: (teacher.sort_name, teacher.pk)
        )

        choices = rollover.Choices(departing={leaves.pk})
        rollover.roll_over(establishment, year, expected=2, choices=choices)

        copies = Slot.objects.filter(course__school_year=coming).order_by("group")
        assert [slot.teacher for slot in copies] == [None, stays]
        assert Course.objects.get(school_year=coming, name="Piano").teacher is None
        piano.refresh_from_db()
        assert piano.teacher == leaves

    def test_all_left_out_is_nothing(self, establishment, year):
        theory = course("Solfège")
        choices = rollover.Choices(left={theory.pk})

        refused = code_of(rollover.roll_over, establishment, year, expected=1, choices=choices)

        assert refused == "nothing"


class TestWhatChanged:
    """A change after the copy stays, and the plan says it."""

    def test_nothing(self, establishment, year):
        SlotFactory(course=course("Solfège"), places=3)
        play(establishment, year)

        [there] = rollover.plan_of(establishment, year).there

        assert (there.course.name, there.changes) == ("Solfège", [])

    def test_each_change_in_words(self, establishment, year, coming):
        former = course("Solfège", cycle=Cycle.FIRST)
        teacher = TeacherFactory(user=None, first_name="Paul", last_name="Durand")
        for group in "ABCD":
            SlotFactory(course=former, group=group, places=3, room="Ravel", teacher=teacher)
        play(establishment, year)
        copy = Course.objects.get(school_year=coming)
        copy.cycle = Cycle.SECOND
        copy.age_from = 9
        copy.save()
        a, b, c, _ = copy.slots.order_by("group")
        services.set_capacity(a, 5)
        Slot.objects.filter(pk=a.pk).update(room="Satie", teacher=None)
        Slot.objects.filter(pk=b.pk).update(weekday=Weekday.TUESDAY, age_from=12)
        c.delete()
        SlotFactory(course=copy, group="E", teacher=None)

        [there] = rollover.plan_of(establishment, year).there

        assert [said.replace("\u00a0", " ") for said in there.changes] == [
            "cycle Cycle 2 au lieu de Cycle 1",
            "pour dès 9 ans au lieu de tous",
            "A – LUNDI – 18 h 30 à 19 h 30 : salle Satie au lieu de Ravel, sans enseignant"
            " (Paul Durand avant), places : 5 au lieu de 3",
            "B – LUNDI – 18 h 30 à 19 h 30 : MARDI – 18 h 30 à 19 h 30 au lieu de LUNDI – 18 h 30"
            " à 19 h 30, pour dès 12 ans au lieu de « comme le cours »",
            "C – LUNDI – 18 h 30 à 19 h 30 : non repris",
            "E – LUNDI – 18 h 30 à 19 h 30 : nouveau",
        ]
        assert code_of(rollover.roll_over, establishment, year, expected=0) == "nothing"


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

    assert "<strong>1</strong> cours à créer" in shown.text
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


def test_a_course_is_left_out_and_the_page_says_so(admin, registrar, year, coming):
    theory, harp = course("Solfège"), course("Harpe")
    data = admin.get(url(year)).context["form"].initial
    del data[f"keep_{harp.pk}"]

    done = admin.post(url(year), data | {f"next_{harp.pk}": "Solfège"}, follow=True)

    assert told(done) == [f"Conservatoire\u00a0: 1 cours de {year} reconduits, 1 laissé."]
    harp.refresh_from_db()
    assert harp.next_course.name == "Solfège"
    assert harp.next_course != theory
    page = done.text
    assert "laissé le" in page
    assert f"par {registrar}" in page
    form = done.context["form"]
    assert form.initial[f"keep_{harp.pk}"] is False
    assert admin.get(f"{url(year)}?tout").context["form"].initial[f"keep_{harp.pk}"] is True
    left = LogEntry.objects.filter(object_id=str(harp.pk)).latest("pk")
    assert left.change_message == f"Non reconduit en {coming}."


def test_what_is_refused_is_said_beside_its_field_and_nothing_is_lost(admin, year):
    theory, harp = course("Solfège"), course("Harpe")
    data = admin.get(url(year)).context["form"].initial
    del data[f"keep_{harp.pk}"]

    answer = admin.post(url(year), data | {f"next_{theory.pk}": "Théorbe"})

    form = answer.context["form"]
    assert list(form.errors) == [f"next_{theory.pk}"]
    assert "«\u00a0Théorbe\u00a0» n&#x27;est pas un cours de l&#x27;année suivante" in answer.text
    assert 'value="Théorbe"' in answer.text
    assert not form[f"keep_{harp.pk}"].value()
    assert Course.objects.count() == 2


def test_none_ticked_is_said_and_the_page_stays(admin, year):
    theory = course("Solfège")
    data = admin.get(url(year)).context["form"].initial
    del data[f"keep_{theory.pk}"]

    answer = admin.post(url(year), data)

    assert answer.context["form"].non_field_errors() == ["Cochez au moins un cours à reconduire."]


def test_a_teacher_who_leaves_by_the_page(admin, year, coming):
    leaves = TeacherFactory(user=None)
    SlotFactory(course=course("Solfège"), teacher=leaves)
    data = admin.get(url(year)).context["form"].initial

    admin.post(url(year), data | {"departing": [leaves.pk]})

    assert Slot.objects.get(course__school_year=coming).teacher is None


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
