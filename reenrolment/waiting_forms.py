"""The ordered wishes of one course: « Vœu 1, Vœu 2… », and nothing that needs JavaScript."""

from collections.abc import Sequence

from django import forms

from reenrolment.waiting_page import WaitingPage

ANY = "tous"  # the value of « n'importe quel horaire »
MOST = 50  # drop-downs, whatever is sent
IS_LEFT = (
    "Il y a de nouveau de la place\u00a0: choisissez l'horaire sur la page de la réinscription, ou "
    "changez ce vœu."
)


class WishesForm(forms.Form):
    """As many drop-downs as there are choices; gaps are closed, nothing is to be chosen twice.

    `seen` remembers, in a hidden field, the wishes that the page showed. A slot chosen of which a
    place has been left since stays chosen, with its error, and so does what stands below it.
    """

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, page: WaitingPage, data=None):
        initial = {"seen": written(page.wishes)}
        initial |= {name: _value(key) for name, key in zip(_names(), page.wishes, strict=False)}
        super().__init__(data, initial=initial)
        posted = [data[name] for name in _names() if name in data] if data else []
        self.left = {_value(key): label for key, label in page.not_to_wish}
        options = {"": "Aucun", **{_value(key): label for key, label in page.choices}}
        options |= {value: label for value, label in self.left.items() if value in posted}
        for rank in range(1, max(len(page.choices), len(posted)) + 1):
            self.fields[f"wish_{rank}"] = forms.ChoiceField(
                label=f"Vœu {rank}",
                choices=list(options.items()),
                required=False,
                error_messages={"invalid_choice": "Cet horaire n'est pas proposé ici."},
            )

    @property
    def ranks(self) -> list[forms.BoundField]:
        """The drop-downs, in order."""
        return self.visible_fields()

    @property
    def wishes(self) -> list[int | None]:
        """The keys of the slots wished for, the preferred first; only for a valid form."""
        chosen = [self.cleaned_data[field.name] for field in self.ranks]
        return [_key(value) for value in chosen if value]

    @property
    def seen_wishes(self) -> list[int | None]:
        return [_key(value) for value in self.cleaned_data["seen"].split(",") if value]

    def clean_seen(self):
        """A key that is no number was written by no page of ours."""
        values = self.cleaned_data["seen"].split(",")
        if any(value not in ("", ANY) and not _is_key(value) for value in values):
            raise forms.ValidationError("Rechargez la page, puis recommencez.", code="invalid")
        return self.cleaned_data["seen"]

    def clean(self):
        first = {}
        for rank, field in enumerate(self.ranks, start=1):
            value = self.cleaned_data.get(field.name)
            if value in self.left:
                self.add_error(field.name, forms.ValidationError(IS_LEFT, code="is_left"))
            elif value in first:
                self.add_error(field.name, _twice(first[value]))
            elif value:
                first[value] = rank


def written(wishes: Sequence[int | None]) -> str:
    """What `seen` holds."""
    return ",".join(map(_value, wishes))


def _names():
    return [f"wish_{rank}" for rank in range(1, MOST + 1)]


def _twice(rank):
    return forms.ValidationError(
        f"Cet horaire est déjà votre vœu {rank}\u00a0: choisissez-en un autre, ou "
        "«\u00a0Aucun\u00a0».",
        code="twice",
    )


def _value(key):
    return ANY if key is None else str(key)


def _key(value):
    return None if value == ANY else int(value)


def _is_key(value):
    return value.isdecimal() and len(value) < 20  # `int` refuses 5,000 digits
