"""« Encaisser »: find a household, share its money between what it owes, print a receipt."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.http import require_http_methods, require_safe

from accounts.admin import permission_required
from accounts.selectors import establishments_of
from billing import services
from billing.admin.page import RECORD, VIEW, refuse, show
from billing.admin.regie_forms import PaymentForm, SplitForm
from billing.enums import CAN_BOUNCE
from billing.models import Deposit, Payment
from billing.money import ZERO, euros
from billing.regie.dues import MOST, due_of, dues_found, payable_invoices, split
from billing.regie.settings import settings_of
from families.models import Family

LONGEST = 100  # characters of a search


def urls():
    def named(route, view):
        name = f"billing_payment_{view.__name__}"
        return path(route, admin.site.admin_view(view), name=name)

    return [
        named("encaisser/", counter),
        named("encaisser/<int:family>/", deposit),
        named("quittance/<int:pk>/", receipt),
    ]


@require_safe
@permission_required(RECORD)
def counter(request):
    """The search; one household found by its invoice's reference opens at once."""
    query = request.GET.get("q", "").strip()[:LONGEST]
    found = dues_found(request.establishment, query) if query else []
    context = {"query": query, "found": found[:MOST], "has_more": len(found) > MOST, "most": MOST}
    return show(request, "Encaisser", "admin/billing/payment/counter.html", context, Payment)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(RECORD)
def deposit(request, family):
    """What the household owes, and one payment for it all; « Répartir » shares it anew."""
    family = _family(request, family)
    due = due_of(request.establishment, family)
    is_asked = request.method == "POST"
    form = _form(request, request.POST if is_asked else None, amount=due.left or None)
    shares = SplitForm(request.POST if is_asked else None, invoices=due.to_pay)
    if not is_asked:
        shares = _shared(due.to_pay, due.left)
    elif "repartir" in request.POST:
        form.is_valid()
        if amount := form.cleaned_data.get("amount"):  # the rest may be typed afterwards
            shares = _shared(due.to_pay, amount)
            form = _form(request, None, **request.POST.dict())
    elif form.is_valid() & shares.is_valid():
        amount = form.cleaned_data["amount"]
        if not shares.parts:
            shares = _shared(due.to_pay, amount)
        elif (given := sum(shares.parts.values(), ZERO)) != amount:
            form.add_error(
                "amount",
                f"La répartition fait {euros(given)}, le montant {euros(amount)}\u00a0: "
                "corrigez l'un ou l'autre, ou répartissez à nouveau.",
            )
        else:
            try:
                made = _record(request, shares.parts, form.cleaned_data)
            except ValidationError as error:
                refuse(form, error)
            else:
                messages.success(
                    request, f"{euros(made.amount)} encaissés, quittance {made.receipt}."
                )
                return redirect("admin:billing_payment_receipt", made.pk)
    context = {
        "family": family,
        "due": due,
        "form": form,
        "shares": shares,
        "subtitle": str(family),
    }
    return show(request, "Encaisser", "admin/billing/payment/deposit.html", context, Payment)


@require_safe
@permission_required(VIEW)
def receipt(request, pk):
    """The receipt, to print: what the household keeps."""
    ours = Deposit.objects.filter(establishment__in=establishments_of(request.user))
    deposit = get_object_or_404(ours.with_payments(), pk=pk)
    payments = list(deposit.payments.select_related("invoice", "bounce"))
    undone = [payment.bounce for payment in payments if hasattr(payment, "bounce")]
    may_undo = request.user.has_perm(RECORD) and len(undone) < len(payments)
    context = {
        "deposit": deposit,
        "payments": payments,
        "undone": undone,
        "to_undo": payments[0] if may_undo else None,
        "is_bounce": deposit.means in CAN_BOUNCE,
    }
    return show(
        request,
        f"Quittance {deposit.receipt}",
        "admin/billing/payment/receipt.html",
        context,
        Payment,
    )


def _form(request, data, **initial):
    limit = settings_of(request.establishment).cash_limit
    return PaymentForm(data, initial=initial, cash_limit=limit)


def _record(request, parts, cleaned):
    facts = {name: value for name, value in cleaned.items() if name != "amount"}
    return services.record_deposit(parts, **facts, actor=request.user)


def _shared(invoices, amount):
    """The form of a split, filled in, oldest first."""
    parts = split(amount, invoices)
    initial = {f"part-{invoice.pk}": part for invoice, part in parts.items()}
    return SplitForm(invoices=invoices, initial=initial)


def _family(request, pk):
    """One that has an invoice at the site chosen; 404 for any other."""
    known = payable_invoices(request.establishment).filter(family=pk).values("family")
    return get_object_or_404(Family.objects.filter(pk__in=known.order_by()), pk=pk)
