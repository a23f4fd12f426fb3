"""« Droit à l'image »: may the teachers of a student see his portrait?

Each household answers for itself, no by default, and takes its word back when it likes. Two
households must both have said yes: parents protect their child's image together (article 372-1 of
the Code civil). Neither reads the other's answer.
"""

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.module_loading import import_string

from families.models import Family
from students.models import Custody, Student


def agreed(student: str) -> Q:
    """For a query whose `student` path leads to a student: all his households said yes."""
    custodies = Custody.objects.filter(student=OuterRef(student)).order_by()
    said_no = custodies.filter(image_consent_at=None)
    return Q(Exists(custodies)) & ~Q(Exists(said_no))


@transaction.atomic
def set_consent(student: Student, family: Family, *, agrees: bool) -> None:
    """Writes the household's answer; a second identical one changes nothing.

    Taken back, whoever keeps a portrait lets it go in this transaction
    (settings.IMAGE_CONSENT_FOLLOWERS).
    """
    custody = Custody.objects.select_for_update(no_key=True).get(student=student, family=family)
    if (custody.image_consent_at is not None) == agrees:
        return
    custody.image_consent_at = timezone.now() if agrees else None
    custody.save(update_fields=["image_consent_at"])
    if not agrees:
        for path in settings.IMAGE_CONSENT_FOLLOWERS:
            import_string(path)(student)
