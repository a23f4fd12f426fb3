"""Money for one invoice: received, given back, carried over, bounced. Each is shown before it is
written, and what was typed is kept."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.http import require_http_methods

from accounts.admin import permission_required
from accounts.dates import day
from accounts.selectors import establishments_of
from billing import services
from billing.admin.page import RECORD, payable_invoice, refuse, show
from billing.admin.regie_forms import (
    AnnulmentForm,
    BounceForm,
    CarryOverForm,
    PaymentForm,
    RefundForm,
)
from billing.enums import CAN_BE_ANNULLED, CAN_BOUNCE, PaymentMeans, PaymentNature
from billing.models import Invoice, Payment
from billing.money import ZERO, euros
from billing.regie.dues import payable_invoices
from billing.regie.settings import settings_of
from billing.services.payments import parts_of_deposit

FORM = ["GET", "HEAD", "POST"]


def invoice_urls():
    """The addresses under an invoice's own, for its ModelAdmin."""
    return [
        _path("<int:pk>/paiement/", record_payment, "invoice"),
        _path("<int:pk>/remboursement/", refund, "invoice"),
        _path("<int:pk>/report/", carry_over, "invoice"),
    ]


def payment_urls():
    return [_path("<int:pk>/rejet/", bounce, "payment")]


@require_http_methods(FORM)
@permission_required(RECORD)
def record_payment(request, pk):
    """The form « Enregistrer un paiement » of an issued invoice; the tick confirms an excess."""
    invoice = payable_invoice(request, pk)
    left = max(invoice.left, ZERO)
    form = PaymentForm(
        request.POST or None,
        initial={"amount": left or None},
        cash_limit=settings_of(invoice.establishment).cash_limit,
    )
    if request.method == "POST" and form.is_valid():
        try:
            payment = services.record_payment(invoice, **form.cleaned_data, actor=request.user)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, f"Paiement de {euros(payment.amount)} enregistré.")
            return redirect("admin:billing_invoice_change", pk)
    context = {"invoice": invoice, "form": form, "left": left, "subtitle": str(invoice)}
    return show(
        request,
        "Enregistrer un paiement",
        "admin/billing/invoice/record_payment.html",
        context,
        Invoice,
    )


@dataclass(frozen=True)
class Move:
    """A form whose answer is shown before it is written."""

    title: str
    intro: str
    recap: Callable[[dict], str]
    write: Callable[[dict], Payment | list[Payment]]
    done: Callable[[Payment | list[Payment]], str]
    button: str


@require_http_methods(FORM)
@permission_required(RECORD)
def refund(request, pk):
    invoice = payable_invoice(request, pk)
    excess = max(-invoice.left, ZERO)
    move = Move(
        title="Rembourser",
        intro=f"Facture {invoice} de {invoice.payer_name}\u00a0: {euros(excess)} reçus en trop.",
        recap=lambda c: (
            f"{euros(c['amount'])} rendus à {invoice.payer_name} par "
            f"{PaymentMeans(c['means']).label}, le {day(c['paid_on'])}, référence {c['reference']}."
        ),
        write=lambda c: services.refund(invoice, **c, actor=request.user),
        done=lambda payment: f"Remboursement de {euros(-payment.amount)} enregistré.",
        button="Enregistrer le remboursement",
    )
    form = RefundForm(request.POST or None, initial={"amount": excess or None})
    return _play(request, move, form, invoice)


@require_http_methods(FORM)
@permission_required(RECORD)
def carry_over(request, pk):
    invoice = payable_invoice(request, pk)
    excess = max(-invoice.left, ZERO)
    targets = (
        payable_invoices(invoice.establishment)
        .with_amounts()
        .filter(family=invoice.family_id, left__gt=0)
        .exclude(pk=invoice.pk)
        .order_by("due_on", "pk")
    )
    first = targets.first()
    move = Move(
        title="Reporter un trop-perçu",
        intro=(
            f"Facture {invoice} de {invoice.payer_name}\u00a0: {euros(excess)} reçus en trop. "
            + (
                "Ils peuvent payer une autre facture du même foyer."
                if first
                else "Ce foyer n'a aucune autre facture à payer\u00a0: remboursez-le."
            )
        ),
        recap=lambda c: (
            f"{euros(c['amount'])} passent de la facture {invoice} à la facture {c['target']}, "
            "aujourd'hui."
        ),
        write=lambda c: services.carry_over(
            invoice, c["target"], amount=c["amount"], actor=request.user
        ),
        done=lambda payment: f"{euros(payment.amount)} reportés sur la facture {payment.invoice}.",
        button="Reporter",
    )
    amount = min(excess, first.left) if first else None
    form = CarryOverForm(request.POST or None, targets=targets, initial={"amount": amount or None})
    return _play(request, move, form, invoice)


