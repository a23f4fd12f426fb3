"""The week under the table of courses: the household's students side by side."""

import datetime as dt

import pytest
from django.utils import timezone

from reenrolment.week import week_of
from students import services as students
from students.enums import Cycle, EnrolmentStatus, Weekday
from students.models import Enrolment, Hold
from tests.factories import (
    CampaignFactory,
    CourseFactory,
    EstablishmentFactory,
    SlotFactory,
    StudentFactory,
)
from tests.queries import FAMILY_PAGE, count_queries
from tests.reenrolment.test_edit import url


@pytest.fixture
def campaign(establishment):
    return CampaignFactory()


@pytest.fixture
def zoe(family):
    return StudentFactory(first_name="Zoé", family=family)


def coming(name, **slot):
    establishment = slot.pop("establishment", None) or EstablishmentFactory()
    return SlotFactory(
        course=CourseFactory(coming=True, name=name, establishment=establishment), **slot
    )


def at(start, end, **slot):
    return {"starts_at": dt.time(*start), "ends_at": dt.time(*end), **slot}


def hold(student, slot):
    return students.hold(student, slot, until=timezone.now() + dt.timedelta(minutes=30))


def read(week):
    """By day, what stands in the column of each student."""
    return [
        (
            day.name,
            {
                student.first_name: [(each.slot.course.name, each.state) for each in lessons]
                for student, lessons in day.columns
            },
        )
        for day in week.days
    ]


def test_brother_and_sister_stand_side_by_side(campaign, student, zoe):
    hold(student, coming("Orchestre"))
    asked = students.claim(zoe, coming("Chœur"), cycle=Cycle.FIRST)
    students.claim(zoe, coming("Solfège", weekday=Weekday.FRIDAY), cycle=Cycle.FIRST)
    Enrolment.objects.filter(pk=asked.pk).update(status=EnrolmentStatus.CONFIRMED)

    assert read(week_of([student, zoe], campaign)) == [
        ("lundi", {"Louise": [("Orchestre", "réservé")], "Zoé": [("Chœur", "confirmé")]}),
        ("vendredi", {"Louise": [], "Zoé": [("Solfège", "demandé")]}),
    ]


def test_lessons_of_a_day_follow_each_other(campaign, student):
    hold(student, coming("Second", **at((19, 30), (20, 30))))
    hold(student, coming("Premier"))

    [(_, columns)] = read(week_of([student], campaign))

    assert [name for name, _ in columns["Louise"]] == ["Premier", "Second"]


def test_what_is_over_given_back_or_of_another_year_does_not_show(campaign, student):
    hold(student, coming("Orchestre"))
    Hold.objects.update(until=timezone.now())
    students.release(students.claim(student, coming("Chœur"), cycle=Cycle.FIRST))
    students.claim(student, SlotFactory(weekday=Weekday.FRIDAY), cycle=Cycle.FIRST)  # this year's

    assert week_of([student], campaign).days == []


def test_another_household_does_not_show(campaign, student):
    hold(StudentFactory(), coming("Orchestre"))

    assert week_of([student], campaign).days == []


@pytest.mark.parametrize(
    ("starts", "elsewhere", "warned"),
    [((19, 49), True, True), ((19, 50), True, False), ((19, 40), False, False)],
    ids=["19 minutes", "20 minutes", "same site"],
)
def test_too_short_a_way_between_two_sites_is_said(campaign, student, starts, elsewhere, warned):
    site = EstablishmentFactory(name="Annexe") if elsewhere else None
    hold(student, coming("Orchestre"))
    hold(student, coming("Danse", establishment=site, **at(starts, (21, 0))))

    said = [text.replace("\u00a0", " ") for text in week_of([student], campaign).warnings]

    assert said == (
        [
            "Lundi, Louise n'a que 19 minutes pour aller de « Orchestre » (Conservatoire) à "
            "« Danse » (Annexe)."
        ]
        if warned
        else []
    )


def test_the_page_shows_it_in_as_many_queries_for_three_students(client, parent, case, family):
    client.force_login(parent)
    case.fill_in()
    one = count_queries(client, url(case.student))
    for name in ("Zoé", "Hugo"):
        hold(StudentFactory(first_name=name, family=family), coming(f"Orchestre {name}"))

    content = client.get(url(case.student)).content.decode()

    assert '<th scope="col">Zoé</th>' in content
    assert count_queries(client, url(case.student)) == one <= FAMILY_PAGE
    tariff = 1  # is one published, to say what the year would cost?
    assert count_queries(client, url(case.student, "check")) <= FAMILY_PAGE + tariff
