"""What the family's pages read of a campaign."""

import datetime as dt

from django.db.models import Exists, FilteredRelation, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.prepared import prepared
from reenrolment.early_access import openings_of
from reenrolment.enums import CampaignMode, Status
from reenrolment.models import Allocation, Allotment, Campaign, Reenrolment
from reenrolment.pieces import followed_courses
from students.models import Student


def latest_campaign(establishment, student: Student) -> tuple[Campaign | None, Reenrolment | None]:
    """The establishment's campaign, the open one or else the latest, and the student's dossier.

    One query; each is None when there is none.
    """
    found = _campaign_and_dossier(establishment.pk, student.pk, timezone.now())
    campaign = found[0] if found else None
    if campaign is not None:
        campaign.establishment = establishment
    # An outer join that finds nothing sets no attribute.
    reenrolment = getattr(campaign, "dossier", None)
    if reenrolment is not None:
        reenrolment.campaign, reenrolment.student = campaign, student
    return campaign, reenrolment


@prepared
def _campaign_and_dossier(establishment: int, student: int, now: dt.datetime) -> QuerySet[Campaign]:
    dossier = FilteredRelation("reenrolments", condition=Q(reenrolments__student=student))
    campaigns = Campaign.objects.filter(establishment=establishment).annotate(dossier=dossier)
    related = ["previous_year", "school_year", "terms", "dossier"]
    return campaigns.select_related(*related).of_the_moment(now)[:1]


def before_allotment() -> QuerySet[Campaign]:
    """The campaigns whose wishes are ranked, and whose allotted places are not all given yet."""
    published = Allotment.objects.published().filter(campaign=OuterRef("pk"))
    seating = Allocation.objects.to_settle().filter(allotment__campaign=OuterRef("pk"))
    ranked = Campaign.objects.filter(mode=CampaignMode.ALLOTMENT)
    return ranked.filter(~Exists(published) | Exists(seating))


def awaits_allotment(campaign: Campaign) -> bool:
    """Is it one of `before_allotment`? No query for a campaign of the first come."""
    return campaign.by_allotment and before_allotment().filter(pk=campaign.pk).exists()


def next_to_do(campaign: Campaign, students: list[Student], *, after: Student) -> Student | None:
    """The next of the household's students who follows a course and has submitted nothing yet.

    None of those for whom the campaign has yet to open.
    """
    keys = [student.pk for student in students]
    site, year = campaign.establishment_id, campaign.previous_year_id
    to_do = set(_yet_to_do(keys, campaign.pk, site, year)) - {after.pk}
    openings = openings_of(campaign, students)
    to_do -= {pk for pk, opening in openings.items() if opening.is_to_come}
    return next((student for student in students if student.pk in to_do), None)


@prepared
def _yet_to_do(students: list[int], campaign: int, site: int, year: int) -> QuerySet:
    """The keys of those who follow a course and have submitted nothing."""
    dossiers = Reenrolment.objects.filter(campaign=campaign, student__in=students)
    done = dossiers.exclude(status=Status.DRAFT)
    followed = followed_courses(Campaign(establishment_id=site, previous_year_id=year))
    followed = followed.filter(student__in=students).exclude(student__in=done.values("student"))
    return followed.values_list("student_id", flat=True)


def refusal_of(reenrolment: Reenrolment | None) -> str:
    """The reason that the family reads, empty unless the dossier is refused."""
    if reenrolment is None or reenrolment.status != Status.REFUSED:
        return ""
    return reenrolment.transitions.get(to_status=Status.REFUSED).reason
