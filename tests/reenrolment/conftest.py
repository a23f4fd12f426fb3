"""A dossier to re-enrol: one course with a slot to choose, one that the administration allots."""

from dataclasses import dataclass

import pytest
from django.utils import timezone

from accounts.models import Mail
from documents.models import Document
from reenrolment.models import Campaign, CourseChoice, Reenrolment
from reenrolment.pieces import load_pieces
from reenrolment.readiness import fingerprint_of
from reenrolment.rows import load_rows
from reenrolment.services import decisions, drafts, submission
from reenrolment.services.drafts import Edit
from students.enums import Scheduling, Weekday
from students.models import Course, Enrolment, Hold, Slot, Student
from tests.factories import (
    CampaignFactory,
    CourseFactory,
    DocumentFactory,
    EnrolmentFactory,
    GuardianFactory,
    PieceRuleFactory,
    SlotFactory,
    StudentFactory,
)
from tests.reenrolment.waiting_cases import make_full

BLANK = {"wanted": False, "slot_id": None, "stop_reason": ""}


@dataclass
class Case:
    campaign: Campaign
    student: Student
    theory: Enrolment  # of this year; next year's `slot` is to choose
    choir: Enrolment  # of this year; the administration allots next year's
    slot: Slot
    choir_course: Course

    @property
    def reenrolment(self) -> Reenrolment:
        return Reenrolment.objects.get(campaign=self.campaign, student=self.student)

    def choice(self, enrolment) -> CourseChoice:
        """As the database has it now."""
        return CourseChoice.objects.get(
            reenrolment__student=self.student,
            reenrolment__campaign=self.campaign,
            enrolment=enrolment,
        )

    def fill_in(self, *, slot=None, **changes):
        """Saves a draft that is ready to be submitted, if a place of the slot can be held."""
        return drafts.save_draft(
            self.campaign,
            self.student,
            {
                "administrative": Edit({"administrative": False}, {"administrative": True}),
                f"course-{self.theory.pk}": Edit(
                    BLANK, BLANK | {"wanted": True, "slot_id": (slot or self.slot).pk} | changes
                ),
                f"course-{self.choir.pk}": Edit(BLANK, BLANK | {"wanted": True}),
            },
        )

    def fill_in_without_slot(self):
        """The same with no slot picked: none is left, or one is waited for."""
        return self.fill_in(slot_id=None)

    def let_holds_end(self):
        """The family took longer than the places are kept: nothing sweeps, time alone passes."""
        Hold.objects.filter(student=self.student).update(until=timezone.now())

    def submit(self, actor):
        reenrolment = self.reenrolment
        return submission.submit(
            reenrolment,
            actor=actor,
            terms=self.campaign.terms,
            fingerprint=fingerprint_of(
                reenrolment, load_rows(reenrolment), load_pieces(reenrolment)
            ),
        )


def make_case(student, *, slot=None) -> Case:
    campaign = CampaignFactory()
    if slot is None:
        slot = SlotFactory(course=CourseFactory(coming=True, name="Formation musicale C1-3"))
    theory_course = slot.course.previous_courses.first() or CourseFactory(
        name=f"{slot.course.name}, cette année", next_course=slot.course
    )
    choir_next = Course.objects.filter(name="Chœur, an prochain").first() or CourseFactory(
        coming=True, name="Chœur, an prochain", scheduling=Scheduling.ADMINISTRATION
    )
    choir_course = choir_next.previous_courses.first() or CourseFactory(
        name="Chœur", scheduling=Scheduling.ADMINISTRATION, next_course=choir_next
    )
    return Case(
        campaign=campaign,
        student=student,
        theory=EnrolmentFactory(student=student, course=theory_course),
        choir=EnrolmentFactory(student=student, course=choir_course),
        slot=slot,
        choir_course=choir_next,
    )


def make_rival(case: Case) -> Case:
    return make_case(StudentFactory(family=GuardianFactory().family), slot=case.slot)


@pytest.fixture
def case(student):
    return make_case(student)


@pytest.fixture
def submitted(case, parent) -> Reenrolment:
    """Formation musicale is placed, Chœur is the administration's to place; no mail is left."""
    case.fill_in()
    case.submit(parent)
    Mail.objects.all().delete()
    return case.reenrolment


@pytest.fixture
def choir_slot(case) -> Slot:
    """The one place of the course that the administration allots."""
    return SlotFactory(course=case.choir_course, weekday=Weekday.WEDNESDAY)


@pytest.fixture
def placed(case, submitted, choir_slot) -> Reenrolment:
    """Ready to be validated."""
    decisions.place(case.choice(case.choir), course=case.choir_course, slot=choir_slot)
    return case.reenrolment


@pytest.fixture
def document(case, parent) -> Document:
    """The one piece asked for, handed in; ask for `submitted` after it."""
    type_ = PieceRuleFactory().document_type
    return DocumentFactory(type=type_, family=parent.guardian.family)


@pytest.fixture
def with_document(document, submitted) -> Reenrolment:
    """`submitted`, with its one piece to examine."""
    return submitted


@pytest.fixture
def thursday(case) -> Slot:
    """Both slots of the course are full: the case's own, and this one."""
    return make_full(case)


@pytest.fixture
def rival(case) -> Case:
    """Another household, whose student follows the same course."""
    return make_rival(case)


@pytest.fixture
def admin(client, registrar):
    """The client of the secretariat."""
    client.force_login(registrar)
    return client
