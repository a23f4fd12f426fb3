"""The count of changes that calendars read: whoever writes, it follows."""

import datetime as dt

import pytest

from accounts.spreadsheets.saving import save_rows
from students import closing
from students.enums import Weekday
from students.models import Course, Slot
from tests.factories import CourseFactory, SlotFactory, TeacherFactory
from tests.races import run_together

pytestmark = pytest.mark.django_db


def revision(slot):
    return type(slot).objects.values_list("revision", flat=True).get(pk=slot.pk)


class TestSlot:
    def test_a_new_one_is_at_nought(self):
        slot = SlotFactory()
        copy = Slot(course=slot.course, weekday=2, starts_at=dt.time(9), ends_at=dt.time(10))
        copy.revision = 7
        Slot.objects.bulk_create([copy])

        assert (revision(slot), revision(copy)) == (0, 0)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("weekday", Weekday.FRIDAY),
            ("starts_at", dt.time(17)),
            ("ends_at", dt.time(21)),
            ("room", "Salle Fauré"),
            ("group", "Z"),
        ],
    )
    def test_a_save_that_changes_what_is_published(self, name, value):
        slot = SlotFactory()
        setattr(slot, name, value)
        slot.save()
        slot.save()

        assert revision(slot) == 1

    def test_another_teacher_then_none(self):
        slot = SlotFactory(teacher=TeacherFactory(user=None))
        for teacher in (TeacherFactory(user=None), None, None):
            slot.teacher = teacher
            slot.save()

        assert revision(slot) == 2

    def test_what_is_not_published_does_not_count(self):
        slot = SlotFactory()
        slot.age_from = 7
        slot.save()
        closing.close(slot)

        assert revision(slot) == 0

    def test_a_stale_row_counts_what_it_changes(self):
        """The page was opened before somebody else changed the hour."""
        stale = SlotFactory(room="Salle Ravel")
        Slot.objects.filter(pk=stale.pk).update(room="Salle Fauré")
        assert revision(stale) == 1

        stale.save()

        assert revision(stale) == 2

    def test_an_update_of_many(self):
        one, other = SlotFactory(room="Salle Ravel"), SlotFactory(room="Salle Fauré")
        Slot.objects.update(room="Salle Fauré")

        assert (revision(one), revision(other)) == (1, 0)

    def test_a_bulk_update(self):
        slots = [SlotFactory(room="A"), SlotFactory(room="B")]
        for slot in slots:
            slot.room = "B"
        Slot.objects.bulk_update(slots, ["room"])

        assert [revision(slot) for slot in slots] == [1, 0]

    def test_an_imported_list(self):
        slot = SlotFactory()
        slot.room = "Auditorium"
        save_rows([], [(slot, ["room"])])

        assert revision(slot) == 1


class TestCourse:
    def test_another_name_or_teacher(self):
        course = CourseFactory()
        course.name = "Solfège"
        course.save()
        course.teacher = TeacherFactory(user=None)
        course.save()
        course.cycle = "c2"
        course.save()

        assert revision(course) == 2
        assert Course.objects.filter(pk=course.pk).update(age_from=3) == 1
        assert revision(course) == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_changes_at_the_same_instant_are_two():
    slot = SlotFactory()
    for number in range(20):
        run_together(
            lambda index, number=number: Slot.objects.filter(pk=slot.pk).update(
                room=f"Salle {number}-{index}"
            ),
            2,
        )

        assert revision(slot) == 2 * (number + 1)
