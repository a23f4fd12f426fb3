"""Lists whose rows have a « référence »: families, guardians, students."""

from django.core.exceptions import ValidationError
from django.db import models

from accounts.references import reference_of
from accounts.spreadsheets.columns import as_text
from accounts.spreadsheets.lists import List

# All that is told of a row of another site: a reference is one row's in the whole town.
ELSEWHERE = (
    "Cette référence est celle d'une fiche d'un autre établissement\u00a0: donnez-en une autre, ou"
    " voyez avec lui."
)


class References:
    """Rows by their reference, and by « #12 », as exports name one without.

    `absorbed` gives, by its reference, the key of the row that a double became.
    """

    def __init__(self, rows=(), *, absorbed: dict[str, int] | None = None):
        self.rows: dict[str, models.Model] = {}
        for row in rows:
            self.add(row)
        for reference, key in (absorbed or {}).items():
            if kept := self.rows.get(f"#{key}"):
                self.rows.setdefault(reference, kept)

    def add(self, row: models.Model) -> None:
        if row.reference:
            self.rows[row.reference] = row
        if row.pk:
            self.rows[f"#{row.pk}"] = row

    def read(self, cell: object, what: str) -> int | None:
        """The key of the row that the cell names; ValueError for an unknown one."""
        text = as_text(cell)
        if not text:
            return None
        if text not in self.rows:
            raise ValueError(
                f"Cette référence n'est celle d'aucun {what}\u00a0: corrigez-la, ou importez"
                " d'abord la liste qui la donne."
            )
        return self.rows[text].pk


class ReferencedList(List):
    """Rows known by a reference, which may be missing.

    One that is not found by it is found by its identity: what was typed by hand takes the
    reference of the file, and no double is made of it.
    """

    reference_required = True

    def absorbed(self) -> dict[str, int]:
        """The references of the doubles that are gone, with the key of the row that each became."""
        return {}

    def check(self, sheet):
        self._references, self._absorbed = References(), self.absorbed()
        others = self.model.objects.exclude(pk__in=self.rows().values("pk"))
        self._elsewhere = set(others.exclude(reference=None).values_list("reference", flat=True))
        return super().check(sheet)

    def remember(self, row):
        super().remember(row)
        self._references.add(row)

    def find(self, values):
        reference = values.get("reference")
        if reference in self._elsewhere:
            raise ValidationError({"reference": ValidationError(ELSEWHERE, code="elsewhere")})
        row = self._references.rows.get(reference)
        if reference and reference.startswith("#"):
            if row is None:
                raise ValidationError(
                    {
                        "reference": ValidationError(
                            "Aucune fiche n'a ce numéro\u00a0: effacez-le pour une nouvelle fiche,"
                            " ou donnez une référence.",
                            code="unknown_number",
                        )
                    }
                )
            del values["reference"]
        if row is None and reference in self._absorbed:
            kept = self._references.rows.get(f"#{self._absorbed[reference]}")
            if kept is None:
                raise ValidationError({"reference": ValidationError(ELSEWHERE, code="elsewhere")})
            raise ValidationError(
                {
                    "reference": ValidationError(
                        "Cette fiche était un doublon, fusionné avec «\u00a0%(kept)s\u00a0»"
                        " (référence %(reference)s)\u00a0: retirez cette ligne de votre liste.",
                        code="absorbed",
                        params={"kept": kept, "reference": reference_of(kept)},
                    )
                }
            )
        if row is not None and self._key(self._held(row) | values) == self._key(self._held(row)):
            return row
        twin = self.find_twin(values if row is None else self._held(row) | values)
        if twin is not None and twin is not row and (row or (reference and twin.reference)):
            raise ValidationError(
                "La même fiche existe déjà sous la référence «\u00a0%(reference)s\u00a0»\u00a0:"
                " écrivez celle-là, ou corrigez la fiche dans l'administration.",
                code="twin",
                params={"reference": reference_of(twin)},
            )
        found = row or twin
        if found is None and not reference and self.reference_required:
            raise ValidationError(
                {
                    "reference": ValidationError(
                        "Donnez une référence à cette nouvelle fiche\u00a0: son numéro dans votre"
                        " ancien logiciel, ou un numéro de votre choix.",
                        code="reference_required",
                    )
                }
            )
        return found
