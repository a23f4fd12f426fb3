import datetime as dt

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.attachments import attached_pdf
from accounts.models import User
from accounts.prepared import prepared
from billing.attestations import attest, periods_of, print_attestation, shares_of
from billing.enums import InvoiceKind
from billing.models import Invoice, Payment
from billing.payfip.offers import offer_for
from billing.plans import open_offers
from billing.printing import pdf_response
from billing.receipts import movement_of, print_receipt, receipt_of
from billing.rental_views import live_rentals
from billing.statements import balance_of, statement_of, statements_of

TOLD = ["bounce", "reverses", "counterpart__invoice"]  # what the words of a payment read
TABS = {InvoiceKind.COTISATION: "billing:cotisations", InvoiceKind.LOCATION: "billing:locations"}


@require_safe
def cotisations(request):
    """« facturation cotisations »: file fees and tuition (the manual, annex 2)."""
    offers = open_offers(request.establishment.pk, request.user.pk, timezone.localdate())
    return _tab(request, InvoiceKind.COTISATION, "billing/cotisations.html", offers=offers)


@require_safe
def locations(request):
    """« facturation locations »: the rental of instruments (the manual, annex 2)."""
    rentals = live_rentals(request.user.pk, request.establishment.pk)
    return _tab(request, InvoiceKind.LOCATION, "billing/locations.html", rentals=rentals)


@require_safe
def invoice(request, pk):
    """One invoice or credit note, to read and to print."""
    user, today = request.user.pk, timezone.localdate()
    found = _invoice_in_full(user, pk, today)
    if not found:
        raise Http404
    [invoice] = found
    notes = _credit_notes(user, pk, today)
    statement = statement_of(invoice, invoice.instalments.all(), notes, today)
    return render(
        request,
        "billing/credit_note.html" if invoice.is_credit_note else "billing/invoice.html",
        {
            "invoice": invoice,
            "statement": statement,
            "movements": [movement_of(payment) for payment in _payments_of([pk])],
            "offer": None if invoice.is_credit_note else offer_for(invoice),
            "tab": TABS[invoice.kind],
        },
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


@require_safe
def payments(request):
    """All that was paid and given back, and the attestations that can be had of it."""
    invoices = _paid_invoices(request)
    numbers = {invoice.pk: invoice for invoice in invoices}
    movements = [movement_of(payment) for payment in _payments_of(sorted(numbers))]
    movements.sort(key=lambda each: (each.payment.paid_on, each.payment.pk), reverse=True)
    for movement in movements:
        movement.payment.invoice = numbers[movement.payment.invoice_id]
    return render(
        request,
        "billing/payments.html",
        {"movements": movements, "periods": periods_of(shares_of(invoices))},
    )


@require_safe
def receipt(request, pk):
    payment = _payment(request, pk)
    page = receipt_of(payment, timezone.localdate())
    return render(request, "billing/receipt.html", {"payment": payment, "receipt": page})


@require_safe
def receipt_pdf(request, pk):
    payment = _payment(request, pk)
    try:
        pdf = print_receipt(receipt_of(payment, timezone.localdate()))
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("billing:receipt", pk=pk)
    return attached_pdf(pdf, f"recu-{payment.invoice.reference}-{payment.pk}.pdf")


@require_safe
def attestation(request, kind, year):
    return render(
        request,
        "billing/attestation.html",
        {"attestation": _attestation(request, kind, year), "kind": kind, "year": year},
    )


@require_safe
def attestation_pdf(request, kind, year):
    try:
        pdf = print_attestation(_attestation(request, kind, year))
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("billing:attestation", kind=kind, year=year)
    return attached_pdf(pdf, f"attestation-{kind}-{year}.pdf")


def _tab(request, kind, template, **more):
    user, site, today = request.user.pk, request.establishment.pk, timezone.localdate()
    invoices = _issued_invoices(user, site, today)
    tabs = {
        each: statements_of([i for i in invoices if i.kind == each], today) for each in InvoiceKind
    }
    return render(
        request,
        template,
        {
            "statements": sorted(tabs[kind], key=lambda each: each.urgency),
            "balance": balance_of(tabs[kind]),
            "due": {each.value: balance_of(tabs[each]).due_now for each in InvoiceKind},
            **more,
        },
    )


@prepared
def _issued_invoices(user: int, establishment: int, today: dt.date) -> QuerySet[Invoice]:
    """Of both tabs: each says what is due on the other."""
    invoices = Invoice.objects.visible_to(User(pk=user), today)
    return invoices.filter(establishment=establishment).for_list(today)


@prepared
def _invoice_in_full(user: int, pk: int, today: dt.date) -> QuerySet[Invoice]:
    """One or none."""
    full = Invoice.objects.visible_to(User(pk=user), today).for_list(today)
    return full.select_related("establishment", "credits").filter(pk=pk)


@prepared
def _credit_notes(user: int, invoice: int, today: dt.date) -> QuerySet[Invoice]:
    ours = Invoice.objects.visible_to(User(pk=user), today).with_amounts(today)
    return ours.filter(credits=invoice).order_by("pk")


@prepared
def _payments_of(invoices: list[int]) -> QuerySet[Payment]:
    return Payment.objects.filter(invoice__in=invoices).select_related(*TOLD)


def _paid_invoices(request):
    """Those of the site, with all that their payments are told and shared out by."""
    return _shared_out(request.user.pk, request.establishment.pk, timezone.localdate())


@prepared
def _shared_out(user: int, establishment: int, today: dt.date) -> QuerySet[Invoice]:
    invoices = Invoice.objects.visible_to(User(pk=user), today).filter(establishment=establishment)
    related = invoices.select_related("establishment", "school_year", "family__commune")
    return related.prefetch_related("lines__student", "payments", "family__guardians").order_by(
        "pk"
    )


def _payment(request, pk):
    ours = Payment.objects.filter(invoice__in=Invoice.objects.visible_to(request.user))
    return get_object_or_404(
        ours.select_related("invoice__establishment", "invoice__school_year", *TOLD), pk=pk
    )


def _attestation(request, kind, year):
    invoices = _paid_invoices(request)
    if invoices:
        family, today = invoices[0].family, timezone.localdate()
        if found := attest(shares_of(invoices), kind, year, family, today):
            return found
    raise Http404
