"""What the régie's own pages have in common: their frame, their rows, how a refusal is said."""

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from accounts.selectors import establishments_of
from billing.enums import InvoiceStatus
from billing.models import Invoice

VIEW = "billing.view_payment"
RECORD = "billing.add_payment"
CLOSE = "billing.close_day"
REMIND = "billing.remind_debtors"

WIDE = {"is_nav_sidebar_enabled": False}  # the width goes to the work, the path leads back
FIELDS = {  # where a refusal of the services is said
    "too_much": "amount",
    "not_in_excess": "amount",
    "not_positive": "amount",
    "payment_recorded": "reference",
    "paid_in_future": "paid_on",
    "day_closed": "paid_on",
    "bounced_before": "paid_on",
    "no_reason": "note",
    "cash_limit": "means",
}


def show(request: HttpRequest, title: str, template: str, context: dict, model) -> HttpResponse:
    """A page of the administration, under the list of `model`."""
    context = {
        **admin.site.each_context(request),
        **WIDE,
        "title": title,
        "opts": model._meta,
        **context,
    }
    return render(request, template, context)


def payable_invoice(request: HttpRequest, pk: int) -> Invoice:
    """An issued invoice of the agent's sites, with its amounts; 404 for any other."""
    invoices = Invoice.objects.with_amounts().filter(
        establishment__in=establishments_of(request.user),
        status=InvoiceStatus.ISSUED,
        credits=None,
    )
    return get_object_or_404(invoices.select_related("establishment", "family"), pk=pk)


def refuse(form: BaseForm, error: ValidationError) -> None:
    """Says what a service refuses beside the field that it is about, else above the form."""
    if not hasattr(error, "error_dict"):
        name = FIELDS.get(getattr(error, "code", None))
        form.add_error(name if name in form.fields else None, error)
        return
    for name, errors in error.error_dict.items():
        form.add_error(name if name in form.fields else None, errors)
