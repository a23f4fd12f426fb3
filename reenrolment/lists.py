"""The dossiers of the agent's establishments; they move by services alone."""

from django.utils import timezone

from accounts.references import reference_of
from accounts.spreadsheets.columns import Column, Day
from accounts.spreadsheets.lists import ExportedList
from accounts.spreadsheets.registry import register
from reenrolment.models import Reenrolment
from reenrolment.worklist import dossiers_of


@register
class ReenrolmentList(ExportedList):
    model, slug, label, position = Reenrolment, "dossiers", "Dossiers de réinscription", 8
    purpose = "L'état de chaque dossier, et les dates de son dépôt et de sa décision."

    reference = Column("id", "Dossier", show=lambda dossier: dossier.reference)
    campaign = Column("campaign", "Campagne", show=lambda dossier: str(dossier.campaign))
    student = Column("student", "Élève", show=lambda dossier: str(dossier.student))
    student_reference = Column(
        *("student", "Référence de l'élève"), show=lambda dossier: reference_of(dossier.student)
    )
    status = Column("status", "État", show=lambda dossier: dossier.get_status_display())
    submitted_at = Column(
        "submitted_at", "Déposé le", show=lambda dossier: _day(dossier.submitted_at)
    )
    decided_at = Column("decided_at", "Décidé le", show=lambda dossier: _day(dossier.decided_at))
    complement_until = Column(
        *("complement_until", "Complément attendu avant le"),
        show=lambda dossier: _day(dossier.complement_until),
    )
    top_rate = Column(
        "top_rate", "Tarif haut", show=lambda dossier: "oui" if dossier.top_rate else "non"
    )

    def rows(self):
        return dossiers_of(self.actor).select_related(
            "student", "campaign__establishment", "campaign__school_year"
        )


def _day(at):
    return Day().render(at and timezone.localtime(at))
