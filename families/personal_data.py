"""What this app and accounts hold about a household: the copy of « Mes données », the erasure."""

from itertools import product

from django.db.models import Q, QuerySet

from accounts import personal_data as accounts
from accounts.enums import MailKind
from accounts.models import Mail, User
from accounts.records import record
from families import data_exports
from families.enums import Fate, MergeKind
from families.holdings import Addressee, Copy, Holding, Part, addressee, parts
from families.models import (
    DataExport,
    ErasureRequest,
    Family,
    Guardian,
    Invitation,
    Merge,
)

EXPORTED = {
    Family: ["name", "reference", "address", "address_more", "commune"],
    Guardian: ["last_name", "first_name", "reference", "email", "mobile_phone", "home_phone"],
    Invitation: ["at"],
    Merge: ["kind", "kept_name", "absorbed_name", "at"],
    DataExport: ["asked_at", "state", "expires_at", "size"],
    ErasureRequest: [
        *["asked_at", "asked_by", "text", "state"],
        *["decided_at", "decided_by", "answer"],
    ],
}
ABOUT_AN_ADDRESS = [MailKind.EMAIL_CHANGE_ASKED, MailKind.EMAIL_CHANGED]
ERASED = "fiche effacée"
NESTED = "dit où la ligne est rangée"
WORK = "le travail de l'expéditeur"


