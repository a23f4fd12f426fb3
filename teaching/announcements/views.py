"""« Messages » of a family: what it received, one of them, and whether it wants the mails."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from documents.lending import FileUnavailable
from families.models import Guardian
from teaching.announcements import opting_out, services
from teaching.announcements.files import lend
from teaching.announcements.forms import PreferenceForm
from teaching.announcements.selectors import received_by
from teaching.models import AnnouncementFile, AnnouncementRecipient, NewsRefusal

ROWS = 20


@require_safe
def announcements(request):
    """All that the responsable received, the newest first."""
    get_object_or_404(Guardian, user=request.user)
    page = Paginator(received_by(request.user), ROWS).get_page(request.GET.get("page"))
    return render(request, "teaching/announcements.html", {"page": page})


@require_safe
def announcement(request, pk):
    """One of them. To read it changes nothing: « J'ai lu » does, or the page's script for it."""
    recipient = _recipient(request, pk)
    context = {"recipient": recipient, "files": recipient.announcement.files.kept()}
    return render(request, "teaching/announcement.html", context)


@require_POST
def read_announcement(request, pk):
    services.mark_read(_recipient(request, pk))
    return redirect("teaching:announcement", pk)


@require_safe
def announcement_file(request, pk):
    file = get_object_or_404(AnnouncementFile.objects.visible_to(request.user), pk=pk)
    return lend_or_say(request, file)


@require_http_methods(["GET", "HEAD", "POST"])
def message_preferences(request):
    """Each responsable's own: which messages come by mail."""
    guardian = get_object_or_404(Guardian, user=request.user)
    refuses = NewsRefusal.objects.visible_to(request.user).exists()
    typed = request.POST if request.method == "POST" else None  # an empty one says no
    form = PreferenceForm(typed, initial={"news": not refuses})
    if request.method == "POST" and form.is_valid():
        services.want_news(guardian, form.cleaned_data["news"])
        messages.success(request, "Votre choix est enregistré.")
        return redirect("teaching:message_preferences")
    return render(request, "teaching/message_preferences.html", {"form": form})


@login_not_required
@csrf_exempt  # no session is used: the address itself is what allows it (RFC 8058, one click)
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request, token):
    """Where the link of a mail leads. It tells nobody's name; its button acts, not the link."""
    guardian = opting_out.guardian_of(token)
    if guardian is None:
        raise Http404
    if request.method == "POST":
        services.want_news(guardian, False)
    context = {"is_done": request.method == "POST", "conservatoire": settings.SITE_NAME}
    return render(request, "teaching/unsubscribe.html", context)


def lend_or_say(request, file: AnnouncementFile):
    """The file, else a page that says so (503)."""
    try:
        return lend(file)
    except FileUnavailable as error:
        context = {"file": file}
        return render(request, "teaching/announcement_file.html", context, status=error.status)


def _recipient(request, pk):
    ours = AnnouncementRecipient.objects.visible_to(request.user)
    ours = ours.select_related("announcement__establishment")
    return get_object_or_404(ours, announcement=pk)
