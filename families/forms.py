from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html

from accounts.forms import EMAIL_INVALID
from accounts.models import User
from families import services
from families.merging import Edit, MergingForm
from families.models import Family, Guardian
from families.phones import PhoneField

ADDRESS = ["address", "address_more", "commune"]
GUARDIAN = ["last_name", "first_name", "email", "mobile_phone", "home_phone"]
# What a browser may fill in: only what is about the person who reads (RGAA 11.13).
AUTOCOMPLETE = {
    "address": "address-line1",
    "address_more": "address-line2",
    "commune": "address-level2",
    "last_name": "family-name",
    "first_name": "given-name",
    "email": "email",
    "mobile_phone": "tel",
    "home_phone": "home tel",
}
# Said by themselves in the summary on top of the page.
REQUIRED = {
    "last_name": "Indiquez le nom du responsable.",
    "first_name": "Indiquez le prénom du responsable.",
    "address": "Indiquez l'adresse du foyer.",
    "commune": "Choisissez la commune du foyer.",
}


class HouseholdForm(MergingForm, forms.Form):
    """The identity of a household: each guardian, then the address that they share.

    The fields of a guardian are called `guardian-<key>-<field>`: only those of the household
    exist, whatever is posted.
    """

    def __init__(self, data=None, *, family: Family, guardians: list[Guardian], reader: User):
        super().__init__(data)
        self.family, self.guardians, self.reader = family, guardians, reader
        for guardian in guardians:
            self._add_guardian(guardian)
        self._add(family, ADDRESS)
        self.fields["commune"].empty_label = "Choisissez…"
        self._let_browser_fill(ADDRESS)
        self.show_what_was_seen()

    def clean(self):
        """The service's rule, said together with the errors of shape."""
        cleaned = super().clean()
        for guardian in self.guardians:
            prefix = f"guardian-{guardian.pk}-"
            if any(prefix + name in self.errors for name in GUARDIAN):
                continue
            edit = self.edit(guardian, GUARDIAN, prefix)
            typed = {name: cleaned[prefix + name] for name in GUARDIAN}
            try:
                services.check_reachable(
                    Guardian(user_id=guardian.user_id, **typed),
                    touched=edit.typed,
                    actor=self.reader,
                )
            except ValidationError as error:
                self.add_error(None, ValidationError(edit.renamed(error)))
        return cleaned

    @property
    def address_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ADDRESS]

    @property
    def guardian_groups(self) -> list[tuple[Guardian, list[forms.BoundField]]]:
        return [
            (guardian, [self[f"guardian-{guardian.pk}-{name}"] for name in GUARDIAN])
            for guardian in self.guardians
        ]

    @property
    def household_edit(self) -> Edit:
        return self.edit(self.family, ADDRESS)

    @property
    def guardian_edits(self) -> list[Edit]:
        return [self.edit(row, GUARDIAN, f"guardian-{row.pk}-") for row in self.guardians]

    def _add_guardian(self, guardian):
        prefix = f"guardian-{guardian.pk}-"
        self._add(guardian, GUARDIAN, prefix)
        self.fields[prefix + "mobile_phone"].help_text = "Un numéro au moins, portable ou fixe."
        email = self.fields[prefix + "email"]
        if guardian.user_id:
            email.disabled, email.required = True, bool(guardian.email)
        if guardian.user_id == self.reader.pk:
            email.help_text = format_html(
                '<a href="{}">Modifier l\'adresse e-mail</a>', reverse("accounts:change_email")
            )
            self._let_browser_fill(GUARDIAN, prefix)
        elif guardian.user_id:
            email.help_text = format_html(
                "Elle sert au compte de {}, qui seul peut la changer.", guardian
            )

    def _add(self, row, names, prefix=""):
        phones = {name: PhoneField for name in names if name.endswith("_phone")}
        for name, field in forms.fields_for_model(type(row), names, field_classes=phones).items():
            if name in REQUIRED:
                field.error_messages["required"] = REQUIRED[name]
            if name == "email":
                field.error_messages["invalid"] = EMAIL_INVALID
            field.initial = row._meta.get_field(name).value_from_object(row)
            self.fields[prefix + name] = field

    def _let_browser_fill(self, names, prefix=""):
        for name in names:
            self.fields[prefix + name].widget.attrs["autocomplete"] = AUTOCOMPLETE[name]
