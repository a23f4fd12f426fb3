"""« Absences » of a student, for either household: those of the year, those to come."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from students.models import SchoolYear
from students.selectors import household_students
from teaching.absences import selectors, services
from teaching.absences.forms import JustificationForm, NoticeForm
from teaching.enums import TO_JUSTIFY
from teaching.models import Absence, AbsenceNotice


@require_safe
def absences(request, pk):
    selection = household_students(request.user, pk)
    family = selection.own_family
    context = {
        "selection": selection,
        "year": SchoolYear.objects.current(),
        "absences": selectors.absences_of_year(selection.student, family),
        "notices": selectors.notices_to_come(selection.student),
        "to_justify": [state.value for state in TO_JUSTIFY],
    }
    return render(request, "teaching/absences.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def announce_absence(request, pk):
    """« Annoncer une absence »."""
    selection = household_students(request.user, pk)
    form = NoticeForm(selection.student, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.announce(
                selection.student, selection.own_family, **form.cleaned_data, actor=request.user
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "L'absence est annoncée à l'enseignant.")
            return redirect("teaching:absences", pk)
    return render(
        request, "teaching/absences_announce.html", {"selection": selection, "form": form}
    )


@require_POST
def withdraw_notice(request, pk, notice):
    """« Retirer »: he will come. Of one's own household's notices only."""
    selection = household_students(request.user, pk)
    found = get_object_or_404(
        AbsenceNotice.objects.live().visible_to(request.user),
        pk=notice,
        student=selection.student,
        family=selection.own_family,
    )
    try:
        services.withdraw(found, actor=request.user)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, "L'annonce est retirée.")
    return redirect("teaching:absences", pk)


@require_http_methods(["GET", "HEAD", "POST"])
def justify_absence(request, pk, absence):
    """« Justifier » an absence; the administration answers."""
    selection = household_students(request.user, pk)
    found = get_object_or_404(
        Absence.objects.live().visible_to(request.user).with_state().for_list(),
        pk=absence,
        enrolment__student=selection.student,
    )
    form = JustificationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.justify(found, selection.own_family, **form.cleaned_data, actor=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "Votre justification est envoyée à l'administration.")
            return redirect("teaching:absences", pk)
    context = {"selection": selection, "absence": found, "form": form}
    return render(request, "teaching/absences_justify.html", context)
