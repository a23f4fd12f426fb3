"""The lists of families and of guardians, as a secretariat has them (accounts/spreadsheets)."""

from collections import defaultdict

from django.core.exceptions import ValidationError

from accounts.names import sort_key
from accounts.references import reference_of
from accounts.spreadsheets.columns import Column, Email, FormCell, as_text
from accounts.spreadsheets.referenced import ReferencedList, References
from accounts.spreadsheets.registry import register
from families import services
from families.enums import MergeKind
from families.models import Commune, Family, Guardian
from families.phones import PhoneField
from families.selectors import absorbed_references, families_of

REFERENCE = (
    "Son numéro dans votre ancien logiciel, ou un numéro de votre choix\u00a0: une fiche se"
    " retrouve par lui."
)
REQUIRED_IF_NEW = " Obligatoire pour une nouvelle fiche."
PHONE = "Écrit comme on veut\u00a0: 06 12 34 56 78, +32 470 12 34 56."


@register
class FamilyList(ReferencedList):
    model, slug, label, position = Family, "familles", "Familles", 1
    purpose = "Les foyers et leur adresse. À importer en premier."
    title = ("Référence", "Nom")
    identity = ("name", "address", "address_more", "commune")

    reference = Column(
        "reference", "Référence", example="F-1024", accepts=REFERENCE + REQUIRED_IF_NEW
    )
    name = Column("name", "Nom", example="Le Goff", required=True)
    address = Column("address", "Adresse", example="12 rue des Anges", required=True)
    address_more = Column("address_more", "Complément d'adresse", example="Bâtiment B")
    postal_code = Column(
        *("commune", "Code postal"),
        example="59200",
        digits=5,
        shown=True,
        show=lambda commune: commune.postal_code,
    )
    commune = Column(
        *("commune", "Commune"),
        example="Tourcoing",
        accepts="Avec son code postal, ou seule si une seule commune porte ce nom."
        + REQUIRED_IF_NEW,
        show=lambda commune: commune.name,
    )
    insee_code = Column(
        *("commune", "Code INSEE"),
        example="59599",
        accepts="À la place du code postal et de la commune.",
        digits=5,
        shown=True,
        show=lambda commune: commune.insee_code,
    )

    def rows(self):
        return families_of(self.actor).not_erased()

    def load_related(self):
        communes = self.related["commune"] = {}
        self._communes = defaultdict(list)
        for commune in Commune.objects.all():
            communes[commune.pk] = commune
            for name in (f"#{commune.insee_code}", commune.postal_code, sort_key(commune.name)):
                self._communes[name].append(commune)

    def read_commune(self, cells):
        insee, postal, name = (
            as_text(cells.get(header)) for header in ("Code INSEE", "Code postal", "Commune")
        )
        if not (insee or postal or name):
            return None
        found = self._communes.get(f"#{insee.upper()}" if insee else sort_key(name) or postal, [])
        if postal and not insee:
            found = [commune for commune in found if commune.postal_code == postal]
        if len(found) != 1:
            raise ValueError(_not_one_commune(found, insee, postal, name))
        return found[0].pk

    def absorbed(self):
        return absorbed_references(MergeKind.FAMILY)

    def save(self, created, changed):
        services.save_families(created, changed)


@register
class GuardianList(ReferencedList):
    model, slug, label, position = Guardian, "responsables", "Responsables", 2
    purpose = "Un ou deux par foyer. Les familles d'abord."
    title = ("Prénom", "Nom")
    identity = ("family", "last_name", "first_name")
    reference_required = False  # a household has one guardian of a name

    family = Column(
        *("family", "Référence de la famille"),
        example="F-1024",
        accepts="Celle de la liste des familles.",
        required=True,
        show=reference_of,
    )
    family_name = Column(
        *("family", "Famille"),
        example="Le Goff",
        accepts="Pour vous y retrouver\u00a0: cette colonne n'est pas lue.",
        shown=True,
        show=lambda family: family.name,
    )
    reference = Column("reference", "Référence", example="R-2051", accepts=REFERENCE)
    last_name = Column("last_name", "Nom", example="Le Goff", required=True)
    first_name = Column("first_name", "Prénom", example="Nolwenn", required=True)
    email = Column(
        *("email", "Adresse e-mail", Email()),
        example="nolwenn.legoff@example.org",
        accepts="Celle de son compte, s'il en a un, change avec elle.",
    )
    mobile_phone = Column(
        *("mobile_phone", "Téléphone portable", FormCell(PhoneField(required=False))),
        example="06 12 34 56 78",
        accepts=PHONE,
        digits=10,
    )
    home_phone = Column(
        *("home_phone", "Téléphone fixe", FormCell(PhoneField(required=False))),
        example="03 20 12 34 56",
        accepts=PHONE,
        digits=10,
    )

    def rows(self):
        homes = families_of(self.actor).not_erased().values("pk")
        return Guardian.objects.filter(family__in=homes).select_related("user")

    def load_related(self):
        families = families_of(self.actor).not_erased().only("reference", "name")
        self.related["family"] = {family.pk: family for family in families}
        self._families = References(families, absorbed=absorbed_references(MergeKind.FAMILY))

    def absorbed(self):
        return absorbed_references(MergeKind.GUARDIAN)

    def read_family(self, cells):
        return self._families.read(cells.get("Référence de la famille"), "foyer")

    def judge(self, line):
        if "family_id" in line.seen and not line.is_new:
            raise ValidationError(
                {
                    "family": ValidationError(
                        "Ce responsable est d'une autre famille\u00a0: un import ne le change pas"
                        " de foyer.",
                        code="other_family",
                    )
                }
            )
        if "email" in line.seen:
            try:
                services.check_email_of_staff(line.row, actor=self.actor)
            except ValidationError as error:
                raise ValidationError({"email": error}) from None

    def lock(self, report):
        services.lock_families(line.row.family_id for line in report.created + report.changed)

    def save(self, created, changed):
        services.save_guardians(created, changed, actor=self.actor)


def _not_one_commune(found, insee, postal, name):
    if found:
        return (
            "Plusieurs communes répondent à cette ligne\u00a0: donnez le code postal et le nom, ou"
            " le code INSEE."
        )
    typed = " ".join(filter(None, [insee, postal, name]))
    return (
        f"La commune «\u00a0{typed}\u00a0» n'est pas dans la liste\u00a0: corrigez-la, ou"
        " ajoutez-la d'abord aux communes, dans l'administration."
    )
