"""« Répartition » of a campaign: run, read the figures, change a line, publish."""

from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.admin import permission_required
from reenrolment.admin.launches import campaign_of
from reenrolment.allotment_report import View, report_of
from reenrolment.models import Allotment, Campaign
from reenrolment.models.allotments import REASON_LENGTH, SEED_LENGTH
from reenrolment.services import allotments as services
from students.models import Slot

RUN = "reenrolment.run_allotment"
PUBLISH = "reenrolment.publish_allotment"
ROWS = 100  # lines of one page


class RunForm(forms.Form):
    seed = forms.CharField(
        label="Graine du tirage",
        max_length=SEED_LENGTH,
        required=False,
        help_text="La même graine redonne le même tirage. Vide\u00a0: une nouvelle, au hasard. "
        "Les familles liront toutes celles qui ont été essayées.",
    )
    note = forms.CharField(label="Remarque", max_length=300, required=False)


class LineForm(forms.Form):
    slot = forms.ModelChoiceField(
        label="Créneau", queryset=None, required=False, empty_label="Sans place"
    )
    reason = forms.CharField(
        label="Motif",
        max_length=REASON_LENGTH,
        help_text="La famille le lit avec le résultat.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, slots, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["slot"].queryset = slots


class PublishForm(forms.Form):
    confirm = forms.BooleanField(
        label="J'ai relu les chiffres et les élèves sans place\u00a0: les places peuvent être "
        "données et les familles prévenues.",
        error_messages={"required": "Cochez cette case pour publier."},
    )


def urls():
    """The addresses under a campaign's own, for its ModelAdmin."""

    def named(route, view):
        name = f"reenrolment_campaign_{view.__name__}"
        return path(f"<int:pk>/repartition/{route}", admin.site.admin_view(view), name=name)

    return [
        named("", allotments),
        named("<int:run>/", allotment),
        named("<int:run>/publier/", allotment_publish),
        named("<int:run>/ligne/<int:line>/", allotment_line),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(RUN)
def allotments(request, pk):
    """The runs so far, and the form of the next one: the same seed unless it is changed."""
    campaign = _campaign(request, pk)
    runs = list(campaign.allotments.select_related("made_by", "published_by"))
    form = RunForm(
        request.POST if request.method == "POST" else None,
        initial={"seed": runs[0].seed if runs else ""},
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = services.run(campaign, actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            _log(request, campaign, f"Répartition calculée\u00a0: graine {made.seed}.")
            return redirect("admin:reenrolment_campaign_allotment", pk, made.pk)
    context = {
        "runs": runs,
        "form": form,
        "published": next((run for run in runs if run.published_at), None),
        "is_over": campaign.closes_at <= timezone.now(),
    }
    return _render(
        request,
        campaign,
        "Répartition des vœux",
        "admin/reenrolment/campaign/allotments.html",
        context,
    )


@require_http_methods(["GET", "HEAD"])
@permission_required(RUN)
def allotment(request, pk, run):
    """The figures of one run, then its lines."""
    campaign = _campaign(request, pk)
    return _show(request, campaign, _run(campaign, run), PublishForm())


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(RUN)
def allotment_line(request, pk, run, line):
    """One student in one course: another slot of the plan, or none, and why."""
    campaign = _campaign(request, pk)
    report = report_of(_run(campaign, run))
    row = next((row for row in report.rows if row.pk == line), None)
    if row is None:
        raise Http404
    free = [slot.pk for slot in report.free_in(row)]
    form = LineForm(
        Slot.objects.filter(pk__in=free).select_related("course"),
        request.POST if request.method == "POST" else None,
        initial={"slot": row.slot_id, "reason": row.reason},
    )
    if request.method == "POST" and form.is_valid():
        try:
            _change(request, campaign, row, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, f"{row.choice.reenrolment.student}\u00a0: ligne changée.")
            return redirect("admin:reenrolment_campaign_allotment", pk, run)
    context = {"report": report, "line": report.line(row), "form": form}
    title = f"{row.choice.reenrolment.student}, {row.course}"
    return _render(
        request, campaign, title, "admin/reenrolment/campaign/allotment_line.html", context
    )


@require_POST
@permission_required(RUN, PUBLISH)
def allotment_publish(request, pk, run):
    campaign = _campaign(request, pk)
    made = _run(campaign, run)
    form = PublishForm(request.POST)
    if form.is_valid():
        try:
            _publish(request, campaign, made)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(
                request,
                "La répartition est publiée. Les places sont données et les familles prévenues "
                "dans les minutes qui suivent\u00a0: vous pouvez fermer cette page.",
            )
            return redirect("admin:reenrolment_campaign_allotment", pk, run)
    return _show(request, campaign, made, form)


@transaction.atomic
def _change(request, campaign, row, *, slot, reason):
    services.change(row, slot, reason=reason, actor=request.user)
    place = slot or "sans place"
    _log(request, campaign, f"Répartition n°\u00a0{row.allotment_id}, {row}\u00a0→ {place}")


@transaction.atomic
def _publish(request, campaign, made):
    services.publish(made, actor=request.user)
    _log(request, campaign, f"Répartition n°\u00a0{made.pk} publiée, graine {made.seed}.")


def _show(request, campaign, made, form):
    report = report_of(made)
    asked = request.GET.get("voir")
    view = View(asked) if asked in View.values else View.WITHOUT
    page = Paginator(report.of(view), ROWS).get_page(request.GET.get("page"))
    context = {
        "report": report,
        "view": view,
        "page": page,
        "lines": [report.line(row) for row in page],
        "query": urlencode({"voir": view}),
        "form": form,
        "published": campaign.allotments.published().first(),
        "is_over": campaign.closes_at <= timezone.now(),
    }
    return _render(
        request,
        campaign,
        f"Répartition n°\u00a0{made.pk}",
        "admin/reenrolment/campaign/allotment.html",
        context,
    )


def _campaign(request, pk):
    """One of the agent's sites, whose slots are ranked."""
    campaign = campaign_of(request, pk)
    if not campaign.by_allotment:
        raise Http404
    return campaign


def _run(campaign, key) -> Allotment:
    runs = campaign.allotments.select_related("campaign", "made_by", "published_by")
    return get_object_or_404(runs, pk=key)


def _log(request, campaign, text):
    LogEntry.objects.log_actions(request.user.pk, [campaign], CHANGE, text, single_object=True)


def _render(request, campaign, title, template, context):
    context = {
        **admin.site.each_context(request),
        "is_nav_sidebar_enabled": False,
        "title": title,
        "opts": Campaign._meta,
        "campaign": campaign,
        "runs_page": reverse("admin:reenrolment_campaign_allotments", args=[campaign.pk]),
        **context,
    }
    return render(request, template, context)
