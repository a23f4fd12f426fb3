"""What this app holds about a household: the copy of « Mes données », the erasure."""

from django.core.exceptions import ValidationError
from django.db.models import Prefetch, Q
from django.utils import timezone

from accounts.enums import MailKind
from accounts.models import Mail
from accounts.personal_data import forget_in_admin_log
from accounts.records import record
from families.enums import Fate
from families.holdings import Holding, Part
from reenrolment.enums import Status
from reenrolment.models import (
    Allocation,
    AssistedSession,
    CourseChoice,
    LaunchMail,
    LaunchResend,
    Reenrolment,
    ReminderLine,
    RequestedPiece,
    SuppliedPiece,
    Transition,
)
from students.enums import Fate as WishFate
from students.personal_data import students_only_of, students_shared_by

EXPORTED = {
    Reenrolment: [
        *["campaign", "status", "administrative", "comment", "terms", "missing_pieces"],
        *["top_rate", "submitted_at", "submitted_by", "decided_at", "decided_by"],
        "complement_until",
    ],
    CourseChoice: ["enrolment", "wanted", "slot", "stop_reason", "granted"],
    Transition: ["at", "actor", "from_status", "to_status", "reason"],
    Allocation: ["course", "slot", "preference", "draw", "wishes", "reason", "settled_at"],
    SuppliedPiece: ["document", "in_force"],
    RequestedPiece: ["document_type"],
    LaunchMail: ["launch", "prepared_at"],
    LaunchResend: ["launch", "at"],
    ReminderLine: ["reminder", "day"],
    AssistedSession: ["student", "started_at", "ends_at"],
}
NESTED = "dit où la ligne est rangée"
ABOUT_A_DOSSIER = [
    MailKind.ACKNOWLEDGEMENT,
    MailKind.COMPLEMENT,
    MailKind.VALIDATED,
    MailKind.REFUSED,
    MailKind.WITHDRAWN,
    MailKind.PLACE_OFFERED,
    MailKind.PLACE_ACCEPTED,
    MailKind.EXTENSION,
    MailKind.PIECE_REMINDER,
    MailKind.ALLOTTED,
]
# What the administration works on, or has said yes to, for a year that is not over. A draft holds
# nothing, and what was refused or withdrawn is given back.
HELD = [Status.SUBMITTED, Status.INCOMPLETE, Status.VALIDATED]


class ReenrolmentPart(Part):
    exported = EXPORTED
    not_exported = {
        "reenrolment.Campaign": "publique",
        "reenrolment.EarlyAccess": "public",
        "reenrolment.Terms": "publiques",
        "reenrolment.WaitingCriterion": "la règle publiée d'une campagne",
        "reenrolment.Allotment": "la graine publiée d'un tirage",
        "reenrolment.Allocation.allotment": "la répartition publiée\u00a0; un essai n'est rien",
        "reenrolment.Allocation.choice": NESTED,
        "reenrolment.Allocation.changed_by": "un agent",
        "reenrolment.Allocation.told_at": "avec les messages",
        "reenrolment.Allocation.problem": "une note pour l'administration",
        "reenrolment.Launch": "une action de l'administration",
        "reenrolment.Reenrolment.student": NESTED,
        "reenrolment.CourseChoice.reenrolment": NESTED,
        "reenrolment.Transition.reenrolment": NESTED,
        "reenrolment.SuppliedPiece.reenrolment": NESTED,
        "reenrolment.RequestedPiece.transition": NESTED,
        "reenrolment.RequestedPiece.family": "celles de l'autre foyer n'y sont pas",
        "reenrolment.LaunchMail.guardian": NESTED,
        "reenrolment.LaunchMail.mail": "avec les messages",
        "reenrolment.LaunchMail.problem": "une note pour l'administration, sur l'envoi",
        "reenrolment.LaunchResend.family": NESTED,
        "reenrolment.LaunchResend.actor": "un agent",
        "reenrolment.PieceReminder": "une action de l'administration\u00a0; le message dit le mot",
        "reenrolment.ReminderLine.family": NESTED,
        "reenrolment.ReminderLine.outcome": "une note pour l'administration, sur l'envoi",
        "reenrolment.ReminderLine.done_at": "à quelques secondes, l'heure du message",
        "reenrolment.AssistedSession.agent": "un agent",
        "reenrolment.AssistedSession.family": NESTED,
    }
    sections = {
        "dossiers": "vos réinscriptions\u00a0: vœux, pièces, suite donnée",
        "lancements": "quand vous avez été prévenu des réinscriptions",
        "rappels": "quand votre foyer a été relancé pour ses pièces",
        "guichet": "quand un agent a rempli un dossier avec vous",
    }
    mail_kinds = [*ABOUT_A_DOSSIER, MailKind.LAUNCH]

    def export(self, copy):
        """The dossier is common to both households, and so is all that its page shows to both.

        Of the pieces, each has its own: the other household's are left out.
        """
        told = LaunchMail.objects.filter(guardian=copy.guardian)
        again = LaunchResend.objects.filter(family=copy.family)
        sessions = AssistedSession.objects.filter(family=copy.family).select_related("student")
        reminded = ReminderLine.objects.filter(family=copy.family).exclude(day=None)
        of_campaign = "launch__campaign__school_year", "launch__campaign__establishment"
        return {
            "dossiers": [_dossier(dossier, copy) for dossier in _dossiers(copy)],
            "lancements": {
                "premier message": [
                    record(row, EXPORTED[LaunchMail], launch=str(row.launch.campaign))
                    for row in told.select_related(*of_campaign)
                ],
                "renvois": [
                    record(row, EXPORTED[LaunchResend], launch=str(row.launch.campaign))
                    for row in again.select_related(*of_campaign)
                ],
            },
            "rappels": [
                record(row, EXPORTED[ReminderLine], reminder=str(row.reminder.campaign))
                for row in reminded.select_related(
                    "reminder__campaign__school_year", "reminder__campaign__establishment"
                )
            ],
            "guichet": [record(row, EXPORTED[AssistedSession]) for row in sessions],
        }

    def mails(self, person):
        """Their keys name the guardian: « genre:dossier:mouvement:responsable »."""
        keys = "|".join(map(str, person.keys))
        return Mail.objects.filter(
            Q(kind__in=ABOUT_A_DOSSIER) & person.ends()
            | Q(kind=MailKind.LAUNCH, key__regex=rf"^launch:[0-9]+:({keys})(:[0-9]+)?$")
        )

    def holdings(self, family):
        ours = Reenrolment.objects.filter(student__in=students_only_of(family))
        shared = Reenrolment.objects.filter(student__in=students_shared_by(family))
        logs = (
            LaunchMail.objects.filter(guardian__family=family).count()
            + LaunchResend.objects.filter(family=family).count()
            + ReminderLine.objects.filter(family=family).count()
            + AssistedSession.objects.filter(family=family).count()
        )
        return [
            Holding("Dossiers de réinscription\u00a0: textes libres", ours.count(), Fate.EMPTIED),
            Holding(
                "Dossiers d'élèves qui ont un autre foyer",
                shared.count(),
                Fate.DETACHED,
                "Ils sont aussi ceux de l'autre foyer.",
            ),
            Holding(
                "Journal des lancements, des rappels et du guichet",
                logs,
                Fate.EMPTIED,
                "Il garde quand, sans dire qui.",
            ),
        ]

    def obstacles(self, family):
        dossiers = (
            Reenrolment.objects.filter(
                student__families=family,
                status__in=HELD,
                campaign__school_year__ends_on__gte=timezone.localdate(),
            )
            .select_related("student", "campaign__school_year")
            .order_by("pk")
        )
        return [
            f"Le dossier {dossier} pour {dossier.campaign.school_year} est"
            f" «\u00a0{dossier.get_status_display()}\u00a0»."
            for dossier in dossiers
        ]

    def erase(self, family):
        """The first of the parts: dossiers are locked before anything else (design, section 4)."""
        of_family = Reenrolment.objects.filter(student__families=family).order_by("pk")
        list(of_family.select_for_update(of=["self"]))
        if found := self.obstacles(family):
            raise ValidationError([ValidationError(each, code="obstacle") for each in found])
        dossiers = Reenrolment.objects.filter(student__in=students_only_of(family))
        pks = list(dossiers.values_list("pk", flat=True))
        dossiers.update(comment="")
        CourseChoice.objects.filter(reenrolment__in=pks).update(stop_reason="")
        Allocation.objects.filter(choice__reenrolment__in=pks).update(reason="", problem="")
        Transition.objects.filter(reenrolment__in=pks).update(reason="")
        LaunchMail.objects.filter(guardian__family=family).update(problem="")
        forget_in_admin_log(Reenrolment, pks)