class FamiliesPart(Part):
    exported = accounts.EXPORTED | EXPORTED
    not_exported = accounts.NOT_EXPORTED | {
        "families.Commune": "une liste publique",
        "families.Family.sort_name": "sert à trier",
        "families.Guardian.sort_name": "sert à trier",
        "families.Guardian.family": NESTED,
        "families.Guardian.user": "le compte d'un autre responsable est à lui",
        "families.Invitation.guardian": NESTED,
        "families.Invitation.mail": "il est parmi vos messages",
        "families.Invitation.actor": "un agent",
        "families.Merge.family": NESTED,
        "families.Merge.kept_key": "un numéro à nous",
        "families.Merge.absorbed_key": "un numéro à nous",
        "families.Merge.details": "nomme les comptes d'autres responsables",
        "families.Merge.actor": "un agent",
        "families.DataExport.family": NESTED,
        "families.DataExport.asked_by": "chacun n'a que ses propres copies",
        "families.DataExport.key": WORK,
        "families.DataExport.file": "la copie ne contient pas les précédentes",
        "families.DataExport.sha256": WORK,
        "families.DataExport.due_at": WORK,
        "families.DataExport.attempts": WORK,
        "families.DataExport.taken_until": WORK,
        "families.ErasureRequest.family": NESTED,
        "families.FileToDelete": "des noms au hasard, qui ne disent de personne qui il est",
        "families.Erasure": "plus personne ne peut alors demander de copie",
    }
    sections = {
        "compte": "votre identifiant et ce que le site sait de vos connexions",
        "foyer": "l'adresse du foyer et ses responsables",
        "demandes": "les copies que vous avez demandées, les demandes d'effacement du foyer",
    }
    mail_kinds = [
        *[MailKind.ONE_TIME_PASSWORD, MailKind.EMAIL_CHANGE, *ABOUT_AN_ADDRESS],
        *[MailKind.INVITATION, MailKind.DATA_EXPORT, MailKind.ERASURE],
    ]

    def export(self, copy):
        family = copy.family
        guardians = [record(row, EXPORTED[Guardian]) for row in family.guardians.all()]
        copies = family.data_exports.filter(asked_by=copy.user)
        requests = family.erasure_requests.select_related("asked_by", "decided_by")
        return {
            "compte": accounts.export_account(copy.user),
            "foyer": {
                **record(family, EXPORTED[Family]),
                "responsables": guardians,
                "vos invitations": [
                    record(row, EXPORTED[Invitation]) for row in copy.guardian.invitations.all()
                ],
                "fiches réunies": [record(row, EXPORTED[Merge]) for row in family.merges.all()],
            },
            "demandes": {
                "copies": [record(row, EXPORTED[DataExport]) for row in copies],
                "effacements": [_request(row, copy) for row in requests],
            },
        }

    def mails(self, person):
        """By the guardian's key or, where the mail is about the account, by the account's."""
        invited = Invitation.objects.filter(guardian__in=person.keys)
        ours = Mail.objects.filter(
            Q(kind__in=[MailKind.DATA_EXPORT, MailKind.ERASURE]) & person.ends()
            | Q(invitation__in=invited)
        )
        told = Q(user__in=person.accounts)
        for kind, account in product(ABOUT_AN_ADDRESS, person.accounts):
            told |= Q(key__startswith=f"{kind}:{account}:")
        return ours | Mail.objects.filter(told)

    def needs_account(self, user):
        return user.is_staff or user.is_superuser

    def holdings(self, family):
        guardians = list(family.guardians.all())
        people = [addressee(guardian) for guardian in guardians]
        users = _users(people)
        needed = sum(is_needed(user) for user in users)
        mails = sum(part.mails(person).count() for part in parts() for person in people)
        return [
            Holding("Nom et adresse du foyer", 1, Fate.EMPTIED),
            Holding("Responsables\u00a0: nom, e-mail, téléphones", len(guardians), Fate.EMPTIED),
            Holding("Comptes\u00a0: fermés", len(users) - needed, Fate.EMPTIED),
            Holding(
                "Comptes d'agents ou d'enseignants",
                needed,
                Fate.DETACHED,
                "Ils servent à leur travail.",
            ),
            Holding("Messages\u00a0: adresse, objet, texte", mails, Fate.EMPTIED),
            Holding(
                "Copies de «\u00a0Mes données\u00a0»", family.data_exports.count(), Fate.ERASED
            ),
        ]

    def erase(self, family):
        """The last of all the parts: the others need to know who was of the household."""
        family = Family.objects.get(pk=family.pk)
        guardians = list(family.guardians.select_for_update(no_key=True).order_by("pk"))
        people = [addressee(guardian) for guardian in guardians]
        for person, part in product(people, parts()):
            accounts.empty_mails(part.mails(person))
        data_exports.delete_all(family)
        for guardian in guardians:
            _erase_guardian(guardian)
        for user in _users(people).order_by("pk"):
            if not is_needed(user):
                accounts.close_account(user)
        family.name, family.reference = "Famille effacée", None
        family.address, family.address_more = "effacée", ""
        family.save(update_fields=["name", "sort_name", "reference", "address", "address_more"])
        family.erasure_requests.update(text="")
        merged = family.merges.filter(kind=MergeKind.FAMILY).values_list("absorbed_key", flat=True)
        accounts.forget_in_admin_log(Family, [family.pk, *merged])
        accounts.forget_in_admin_log(Guardian, [key for person in people for key in person.keys])
        family.merges.update(kept_name=ERASED, absorbed_name=ERASED, details={})
        accounts.forget_in_admin_log(
            ErasureRequest, list(family.erasure_requests.values_list("pk", flat=True))
        )


def is_needed(user) -> bool:
    """By somebody who is more than a guardian: his account stays open, only detached."""
    return any(part.needs_account(user) for part in parts())


def _users(people: list[Addressee]) -> QuerySet[User]:
    return User.objects.filter(pk__in=[key for person in people for key in person.accounts])


def _request(row: ErasureRequest, copy: Copy) -> dict:
    """The household's; what another guardian wrote in it stays his, the answer is for all."""
    signed = {name: copy.signature(getattr(row, name)) for name in ("asked_by", "decided_by")}
    hidden = {} if row.asked_by_id == copy.user.pk else {"text": None}
    return record(row, EXPORTED[ErasureRequest], **signed, **hidden)


def _erase_guardian(guardian):
    guardian.user = None
    guardian.first_name, guardian.last_name = "Responsable", "effacé"
    guardian.reference = None
    guardian.email = guardian.mobile_phone = guardian.home_phone = ""
    guardian.save(
        update_fields=[
            *["user", "first_name", "last_name", "sort_name", "reference"],
            *["email", "mobile_phone", "home_phone"],
        ]
    )
