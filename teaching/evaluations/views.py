"""What families read of their students' evaluations, once published."""

from itertools import groupby

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.attachments import attached_pdf
from students.selectors import household_students
from teaching.evaluations.bulletin import bulletin_of, entry_of, print_bulletin
from teaching.evaluations.selectors import published_of


@require_safe
def evaluations(request, pk):
    """Every period of a student at the site chosen, the latest first."""
    selection = household_students(request.user, pk)
    found = published_of(request.user, selection.student, request.establishment)
    periods = [
        {"period": period, "entries": [entry_of(each) for each in rows]}
        for period, rows in groupby(found, key=lambda each: each.period)
    ]
    return render(
        request, "teaching/student_evaluations.html", {"selection": selection, "periods": periods}
    )


@require_safe
def bulletin(request, pk, period):
    selection, found = _bulletin(request, pk, period)
    return render(
        request,
        "teaching/bulletin.html",
        {"selection": selection, "bulletin": found, "period_pk": period},
    )


@require_safe
def bulletin_pdf(request, pk, period):
    selection, found = _bulletin(request, pk, period)
    try:
        pdf = print_bulletin(found)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("teaching:bulletin", pk, period)
    return attached_pdf(pdf, f"Bulletin {selection.student} {found.period}.pdf")


def _bulletin(request, pk, period_pk):
    selection = household_students(request.user, pk)
    every = published_of(request.user, selection.student, request.establishment)
    evaluations = [each for each in every if each.period_id == period_pk]
    if not evaluations:
        raise Http404
    return selection, bulletin_of(evaluations[0].period, evaluations)
