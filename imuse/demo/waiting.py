"""Who waits for the slots that are full, and a place of the « atelier théâtre » offered to Inès."""

from imuse.demo.clock import Clock
from imuse.demo.households import Household
from imuse.demo.teaching import Teaching
from imuse.demo.town import Town
from reenrolment.enums import Status
from reenrolment.models import CourseChoice
from reenrolment.services import waiting
from students import services as students
from students.models import Enrolment, Slot

THEORY, THEATRE = "Formation musicale C1-3", "Atelier théâtre"
OTHERS = 3  # students who wait for the « formation musicale » that is full


class WaitingRoom:
    def __init__(self, town: Town, teaching: Teaching, clock: Clock):
        self.campaign, self.clock = town.campaign, clock
        self.theatre = teaching.course(town.coming, THEATRE)
        self.full = teaching.slot(town.coming, THEORY, "B")
        self.stages = [teaching.slot(town.coming, THEATRE, group) for group in "AB"]

    def fill(self, benali: Household) -> None:
        """Inès waits for the theatre; others have a seat of theory that suits them less."""
        ines = benali.pupils[0].student
        with self.clock.at(self.clock.moment(-2, 21)):
            waiting.wish(self.campaign, ines, self.theatre, self.stages, actor=benali.user)
        with self.clock.at(self.clock.moment(-1, 9)):
            for choice in self._seated_elsewhere(self.full)[:OTHERS]:
                self._wish(choice, self.full)
        self._give_back(self.stages[0])

    def _seated_elsewhere(self, slot: Slot):
        """The lines of the dossiers to examine that lead to the course, at another hour."""
        choices = CourseChoice.objects.filter(
            reenrolment__campaign=self.campaign,
            reenrolment__status=Status.SUBMITTED,
            granted__course=slot.course,
        ).exclude(granted__place__slot=slot)
        related = ["enrolment__student", "granted__course", "reenrolment__submitted_by"]
        return choices.select_related(*related).order_by("pk")

    def _wish(self, choice: CourseChoice, slot: Slot):
        waiting.wish(
            self.campaign,
            choice.enrolment.student,
            choice.granted.course,
            [slot],
            actor=choice.reenrolment.submitted_by,
        )

    def _give_back(self, slot: Slot):
        """A newcomer goes elsewhere: the place is offered until tomorrow evening."""
        with self.clock.at(self.clock.moment(-1, 18)):
            students.release(
                Enrolment.objects.filter(place__slot=slot, granted_by=None).order_by("pk").first()
            )
            waiting.offer_next()
