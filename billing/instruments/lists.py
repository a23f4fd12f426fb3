"""The park in and out: a conservatoire has it in a spreadsheet. The rentals, out only."""

from django import forms

from accounts.selectors import establishments_of
from accounts.spreadsheets import cells
from accounts.spreadsheets.columns import Choice, Column, Day, FormCell, Text, quoted
from accounts.spreadsheets.lists import ExportedList, List
from accounts.spreadsheets.registry import register
from billing.instruments import park
from billing.instruments.availability import with_availability
from billing.instruments.enums import Availability, Condition
from billing.models import Instrument, InstrumentKind, Rental
from students.lists.courses import Named


class Euros(FormCell):
    """« 1234,50 », « 1 234,50 », or a number of Excel."""

    def __init__(self):
        super().__init__(forms.DecimalField(min_value=0, max_digits=10, decimal_places=2))

    def read(self, text):
        return super().read("".join(text.split()).removesuffix("€").replace(",", "."))

    def render(self, value, obj=None, **kwargs):
        return cells.amount(value)


DAY, EUROS = Day(), Euros()


@register
class InstrumentList(List):
    model, slug, label, position = Instrument, "instruments", "Instruments", 10
    purpose = "Le parc d'instruments d'un établissement."
    title = ("Numéro d'inventaire", "Genre")
    identity = ("establishment", "inventory_number")
    checks_constraints = False

    establishment = Column(
        *("establishment", "Établissement"),
        example="Conservatoire",
        accepts="Le nom d'un de vos établissements.",
        required=True,
        show=str,
    )
    inventory_number = Column(
        *("inventory_number", "Numéro d'inventaire", Text()),
        example="V-012",
        accepts="Celui de l'étiquette\u00a0: c'est par lui que la fiche est retrouvée.",
        required=True,
    )
    kind = Column(
        *("kind", "Genre"),
        example="Violon",
        accepts="Le nom d'un genre d'instrument de l'administration.",
        required=True,
        show=str,
    )
    size = Column("size", "Taille", Text(), example="3/4", accepts="Vide\u00a0: entier.")
    brand = Column("brand", "Marque", Text(), example="Stentor")
    model_name = Column("model", "Modèle", Text(), example="Student II")
    serial_number = Column("serial_number", "Numéro de série", Text(), example="184 220")
    condition = Column(
        *("condition", "État", Choice(Condition)),
        example="bon",
        accepts=f"{quoted(Condition.labels)}\u00a0; vide\u00a0: bon.",
    )
    value = Column("value", "Valeur (€)", EUROS, example="420,00", accepts="En euros.")
    bought_on = Column("bought_on", "Acheté le", DAY, example="31/08/2021")
    notes = Column("notes", "Notes", Text(), example="Archet remplacé en 2024.")
    availability = Column(
        *("availability", "Disponibilité", Choice(Availability)),
        accepts="Écrite par l'export, jamais lue.",
        shown=True,
    )

    def rows(self):
        ours = establishments_of(self.actor)
        return with_availability(Instrument.objects.filter(establishment__in=ours))

    def load_related(self):
        self._establishments = Named(establishments_of(self.actor))
        self._kinds = Named(InstrumentKind.objects.all())
        self.related |= {
            "establishment": self._establishments.rows,
            "kind": self._kinds.rows,
        }

    def read_establishment(self, cells):
        return self._establishments.read(cells, "Établissement", "un établissement")

    def read_kind(self, cells):
        return self._kinds.read(cells, "Genre", "un genre d'instrument")

    def save(self, created, changed):
        park.save_instruments(created, changed)


@register
class RentalList(ExportedList):
    model, slug, label, position = Rental, "locations", "Locations", 11
    purpose = "Qui a quel instrument, jusqu'à quand, avec son dépôt et son assurance."

    inventory_number = Column(
        *("instrument", "Numéro d'inventaire"),
        show=lambda rental: rental.instrument.inventory_number,
    )
    instrument = Column("instrument", "Instrument", show=lambda rental: rental.instrument.name)
    serial_number = Column(
        *("instrument", "Numéro de série"), show=lambda rental: rental.instrument.serial_number
    )
    student = Column("student", "Élève", show=lambda rental: str(rental.student))
    family = Column("family", "Famille", show=lambda rental: rental.family.name)
    starts_on = Column("starts_on", "Du", show=lambda rental: DAY.render(rental.starts_on))
    ends_on = Column("ends_on", "Au", show=lambda rental: DAY.render(rental.ends_on))
    state = Column("state", "État", show=lambda rental: rental.state_label)
    handed_over_on = Column(
        "handed_over_on", "Remis le", show=lambda rental: DAY.render(rental.handed_over_on)
    )
    returned_on = Column(
        "returned_on", "Rendu le", show=lambda rental: DAY.render(rental.returned_on)
    )
    rent = Column("rent", "Loyer de l'année (€)", show=lambda rental: EUROS.render(rental.rent))
    deposit = Column("deposit", "Dépôt (€)", show=lambda rental: EUROS.render(rental.deposit))
    deposit_state = Column(
        "deposit_state", "État du dépôt", show=lambda rental: rental.get_deposit_state_display()
    )
    insurer = Column("insurer", "Assurance", show=lambda rental: rental.insurer)
    insured_until = Column(
        "insured_until", "Assuré jusqu'au", show=lambda rental: DAY.render(rental.insured_until)
    )

    def rows(self):
        ours = establishments_of(self.actor)
        return Rental.objects.filter(instrument__establishment__in=ours).for_list()
