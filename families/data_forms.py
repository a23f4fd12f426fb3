"""The forms of « Mes données » and of what the direction answers."""

from django import forms

from families.enums import ErasureState
from families.models import ERASURE_TEXT_LENGTH, ErasureRequest, Guardian


class ErasureForm(forms.Form):
    text = forms.CharField(
        label="Que voulez-vous faire effacer, et pour qui\u00a0?",
        help_text="Tout le foyer, un élève, une pièce… Une phrase suffit, sans dire pourquoi.",
        max_length=ERASURE_TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": "Dites ce que vous voulez faire effacer, et pour qui."},
    )


class ByLetterForm(forms.ModelForm):
    """What an agent writes down of a request that did not come by the site."""

    class Meta:
        model = ErasureRequest
        fields = ["family", "text"]
        labels = {"text": "Ce qui est demandé, par qui et comment"}
        help_texts = {"text": "Assurez-vous de l'identité de la personne."}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["text"].required = True

    def clean_family(self):
        family = self.cleaned_data["family"]
        if family.erasure_requests.filter(state=ErasureState.OPEN).exists():
            raise forms.ValidationError("Ce foyer a déjà une demande en cours.")
        return family


class AnswerForm(forms.Form):
    """To refuse, or to close what was done by hand."""

    state = forms.ChoiceField(
        label="Suite donnée",
        choices=[
            (ErasureState.REFUSED, "Refuser"),
            (ErasureState.PARTLY, "Traitée à la main, en partie"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez la suite donnée."},
    )
    answer = forms.CharField(
        label="Réponse, telle que la famille la lit",
        max_length=ERASURE_TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Dites à la famille pourquoi, ou ce qui a été fait."},
    )


class EraseForm(forms.Form):
    """`expected` is the preview that was read: nobody erases what he has not seen."""

    expected = forms.CharField(widget=forms.HiddenInput)
    agreed = forms.BooleanField(
        error_messages={"required": "Sans leur accord, leurs données ne peuvent pas être effacées."}
    )
    confirm = forms.BooleanField(
        label="J'ai relu ce qui sera effacé\u00a0: personne ne pourra le retrouver.",
        error_messages={"required": "Cochez cette case pour effacer."},
    )
    answer = forms.CharField(
        label="Ajouter un mot à la réponse (facultatif)",
        help_text="Il reste dans le registre des demandes\u00a0: n'y nommez personne.",
        max_length=ERASURE_TEXT_LENGTH,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args, others: list[Guardian], **kwargs):
        super().__init__(*args, prefix="erase", **kwargs)
        if others:
            names = " et ".join(str(guardian) for guardian in others)
            self.fields["agreed"].label = f"{names}\u00a0: accord donné par écrit."
        else:
            del self.fields["agreed"]
