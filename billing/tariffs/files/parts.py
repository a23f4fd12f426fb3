"""The sheets of a grid's file: their columns, and the rows that a grid has in each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from accounts.spreadsheets.columns import Choice, Number, Text, Whole, quoted
from accounts.spreadsheets.writing import Table, write_all
from billing.enums import SituationCode
from billing.models.tariff_rows import TariffFee, TariffModifier, TariffRate, TariffRental
from billing.models.tariffs import TariffCategory, TariffGrid
from billing.tariffs.enums import FeePer, ModifierReason, RateAudience, StudentsOrder
from billing.tariffs.files.cells import AnyDay, Choices, Column, Several, YesNo
from families.enums import Zone
from students.models import Course

MOST = 999_999  # euros
EUROS = Number(0, MOST)
CODE = "Le code de la catégorie, ou son libellé."
IN_EUROS = "En euros."
WITH_EFFORT = "Pour un taux d'effort\u00a0; sinon vide."

Values = dict[str, object]  # by attribute


@dataclass(frozen=True)
class Part:
    """A sheet. `key`: what names a row, once a file unless `may_repeat`; `most`: rows.

    `rows_of` gives what a grid has. `is_whole`: what the file does not hold leaves the grid; else
    it stays, for the rows are the establishment's.
    """

    slug: str
    title: str
    purpose: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rows_of: Callable[[TariffGrid], Iterator[Values]]
    most: int
    may_repeat: bool = False
    is_whole: bool = True

    @property
    def headers(self) -> list[str]:
        return [column.header for column in self.columns]

    def table_of(self, grid: TariffGrid) -> Table:
        rows = [
            [column.show(values[column.attribute]) for column in self.columns]
            for values in self.rows_of(grid)
        ]
        return Table(self.title, self.headers, rows)


def file_of(grid: TariffGrid, format_: str) -> bytes:
    """The whole grid, as an import reads it; `format_` is XLSX or ZIP. A constant number of
    queries."""
    return write_all(format_, [part.table_of(grid) for part in PARTS])


def _settings(grid):
    yield _values(SETTINGS, grid)


def _categories(grid):
    rows = TariffCategory.objects.filter(establishment=grid.establishment_id)
    for row in rows.prefetch_related("includes"):
        yield _values(CATEGORY, row) | {"includes": _codes(row.includes.all())}


def _rates(grid):
    for row in grid.rates.select_related("category"):
        yield _values(RATE, row) | {"category": row.category.code}


def _modifiers(grid):
    rows = grid.modifiers.prefetch_related("categories")
    for position, row in enumerate(rows, start=1):  # two might have the same
        yield _values(MODIFIER, row) | {
            "position": position,
            "codes": frozenset(code.strip() for code in row.codes.split(",") if code.strip()),
            "categories": _codes(row.categories.all()),
        }


def _fees(grid):
    return (_values(FEE, row) for row in grid.fees.all())


def _rentals(grid):
    return (_values(RENTAL, row) for row in grid.rentals.all())


def _courses(grid):
    rows = Course.objects.filter(
        establishment=grid.establishment_id, school_year=grid.school_year_id
    )
    for row in rows.select_related("tariff_category__category"):
        held = getattr(row, "tariff_category", None)
        yield {"course": row.name, "category": held.category.code if held else ""}


def _values(columns, row):
    return {each.attribute: getattr(row, each.attribute, None) for each in columns}


def _codes(categories):
    return frozenset(each.code for each in categories)


SETTINGS = (
    Column("label", "Nom", Text(), "Le nom de la grille.", required=True),
    Column("valid_from", "Valable du", AnyDay(), "Un jour\u00a0: 01/09/2026.", required=True),
    Column("valid_until", "Valable jusqu'au", AnyDay(), "Ce jour compris.", required=True),
    Column("deliberation_number", "Délibération", Text(), "Son numéro.", empty=""),
    Column("deliberation_date", "Votée le", AnyDay(), "Un jour."),
    Column("deliberation_url", "Lien", Text(), "Une adresse en https://.", empty=""),
    Column(
        "order",
        "Ordre des élèves",
        Choice(StudentsOrder),
        f"{quoted(StudentsOrder.labels)}.",
        required=True,
    ),
    Column("terms", "Périodes par an", Whole(1, 12), "3\u00a0: votés par trimestre.", True),
    Column("months", "Mois de cours", Whole(1, 12), "Dans une année entière.", True),
    Column(
        "top_within_zone",
        "Tarif haut par zone",
        YesNo(),
        "«\u00a0oui\u00a0»\u00a0: le plus cher de la zone du foyer. Vide\u00a0: non.",
        empty=False,
    ),
    Column("adult_age", "Âge adulte", Whole(15, 30), "En années.", required=True),
)
CATEGORY = (
    Column("code", "Code", Text(), "Court, sans accent ni espace.", required=True),
    Column("label", "Libellé", Text(), "Tel que les familles le lisent.", required=True),
    Column("position", "Rang", Whole(0, 32_767), "Vide\u00a0: 1.", empty=1),
    Column("includes", "Comprend", Several(), "Les codes des catégories gratuites avec elle."),
    Column("once", "Payée une fois", YesNo(), "«\u00a0oui\u00a0» ou vide.", empty=False),
)
RATE = (
    Column("category", "Catégorie", Text(), CODE, required=True),
    Column(
        "zone", "Zone", Choice(Zone), f"{quoted(Zone.labels)}\u00a0; vide\u00a0: toutes.", False, ""
    ),
    Column(
        "audience",
        "Public",
        Choice(RateAudience),
        f"{quoted(RateAudience.labels)}\u00a0; vide\u00a0: tous.",
        empty=RateAudience.ALL.value,
    ),
    Column("band_low", "QF à partir de", EUROS, "En euros, compris. Vide\u00a0: depuis zéro."),
    Column("band_high", "QF jusqu'à", EUROS, "En euros, exclu. Vide\u00a0: sans limite."),
    Column(
        "rank", "Rang de l'élève", Whole(1, 20), "1 pour le premier du foyer. Vide\u00a0: tous."
    ),
    Column("amount", "Montant", EUROS, "En euros. Vide quand le tarif est un taux d'effort."),
    Column("effort_percent", "Taux d'effort", Number(0, 100), f"En %. {WITH_EFFORT}"),
    Column("effort_floor", "Plancher", EUROS, f"{IN_EUROS} {WITH_EFFORT}"),
    Column("effort_ceiling", "Plafond", EUROS, f"{IN_EUROS} {WITH_EFFORT}"),
)
MODIFIER = (
    Column("position", "Ordre", Whole(1, 32_767), "Elles s'appliquent dans cet ordre.", True),
    Column("reason", "Motif", Choice(ModifierReason), f"{quoted(ModifierReason.labels)}.", True),
    Column("label", "Libellé", Text(), "Tel que la facture le dit.", required=True),
    Column("percent", "En %", Number(0, 100), "Un pourcentage, ou bien un montant."),
    Column("amount", "En euros", EUROS, "Un montant pour l'année, ou bien un pourcentage."),
    Column(
        "from_rank", "Du rang", Whole(1, 20), "Pour le rang dans le foyer. Vide\u00a0: 2.", empty=2
    ),
    Column("to_rank", "Au rang", Whole(1, 20), "Vide\u00a0: et les suivants."),
    Column(
        "codes",
        "Situations",
        Choices(dict(SituationCode.choices)),
        f"{quoted(SituationCode.labels)}, séparées par des virgules.",
    ),
    Column(
        "keeps_floor",
        "Garde le plancher",
        YesNo(),
        "«\u00a0non\u00a0»\u00a0: peut aller au-dessous.",
        empty=True,
    ),
    Column("categories", "Catégories", Several(), "Leurs codes. Vide\u00a0: toutes."),
)
FEE = (
    Column("label", "Libellé", Text(), "Tel que la facture le dit.", required=True),
    Column("amount", "Montant", EUROS, IN_EUROS, required=True),
    Column("per", "Dû", Choice(FeePer), f"{quoted(FeePer.labels)}.", required=True),
)
RENTAL = (
    Column("instrument", "Instrument", Text(), "Le genre, comme dans le parc.", required=True),
    Column("amount", "Montant par an", EUROS, IN_EUROS, required=True),
    Column("deposit", "Caution", EUROS, "En euros. Vide\u00a0: aucune.", empty=0),
    Column("pro_rata", "Au prorata", YesNo(), "Par mois commencé. Vide\u00a0: oui.", empty=True),
)
COURSE = (
    Column("course", "Cours", Text(), "Le nom d'un cours de l'année de la grille.", required=True),
    Column("category", "Catégorie", Text(), f"{CODE} Vide\u00a0: aucune.", empty=""),
)

SETTING_PART = Part(
    *("grille", "Grille", "Son nom, sa validité, sa délibération, comment on compte."),
    *(SETTINGS, (), _settings, 1),
)
CATEGORY_PART = Part(
    *("categories", "Catégories", "Celles de l'établissement\u00a0: aucune n'est ôtée."),
    *(CATEGORY, ("code",), _categories, 200),
    is_whole=False,
)
RATE_PART = Part(
    *("tarifs", "Tarifs", "Une ligne par cas\u00a0: catégorie, zone, public, quotient, rang."),
    *(RATE, ("category", "zone", "audience", "band_low", "band_high", "rank"), _rates, 5000),
)
MODIFIER_PART = Part(
    *("reductions", "Réductions", "Rang dans le foyer, seconde discipline, situation, CHAM."),
    *(MODIFIER, ("label",), _modifiers, 100),
    may_repeat=True,
)
FEE_PART = Part(
    *("frais", "Frais", "Frais de dossier, adhésion\u00a0: par foyer ou par élève."),
    *(FEE, ("label",), _fees, 100),
)
RENTAL_PART = Part(
    *("locations", "Locations", "Ce que coûte un genre d'instrument, et sa caution."),
    *(RENTAL, ("instrument",), _rentals, 200),
)
COURSE_PART = Part(
    *("cours", "Cours", "La catégorie de chaque cours de l'année\u00a0: aucun n'est ôté."),
    *(COURSE, ("course",), _courses, 2000),
    is_whole=False,
)
PARTS = [
    *(SETTING_PART, CATEGORY_PART, RATE_PART, MODIFIER_PART, FEE_PART, RENTAL_PART, COURSE_PART)
]
MODELS = {
    RATE_PART: TariffRate,
    MODIFIER_PART: TariffModifier,
    FEE_PART: TariffFee,
    RENTAL_PART: TariffRental,
}
