"""« Relances »: which households are late, the mail as it will be read, the sending.

The form of reenrolment's « Rappels des pièces »: the households ticked go from page to page in a
hidden field (accounts.ticked).
"""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.http import require_http_methods, require_safe

from accounts.admin import permission_required
from accounts.ticked import ticked, written
from billing.admin.page import REMIND, show
from billing.admin.regie_forms import OverdueForm, ReminderForm
from billing.emails import remind_payment
from billing.enums import PaymentReminderOutcome as Outcome
from billing.models import Invoice, PaymentReminder
from billing.regie.overdue import overdue_households
from billing.regie.progress import mails_of, progress_of, reminders_of
from billing.regie.settings import settings_of
from billing.services.reminders import plan

ROWS = 100  # lines of one page
LAST = 10  # reminders listed


def urls():
    def named(route, view):
        name = f"billing_invoice_{view.__name__}"
        return path(f"relances/{route}", admin.site.admin_view(view), name=name)

    return [
        named("", reminders),
        named("message/", reminder_message),
        named("<int:pk>/", reminder_progress),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(REMIND)
def reminders(request):
    """The list; its POST turns the page, or ticks, and writes nothing."""
    site = request.establishment
    form = OverdueForm(request.GET)
    found = form.filtered(overdue_households(site))
    to_remind = [each for each in found if _may_be_reminded(each)]
    keys = {each.family.pk for each in to_remind}
    chosen = keys & ticked(request.POST) if request.method == "POST" else _by_default(to_remind)
    if request.method == "POST" and "cocher" in request.POST:
        chosen = keys if request.POST["cocher"] == "tous" else set()
    page = Paginator(to_remind, ROWS).get_page(request.POST.get("page"))
    context = {
        "form": form,
        "page": page,
        "chosen": chosen,
        "chosen_keys": written(chosen),
        "shown_keys": written(each.family.pk for each in page),
        "others": [(each, _why_not(each)) for each in found if not _may_be_reminded(each)],
        "query": request.GET.urlencode(),
        "settings": settings_of(site),
        "site": site,
        "reminders": reminders_of(site)[:LAST],
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
        messages.error(request, "Cochez au moins un foyer à relancer.")
        return back
    is_sent = "envoyer" in request.POST
    is_read_again = "relire" in request.POST or "exemple" in request.POST
    form = ReminderForm(request.POST if is_sent or is_read_again else None)
    is_right = form.is_valid()
    if is_sent and is_right:
        try:
            reminder = plan(site, chosen, actor=request.user, word=form.cleaned_data["word"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _told(reminder.lines.count(), len(chosen)))
            return redirect("admin:billing_invoice_reminder_progress", reminder.pk)
    context = {
        "form": form,
        "households": households,
        "amount": sum(each.amount for each in households),
        "mails": sum(len(each.reached) for each in households),
        "chosen_keys": written(chosen),
        "example": _example(site, households, form, request.POST.get("exemple")),
    }
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
    ours = PaymentReminder.objects.filter(establishment=request.establishment)
    reminder = get_object_or_404(ours.select_related("actor"), pk=pk)
    progress = progress_of(reminder)
    lines = reminder.lines.select_related("family").prefetch_related("invoices__invoice")
    page = Paginator(lines, ROWS).get_page(request.GET.get("page"))
    context = {
        "reminder": reminder,
        "progress": progress,
        "figures": [
            (outcome, number)
            for outcome, number in progress.counts.items()
            if number or outcome == Outcome.SENT
        ],
        "page": page,
        "lines": mails_of(reminder, page),
    }
    return show(
        request, str(reminder), "admin/billing/invoice/reminder_progress.html", context, Invoice
    )


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


def _by_default(households):
    return {each.family.pk for each in households if not each.was_reminded_lately}


def _told(count, chosen):
    several = "s" if count > 1 else ""
    told = f"{count} foyer{several} à relancer, maintenant."
    if left_out := chosen - count:
        told += (
            f" {left_out} laissé{'s' if left_out > 1 else ''} de côté\u00a0: plus rien en retard,"
            " paiement en ligne en cours, ou déjà relancé aujourd'hui."
        )
    return told


def _example(site, households, form, asked):
    """The household asked for, else the first, with its mail and the next one to read."""
    keys = [str(household.family.pk) for household in households]
    place = keys.index(asked) if asked in keys else 0
    household = households[place]
    word = form.cleaned_data.get("word", "") if form.is_bound else ""
    subject, body = remind_payment(site, household, household.reached[0], word)
    following = households[place + 1] if place + 1 < len(households) else None
    return {
        "household": household,
        "subject": subject,
        "body": body,
        "following": following.family if following else None,
    }
