"""A slot for some ages and some years of the cycle, and who may choose it."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from students import services
from students.enums import Cycle, Misfit
from students.models import Course, Hold, Slot
from students.suitability import Level, age_in, audience_of, coming_level, misfits
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    SchoolYearFactory,
    SlotFactory,
    StudentFactory,
    this_year,
)

pytestmark = pytest.mark.django_db

THIRD = Level(Cycle.FIRST, 3)
EIGHT = {"age_from": 8, "age_to": 8}


def aged(years, *, month=7, day=1):
    """Who reaches this age in the civil year in which the school year under way began."""
    return StudentFactory(birth_date=dt.date(this_year() - years, month, day))


def slot_of(course=None, **own):
    return SlotFactory(course=CourseFactory(**(course or {})), **own)


class TestAge:
    @pytest.mark.parametrize(("month", "day"), [(1, 1), (8, 31), (9, 1), (12, 31)])
    def test_all_those_of_a_civil_year_have_one_age(self, month, day):
        student = aged(8, month=month, day=day)

        assert age_in(SchoolYearFactory(), student) == 8
        assert age_in(SchoolYearFactory.coming(), student) == 9

    def test_born_on_29_february(self):
        student = StudentFactory(birth_date=dt.date(2016, 2, 29))

        assert age_in(SchoolYearFactory(), student) == this_year() - 2016

    @pytest.mark.parametrize(
        ("month", "day", "age", "found"),
        [
            (12, 31, 8, []),  # the birthday falls on the very date
            (1, 1, 7, [Misfit.AGE]),  # born the day after: eight on the morrow of the date
            (1, 1, 8, []),
            (12, 31, 9, [Misfit.AGE]),
        ],
    )
    def test_at_the_edges(self, month, day, age, found):
        assert misfits(slot_of(EIGHT), aged(age, month=month, day=day), None) == found

    @pytest.mark.parametrize(
        ("bounds", "age", "suits"),
        [
            ({}, 0, True),
            ({}, 99, True),
            ({"age_from": 8}, 7, False),
            ({"age_from": 8}, 99, True),
            ({"age_to": 8}, 9, False),
            ({"age_to": 8}, 0, True),
            ({"age_to": 0}, 1, False),  # zero is a bound
        ],
    )
    def test_what_nobody_said_excludes_nobody(self, bounds, age, suits):
        assert (misfits(slot_of(bounds), aged(age), None) == []) == suits


class TestCycleYear:
    @pytest.mark.parametrize(
        ("first", "last", "suits"),
        [
            (3, 3, True),
            (1, 2, False),
            (4, None, False),
            (None, 2, False),
            (None, 3, True),
            (3, None, True),
        ],
    )
    def test_from_and_to_are_included(self, student, first, last, suits):
        slot = slot_of({"cycle_year_from": first, "cycle_year_to": last})

        assert misfits(slot, student, THIRD) == ([] if suits else [Misfit.LEVEL])

    @pytest.mark.parametrize("level", [None, Level(Cycle.FIRST, None)])
    def test_a_level_that_is_not_known_excludes_nothing(self, student, level):
        assert misfits(slot_of({"cycle_year_to": 1}), student, level) == []

    @pytest.mark.parametrize("year", [None, 1])
    def test_the_years_are_those_of_the_cycle_of_the_course(self, student, year):
        other = Level(Cycle.SECOND, year)

        assert misfits(slot_of({"cycle_year_to": 2}), student, other) == [Misfit.LEVEL]
        assert misfits(slot_of(), student, other) == []

    def test_both_may_fail(self):
        slot = slot_of(EIGHT | {"cycle_year_to": 2})

        assert misfits(slot, aged(9), THIRD) == [Misfit.AGE, Misfit.LEVEL]


class TestASlotAndItsCourse:
    def test_its_own_ages_replace_both_of_the_course(self):
        adults = slot_of({"age_from": 7, "age_to": 12}, age_from=18)

        assert misfits(adults, aged(34), None) == []
        assert misfits(adults, aged(8), None) == [Misfit.AGE]

    def test_its_ages_leave_the_years_of_the_course(self):
        slot = slot_of(EIGHT | {"cycle_year_to": 2}, age_from=18)

        assert misfits(slot, aged(34), THIRD) == [Misfit.LEVEL]

    @pytest.mark.parametrize(
        ("course", "own", "words"),
        [
            ({}, {}, ""),
            ({"age_from": 7, "age_to": 9}, {}, "7 à 9 ans"),
            ({"age_from": 7, "age_to": 9}, {"age_from": 18}, "dès 18 ans"),
            ({"age_to": 1}, {}, "jusqu'à 1 an"),
            ({"age_from": 0, "age_to": 0}, {}, "0 an"),
            ({"age_from": 6, "age_to": 6}, {}, "6 ans"),
            ({"age_from": 6}, {"cycle_year_to": 2}, "dès 6 ans, jusqu'à la 2e année du cycle"),
            ({"cycle_year_from": 1, "cycle_year_to": 1}, {}, "1re année du cycle"),
            ({"cycle_year_from": 1, "cycle_year_to": 3}, {}, "1re à 3e année du cycle"),
            ({"cycle_year_from": 3}, {}, "dès la 3e année du cycle"),
        ],
    )
    def test_in_words(self, course, own, words):
        assert audience_of(slot_of(course, **own)) == words

    def test_a_course_in_words(self):
        assert audience_of(CourseFactory(**EIGHT)) == "8 ans"


class TestComingLevel:
    def followed(self, *, follows=Cycle.FIRST, proposed=Cycle.FIRST, jury=None, **level):
        """This year's enrolment; `jury`: the cycle of the course that it decided on."""
        course = CourseFactory(
            cycle=follows, next_course=proposed and CourseFactory(coming=True, cycle=proposed)
        )
        decided = jury and CourseFactory(coming=True, cycle=jury)
        return EnrolmentFactory(course=course, next_course=decided, **level)

    def test_one_year_more_of_the_same_cycle(self):
        assert coming_level(self.followed(cycle_year=2)) == Level(Cycle.FIRST, 3)

    def test_the_year_not_known_stays_so(self):
        assert coming_level(self.followed(cycle_year=None)) == Level(Cycle.FIRST, None)

    def test_the_first_year_of_the_cycle_that_the_course_leads_to(self):
        initiation = self.followed(follows=Cycle.INITIATION, cycle=Cycle.INITIATION)

        assert coming_level(initiation) == Level(Cycle.FIRST, 1)

    def test_the_first_year_of_the_cycle_that_the_jury_decided_on(self):
        passed = self.followed(proposed=None, jury=Cycle.SECOND, cycle_year=4)

        assert coming_level(passed) == Level(Cycle.SECOND, 1)

    def test_the_jury_kept_him_in_the_cycle_perhaps_in_the_same_year(self):
        kept = self.followed(proposed=Cycle.SECOND, jury=Cycle.FIRST, cycle_year=4)

        assert coming_level(kept) == Level(Cycle.FIRST, None)

    def test_the_jury_has_not_decided(self):
        assert coming_level(self.followed(proposed=None, cycle_year=4)) is None

    def test_a_choir_of_the_first_cycle_keeps_a_student_of_the_second(self):
        choir = self.followed(cycle=Cycle.SECOND, cycle_year=1)

        assert coming_level(choir) == Level(Cycle.SECOND, 2)