def _dossiers(copy):
    choices = CourseChoice.objects.select_related(
        "enrolment__course", "slot__course", "granted__course", "granted__place__slot__course"
    )
    transitions = Transition.objects.select_related("actor").prefetch_related(
        "requested_pieces__document_type"
    )
    allocations = Allocation.objects.visible_to(copy.user).select_related("course", "slot__course")
    supplied = SuppliedPiece.objects.select_related("document__type")
    return (
        Reenrolment.objects.visible_to(copy.user)
        .select_related(
            *["student", "campaign__establishment", "campaign__school_year", "terms"],
            *["submitted_by", "decided_by"],
        )
        .prefetch_related(
            Prefetch("choices", choices.prefetch_related(Prefetch("allocations", allocations))),
            Prefetch("transitions", transitions),
            Prefetch("supplied_pieces", supplied),
        )
        .order_by("pk")
    )


def _dossier(dossier, copy):
    signed = {
        name: copy.signature(getattr(dossier, name)) for name in ("submitted_by", "decided_by")
    }
    ours = (copy.family.pk, None)
    return {
        "référence": dossier.reference,
        "élève": str(dossier.student),
        **record(dossier, EXPORTED[Reenrolment], **signed),
        "vœux": [_choice(choice) for choice in dossier.choices.all()],
        "pièces fournies": [
            record(row, EXPORTED[SuppliedPiece])
            for row in dossier.supplied_pieces.all()
            if row.document.family_id in ours
        ],
        "mouvements": [_move(move, copy, ours) for move in dossier.transitions.all()],
    }


def _choice(choice):
    granted = choice.granted and str(choice.granted.slot or choice.granted.course)
    told = {"enrolment": str(choice.enrolment.course), "granted": granted}
    return {
        **record(choice, EXPORTED[CourseChoice], **told),
        "répartition": [_allocation(row) for row in choice.allocations.all()],
    }


def _allocation(row):
    """The published one."""
    wishes = [
        {"créneau": wish["words"], "sort": WishFate(wish["fate"]).label} for wish in row.wishes
    ]
    return record(row, EXPORTED[Allocation], wishes=wishes)


def _move(move, copy, ours):
    return {
        **record(move, EXPORTED[Transition], actor=copy.signature(move.actor)),
        "pièces redemandées": [
            str(row.document_type) for row in move.requested_pieces.all() if row.family_id in ours
        ],
    }
