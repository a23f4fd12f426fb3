"""A household reads in how many parts it may pay a year's fees, and chooses."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from billing.models import PaymentPlan
from billing.plans import Offer, offer_of
from billing.services.plans import choose_parts
from families.models import Family


class PartsForm(forms.Form):
    parts = forms.TypedChoiceField(
        label="Payer",
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choisissez en combien de fois payer.",
            "invalid_choice": "Choisissez dans la liste.",
        },
    )

    def __init__(self, data, *, offer: Offer):
        super().__init__(data, initial={"parts": offer.chosen}, auto_id="id_%s")
        self.fields["parts"].choices = [
            (number, "En une fois" if number == 1 else f"En {number}\u00a0fois")
            for number in offer.plan.parts
        ]


@require_http_methods(["GET", "HEAD", "POST"])
def payment_plan(request, pk):
    """The choice, changed as often as one wants until its last day."""
    plan = get_object_or_404(PaymentPlan, pk=pk, establishment=request.establishment)
    family = Family.objects.visible_to(request.user).first()
    if family is None:
        raise Http404
    offer = offer_of(plan.establishment_id, plan.school_year_id, family.pk, timezone.localdate())
    form = PartsForm(request.POST if request.method == "POST" else None, offer=offer)
    if form.is_valid():
        try:
            choose_parts(plan, family, actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, "Votre choix est enregistré.")
            return redirect("billing:payment_plan", pk)
    return render(request, "billing/payment_plan.html", {"offer": offer, "form": form})
