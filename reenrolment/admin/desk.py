"""« Pilotage » of a campaign: the live board, and « Prolonger »."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.admin import permission_required
from accounts.dates import moment
from accounts.middleware import BACKGROUND
from accounts.moments import MomentField
from reenrolment.admin.launches import campaign_of
from reenrolment.admin.views import WIDE
from reenrolment.desk import FIGURES, board_of
from reenrolment.models import Campaign
from reenrolment.services import extensions

PILOT = "reenrolment.change_campaign"


class ExtendForm(forms.Form):
    """Cleaned to `closes_at` and `tell`."""

    closes_at = MomentField(
        label="Nouvelle fermeture", help_text="À l'heure de Paris, à la minute."
    )
    tell = forms.BooleanField(
        label="Prévenir par e-mail ceux qui ont commencé sans valider", required=False
    )


def urls():
    """The addresses under a campaign's own, for its ModelAdmin."""
    views = {"pilotage": desk, "prolonger": extend}
    return [
        path(
            f"<int:pk>/{route}/",
            admin.site.admin_view(view),
            name=f"reenrolment_campaign_{view.__name__}",
        )
        for route, view in views.items()
    ]


@never_cache
@require_safe
@permission_required(PILOT)
def desk(request, pk):
    """The whole page; to the page itself, which asks every 30 seconds, what has moved."""
    campaign = campaign_of(request, pk)
    discipline = _discipline(request)
    context = {
        "campaign": campaign,
        "board": board_of(campaign, discipline),
        "figures": list(FIGURES),
        "discipline": discipline,
        "here": request.get_full_path(),
        "may_change": request.user.has_perm("students.change_slot"),
        "may_add": request.user.has_perm("students.add_slot"),
    }
    if BACKGROUND in request.headers:
        return render(request, "admin/reenrolment/campaign/_board.html", context)
    context |= admin.site.each_context(request) | WIDE
    context |= {"title": "Pilotage", "opts": Campaign._meta}
    return render(request, "admin/reenrolment/campaign/desk.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(PILOT)
def extend(request, pk):
    campaign = campaign_of(request, pk)
    form = ExtendForm(
        request.POST if request.method == "POST" else None,
        initial={"closes_at": campaign.closes_at},
    )
    if request.method == "POST" and form.is_valid():
        try:
            told = _extend(request, campaign, **form.cleaned_data)
        except ValidationError as error:
            form.add_error("closes_at", error)
        else:
            messages.success(request, told)
            return redirect("admin:reenrolment_campaign_desk", pk)
    context = admin.site.each_context(request) | {
        "title": "Prolonger",
        "opts": Campaign._meta,
        "campaign": campaign,
        "form": form,
        "is_over": campaign.closes_at <= timezone.now(),
        "to_tell": extensions.guardians_to_tell(campaign).count(),
        "drafts": extensions.drafts_of(campaign).count(),
    }
    return render(request, "admin/reenrolment/campaign/extend.html", context)


@transaction.atomic
def _extend(request, campaign, *, closes_at, tell):
    """Extends and logs it; gives what was done, in words."""
    count = extensions.extend(campaign, closes_at=closes_at, tell=tell)
    several = "s" if count > 1 else ""
    done = f"La campagne ferme désormais le {moment(closes_at)}"
    done += f"\u00a0; {count} message{several} à envoyer." if tell else "."
    LogEntry.objects.log_actions(
        request.user.pk,
        [campaign],
        CHANGE,
        f"Prolongée\u00a0: elle fermait le {moment(campaign.closes_at)}. {done}",
        single_object=True,
    )
    return done


def _discipline(request):
    """The key asked for, None without one. Raises Http404 when it cannot be one."""
    value = request.GET.get("discipline", "")
    if value and not (value.isascii() and value.isdecimal() and len(value) < 16):
        raise Http404
    return int(value) if value else None
