"""« Mode guichet »: the page that opens a dossier for an agent, and « Terminer »."""

from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from reenrolment.forms import AssistForm
from reenrolment.middleware import SESSION_KEY
from reenrolment.services import assisting
from students.models import Student


@require_http_methods(["GET", "HEAD", "POST"])
def assist(request, pk):
    """« Remplir au guichet »: for which household; the POST opens the dossier for 60 minutes."""
    if not request.user.has_perm(assisting.PERMISSION):
        raise Http404
    student = get_object_or_404(Student, pk=pk)
    if not assisting.may_assist(request.user, student):
        raise Http404
    form = AssistForm(student, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            assisted = assisting.start(student, form.cleaned_data["family"], actor=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            request.session[SESSION_KEY] = assisted.pk
            return redirect("reenrolment:edit", pk)
    return render(request, "reenrolment/assist.html", {"student": student, "form": form})


@require_POST
def stop_assisting(request):
    """« Terminer »: back to the student's page of the administration."""
    request.session.pop(SESSION_KEY, None)
    if request.acting_for is None:
        return redirect("imuse:enter")
    assisting.end(request.acting_for)
    return redirect(reverse("admin:students_student_change", args=[request.acting_for.student_id]))
