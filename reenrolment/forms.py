"""The one form of the re-enrolment page, in sections that are saved and compared apart."""

from django import forms
from django.core.exceptions import ValidationError

from billing.models.invoices import PARTS
from families.models import Family
from reenrolment.models import COMMENT_LENGTH
from reenrolment.page import Page
from reenrolment.rows import Row
from reenrolment.services.drafts import Conflict, Edit, Refusal

SLOT_GONE = "Ce créneau vient d'être complet, ou fermé\u00a0: choisissez-en un autre dans la liste."
SLOT_UNSUITED = "Ce créneau ne correspond plus à l'âge ou au niveau de l'élève."


class SectionForm(forms.Form):
    """A form that remembers, in hidden fields, what the page showed when it was opened."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.to_mend = {}

    def messages_of(self, name: str) -> list[str]:
        """What stands beside the field: what was refused, or what is still to answer."""
        return self.errors.get(name) or self.to_mend.get(self[name].auto_id, [])

    def edit(self, *names: str) -> Edit:
        """What was shown and what was sent; only for a valid form."""
        return Edit(
            base={name: self._shown(name) for name in names},
            mine={name: self.cleaned_data[name] for name in names},
        )

    @property
    def shown(self) -> dict[str, str]:
        """What the hidden fields hold, which the page writes itself: a widget's template for each
        would take a twentieth of its time.
        """
        return {name: self._remembered(name) for name in self.fields}

    def _remembered(self, name):
        """What a form sent again remembered already, else what it shows now."""
        hidden = self.add_initial_prefix(name)
        value = self.data[hidden] if hidden in self.data else self[name].value()
        return "" if value is None else str(value)

    def _shown(self, name):
        field = self.fields[name]
        raw = field.hidden_widget().value_from_datadict(
            self.data, self.files, self.add_initial_prefix(name)
        )
        return field.shown(raw)


class Tick(forms.BooleanField):
    def __init__(self, **kwargs):
        super().__init__(required=False, show_hidden_initial=True, **kwargs)

    def shown(self, raw) -> bool:
        return self.to_python(raw)


class Text(forms.CharField):
    """Line ends are « \\n », whatever the browser sends."""

    def __init__(self, **kwargs):
        super().__init__(required=False, show_hidden_initial=True, **kwargs)

    def shown(self, raw) -> str:
        return self.to_python(raw)

    def to_python(self, value):
        return super().to_python(value).replace("\r\n", "\n")


class SlotField(forms.TypedChoiceField):
    unsuited = frozenset()  # the keys, as they are posted, of those that are not for the student

    def __init__(self, **kwargs):
        super().__init__(
            coerce=int,
            empty_value=None,
            required=False,
            show_hidden_initial=True,
            error_messages={"invalid_choice": SLOT_GONE},
            **kwargs,
        )

    def validate(self, value):
        if value in self.unsuited:
            raise ValidationError(SLOT_UNSUITED, code="not_suited")
        super().validate(value)

    def shown(self, raw) -> int | None:
        is_key = raw and raw.isdecimal() and len(raw) < 20  # `int` refuses 5,000 digits
        return int(raw) if is_key else None


class AnySlotField(SlotField):
    """Whatever the key: services.drafts knows, under the lock, which one may be picked."""

    def valid_value(self, value):
        return value.isdecimal() and len(value) < 19


class DossierForm(SectionForm):
    administrative = Tick(label="Réinscription administrative")
    comment = Text(
        label="Informations complémentaires",
        max_length=COMMENT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4, "maxlength": COMMENT_LENGTH}),
        help_text="Facultatif, 1 000 caractères au plus, lu par le secrétariat.",
    )

    @property
    def administrative_messages(self) -> list[str]:
        return self.messages_of("administrative")


class LineForm(SectionForm):
    """One line of the table, as it is sent: nothing need be read to judge it."""

    wanted = Tick(label="Réinscription")
    slot_id = AnySlotField(label="Cours disponible")
    stop_reason = Text(label="Motif de l'arrêt (facultatif)", max_length=200)

    def clean(self):
        """A course that stops takes no slot; one that goes on needs no reason."""
        if self.cleaned_data.get("wanted"):
            self.cleaned_data["stop_reason"] = ""
        else:
            self.cleaned_data["slot_id"] = None
            self.errors.pop("slot_id", None)

    @property
    def whole_edit(self) -> Edit:
        return self.edit("wanted", "slot_id", "stop_reason")


class ChoiceForm(LineForm):
    slot_id = SlotField(label="Cours disponible")

    def __init__(self, row: Row, data=None):
        choice = row.choice
        super().__init__(
            data,
            prefix=row.section,
            initial={
                "wanted": choice.wanted,
                "slot_id": choice.slot_id,
                "stop_reason": choice.stop_reason,
            },
        )
        self.row = row
        self.fields["slot_id"].choices = [
            ("", "Choisissez un horaire"),
            *[(slot.pk, _with_places(slot)) for slot in row.slots],
        ]
        self.fields["slot_id"].unsuited = {str(slot.pk) for slot in row.unsuited}

    @property
    def wanted_messages(self) -> list[str]:
        return self.messages_of("wanted")

    @property
    def slot_messages(self) -> list[str]:
        return self.messages_of("slot_id")

    @property
    def slot_options(self) -> list[tuple[str, str, bool]]:
        """Value, label, and is it the one selected: what was typed, while it is offered.

        Else the place that is the student's still: nothing selected, the next save would give it
        back.
        """
        options = [(str(value), label) for value, label in self.fields["slot_id"].choices]
        typed = str(self["slot_id"].value() or "")
        is_offered = any(value == typed for value, _ in options)
        chosen = typed if is_offered else str(self.row.choice.slot_id or "")
        return [(value, label, value == chosen) for value, label in options]


class DraftForms:
    """All the sections of the page, bound or not."""

    def __init__(self, page: Page, data=None):
        self.dossier = DossierForm(data, initial=_initial(page))
        self.choices = [ChoiceForm(row, data) for row in page.rows]

    def point_out(self, problems: list[tuple[str, str]]) -> None:
        """Shows beside each field what readiness.problems found."""
        to_mend = {field_id: [message] for field_id, message in problems}
        for form in (self.dossier, *self.choices):
            form.to_mend = to_mend

    def edits(self) -> dict[str, Edit]:
        """The sections that are valid, as services.drafts.save_draft takes them."""
        edits = {
            name: self.dossier.edit(name)
            for name in ("administrative", "comment")
            if self.dossier.is_bound and not self.dossier.errors.get(name)
        }
        for form in self.choices:
            if form.is_valid():
                edits[form.prefix] = form.whole_edit
        return edits

    def tell_unsaved(self, unsaved: list[Conflict | Refusal]) -> None:
        """Says beside each section why it was not saved, keeping what was typed here."""
        choices = {form.prefix: form for form in self.choices}
        for each in unsaved:
            form = choices.get(each.section)
            if isinstance(each, Refusal):
                form.add_error("slot_id", each.error)
            elif form:
                form.add_error("wanted", _told_choice(form.row, each.theirs))
            else:
                self.dossier.add_error(each.section, _told(each.theirs[each.section]))

    def errors(self) -> list[tuple[str, str]]:
        """The id of the field and the sentence, in the order of the page."""
        return [
            (form[name].auto_id, message)
            for form in (self.dossier, *self.choices)
            for name, messages in form.errors.items()
            for message in messages
        ]


class PickedForms:
    """The one line of the table that has been sent: as it is stored, or as it was typed and why."""

    dossier = None

    def __init__(self, page: Page, section: str, data, refusal: Refusal | None):
        row = next(row for row in page.rows if row.section == section)
        self.choices = [ChoiceForm(row, data if refusal else None)]
        if refusal:
            [form] = self.choices
            form.to_mend = {form["slot_id"].auto_id: refusal.error.messages}


def rebased(data, page: Page, unsaved: list[Conflict | Refusal], edits: dict[str, Edit]):
    """The posted data to show again: what was saved is the new base, what was not stays typed.

    Of a section that was not saved the base becomes the stored value, so that saving once more
    means « mine ».
    """
    data = data.copy()
    stored = {"administrative": _initial(page), "comment": _initial(page)}
    stored |= {form.prefix: form.initial for form in DraftForms(page).choices}
    stays_typed = {each.section for each in unsaved}
    for section, edit in edits.items():
        if section not in stored:  # the student has left the course meanwhile
            continue
        prefix = f"{section}-" if section.startswith("course-") else ""
        for name in edit.mine:
            value = stored[section][name]
            data[f"initial-{prefix}{name}"] = "" if value is None else str(value)
            if section not in stays_typed:
                _set(data, f"{prefix}{name}", value)
    return data


class SubmitForm(forms.Form):
    accept = forms.BooleanField(
        label="J'accepte les conditions générales",
        error_messages={
            "required": "Cochez «\u00a0J'accepte\u00a0»\u00a0: "
            "sans cela, la demande ne peut pas être envoyée."
        },
    )
    terms = forms.IntegerField(widget=forms.HiddenInput)
    fingerprint = forms.CharField(widget=forms.HiddenInput)
    parts = forms.TypedChoiceField(  # in how many; none: the invoice will say
        choices=[(number, number) for number in PARTS], coerce=int, empty_value=None, required=False
    )


def _initial(page):
    reenrolment = page.reenrolment
    return {
        "administrative": reenrolment.administrative if reenrolment else False,
        "comment": reenrolment.comment if reenrolment else "",
    }


def _set(data, name, value):
    if value is False:
        data.pop(name, None)
    else:
        data[name] = "" if value is None else str(value)


def _with_places(slot):
    if slot.held_until:
        return f"{slot} (place réservée pour vous)"
    places = "1 place" if slot.places_left == 1 else f"{slot.places_left} places"
    return f"{slot} ({places})"


def _told(theirs):
    shown = {True: "coché", False: "non coché", "": "(vide)"}.get(theirs, theirs)
    return (
        f"Une autre personne, ou un autre onglet, a enregistré entre-temps «\u00a0{shown}\u00a0». "
        "Votre saisie est affichée\u00a0: enregistrez de nouveau pour la garder."
    )


def _told_choice(row, theirs):
    slots = {slot.pk: str(slot) for slot in [*row.slots, *filter(None, [row.choice.slot])]}
    shown = "réinscription" if theirs["wanted"] else "arrêt du cours"
    if theirs["slot_id"]:
        shown += f", {slots.get(theirs['slot_id'], 'autre créneau')}"
    return _told(shown)


class AssistForm(forms.Form):
    """At the counter: whose place is it, of the student's one or two households?"""

    family = forms.ModelChoiceField(
        label="Foyer", queryset=Family.objects.none(), empty_label="Choisissez…"
    )

    def __init__(self, student, *args, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["family"]
        field.queryset = student.families.all()
        if len(households := field.queryset[:2]) == 1:
            field.empty_label, field.initial = None, households[0]
