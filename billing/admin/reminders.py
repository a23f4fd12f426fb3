"""« Relances »: which households are late, the mail as it will be read, the sending."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.admin import permission_required
from accounts.ticked import ticked
from billing.admin.page import REMIND, show
from billing.admin.regie_forms import OverdueForm
from billing.emails import remind_payment
from billing.models import Invoice, PaymentReminder
from billing.regie.overdue import overdue_households
from billing.regie.settings import settings_of
from billing.services import reminders as services
from families.reminders import pages


def urls():
    def named(route, view):
        name = f"billing_invoice_{view.__name__}"
        return path(f"relances/{route}", admin.site.admin_view(view), name=name)

    return [
        named("", reminders),
        named(pages.MESSAGE, reminder_message),
        named("<int:pk>/", reminder_progress),
        named(f"<int:pk>/{pages.CANCEL}", reminder_cancel),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(REMIND)
def reminders(request):
    """The list; its POST turns the page, or ticks, and writes nothing."""
    site = request.establishment
    form = OverdueForm(request.GET)
    found = form.filtered(overdue_households(site))
    context = {
        "form": form,
        "others": [(each, _why_not(each)) for each in found if not _may_be_reminded(each)],
        "settings": settings_of(site),
        "site": site,
        **pages.choosing(
            request,
            [each for each in found if _may_be_reminded(each)],
            by_default=lambda household: not household.was_reminded_lately,
            reminders=site.payment_reminders,
        ),
    }
    return show(request, "Relances", "admin/billing/invoice/reminders.html", context, Invoice)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(REMIND)
def reminder_message(request):
    """The mail as a family will read it, the régie's word, and the sending."""
    back = redirect("admin:billing_invoice_reminders")
    if request.method != "POST":  # an address typed by hand: nobody is ticked
        return back
    site, chosen = request.establishment, ticked(request.POST)
    households = [each for each in overdue_households(site, chosen) if _may_be_reminded(each)]
    if not households:
        messages.error(request, pages.NOBODY)
        return back
    context, reminder = pages.message(
        request,
        households,
        whose="de la régie",
        write=lambda household, guardian, word: remind_payment(site, household, guardian, word),
        plan=lambda cleaned: _plan(request, chosen, cleaned),
    )
    if reminder:
        return redirect("admin:billing_invoice_reminder_progress", reminder.pk)
    context["amount"] = sum(each.amount for each in households)
    return show(
        request,
        "Message de la relance",
        "admin/billing/invoice/reminder_message.html",
        context,
        Invoice,
    )


@require_safe
@permission_required(REMIND)
def reminder_progress(request, pk):
    """Figures, and each household with what became of its mails."""
    reminder = _reminder(request, pk)
    lines = reminder.lines.prefetch_related("invoices__invoice")
    context = pages.became(request, reminder, lines)
    return show(
        request, str(reminder), "admin/billing/invoice/reminder_progress.html", context, Invoice
    )


@require_POST
@permission_required(REMIND)
def reminder_cancel(request, pk):
    try:
        services.cancel(_reminder(request, pk), actor=request.user)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, "La relance est annulée\u00a0: aucun message ne part.")
    return redirect("admin:billing_invoice_reminders")


def _reminder(request, pk):
    ours = PaymentReminder.objects.filter(establishment=request.establishment)
    return get_object_or_404(ours.select_related("actor", "cancelled_by"), pk=pk)


def _plan(request, chosen, cleaned):
    """Says who is left out."""
    reminder = services.plan(
        request.establishment,
        chosen,
        actor=request.user,
        word=cleaned["word"],
        planned_for=cleaned["planned_for"],
    )
    told = pages.told(reminder, now=cleaned["planned_for"] is None)
    why = "plus rien en retard, paiement en ligne en cours, ou déjà relancé ce jour-là"
    told += pages.left_out(len(chosen) - reminder.lines.count(), why)
    messages.success(request, told)
    return reminder


def _may_be_reminded(household):
    is_due = household.invoices and household.is_worth_it and not household.paying
    return bool(is_due and household.reached)


def _why_not(household):
    if not household.invoices:
        return "déjà prévenu avant transmission\u00a0: à transmettre au comptable"
    if not household.is_worth_it:
        return "sous le seuil de relance"
    if household.paying:
        return household.paying
    return "aucun responsable joignable par e-mail\u00a0: à appeler, ou à qui écrire"
