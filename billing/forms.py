from django import forms

from billing.models import InvoiceLine


class InvoiceLineForm(forms.ModelForm):
    class Meta:
        model = InvoiceLine
        fields = ["position", "kind", "student", "label", "explanation", "amount"]
        localized_fields = ["amount"]  # « 38,50 »
        widgets = {
            "position": forms.TextInput(
                attrs={"size": 2, "inputmode": "numeric", "aria-label": "rang"}
            ),
            "label": forms.TextInput(attrs={"size": 30, "aria-label": "libellé"}),
            "explanation": forms.TextInput(attrs={"size": 36, "aria-label": "explication"}),
            "amount": forms.TextInput(
                attrs={"size": 9, "inputmode": "decimal", "aria-label": "montant"}
            ),
        }
