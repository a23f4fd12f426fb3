"""What the coming year would cost the household by what its dossiers ask for: shown, never kept."""

import logging
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import QuerySet
from django.utils import timezone

from accounts.prepared import prepared
from billing.estimates import Estimate, estimate, grid_of, tariff_of
from billing.facts import household_facts
from billing.models import TariffGrid
from billing.pricing.bills import PricingError
from billing.simulator_forms import question_of
from families.models import Family
from reenrolment.enums import Status
from reenrolment.models import Campaign, CourseChoice
from students.enums import EnrolmentStatus
from students.models import Course

logger = logging.getLogger(__name__)
ASKED = [EnrolmentStatus.REQUESTED, EnrolmentStatus.CONFIRMED]


class NoAmount(StrEnum):
    """Why none is shown."""

    NOT_VOTED = "not_voted"  # no grid of the coming year is published
    NOT_PRICED = "not_priced"  # a course has no category, or the grid no rate for it
    NOTHING = "nothing"  # nothing is asked for, or the other household pays for it all
    FAILED = "failed"


@dataclass(frozen=True)
class Cost:
    """The household's estimate, of all its students together; or `why` there is none."""

    why: NoAmount | None = None
    tariff: TariffGrid | None = None
    estimate: Estimate | None = None
    question: str = ""  # the same, for the simulator; empty when it could not say it

    @property
    def names(self) -> str:
        """« Louise, Hugo et Inès »: whose lessons are counted."""
        pupils = self.estimate.household.pupils
        *before, last = [pupil.name for pupil in pupils if pupil.lessons]
        return f"{', '.join(before)} et {last}" if before else last


def cost_of(campaign: Campaign, family: Family) -> Cost:
    """By the published grid, once every piece is there, and at the « tarif haut ».

    What is asked for: the coming year's enrolments, and the wishes of the drafts. One query without
    a grid, else some twenty, however many students and courses. Never raises: the recap holds
    « Valider », and an amount is not worth a closed door.
    """
    try:
        return _cost(campaign, family)
    except PricingError as error:
        logger.warning("No estimate in campaign %s: %s", campaign.pk, error.message)
        return Cost(NoAmount.NOT_PRICED)
    except Exception:  # whatever is wrong with a grid, the dossier can be sent
        logger.exception("No estimate in campaign %s", campaign.pk)
        return Cost(NoAmount.FAILED)


def _cost(campaign, family):
    today = timezone.localdate()
    tariff = tariff_of(campaign.establishment, campaign.school_year, today)
    if tariff is None:
        return Cost(NoAmount.NOT_VOTED)
    facts = household_facts(
        [family],
        establishment=campaign.establishment,
        school_year=campaign.school_year,
        statuses=ASKED,
        on=today,
        adult_age=tariff.adult_age,
        months=tariff.months,
        wishes=wishes_of(campaign, family),
    )
    grid, household = grid_of(tariff), facts[family.pk]
    if not any(pupil.lessons for pupil in household.pupils):
        return Cost(NoAmount.NOTHING)
    return Cost(
        tariff=tariff,
        estimate=estimate(grid, household),
        question=question_of(tariff, grid, household, family.commune),
    )


def wishes_of(campaign: Campaign, family: Family) -> dict[int, list[Course]]:
    """By the key of each student of the household, the courses that his draft asks for.

    Where the course that follows is not known yet, the one of this year stands for it. One query.
    """
    found = defaultdict(list)
    prepares = (campaign.establishment_id, campaign.school_year_id)
    for choice in _wanted(campaign.pk, family.pk):
        enrolment = choice.enrolment
        course = enrolment.proposed_course
        if course is None or (course.establishment_id, course.school_year_id) != prepares:
            course = enrolment.course
        found[enrolment.student_id].append(course)
    return dict(found)


@prepared
def _wanted(campaign: int, family: int) -> QuerySet[CourseChoice]:
    """Of the drafts of a household's students: a dossier once submitted has its enrolments."""
    choices = CourseChoice.objects.filter(
        reenrolment__campaign=campaign,
        reenrolment__status=Status.DRAFT,
        reenrolment__student__custodies__family=family,
        wanted=True,
    )
    related = ["enrolment__course__next_course", "enrolment__next_course", "enrolment__course"]
    return choices.select_related(
        *(f"{course}__tariff_category__category" for course in related),
        *(f"{course}__discipline" for course in related),
    ).order_by("enrolment__course__sort_name", "pk")