class TestServices:
    def hold(self, student, slot, **kwargs):
        return services.hold(student, slot, until=timezone.now() + dt.timedelta(hours=1), **kwargs)

    @pytest.mark.parametrize("bounds", [{"age_from": 90}, {"cycle_year_to": 2}])
    def test_a_family_holds_no_place_that_is_for_others(self, student, bounds):
        slot = slot_of(**bounds)

        with pytest.raises(ValidationError) as refusal:
            self.hold(student, slot, level=THIRD)

        assert refusal.value.code == "not_suited"
        assert refusal.value.messages == [
            f"Le créneau «\u00a0{slot}\u00a0» ne correspond plus à l'âge ou au niveau de l'élève."
        ]
        assert not Hold.objects.exists()

    def test_it_holds_one_that_is_for_the_student(self, student):
        slot = slot_of(age_from=1, age_to=90, cycle_year_from=3, cycle_year_to=3)

        assert self.hold(student, slot, level=THIRD).place.slot == slot

    def test_the_bounds_are_those_of_the_database(self, student):
        slot = slot_of()
        Course.objects.update(age_from=90)

        with pytest.raises(ValidationError, match="ne correspond plus"):
            self.hold(student, slot)

    def test_an_agent_places_whom_he_wants(self, student):
        slot = slot_of(age_from=90)
        enrolment = services.claim(student, slot, cycle=Cycle.FIRST)
        other = SlotFactory(course=slot.course, group="B", age_to=1)

        assert services.place(enrolment, other).slot == other


class TestTheDatabase:
    @pytest.mark.parametrize("model", [Course, Slot])
    @pytest.mark.parametrize(
        "bounds",
        [
            {"age_from": 8, "age_to": 7},
            {"age_from": 121},
            {"age_to": 121},
            {"age_from": -1},
            {"cycle_year_from": 3, "cycle_year_to": 2},
            {"cycle_year_from": 0},
            {"cycle_year_to": 10},
        ],
    )
    def test_refuses_bounds_that_nobody_can_meet(self, model, bounds):
        SlotFactory()

        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.update(**bounds)

    @pytest.mark.parametrize("model", [Course, Slot])
    @pytest.mark.parametrize(
        "bounds",
        [
            {"age_from": 0, "age_to": 0},
            {"age_to": 120},
            {"cycle_year_from": 1, "cycle_year_to": 9},
        ],
    )
    def test_takes_the_widest_and_the_narrowest(self, model, bounds):
        SlotFactory()

        assert model.objects.update(**bounds) == 1
        model.objects.get().full_clean()

    def test_a_form_says_it_beside_the_field(self):
        slot = SlotFactory()
        slot.age_from, slot.age_to = 8, 7
        slot.cycle_year_from, slot.cycle_year_to = 2, 1

        with pytest.raises(ValidationError) as refusal:
            slot.full_clean(validate_constraints=False)

        sentence = ["Le maximum doit être au moins égal au minimum."]
        assert refusal.value.message_dict == {"age_to": sentence, "cycle_year_to": sentence}
