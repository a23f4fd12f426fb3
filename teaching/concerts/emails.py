"""What families are told of a concert: announced, moved, cancelled, no longer on the programme.

Each responsable of either household of whoever plays gets one mail for each of these, of his own
children only.
"""

from collections import defaultdict
from collections.abc import Iterable

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.urls import reverse

from accounts import mails
from accounts.dates import moment
from accounts.emails import compose
from accounts.enums import MailKind
from families.models import Guardian
from students.models import Custody
from teaching.concerts.programme import line_of
from teaching.models import Concert, ConcertPerformer


def tell_published(concert: Concert, performers: Iterable[ConcertPerformer]) -> None:
    """`performers`: those who were not told yet, with their turns and students."""
    _tell(concert, "published", performers)


def tell_moved(concert: Concert, before: Concert) -> None:
    _tell(concert, f"moved-{concert.revision}", _told(concert), before=before)


def tell_cancelled(concert: Concert) -> None:
    _tell(concert, "cancelled", _told(concert))


def tell_withdrawn(concert: Concert, performers: Iterable[ConcertPerformer]) -> None:
    _tell(concert, "withdrawn", performers)


def _told(concert):
    return (
        ConcertPerformer.objects.filter(turn__concert=concert, told_at__isnull=False)
        .select_related("turn", "enrolment__student")
        .order_by("turn__position", "turn", "pk")
    )


def _tell(concert, what, performers, before=None):
    """The key of a mail names the first of the performers that it tells of, who is told once."""
    performers = list(performers)
    if not performers:
        return
    mails.queue_many(MailKind.CONCERT, _written(concert, what, performers, before))


def _written(concert, what, performers, before):
    prefetch_related_objects(performers, "turn__performers__enrolment__student")
    households = _households({each.enrolment.student_id for each in performers})
    lines = defaultdict(list)
    for performer in performers:
        for family in households[performer.enrolment.student_id]:
            lines[family].append(performer)
    guardians = Guardian.objects.filter(family__in=lines).exclude(email="")
    for guardian in guardians.order_by("pk"):
        theirs = lines[guardian.family_id]
        students = list(dict.fromkeys(each.enrolment.student for each in theirs))
        own = {student.pk for student in students}
        subject, body = compose(
            "concert",
            {
                "guardian": guardian,
                "establishment": concert.establishment,
                "concert": concert,
                "what": what.partition("-")[0],
                "when": moment(concert.starts_at),
                "before": before and f"{moment(before.starts_at)}, {before.place}",
                "students": students,
                "names": " et ".join(each.first_name for each in students),
                "lines": [
                    (each.enrolment.student.first_name, line_of(each.turn, own)) for each in theirs
                ],
                "url": settings.SITE_URL + reverse("teaching:concerts", args=[students[0].pk]),
            },
        )
        key = f"{concert.pk}-{what}-{theirs[0].pk}:{guardian.pk}"
        yield key, guardian.email, subject, body


def _households(students):
    households = defaultdict(list)
    custodies = Custody.objects.filter(student__in=students).order_by("rank")
    for student, family in custodies.values_list("student", "family"):
        households[student].append(family)
    return households
