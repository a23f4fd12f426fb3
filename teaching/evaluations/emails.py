"""What families are told of evaluations."""

from django.conf import settings
from django.urls import reverse

from accounts import mails
from accounts.emails import compose
from accounts.enums import MailKind
from families.models import Guardian
from teaching.models import Evaluation


def tell_published(evaluations: list[Evaluation]) -> None:
    """To each responsable of the student, of either household, once for what leaves together."""
    first = evaluations[0]
    student, period = first.enrolment.student, first.period
    guardians = Guardian.objects.filter(family__students=student).exclude(email="")
    for guardian in guardians.order_by("pk"):
        subject, body = compose(
            "evaluations",
            {
                "guardian": guardian,
                "student": student,
                "period": period,
                "courses": [each.enrolment.course for each in evaluations],
                "establishment": period.establishment,
                "url": settings.SITE_URL
                + reverse("teaching:bulletin", args=[student.pk, period.pk]),
            },
        )
        mails.queue(
            MailKind.EVALUATIONS,
            # The edition too: one that is corrected and published again is told of again.
            key=f"{first.pk}-{first.edition}:{guardian.pk}",
            to=guardian.email,
            subject=subject,
            body=body,
        )
