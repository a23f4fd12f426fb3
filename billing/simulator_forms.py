"""What a visitor types in the simulator, read as the facts that the engine prices.

Sent by GET, so that the address keeps it: nothing is stored, and nobody need be signed in.
"""

import datetime as dt

from django import forms
from django.http import QueryDict
from django.utils.text import capfirst

from billing.enums import SituationCode
from billing.models import TariffGrid
from billing.pricing.facts import Household, Lesson, Pupil, Quotient
from billing.pricing.grids import Grid, Reason
from documents.forms import EurosField
from documents.models.previews import LARGEST_QUOTIENT
from families.enums import Zone
from families.models import Commune

MOST_STUDENTS, MOST_LESSONS = 6, 3
OLDEST = 120  # years
ELSEWHERE = "autre"
SITUATIONS = dict(SituationCode.choices)
ORDINALS = ["Premier cours", "Deuxième cours", "Troisième cours"]


class QuotientField(EurosField):
    """« 743 », « 743,50 € »; whatever can't be one is told in one sentence."""

    def __init__(self):
        super().__init__(
            label="Quotient familial de la CAF ou de la MSA",
            required=False,
            min_value=0,
            max_value=LARGEST_QUOTIENT,
            help_text="Il est sur votre attestation de paiement. Sans attestation, laissez vide.",
        )

    def clean(self, value):
        try:
            return super().clean(value)
        except forms.ValidationError as error:
            message = "Écrivez votre quotient en euros, ainsi\u00a0: 743 ou 743,50."
            raise forms.ValidationError(message, code="invalid") from error


class SimulatorForm(forms.Form):
    """The household, then up to six students: `e1-age`, `e1-cours1`, `e1-situations`…

    `students` is how many are shown; the first one must be filled in, another left blank does not
    count. The quotient and the situations are asked only by a grid that depends on them.
    """

    def __init__(
        self, data: QueryDict | None = None, *, tariff: TariffGrid, grid: Grid, shown=None
    ):
        """`shown`: what was typed so far, without judging it (another student is being added)."""
        super().__init__(data, auto_id="id_%s")
        self.tariff, self.grid = tariff, grid
        self.communes = {str(c.pk): c for c in Commune.objects.exclude(zone=Zone.OUTSIDE)}
        self.students = _how_many(data if data is not None else shown)
        self._add_household()
        for number in range(1, self.students + 1):
            self._add_student(number)
        if shown:
            self.initial = {
                name: field.widget.value_from_datadict(shown, {}, name)
                for name, field in self.fields.items()
            }

    @property
    def household_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("commune", "quotient") if name in self.fields]

    @property
    def student_groups(self) -> list[tuple[int, list[forms.BoundField]]]:
        return [
            (number, [self[name] for name in self.fields if name.startswith(f"e{number}-")])
            for number in range(1, self.students + 1)
        ]

    @property
    def may_add(self) -> bool:
        return self.students < MOST_STUDENTS

    def clean(self):
        cleaned = super().clean()
        others = range(2, self.students + 1)
        self.typed = [1, *(number for number in others if self._is_typed(number))]
        for number in self.typed[1:]:
            self._check_student(number)
        return cleaned

    def household(self) -> Household:
        """What was typed, once the form is valid."""
        commune = self.communes.get(self.cleaned_data["commune"])
        quotient = self.cleaned_data.get("quotient")
        return Household(
            zone=commune.zone if commune else Zone.OUTSIDE.value,
            quotient=None if quotient is None else Quotient(quotient, source=""),
            pupils=tuple(self._pupil(number) for number in self.typed),
        )

    def _add_household(self):
        choices = [("", "Choisissez…"), *((key, c.name) for key, c in self.communes.items())]
        self.fields["commune"] = forms.ChoiceField(
            label="Votre commune",
            choices=[*choices, (ELSEWHERE, "Autre commune")],
            help_text="Elle n'est pas dans la liste\u00a0? Choisissez «\u00a0Autre commune\u00a0».",
            error_messages={
                "required": "Choisissez votre commune, ou «\u00a0Autre commune\u00a0».",
                "invalid_choice": "Choisissez votre commune dans la liste.",
            },
        )
        if any(rate.depends_on_quotient for rate in self.grid.rates):
            self.fields["quotient"] = QuotientField()

    def _add_student(self, number):
        prefix = f"e{number}"
        self.fields[f"{prefix}-age"] = forms.IntegerField(
            label="Âge",
            required=number == 1,
            min_value=0,
            max_value=OLDEST,
            widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
            help_text=f"Au 31 décembre {self.tariff.school_year.starts_on.year}, en années.",
            error_messages={
                "required": _lacks_age(number),
                **dict.fromkeys(
                    ["invalid", "min_value", "max_value"],
                    f"Écrivez l'âge de l'élève {number} en années, ainsi\u00a0: 8.",
                ),
            },
        )
        for rank, label in enumerate(ORDINALS[:MOST_LESSONS], start=1):
            self.fields[f"{prefix}-cours{rank}"] = forms.ChoiceField(
                label=label,
                required=number == rank == 1,
                choices=[("", "Aucun" if rank > 1 else "Choisissez…"), *_courses(self.grid)],
                error_messages={
                    "required": _lacks_course(number),
                    "invalid_choice": "Choisissez un cours de la liste.",
                },
            )
        if choices := situations_of(self.grid):
            self.fields[f"{prefix}-situations"] = forms.MultipleChoiceField(
                label="Situation",
                required=False,
                choices=choices,
                widget=forms.CheckboxSelectMultiple,
                error_messages={"invalid_choice": "Choisissez une situation de la liste."},
            )

    def _is_typed(self, number):
        """By what was sent: an age that can't be read was typed all the same."""
        names = [f"e{number}-age", *self._lesson_names(number)]
        return any(self.data.get(name, "").strip() for name in names)

    def _check_student(self, number):
        age, first = f"e{number}-age", f"e{number}-cours1"
        if age not in self.errors and self.cleaned_data.get(age) is None:
            self.add_error(age, forms.ValidationError(_lacks_age(number), code="required"))
        names = self._lesson_names(number)
        if not any(name in self.errors or self.cleaned_data.get(name) for name in names):
            self.add_error(first, forms.ValidationError(_lacks_course(number), code="required"))

    def _lesson_names(self, number):
        return [f"e{number}-cours{rank}" for rank in range(1, MOST_LESSONS + 1)]

    def _pupil(self, number):
        age = self.cleaned_data[f"e{number}-age"]
        situations = set(self.cleaned_data.get(f"e{number}-situations", []))
        codes = [self.cleaned_data[name] for name in self._lesson_names(number)]
        return Pupil(
            key=number,
            name=f"Élève {number}",
            born_on=dt.date(self.tariff.school_year.starts_on.year - age, 12, 31),
            is_adult=age >= self.tariff.adult_age,
            lessons=tuple(
                Lesson(
                    key=f"{number}-{rank}",
                    label=self.grid.category_of[code].label,
                    category=code,
                    school_hours=Reason.SCHOOL_HOURS.value in situations,
                )
                for rank, code in enumerate(codes, start=1)
                if code
            ),
            situations=frozenset(situations - {Reason.SCHOOL_HOURS.value}),
        )


