"""The forms of the page that examines a dossier: shape only, the services judge."""

import datetime as dt

from django import forms
from django.utils import timezone
from django.utils.html import format_html

from documents.forms import RefusalForm
from documents.pieces import Piece
from reenrolment.admin.page import Examination
from reenrolment.rows import Row
from students.waiting import REASON_LENGTH

COMPLEMENT_DAYS = 15  # what is proposed; the agent sets the date
END_OF_DAY = dt.time(23, 59)
LONGEST_REASON = 1000  # characters
SHOWN_TO_FAMILIES = (
    "Inscrit au journal de la liste d'attente, que toute famille peut demander à lire\u00a0: n'y "
    "nommez personne."
)


class PlacesSelect(forms.Select):
    """A select that shows the full slots, but does not let one pick them."""

    full = frozenset()

    def create_option(self, name, value, *args, **kwargs):
        option = super().create_option(name, value, *args, **kwargs)
        if value in self.full:
            option["attrs"]["disabled"] = True
        return option


class PlaceForm(forms.Form):
    """« slot-12 » or, for a course without slots, « course-5 »: cleaned to course and slot.

    And to `reason`: why before those who wait for the slot.
    """

    where = forms.ChoiceField(label="Place", error_messages={"required": "Choisissez un créneau."})
    reason = forms.CharField(
        required=False,
        max_length=REASON_LENGTH,
        label="Motif, si d'autres attendent cette place avant l'élève",
        help_text=SHOWN_TO_FAMILIES,
    )

    error_fields = {"reason_required": "reason", "reason_too_long": "reason"}
    default_error_field = "where"

    def __init__(self, page: Examination, row: Row, data=None):
        self.key = f"place-{row.choice.pk}"
        held = row.choice.granted.slot if row.choice.granted else None
        self.targets, full, groups = {}, set(), []
        self.is_awaited = False
        for course in page.courses_for(row):
            options = []
            for slot in page.coming[course] if course.has_slots else []:
                value = f"slot-{slot.pk}"
                self.targets[value] = {"course": course, "slot": slot}
                options.append((value, _with_places(slot, held)))
                if slot.places_left == 0 and slot != held:
                    full.add(value)
                self.is_awaited |= bool(slot.awaited_by and slot.places_left)
            if not course.has_slots:
                value = f"course-{course.pk}"
                self.targets[value] = {"course": course, "slot": None}
                options.append((value, f"{course} – {course.get_scheduling_display()}"))
            if options:
                groups.append((course.name, options))
        super().__init__(
            data, auto_id=f"id_{self.key}_%s", initial={"where": _where(row.choice.granted)}
        )
        field = self.fields["where"]
        field.label = format_html(
            'Place<span class="visually-hidden"> en {}</span>', row.enrolment.course
        )
        field.widget = PlacesSelect()
        field.widget.full = full
        field.choices = [("", "Choisissez un créneau"), *groups]

    @property
    def has_places(self) -> bool:
        """Is there anything to choose at all?"""
        return bool(self.targets)

    @property
    def asks_reason(self) -> bool:
        """Somebody waits for one of the places left, or has begun to since the page was read."""
        return self.is_awaited or bool(self["reason"].errors)

    def clean(self):
        where = self.targets.get(self.cleaned_data.pop("where", None), {})
        return self.cleaned_data | where


class PieceRefusalForm(RefusalForm):
    error_fields = {"comment_required": "comment"}
    default_error_field = "reason"

    def __init__(self, piece: Piece, data=None):
        self.key = f"piece-{piece.key}"
        super().__init__(data, auto_id=f"id_{self.key}_%s")


class ComplementForm(forms.Form):
    """Cleaned to `pieces` (of documents.pieces), `until` (a moment) and `message`."""

    key = "complement"
    error_fields = {"no_piece": "pieces", "not_lacking": "pieces", "past": "until"}
    default_error_field = None

    pieces = forms.MultipleChoiceField(
        label="Pièces à redemander", required=False, widget=forms.CheckboxSelectMultiple
    )
    until = forms.DateField(
        label="Jusqu'au",
        help_text="Ce jour compris, jusqu'à 23\u00a0h\u00a059.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    message = forms.CharField(
        label="Message à la famille (facultatif)",
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Ajouté au mail, après les pièces et les motifs de refus.",
    )

    def __init__(self, page: Examination, data=None):
        self.lacking = {piece.key: piece for piece in page.lacking}
        super().__init__(
            data,
            auto_id=f"id_{self.key}_%s",
            initial={
                "pieces": list(self.lacking),
                "until": timezone.localdate() + dt.timedelta(days=COMPLEMENT_DAYS),
            },
        )
        self.fields["pieces"].choices = [
            (key, f"{piece.type} – {piece_owner(piece)}" if page.alternating else str(piece.type))
            for key, piece in self.lacking.items()
        ]

    def clean_pieces(self):
        return [self.lacking[key] for key in self.cleaned_data["pieces"]]

    def clean_until(self):
        return timezone.make_aware(dt.datetime.combine(self.cleaned_data["until"], END_OF_DAY))


class ReasonForm(forms.Form):
    """Why a dossier is refused or withdrawn: the family reads it."""

    error_fields = {}
    default_error_field = "reason"

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="La famille le lit dans le mail.",
    )

    def __init__(self, key: str, label: str, data=None):
        self.key = key
        super().__init__(data, auto_id=f"id_{key}_%s")
        self.fields["reason"].label = label
        self.fields["reason"].error_messages["required"] = "Dites à la famille pourquoi."


def refuse_form(data=None) -> ReasonForm:
    return ReasonForm("refuse", "Motif du refus", data)


def withdraw_form(data=None) -> ReasonForm:
    return ReasonForm("withdraw", "Ce que la famille a demandé", data)


def piece_owner(piece: Piece) -> str:
    """Whose it is, to be said where there are two households."""
    return f"foyer {piece.family}" if piece.family else "élève"


def _where(granted):
    if granted is None or not granted.is_placed:
        return ""
    return f"slot-{granted.slot.pk}" if granted.slot else f"course-{granted.course_id}"


def _with_places(slot, held):
    if slot == held:
        return f"{slot} (place actuelle)"
    left = slot.places_left
    places = "complet" if left == 0 else "1 place" if left == 1 else f"{left} places"
    waiting = f", {slot.awaited_by} en attente" if slot.awaited_by else ""
    return f"{slot} ({places}{waiting})"
