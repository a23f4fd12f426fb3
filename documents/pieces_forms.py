"""The staff's form of a kind of pieces: its example goes through the checks of a family's file."""

from django import forms
from django.core.exceptions import ValidationError

from documents import examples
from documents.models import DocumentType

EXAMPLE = DocumentType._meta.get_field("example")


class DocumentTypeForm(forms.ModelForm):
    """A picture that is refused says why beside its field, and the former one stays."""

    picture = forms.FileField(
        label="Image d'exemple",
        required=False,
        widget=forms.FileInput(attrs={"accept": ".jpg,.jpeg,.png"}),
        help_text=EXAMPLE.help_text,
        error_messages={"empty": "Votre fichier est vide (0 octet)."},
    )
    forget_example = forms.BooleanField(label="Retirer l'image d'exemple", required=False)

    class Meta:
        model = DocumentType
        exclude = ["example"]  # noqa: DJ006 -- the administration's page names the fields
        widgets = {
            "help_text": forms.Textarea(attrs={"rows": 3, "cols": 60}),
            "purpose": forms.Textarea(attrs={"rows": 2, "cols": 60}),
            "example_alt": forms.Textarea(attrs={"rows": 2, "cols": 60}),
        }

    def clean_picture(self):
        upload = self.cleaned_data["picture"]
        return examples.check(upload.name, upload.read()) if upload else None

    def clean(self):
        cleaned = super().clean()
        stays = bool(self.instance.example) and not cleaned.get("forget_example")
        shows = cleaned.get("picture") is not None or stays
        if shows and not cleaned.get("example_alt") and "example_alt" not in self.errors:
            self.add_error("example_alt", "Décrivez l'image d'exemple pour qui ne la voit pas.")
        return cleaned

    def _post_clean(self):
        """Once all the rest is good: the picture is stored, and the row names it."""
        super()._post_clean()
        if self.errors:
            return
        if picture := self.cleaned_data.get("picture"):
            try:
                self.instance.example = examples.store(picture)
            except ValidationError as error:
                self.add_error("picture", error)
        elif self.cleaned_data.get("forget_example"):
            self.instance.example = ""
