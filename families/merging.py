"""Two tabs, or two parents, on the same page: neither destroys the other's entries.

The page carries, beside each field, the value that it showed (Django's hidden initial). A field is
written only when its reader changed it, and only over the value that he saw. If it became another
one meanwhile, both values are shown, nothing is saved, and saving again means « mine ».
"""

from dataclasses import dataclass

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models


@dataclass(frozen=True)
class Edit:
    """What somebody changed on a row. `seen` and `typed` hold only the fields that he touched.

    `prefix` stands before the fields' names in the form, and so in the refusals.
    """

    row: models.Model
    seen: dict[str, str]
    typed: dict[str, object]
    prefix: str = ""

    def renamed(self, error: ValidationError) -> dict[str, list[ValidationError]]:
        """The errors of the row's fields, under the names that these have in the form."""
        return {
            name if name == NON_FIELD_ERRORS else self.prefix + name: errors
            for name, errors in error.error_dict.items()
        }


class MergingForm(forms.BaseForm):
    """Mix-in of a form whose fields stand for fields of rows, and may be stale."""

    def show_what_was_seen(self) -> None:
        """To call once the fields are there; a disabled field is never changed by its reader."""
        for field in self.fields.values():
            field.show_hidden_initial = not field.disabled

    def edit(self, row: models.Model, names: list[str], prefix: str = "") -> Edit:
        """What the valid form changes on the row, whose field `name` is the form's prefix+name."""
        touched = [name for name in names if self._is_touched(prefix + name)]
        return Edit(
            row=row,
            seen={name: self.data.get(self[prefix + name].html_initial_name) for name in touched},
            typed={name: self.cleaned_data[prefix + name] for name in touched},
            prefix=prefix,
        )

    def refuse(self, error: ValidationError) -> None:
        """Shows what the service refused; a stale field now counts as seen in its new value."""
        if hasattr(error, "error_dict"):
            self.data = self.data.copy()
            for name, errors in error.error_dict.items():
                for each in errors:
                    if each.code == "stale":
                        self.data[self[name].html_initial_name] = each.params["current"]
        self.add_error(None, error)

    def _is_touched(self, name):
        field = self.fields[name]
        if field.disabled:
            return False
        try:
            seen = field.clean(self.data.get(self[name].html_initial_name))
        except ValidationError:  # it was not valid before: whatever is now, was typed
            return True
        return seen != self.cleaned_data[name]


def merge(edits: list[Edit]) -> list[models.Model]:
    """The rows of the edits, locked, fresh, with the changes set on them; the caller saves.

    Inside `atomic`; rows are locked in the order given. Raises ValidationError with, for each
    field that somebody else changed otherwise meanwhile, code `stale`; or code `gone`.
    """
    rows, refusals = [], {}
    for edit in edits:
        row = type(edit.row).objects.select_for_update().filter(pk=edit.row.pk).first()
        if row is None:
            raise ValidationError(
                "Cette fiche vient d'être supprimée. Rechargez la page.", code="gone"
            )
        for name, typed in edit.typed.items():
            current = _as_shown(row, name)
            theirs = str(getattr(row, name) or "")
            setattr(row, name, typed)
            if current not in (edit.seen[name], _as_shown(row, name)):
                refusals[edit.prefix + name] = _stale(theirs, str(typed or ""), current)
        rows.append(row)
    if refusals:
        raise ValidationError(refusals)
    return rows


def _as_shown(row, name):
    """The value as an `<input>` holds it: a key for a row."""
    value = row._meta.get_field(name).value_from_object(row)
    return "" if value is None else str(value)


def _stale(theirs, mine, current):
    quoted = [f"«\u00a0{value}\u00a0»" if value else "un champ vide" for value in (theirs, mine)]
    return ValidationError(
        "Une autre personne vient d'enregistrer %(theirs)s. Vous aviez saisi %(mine)s."
        " Enregistrez de nouveau pour garder votre saisie, ou corrigez-la.",
        code="stale",
        params={"theirs": quoted[0], "mine": quoted[1], "current": current},
    )
