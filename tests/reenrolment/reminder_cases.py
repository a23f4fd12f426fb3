"""Households that lack a piece, for the tests of the reminders."""

import datetime as dt

from django.utils import timezone

from documents.enums import Owner, Verdict
from documents.models import Document, DocumentType
from families.models import Family
from reenrolment.enums import Status
from reenrolment.models import Campaign, PieceReminder, Reenrolment, ReminderLine
from reenrolment.services import reminders
from tests.factories import (
    CampaignFactory,
    CourseFactory,
    DocumentFactory,
    DocumentTypeFactory,
    EnrolmentFactory,
    FamilyFactory,
    GuardianFactory,
    PieceRuleFactory,
    StudentFactory,
)


def make_rules() -> tuple[DocumentType, DocumentType]:
    """A piece of the household and one of the student, asked from everybody."""
    tax = DocumentTypeFactory(name="Avis d'imposition")
    photo = DocumentTypeFactory(name="Photo d'identité", owner=Owner.STUDENT)
    for position, kind in enumerate((tax, photo)):
        PieceRuleFactory(document_type=kind, position=position)
    return tax, photo


def make_household(name="Martin", *, email="claire@example.org", user=True, first_name="Claire"):
    """A family with one responsable."""
    family = FamilyFactory(name=name)
    more = {"user__email": email} if user else {"user": None}
    GuardianFactory(family=family, email=email, first_name=first_name, **more)
    return family


def make_dossier(
    family: Family, *, first_name="Louise", status=Status.DRAFT, campaign=None, **fields
) -> Reenrolment:
    """Of a new student of the family, who follows a course."""
    campaign = campaign or CampaignFactory()
    student = StudentFactory(first_name=first_name, last_name=family.name, family=family)
    EnrolmentFactory(student=student, course=CourseFactory(establishment=campaign.establishment))
    if status != Status.DRAFT:
        actor = family.guardians.exclude(user=None).get().user
        fields = {
            "terms": campaign.terms,
            "submitted_at": timezone.now(),
            "submitted_by": actor,
        } | fields
    return Reenrolment.objects.create(campaign=campaign, student=student, status=status, **fields)


def hand_in(kind: DocumentType, owner, refusal="") -> Document:
    whose = {"family" if isinstance(owner, Family) else "student": owner}
    verdict = Verdict.REFUSED if refusal else Verdict.PENDING
    return DocumentFactory(type=kind, verdict=verdict, refusal=refusal, **whose)


def plan(campaign: Campaign, *families: Family, actor, **more) -> PieceReminder:
    keys = [family.pk for family in families]
    return reminders.plan(campaign, keys, actor=actor, **more)


def make_reminder(campaign: Campaign, actor) -> PieceReminder:
    """One planned for tomorrow, of nobody yet."""
    at = timezone.now() + dt.timedelta(days=1)
    return PieceReminder.objects.create(campaign=campaign, actor=actor, planned_for=at)


def remind_all() -> list[ReminderLine]:
    done = []
    while line := reminders.remind_next():
        done.append(line)
    return done


def outcomes(reminder: PieceReminder) -> dict[str, str]:
    return {line.family.name: line.outcome for line in reminder.lines.select_related("family")}
