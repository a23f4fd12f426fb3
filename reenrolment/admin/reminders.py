"""« Rappels des pièces » of a campaign: who lacks what, the mail as it will be read, the sending.

The households ticked go from page to page in a hidden field, whatever the number of pages: an
agent unticks some here, some there, then reads the mail again.
"""

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.admin import permission_required
from accounts.dates import moment
from accounts.ticked import ticked, written
from reenrolment import emails
from reenrolment.admin.launches import campaign_of
from reenrolment.admin.reminder_forms import Lacks, ReminderForm
from reenrolment.admin.views import WIDE
from reenrolment.enums import ReminderOutcome
from reenrolment.lacking import lacking_households
from reenrolment.models import Campaign, PieceReminder
from reenrolment.reminder_progress import progress_of, reminders_of, sendings_of, state_of
from reenrolment.services import reminders as services

REMIND = "reenrolment.remind_families"
ROWS = 100  # lines of one page
LAST = 10  # reminders listed


def urls():
    """The addresses under a campaign's own, for its ModelAdmin."""

    def named(route, view):
        name = f"reenrolment_campaign_{view.__name__}"
        return path(f"<int:pk>/rappels/{route}", admin.site.admin_view(view), name=name)

    return [
        named("", reminders),
        named("message/", reminder_message),
        named("<int:reminder>/", reminder_progress),
        named("<int:reminder>/annuler/", reminder_cancel),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(REMIND)
def reminders(request, pk):
    """The list; its POST turns the page, or ticks, and writes nothing."""
    campaign = campaign_of(request, pk)
    households = lacking_households(campaign)
    form = Lacks(request.GET, households)
    found = form.filtered(households)
    reached = [household for household in found if household.reached]
    keys = {household.family.pk for household in reached}
    chosen = keys & ticked(request.POST) if request.method == "POST" else _by_default(reached)
    if request.method == "POST" and "cocher" in request.POST:
        chosen = keys if request.POST["cocher"] == "tous" else set()
    page = Paginator(reached, ROWS).get_page(request.POST.get("page"))
    context = {
        "form": form,
        "found": found,
        "page": page,
        "chosen": chosen,
        "chosen_keys": written(chosen),
        "shown_keys": written(household.family.pk for household in page),
        "unreached": [household for household in found if not household.reached],
        "query": request.GET.urlencode(),
        "reminders": [(each, state_of(each)) for each in reminders_of(campaign)[:LAST]],
    }
    return _render(
        request,
        campaign,
        "Rappels des pièces",
        "admin/reenrolment/campaign/reminders.html",
        context,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(REMIND)
def reminder_message(request, pk):
    """The mail as a family will read it, the secretariat's word, and the sending."""
    campaign = campaign_of(request, pk)
    back = redirect("admin:reenrolment_campaign_reminders", pk)
    if request.method != "POST":  # an address typed by hand: nobody is ticked
        return back
    chosen = ticked(request.POST)
    households = [each for each in lacking_households(campaign, chosen) if each.reached]
    if not households:
        messages.error(request, "Cochez au moins un foyer à relancer.")
        return back
    is_read_again = "relire" in request.POST or "exemple" in request.POST
    is_sent = "envoyer" in request.POST
    form = ReminderForm(
        request.POST if is_read_again or is_sent else None, initial={"when": ReminderForm.NOW}
    )
    is_right = form.is_valid()
    if is_sent and is_right:
        try:
            reminder = _plan(request, campaign, chosen, form.cleaned_data)
        except ValidationError as error:
            form.add_error(form.error_fields.get(getattr(error, "code", None)), error)
        else:
            return redirect("admin:reenrolment_campaign_reminder_progress", pk, reminder.pk)
    context = {
        "form": form,
        "households": households,
        "mails": sum(len(each.reached) for each in households),
        "by_hand": [each for each in households if not each.sends_itself],
        "chosen_keys": written(chosen),
        "example": _example(campaign, households, form, request.POST.get("exemple")),
    }
    return _render(
        request,
        campaign,
        "Message du rappel",
        "admin/reenrolment/campaign/reminder_message.html",
        context,
    )


@require_safe
@permission_required(REMIND)
def reminder_progress(request, pk, reminder):
    """Figures, and each household with what became of its mails."""
    campaign = campaign_of(request, pk)
    reminder = _reminder(campaign, reminder)
    progress = progress_of(reminder)
    lines = reminder.lines.select_related("family")
    page = Paginator(lines, ROWS).get_page(request.GET.get("page"))
    context = {
        "reminder": reminder,
        "state": state_of(reminder),
        "progress": progress,
        "figures": [
            (outcome, number)
            for outcome, number in progress.counts.items()
            if number or outcome == ReminderOutcome.SENT
        ],
        "page": page,
        "lines": sendings_of(reminder, page),
        "query": "",
    }
    return _render(
        request,
        campaign,
        str(reminder),
        "admin/reenrolment/campaign/reminder_progress.html",
        context,
    )


@require_POST
@permission_required(REMIND)
def reminder_cancel(request, pk, reminder):
    campaign = campaign_of(request, pk)
    reminder = _reminder(campaign, reminder)
    try:
        with transaction.atomic():
            services.cancel(reminder, actor=request.user)
            _log(request, campaign, f"Rappel des pièces du {moment(reminder.planned_for)} annulé.")
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, "Le rappel est annulé\u00a0: aucun message ne part.")
    return redirect("admin:reenrolment_campaign_reminders", pk)


@transaction.atomic
def _plan(request, campaign, chosen, cleaned):
    """Plans and logs it; says who is left out."""
    reminder = services.plan(
        campaign,
        chosen,
        actor=request.user,
        word=cleaned["word"],
        planned_for=cleaned["planned_for"],
    )
    count = reminder.lines.count()
    several = "s" if count > 1 else ""
    when = f"pour le {moment(reminder.planned_for)}" if cleaned["planned_for"] else "maintenant"
    told = f"{count} foyer{several} à relancer, {when}."
    _log(request, campaign, f"Rappel des pièces\u00a0: {told}")
    if left_out := len(chosen) - count:
        told += (
            f" {left_out} laissé{'s' if left_out > 1 else ''} de côté\u00a0: plus rien ne manque,"
            " ou un rappel part déjà ce jour-là."
        )
    messages.success(request, told)
    return reminder


def _example(campaign, households, form, asked):
    """The household asked for, else the first, with its mail and the next one to read."""
    keys = [str(household.family.pk) for household in households]
    place = keys.index(asked) if asked in keys else 0
    household = households[place]
    word = form.cleaned_data.get("word", "") if form.is_bound else ""
    subject, body = emails.remind_pieces(campaign, household, household.reached[0], word)
    following = households[place + 1] if place + 1 < len(households) else None
    return {
        "household": household,
        "guardians": household.reached,
        "subject": subject,
        "body": body,
        "following": following.family if following else None,
    }


def _by_default(households):
    return {each.family.pk for each in households if not each.was_reminded_today}


def _reminder(campaign, key):
    return get_object_or_404(
        PieceReminder.objects.filter(campaign=campaign).select_related("actor", "cancelled_by"),
        pk=key,
    )


def _log(request, campaign, text):
    LogEntry.objects.log_actions(request.user.pk, [campaign], CHANGE, text, single_object=True)


def _render(request, campaign, title, template, context):
    context = {
        **admin.site.each_context(request),
        **WIDE,
        "title": title,
        "opts": Campaign._meta,
        "campaign": campaign,
        **context,
    }
    return render(request, template, context)
