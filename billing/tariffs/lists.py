"""The rates of a grid as a CSV or Excel file, in and out; see docs/listes.md."""

from django.core.exceptions import ValidationError

from accounts.names import sort_key
from accounts.selectors import establishments_of
from accounts.spreadsheets.columns import (
    CellRefused,
    Choice,
    Column,
    Number,
    Whole,
    as_text,
    quoted,
)
from accounts.spreadsheets.lists import List
from accounts.spreadsheets.registry import register
from billing.models.tariff_rows import TariffRate
from billing.models.tariffs import TariffCategory, TariffGrid
from billing.tariffs import drafting
from billing.tariffs.enums import RateAudience
from families.enums import Zone

EVERY = "Vide\u00a0: toutes."
MOST = 99_999  # euros
ALONE = "Vide quand le tarif est un taux d'effort."
EFFORT = "Pour un taux d'effort\u00a0; sinon vide."


class _Audience(Choice):
    """An empty cell is everybody: it takes part in what a row is found by."""

    def clean(self, value, row=None, **kwargs):
        return super().clean(value, row) or RateAudience.ALL.value


@register
class TariffRateList(List):
    """A row is found by its whole case; those that are not in the file stay."""

    model, slug, label, position = TariffRate, "tarifs", "Tarifs", 8
    purpose = "Les tarifs d'une grille en brouillon\u00a0: catégorie, zone, quotient, montant."
    title = ("Grille", "Catégorie", "Zone", "QF à partir de")
    identity = ("grid", "category", "zone", "audience", "band_low", "band_high", "rank")

    establishment = Column(
        *("grid", "Établissement"),
        example="Conservatoire",
        required=True,
        shown=True,
        show=lambda grid: str(grid.establishment),
    )
    school_year = Column(
        *("grid", "Année scolaire"),
        example="2026-2027",
        required=True,
        shown=True,
        show=lambda grid: str(grid.school_year),
    )
    grid = Column(
        *("grid", "Grille"),
        example="Tarifs 2026-2027",
        accepts="Le nom d'une grille en brouillon, créée dans l'administration.",
        required=True,
        show=lambda grid: grid.label,
    )
    category = Column(
        *("category", "Catégorie"),
        example="cursus",
        accepts="Le code ou le libellé d'une catégorie tarifaire.",
        required=True,
        show=lambda category: category.code,
    )
    zone = Column(
        *("zone", "Zone", Choice(Zone)),
        example="commune du conservatoire",
        accepts=f"{quoted(Zone.labels)}. {EVERY}",
    )
    audience = Column(
        *("audience", "Public", _Audience(RateAudience)),
        example="enfants",
        accepts=f"{quoted(RateAudience.labels)}\u00a0; vide\u00a0: tous.",
    )
    band_low = Column(
        *("band_low", "QF à partir de", Number(0, MOST)),
        example="600",
        accepts="En euros, compris. Vide\u00a0: depuis zéro.",
    )
    band_high = Column(
        *("band_high", "QF jusqu'à", Number(0, MOST)),
        example="1000",
        accepts="En euros, exclu. Vide\u00a0: sans limite.",
    )
    rank = Column(
        *("rank", "Rang de l'élève", Whole(1, 20)),
        example="",
        accepts="1 pour le premier du foyer. Vide\u00a0: tous.",
    )
    amount = Column(
        *("amount", "Montant", Number(0, MOST)), example="246,00", accepts=f"En euros. {ALONE}"
    )
    effort_percent = Column(
        *("effort_percent", "Taux d'effort", Number(0, 100)), example="", accepts=f"En %. {EFFORT}"
    )
    effort_floor = Column(
        *("effort_floor", "Plancher", Number(0, MOST)), example="", accepts=f"En euros. {EFFORT}"
    )
    effort_ceiling = Column(
        *("effort_ceiling", "Plafond", Number(0, MOST)), example="", accepts=f"En euros. {EFFORT}"
    )

    def rows(self):
        return TariffRate.objects.filter(grid__establishment__in=establishments_of(self.actor))

    def load_related(self):
        sites = establishments_of(self.actor)
        grids = TariffGrid.objects.filter(establishment__in=sites)
        grids = grids.select_related("establishment", "school_year")
        categories = TariffCategory.objects.filter(establishment__in=sites)
        self.related |= {
            "grid": {grid.pk: grid for grid in grids},
            "category": {category.pk: category for category in categories},
        }
        self._grids = {
            tuple(map(sort_key, (str(grid.establishment), str(grid.school_year), grid.label))): grid
            for grid in self.related["grid"].values()
        }
        self._categories = {
            (category.establishment_id, sort_key(name)): category.pk
            for category in self.related["category"].values()
            for name in (category.label, category.code)  # a code prevails
        }

    def read_grid(self, cells):
        grid = self._grid(cells)
        if grid is None and as_text(cells.get("Grille")):
            raise CellRefused(
                "Aucune grille de ce nom dans cet établissement cette année-là\u00a0: créez-la"
                " d'abord dans l'administration, en brouillon.",
                "Grille",
            )
        return grid and grid.pk

    def read_category(self, cells):
        grid, name = self._grid(cells), as_text(cells.get("Catégorie"))
        if not (grid and name):
            return None
        key = (grid.establishment_id, sort_key(name))
        if key not in self._categories:
            raise CellRefused(
                "Cette catégorie est inconnue de l'établissement\u00a0: écrivez son code, ou"
                " créez-la d'abord dans l'administration.",
                "Catégorie",
            )
        return self._categories[key]

    def judge(self, line):
        if self.related["grid"][line.row.grid_id].is_published:
            raise ValidationError(
                {
                    "grid": ValidationError(
                        "Cette grille est publiée\u00a0: elle ne change plus.", code="published"
                    )
                }
            )

    def lock(self, report):
        """The grids, in the order of their keys: none is published meanwhile."""
        keys = {line.row.grid_id for line in [*report.created, *report.changed]}
        grids = TariffGrid.objects.filter(pk__in=keys).order_by("pk")
        if any(grid.is_published for grid in grids.select_for_update(of=["self"])):
            raise ValidationError(
                "Une des grilles vient d'être publiée\u00a0: rien n'est importé.", code="changed"
            )

    def save(self, created, changed):
        drafting.save_imported(created, changed)

    def _grid(self, cells):
        headers = ("Établissement", "Année scolaire", "Grille")
        return self._grids.get(tuple(sort_key(as_text(cells.get(header))) for header in headers))
