"""« Mes données »: what is kept, a copy of it, its erasure (RGPD, articles 15, 17 and 20)."""

import logging

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.attachments import seal
from families import data_exports, erasures
from families.data_forms import ErasureForm
from families.models import DataExport, ErasureRequest, Family

logger = logging.getLogger(__name__)
security = logging.getLogger("accounts.security")


@require_safe
def my_data(request):
    """What is kept of the household, where its last copy and its last request stand."""
    family = get_object_or_404(Family.objects.visible_to(request.user))
    erasure = ErasureRequest.objects.visible_to(request.user).select_related("asked_by").first()
    context = {
        "family": family,
        "export": DataExport.objects.visible_to(request.user).first(),
        "erasure": erasure,
        "answer_before": erasure and erasures.answer_before(erasure),
        "is_asker": erasure and erasure.asked_by == request.user,
        "days": data_exports.LIFE.days,
    }
    return render(request, "families/my_data.html", context)


@require_POST
def ask_export(request):
    family = get_object_or_404(Family.objects.visible_to(request.user))
    try:
        data_exports.ask(family, actor=request.user)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(
            request, "Votre copie est en préparation. Un message vous dira quand elle sera prête."
        )
    return redirect("families:my_data")


@require_safe
def download_export(request, pk):
    """The archive, for whoever asked for it; a page with the status 503 while it can't be read."""
    export = get_object_or_404(DataExport.objects.visible_to(request.user).to_download(), pk=pk)
    try:
        archive = export.file.open()
    except Exception:  # each storage has its own
        logger.exception("The data export %s could not be read.", export.pk)
        return render(request, "families/export_unavailable.html", status=503)
    day = timezone.localdate(export.asked_at)
    response = FileResponse(
        archive,
        as_attachment=True,
        filename=f"mes-donnees-{day}.zip",
        content_type="application/zip",
    )
    response["Content-Length"] = export.size
    seal(response)
    if request.method == "GET":
        security.info("Data export %s downloaded by %s", export.pk, request.user.username)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def ask_erasure(request):
    family = get_object_or_404(Family.objects.visible_to(request.user))
    form = ErasureForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            erasures.ask(family, text=form.cleaned_data["text"], actor=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(
                request, "Votre demande est enregistrée. Un message vient de vous être envoyé."
            )
            return redirect("families:my_data")
    return render(request, "families/ask_erasure.html", {"form": form})
