"""« Lancement » of a campaign: preview, dry run, progress, letters to print."""

from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import mails
from accounts.admin import permission_required
from accounts.names import sort_key
from accounts.selectors import establishments_of
from families.models import Family
from reenrolment.launch_preview import View, example_of, lines_of, planned_usernames, preview_of
from reenrolment.launch_progress import (
    State,
    detail_of,
    families_to_write_to,
    progress_of,
    state_of,
)
from reenrolment.launch_progress import lines_of as lines_of_launch
from reenrolment.letters import AT_ONCE, letters_of, print_letters
from reenrolment.models import Campaign, Launch
from reenrolment.services import launches

LAUNCH = "reenrolment.launch_campaign"
ROWS = 100  # lines of one page


class LaunchForm(forms.Form):
    """`expected` is what the page showed: nobody launches what he has not read."""

    expected = forms.IntegerField(widget=forms.HiddenInput)
    confirm = forms.BooleanField(
        label="J'ai relu l'exemple et la liste\u00a0: les comptes peuvent être créés et les"
        " messages envoyés.",
        error_messages={"required": "Cochez cette case pour lancer."},
    )


def urls():
    """The addresses under a campaign's own, for its ModelAdmin."""

    def named(route, view):
        name = f"reenrolment_campaign_{view.__name__}"
        return path(f"<int:pk>/lancement/{route}", admin.site.admin_view(view), name=name)

    return [
        named("", launch),
        named("essai/", launch_rehearsal),
        named("suivi/", launch_progress),
        named("lettres/", launch_letters),
        named("lettres/pdf/", launch_letters_pdf),
        named("renvoyer/<int:family>/", launch_resend),
        named("reessayer/", launch_retry),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(LAUNCH)
def launch(request, pk):
    """The preview; its POST launches."""
    campaign = campaign_of(request, pk)
    preview = preview_of(campaign)
    initial = {"expected": preview.guardians}
    form = LaunchForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            launches.launch(campaign, actor=request.user, expected=form.cleaned_data["expected"])
        except ValidationError as error:
            form = LaunchForm(initial=initial)  # the figures of now
            messages.error(request, error.messages[0])
        else:
            messages.success(request, "Le lancement est en route. Vous pouvez fermer cette page.")
            return redirect("admin:reenrolment_campaign_launch_progress", pk)
    example = example_of(campaign, _number(request, "foyer"))
    if example is None and "foyer" in request.GET:
        raise Http404
    context = {
        "preview": preview,
        "example": example,
        "form": form,
        "launched": Launch.objects.filter(campaign=campaign).first(),
        "is_over": campaign.closes_at <= timezone.now(),
    }
    return _render(
        request,
        campaign,
        "Lancement des réinscriptions",
        "admin/reenrolment/campaign/launch.html",
        context,
    )


@require_safe
@permission_required(LAUNCH)
def launch_rehearsal(request, pk):
    """The dry run: each responsable, his identifiant, what he would get; nothing is written."""
    campaign = campaign_of(request, pk)
    asked = request.GET.get("voir")
    view = View(asked) if asked in View.values else View.ALL
    planned = [one for one in planned_usernames(campaign) if view in one.views]
    page = Paginator(planned, ROWS).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "lines": lines_of(campaign, page.object_list),
        "view": view,
        "views": View,
        "query": urlencode({"voir": view}),
    }
    return _render(
        request,
        campaign,
        "Essai à blanc",
        "admin/reenrolment/campaign/launch_rehearsal.html",
        context,
    )


@require_safe
@permission_required(LAUNCH)
def launch_progress(request, pk):
    """Figures, the failures first, any household by its name."""
    campaign = campaign_of(request, pk)
    launch = _launch(campaign)
    progress = progress_of(launch)
    searched = request.GET.get("q", "").strip()
    state = _state(request, State.FAILED if not searched else None)
    lines = lines_of_launch(launch, state=state)
    for word in sort_key(searched).split():
        lines = lines.filter(
            Q(guardian__sort_name__contains=word) | Q(guardian__family__sort_name__contains=word)
        )
    page = Paginator(lines, ROWS).get_page(request.GET.get("page"))
    context = {
        "launch": launch,
        "progress": progress,
        "figures": [(each, progress.counts[each]) for each in State],
        "state": state,
        "searched": searched,
        "page": page,
        "lines": [(line, state_of(line), detail_of(line)) for line in page],
        "query": urlencode({"etat": state or "", "q": searched}),
        "given_up": mails.given_up().filter(launch_mail__launch=launch).count(),
        "resends": launch.resends.select_related("family", "actor")[:10],
    }
    return _render(
        request,
        campaign,
        "Suivi du lancement",
        "admin/reenrolment/campaign/launch_progress.html",
        context,
    )


