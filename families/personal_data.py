"""What this app and accounts hold about a household: the copy of « Mes données », the erasure."""

from accounts import personal_data as accounts
from accounts.enums import MailKind
from accounts.models import Mail
from accounts.records import record
from families import data_exports
from families.enums import Fate
from families.holdings import Copy, Holding, Part, parts
from families.models import (
    DataExport,
    ErasureRequest,
    Family,
    Guardian,
)

EXPORTED = {
    Family: ["name", "reference", "address", "address_more", "commune"],
    Guardian: ["last_name", "first_name", "reference", "email", "mobile_phone", "home_phone"],
    DataExport: ["asked_at", "state", "expires_at", "size"],
    ErasureRequest: [
        *["asked_at", "asked_by", "text", "state"],
        *["decided_at", "decided_by", "answer"],
    ],
}
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
    mail_kinds = [MailKind.ONE_TIME_PASSWORD, MailKind.DATA_EXPORT, MailKind.ERASURE]

    def export(self, copy):
        family = copy.family
        guardians = [record(row, EXPORTED[Guardian]) for row in family.guardians.all()]
        copies = family.data_exports.filter(asked_by=copy.user)
        requests = family.erasure_requests.select_related("asked_by", "decided_by")
        return {
            "compte": accounts.export_account(copy.user),
            "foyer": {**record(family, EXPORTED[Family]), "responsables": guardians},
            "demandes": {
                "copies": [record(row, EXPORTED[DataExport]) for row in copies],
                "effacements": [_request(row, copy) for row in requests],
            },
        }

    def mails(self, guardian):
        """The keys of ours end with the guardian's; a password's mail has its account."""
        ours = Mail.objects.filter(
            kind__in=[MailKind.DATA_EXPORT, MailKind.ERASURE], key__endswith=f":{guardian.pk}"
        )
        if guardian.user_id is None:
            return ours
        return ours | Mail.objects.filter(user=guardian.user_id)

    def needs_account(self, user):
        return user.is_staff or user.is_superuser

    def holdings(self, family):
        guardians = list(family.guardians.select_related("user"))
        users = [guardian.user for guardian in guardians if guardian.user]
        needed = sum(is_needed(user) for user in users)
        mails = sum(part.mails(guardian).count() for part in parts() for guardian in guardians)
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
        family = Family.objects.select_for_update(no_key=True).get(pk=family.pk)
        guardians = list(family.guardians.select_for_update(no_key=True).order_by("pk"))
        for guardian in guardians:
            for part in parts():
                accounts.empty_mails(part.mails(guardian))
        data_exports.delete_all(family)
        for guardian in guardians:
            _erase_guardian(guardian)
        family.name, family.reference = "Famille effacée", None
        family.address, family.address_more = "effacée", ""
        family.save(update_fields=["name", "sort_name", "reference", "address", "address_more"])
        family.erasure_requests.update(text="")
        accounts.forget_in_admin_log(Family, [family.pk])
        accounts.forget_in_admin_log(Guardian, [guardian.pk for guardian in guardians])
        accounts.forget_in_admin_log(
            ErasureRequest, list(family.erasure_requests.values_list("pk", flat=True))
        )


def is_needed(user) -> bool:
    """By somebody who is more than a guardian: his account stays open, only detached."""
    return any(part.needs_account(user) for part in parts())


def _request(row: ErasureRequest, copy: Copy) -> dict:
    """The household's; what another guardian wrote in it stays his, the answer is for all."""
    signed = {name: copy.signature(getattr(row, name)) for name in ("asked_by", "decided_by")}
    hidden = {} if row.asked_by_id == copy.user.pk else {"text": None}
    return record(row, EXPORTED[ErasureRequest], **signed, **hidden)


def _erase_guardian(guardian):
    user, guardian.user = guardian.user, None
    guardian.first_name, guardian.last_name = "Responsable", "effacé"
    guardian.reference = None
    guardian.email = guardian.mobile_phone = guardian.home_phone = ""
    guardian.save(
        update_fields=[
            *["user", "first_name", "last_name", "sort_name", "reference"],
            *["email", "mobile_phone", "home_phone"],
        ]
    )
    if user and not is_needed(user):
        accounts.close_account(user)