@require_http_methods(FORM)
@permission_required(RECORD)
def bounce(request, pk):
    """Whole: whatever the part that one comes from, all that was handed over with it is undone."""
    payments = Payment.objects.filter(
        invoice__establishment__in=establishments_of(request.user),
        nature=PaymentNature.RECEIVED,
        means__in=[*CAN_BOUNCE, *CAN_BE_ANNULLED],
    )
    payment = get_object_or_404(payments.select_related("invoice"), pk=pk)
    move = _bounce(request, payment)
    is_bounce = payment.means in CAN_BOUNCE
    form = (BounceForm if is_bounce else AnnulmentForm)(request.POST or None)
    return _play(request, move, form, payment.invoice)


def _bounce(request, payment):
    parts = list(parts_of_deposit(payment).filter(bounce=None)) or [payment]
    total = euros(sum(part.amount for part in parts))
    by = payment.deposit.reference if payment.deposit_id else payment.reference
    of_what = [f"{part.invoice} ({euros(part.amount)})" for part in parts]
    invoices = f"la facture {parts[0].invoice}"
    if len(parts) > 1:
        invoices = f"les factures {', '.join(of_what[:-1])} et {of_what[-1]}"
    due = "sont à nouveau dues" if len(parts) > 1 else "est à nouveau due"
    is_bounce = payment.means in CAN_BOUNCE
    done = "Rejet" if is_bounce else "Annulation"
    return Move(
        title="Enregistrer un rejet" if is_bounce else "Annuler un encaissement",
        intro=(
            f"{payment.get_means_display().capitalize()} {by} de {total}, reçu le"
            f" {day(payment.paid_on)} de {payment.invoice.payer_name} pour {invoices}. "
            + (
                "Rejeté, il n'a rien payé\u00a0: ce qu'il payait est à nouveau dû."
                if is_bounce
                else "À n'annuler que si l'encaissement a été saisi par erreur\u00a0: ce qui a été"
                " reçu en trop se rembourse ou se reporte."
            )
        ),
        recap=lambda c: (
            f"{by}\u00a0: {total} {'rejetés' if is_bounce else 'annulés'} le {day(c['paid_on'])},"
            f" référence {c['reference']}. {invoices[0].upper()}{invoices[1:]} {due}."
        ),
        write=lambda c: services.bounce(payment, **c, actor=request.user),
        done=lambda undone: (
            f"{done} de {euros(-sum(each.amount for each in undone))} enregistré"
            f"{'' if is_bounce else 'e'}."
        ),
        button="Enregistrer le rejet" if is_bounce else "Annuler l'encaissement",
    )


def _play(request, move, form, invoice):
    """The form, then what it will do, then the deed; « Corriger » goes back with what was typed."""
    is_right = request.method == "POST" and form.is_valid()
    is_shown = is_right and "corriger" not in request.POST
    if is_shown and "confirmer" in request.POST:
        try:
            payment = move.write(form.cleaned_data)
        except ValidationError as error:
            refuse(form, error)
            is_shown = False
        else:
            messages.success(request, move.done(payment))
            return redirect("admin:billing_invoice_change", invoice.pk)
    context = {
        "invoice": invoice,
        "move": move,
        "form": form,
        "recap": move.recap(form.cleaned_data) if is_shown else "",
        "subtitle": str(invoice),
    }
    return show(request, move.title, "admin/billing/invoice/move.html", context, Invoice)


def _path(route, view, model):
    name = f"billing_{model}_{view.__name__}"
    return path(route, admin.site.admin_view(view), name=name)