@require_safe
@permission_required(LAUNCH)
def launch_letters(request, pk):
    """What the PDF holds, to read and to print from the browser: its accessible twin."""
    campaign = campaign_of(request, pk)
    page = _page_of_letters(request, campaign)
    context = {"page": page, "letters": letters_of(campaign, page), "query": ""}
    return _render(
        request,
        campaign,
        "Lettres de lancement",
        "admin/reenrolment/campaign/launch_letters.html",
        context,
    )


@require_safe
@permission_required(LAUNCH)
def launch_letters_pdf(request, pk):
    """One letter a sheet, for window envelopes: those of one page of `launch_letters`."""
    campaign = campaign_of(request, pk)
    page = _page_of_letters(request, campaign)
    letters = letters_of(campaign, page)
    if not letters:
        raise Http404
    try:
        pdf = print_letters(letters, campaign)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        address = reverse("admin:reenrolment_campaign_launch_letters", args=[pk])
        return redirect(f"{address}?page={page.number}")
    name = f"lettres-{campaign.school_year}-{page.number}.pdf"
    return HttpResponse(
        pdf,
        content_type="application/pdf",
        headers={"Content-Disposition": content_disposition_header(True, name)},
    )


@require_POST
@permission_required(LAUNCH)
def launch_resend(request, pk, family):
    campaign = campaign_of(request, pk)
    family = get_object_or_404(
        Family.objects.filter(guardians__launch_mails__launch__campaign=campaign).distinct(),
        pk=family,
    )
    try:
        count = launches.resend(_launch(campaign), family, actor=request.user)
    except ValidationError as error:
        messages.error(request, f"{family}\u00a0: {error.messages[0]}")
    else:
        several = "s" if count > 1 else ""
        text = f"{family}\u00a0: {count} message{several} renvoyé{several}."
        messages.success(request, text)
    address = reverse("admin:reenrolment_campaign_launch_progress", args=[pk])
    return redirect(f"{address}?{urlencode({'q': family.name})}")


@require_POST
@permission_required(LAUNCH)
def launch_retry(request, pk):
    """Every mail given up, once what stopped them is mended."""
    campaign = campaign_of(request, pk)
    count = launches.retry(_launch(campaign))
    several = "s" if count > 1 else ""
    text = f"Nouvel essai de {count} message{several} abandonné{several}."
    LogEntry.objects.log_actions(request.user.pk, [campaign], CHANGE, text, single_object=True)
    messages.success(request, text)
    return redirect("admin:reenrolment_campaign_launch_progress", pk)


def campaign_of(request, pk) -> Campaign:
    """Raises Http404 for one of another site."""
    campaigns = Campaign.objects.select_related("establishment", "school_year", "previous_year")
    return get_object_or_404(
        campaigns.filter(establishment__in=establishments_of(request.user)), pk=pk
    )


def _launch(campaign):
    return get_object_or_404(
        Launch.objects.select_related("actor", "campaign__establishment", "campaign__school_year"),
        campaign=campaign,
    )


def _page_of_letters(request, campaign):
    families = families_to_write_to(_launch(campaign))
    return Paginator(families, AT_ONCE).get_page(request.GET.get("page"))


def _state(request, default):
    """The state asked for; `etat=` alone is all of them, an unknown one the default."""
    value = request.GET.get("etat")
    if value == "":
        return None
    return State(value) if value in State.values else default


def _number(request, name):
    """A key in the address, None without one; -1, nobody's, when it cannot be one."""
    value = request.GET.get(name)
    if value is None:
        return None
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 16 else -1


def _render(request, campaign, title, template, context):
    context = {
        **admin.site.each_context(request),
        "is_nav_sidebar_enabled": False,
        "title": title,
        "opts": Campaign._meta,
        "campaign": campaign,
        **context,
    }
    return render(request, template, context)
