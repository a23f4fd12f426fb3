"""« Annuler la facture » and « Émettre un avoir », read again before they are issued; its PDF."""

from decimal import Decimal

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.http import require_http_methods, require_safe

from accounts.admin import permission_required
from accounts.selectors import establishments_of
from billing import services
from billing.admin.page import payable_invoice, show
from billing.admin.regie_forms import amount_field
from billing.enums import InvoiceStatus, LineKind
from billing.models import Invoice, InvoiceLine
from billing.money import ZERO
from billing.printing import pdf_response

ISSUE = "billing.issue_invoice"
CANCEL = "admin/billing/invoice/cancel.html"
CREDIT = "admin/billing/invoice/credit.html"
CHECK = "admin/billing/invoice/credit_check.html"
KEPT = ["kind", "student", "label", "explanation"]


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Motif",
        max_length=Invoice._meta.get_field("reason").max_length,
        widget=forms.TextInput(attrs={"size": 60}),
        help_text="La famille le lit sur l'avoir.",
        error_messages={"required": "Dites pourquoi."},
    )


class CreditForm(ReasonForm):
    """What is taken off each line of an invoice, and an amount of no line (a gesture)."""

    label = forms.CharField(
        label="Autre déduction",
        max_length=InvoiceLine._meta.get_field("label").max_length,
        required=False,
        widget=forms.TextInput(attrs={"size": 40}),
        help_text="Un geste commercial, par exemple.",
    )
    amount = amount_field("Montant de l'autre déduction (€)", required=False)
    field_order = ["label", "amount", "reason"]

    def __init__(self, *args, lines, **kwargs):
        super().__init__(*args, **kwargs)
        self.lines = [line for line in lines if line.amount > ZERO]
        for line in self.lines:
            label = f"À déduire de «\u00a0{line}\u00a0»"
            self.fields[f"line_{line.pk}"] = amount_field(label, required=False)

    @property
    def line_fields(self):
        return [(line, self[f"line_{line.pk}"]) for line in self.lines]

    @property
    def other_fields(self):
        return [self[name] for name in ("label", "amount", "reason")]

    def clean(self):
        cleaned = super().clean()
        for line in self.lines:
            if (cleaned.get(f"line_{line.pk}") or ZERO) > line.amount:
                self.add_error(f"line_{line.pk}", "C'est plus que le montant de la ligne.")
        if cleaned.get("amount") and not cleaned.get("label") and "label" not in self.errors:
            self.add_error("label", "Dites ce qui est déduit.")
        if cleaned.get("label") and not cleaned.get("amount") and "amount" not in self.errors:
            self.add_error("amount", "Dites de combien.")
        if not self.errors and not self.credit_lines:
            raise ValidationError("Indiquez au moins un montant à déduire.", code="nothing")
        return cleaned

    @property
    def credit_lines(self) -> list[dict]:
        """As `services.credit` takes them. A line keeps its nature and its student."""
        cleaned = self.cleaned_data
        lines = [
            {**{name: getattr(line, name) for name in KEPT}, "amount": amount}
            for line in self.lines
            if (amount := cleaned.get(f"line_{line.pk}"))
        ]
        if cleaned.get("amount") and cleaned.get("label"):
            lines.append(
                {"kind": LineKind.OTHER, "label": cleaned["label"], "amount": cleaned["amount"]}
            )
        return lines

    @property
    def total(self) -> Decimal:
        return sum((line["amount"] for line in self.credit_lines), ZERO)


def urls():
    """The addresses under an invoice's own, for its ModelAdmin."""

    def named(route, view):
        name = f"billing_invoice_{view.__name__}"
        return path(f"<int:pk>/{route}/", admin.site.admin_view(view), name=name)

    return [named("annuler", cancel), named("avoir", credit), named("pdf", pdf)]


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(ISSUE)
def cancel(request, pk):
    """A credit note of all that is left: said before it is done."""
    invoice = payable_invoice(request, pk)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            note = services.cancel(invoice, reason=form.cleaned_data["reason"], actor=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"Facture {invoice} annulée par l'avoir {note}.")
            return redirect("admin:billing_invoice_change", pk)
    return _render(request, invoice, "Annuler la facture", CANCEL, form)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(ISSUE)
def credit(request, pk):
    """The lines and the amounts; « Relire » shows the credit note, which is then issued."""
    invoice = payable_invoice(request, pk)
    lines = invoice.lines.select_related("student")
    form = CreditForm(request.POST if request.method == "POST" else None, lines=lines)
    is_read_again = request.method == "POST" and form.is_valid() and "modifier" not in request.POST
    if is_read_again and "emettre" in request.POST:
        try:
            note = services.credit(
                invoice,
                lines=form.credit_lines,
                reason=form.cleaned_data["reason"],
                actor=request.user,
            )
        except ValidationError as error:
            form.add_error(None, error.messages)
            is_read_again = False
        else:
            messages.success(request, f"Avoir {note} émis sur la facture {invoice}.")
            return redirect("admin:billing_invoice_change", note.pk)
    if is_read_again and form.total > invoice.total - invoice.credited:
        form.add_error(None, "Cet avoir dépasse ce qui reste de la facture.")
        is_read_again = False
    template = CHECK if is_read_again else CREDIT
    return _render(request, invoice, "Émettre un avoir", template, form)


@require_safe
@permission_required("billing.view_invoice")
def pdf(request, pk):
    """The file that the family downloads."""
    ours = Invoice.objects.filter(establishment__in=establishments_of(request.user))
    invoice = get_object_or_404(ours.filter(status=InvoiceStatus.ISSUED), pk=pk)
    try:
        return pdf_response(invoice)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("admin:billing_invoice_change", pk)


def may_credit(invoice, user) -> bool:
    """Is there something left to take off, and may this agent?"""
    return (
        invoice is not None
        and invoice.is_issued
        and not invoice.is_credit_note
        and invoice.credited < invoice.total
        and user.has_perm(ISSUE)
    )


def _render(request, invoice, title, template, form):
    if not may_credit(invoice, request.user) and not form.is_bound:
        messages.error(request, "Il ne reste rien à déduire de cette facture.")
        return redirect("admin:billing_invoice_change", invoice.pk)
    context = {
        "subtitle": str(invoice),
        "invoice": invoice,
        "left_to_credit": invoice.total - invoice.credited,
        "form": form,
    }
    return show(request, title, template, context, Invoice)
