from django import forms
from django.core.validators import MinValueValidator

from billing.enums import AT_THE_COUNTER, PaymentMeans
from billing.models import InvoiceLine, Payment
from billing.money import CENT


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


class PaymentForm(forms.ModelForm):
    """Money that the régie has received; `services.record_payment` writes it."""

    class Meta:
        model = Payment
        fields = ["amount", "means", "paid_on", "reference"]
        localized_fields = ["amount"]  # « 38,50 »
        widgets = {"paid_on": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})}
        help_texts = {
            "reference": "Numéro du chèque, de la quittance ou du virement\u00a0: "
            "un paiement de même référence n'est jamais enregistré deux fois."
        }
        error_messages = {
            "reference": {"unique": "Un paiement de cette référence est déjà enregistré."},
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["amount"].validators.append(
            MinValueValidator(CENT, "Un paiement est d'un montant positif.")
        )
        counter = [(means.value, means.label) for means in map(PaymentMeans, AT_THE_COUNTER)]
        self.fields["means"].choices = [("", "---------"), *counter]
