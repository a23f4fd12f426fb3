import datetime as dt

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.prepared import prepared
from billing.enums import UNPAID, InvoiceKind
from billing.models import Invoice
from billing.money import ZERO
from billing.printing import pdf_response


@require_safe
def cotisations(request):
    """« facturation cotisations »: file fees and tuition (the manual, annex 2)."""
    return render(request, "billing/cotisations.html", _invoices(request, InvoiceKind.COTISATION))


@require_safe
def locations(request):
    """« facturation locations »: the rental of instruments (the manual, annex 2)."""
    return render(request, "billing/locations.html", _invoices(request, InvoiceKind.LOCATION))


@require_safe
def invoice(request, pk):
    """One invoice, to read and to print."""
    invoice = get_object_or_404(
        Invoice.objects.visible_to(request.user).for_list().select_related("establishment"), pk=pk
    )
    return render(
        request,
        "billing/invoice.html",
        {"invoice": invoice, "payments": list(invoice.payments.all())},
    )


@require_safe
def invoice_pdf(request, pk):
    """The same invoice, or credit note, as a file to keep."""
    invoice = get_object_or_404(Invoice.objects.visible_to(request.user), pk=pk)
    try:
        return pdf_response(invoice)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("billing:invoice", pk)


def _invoices(request, kind):
    user, site = request.user.pk, request.establishment.pk
    invoices = _issued_invoices(user, site, kind, timezone.localdate())
    left = sum((invoice.left for invoice in invoices if invoice.settlement in UNPAID), ZERO)
    return {"invoices": invoices, "left": left}


@prepared
def _issued_invoices(
    user: int, establishment: int, kind: InvoiceKind, today: dt.date
) -> QuerySet[Invoice]:
    invoices = Invoice.objects.visible_to(User(pk=user), today)
    return invoices.filter(establishment=establishment, kind=kind).for_list(today)
