"""Dossiers of a campaign whose slots are ranked, then allotted."""

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from reenrolment.enums import CampaignMode
from reenrolment.models import Allocation, Campaign
from reenrolment.services import allotments, waiting
from students.enums import Weekday
from students.models import Course, Slot
from tests.factories import CampaignFactory, CourseFactory, SlotFactory, StudentFactory
from tests.reenrolment.conftest import Case, make_case


@dataclass
class Ranking:
    """One course of three slots of one place: on Monday, on Tuesday, on Wednesday."""

    campaign: Campaign
    course: Course
    slots: list[Slot]

    def deposit(self, *wishes, actor, student=None, **family) -> Case:
        """A dossier submitted with these wishes in the course."""
        case = self.draft(student=student, **family)
        self.wish(case, *wishes, actor=actor)
        case.submit(actor)
        return case

    def draft(self, *, student=None, **family) -> Case:
        """Ready, but for the wishes."""
        case = make_case(student or StudentFactory(**family), slot=self.slots[0])
        case.fill_in(slot_id=None)
        return case

    def wish(self, case, *wishes, actor):
        waiting.wish(self.campaign, case.student, self.course, list(wishes), actor=actor)

    def close(self):
        """A minute ago, as if the wishes had been frozen since."""
        now = timezone.now()
        opened, closed = now - dt.timedelta(days=9), now - dt.timedelta(minutes=1)
        Campaign.objects.filter(pk=self.campaign.pk).update(opens_at=opened, closes_at=closed)
        self.campaign.refresh_from_db()


def make_ranking(places=1, count=3) -> Ranking:
    campaign = CampaignFactory()  # the test's world may have one
    campaign.mode = CampaignMode.ALLOTMENT
    campaign.save(update_fields=["mode"])
    course = CourseFactory(coming=True, name="Formation musicale C1-3")
    days = [Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY][:count]
    slots = [SlotFactory(course=course, weekday=day, places=places) for day in days]
    return Ranking(campaign, course, slots)


def settle() -> None:
    """What the sender of mails does between two mails, until there is nothing left."""
    while allotments.seat_next() or allotments.tell_next():
        pass


def given(allotment) -> dict:
    """The slot of each student in a run."""
    rows = Allocation.objects.for_list().filter(allotment=allotment)
    return {row.choice.reenrolment.student: row.slot for row in rows}
