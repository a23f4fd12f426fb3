"""« Rappels des pièces » of a campaign: who lacks what, the mail to be read, the sending."""

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.admin import permission_required
from accounts.dates import moment
from accounts.ticked import ticked
from families.reminders import pages
from reenrolment import emails
from reenrolment.admin.launches import campaign_of
from reenrolment.admin.reminder_forms import Lacks
from reenrolment.admin.views import WIDE
from reenrolment.lacking import lacking_households
from reenrolment.models import Campaign, PieceReminder
from reenrolment.services import reminders as services

REMIND = "reenrolment.remind_families"


def urls():
    """The addresses under a campaign's own, for its ModelAdmin."""

    def named(route, view):
        name = f"reenrolment_campaign_{view.__name__}"
        return path(f"<int:pk>/rappels/{route}", admin.site.admin_view(view), name=name)

    return [
        named("", reminders),
        named(pages.MESSAGE, reminder_message),
        named("<int:reminder>/", reminder_progress),
        named(f"<int:reminder>/{pages.CANCEL}", reminder_cancel),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(REMIND)
def reminders(request, pk):
    """The list; its POST turns the page, or ticks, and writes nothing."""
    campaign = campaign_of(request, pk)
    households = lacking_households(campaign)
    form = Lacks(request.GET, households)
    found = form.filtered(households)
    context = {
        "form": form,
        "found": found,
        "unreached": [household for household in found if not household.reached],
        **pages.choosing(
            request,
            [household for household in found if household.reached],
            by_default=lambda household: not household.was_reminded_today,
            reminders=campaign.piece_reminders,
        ),
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
        messages.error(request, pages.NOBODY)
        return back
    context, reminder = pages.message(
        request,
        households,
        whose="du secrétariat",
        write=lambda household, guardian, word: emails.remind_pieces(
            campaign, household, guardian, word
        ),
        plan=lambda cleaned: _plan(request, campaign, chosen, cleaned),
    )
    if reminder:
        return redirect("admin:reenrolment_campaign_reminder_progress", pk, reminder.pk)
    context["by_hand"] = [each for each in households if not each.sends_itself]
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
    return _render(
        request,
        campaign,
        str(reminder),
        "admin/reenrolment/campaign/reminder_progress.html",
        pages.became(request, reminder),
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
    planned_for = cleaned["planned_for"]
    reminder = services.plan(
        campaign, chosen, actor=request.user, word=cleaned["word"], planned_for=planned_for
    )
    told = pages.told(reminder, now=planned_for is None)
    _log(request, campaign, f"Rappel des pièces\u00a0: {told}")
    why = "plus rien ne manque, ou un rappel part déjà ce jour-là"
    told += pages.left_out(len(chosen) - reminder.lines.count(), why)
    messages.success(request, told)
    return reminder


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
