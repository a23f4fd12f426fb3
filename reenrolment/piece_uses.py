"""Which pieces the dossiers rely on: their files stay (documents/keeping.py)."""

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from documents.keeping import Use
from reenrolment.enums import TO_EXAMINE, Status
from reenrolment.models import Reenrolment, SuppliedPiece


class Dossiers(Use):
    """A dossier to examine is read with what it was submitted with, whatever was sent since."""

    def relied_on(self):
        """What is in force in one to examine; and what is current, in one not (re)sent yet."""
        examined = SuppliedPiece.objects.filter(
            document=OuterRef("pk"), in_force=True, reenrolment__status__in=TO_EXAMINE
        )
        begun = Reenrolment.objects.filter(
            Q(status=Status.INCOMPLETE)
            | Q(status=Status.DRAFT, campaign__closes_at__gt=timezone.now())
        )
        of_student = Exists(begun.filter(student=OuterRef("student")))
        of_family = Exists(begun.filter(student__families=OuterRef("family")))
        current = Q(replaced_by=None, removed_at=None)
        return Q(Exists(examined)) | current & (Q(of_student) | Q(of_family))

    def used_since(self, day):
        supplied = SuppliedPiece.objects.filter(
            document=OuterRef("pk"), reenrolment__campaign__school_year__ends_on__gte=day
        )
        return Q(Exists(supplied))
