"""What the family's pages read of a campaign."""

from django.db.models import FilteredRelation, Q

from reenrolment.enums import Status
from reenrolment.models import Campaign, Reenrolment
from reenrolment.pieces import followed_courses
from students.models import Student


def latest_campaign(establishment, student: Student) -> tuple[Campaign | None, Reenrolment | None]:
    """The establishment's campaign, the open one or else the latest, and the student's dossier.

    One query; each is None when there is none.
    """
    campaign = (
        Campaign.objects.filter(establishment=establishment)
        .annotate(
            dossier=FilteredRelation("reenrolments", condition=Q(reenrolments__student=student.pk))
        )
        .select_related("previous_year", "school_year", "terms", "dossier")
        .of_the_moment()
        .first()
    )
    if campaign is not None:
        campaign.establishment = establishment
    # An outer join that finds nothing sets no attribute.
    reenrolment = getattr(campaign, "dossier", None)
    if reenrolment is not None:
        reenrolment.campaign, reenrolment.student = campaign, student
    return campaign, reenrolment


def next_to_do(campaign: Campaign, students: list[Student], *, after: Student) -> Student | None:
    """The next of the household's students who follows a course and has submitted nothing yet."""
    done = Reenrolment.objects.filter(campaign=campaign).exclude(status=Status.DRAFT)
    followed = followed_courses(campaign).filter(student__in=students)
    followed = followed.exclude(student__in=done.values("student"))
    to_do = set(followed.values_list("student_id", flat=True)) - {after.pk}
    return next((student for student in students if student.pk in to_do), None)


def refusal_of(reenrolment: Reenrolment | None) -> str:
    """The reason that the family reads, empty unless the dossier is refused."""
    if reenrolment is None or reenrolment.status != Status.REFUSED:
        return ""
    return reenrolment.transitions.get(to_status=Status.REFUSED).reason