def question_of(tariff: TariffGrid, grid: Grid, household: Household, commune: Commune) -> str:
    """The query of the simulator that asks of the same household, but for its quotient.

    Empty when it can't be asked there: too many students or lessons, or shared with another home.
    """
    pupils = [pupil for pupil in household.pupils if pupil.lessons]
    if len(pupils) > MOST_STUDENTS or any(
        len(pupil.lessons) > MOST_LESSONS or pupil.share != 1 for pupil in pupils
    ):
        return ""
    query = QueryDict(mutable=True)
    query["tarif"], query["eleves"] = str(tariff.pk), str(len(pupils))
    query["commune"] = ELSEWHERE if commune.zone == Zone.OUTSIDE else str(commune.pk)
    for number, pupil in enumerate(pupils, start=1):
        query[f"e{number}-age"] = str(tariff.school_year.starts_on.year - pupil.born_on.year)
        for rank, lesson in enumerate(pupil.lessons, start=1):
            query[f"e{number}-cours{rank}"] = lesson.category
        query.setlist(f"e{number}-situations", _situations_asked(grid, pupil))
    return query.urlencode()


def situations_of(grid: Grid) -> list[tuple[str, str]]:
    """What the grid takes off for, each with its words; the code of the CHAM is its own."""
    found = {}
    for modifier in grid.modifiers:
        if modifier.reason == Reason.SITUATION:
            for code in sorted(modifier.codes):
                found.setdefault(code, capfirst(SITUATIONS.get(code, modifier.label)))
        if modifier.reason == Reason.SCHOOL_HOURS:
            found.setdefault(Reason.SCHOOL_HOURS.value, "Cours sur le temps scolaire (CHAM)")
    return list(found.items())


def _situations_asked(grid, pupil):
    known = set(pupil.situations)
    if any(lesson.school_hours for lesson in pupil.lessons):
        known.add(Reason.SCHOOL_HOURS.value)
    return [code for code, _ in situations_of(grid) if code in known]


def _courses(grid):
    return [(each.code, each.label) for each in grid.categories if each.code in grid.rates_of]


def _lacks_age(number):
    return f"Indiquez l'âge de l'élève {number}."


def _lacks_course(number):
    return f"Choisissez au moins un cours pour l'élève {number}."


def _how_many(typed):
    """Those shown before, one more if it is asked for; from what may be anything."""
    if typed is None:
        return 1
    shown = typed.get("eleves", "")
    number = int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 3 else 1
    return min(max(number + ("ajouter" in typed), 1), MOST_STUDENTS)
