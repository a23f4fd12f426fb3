"""The teacher's timetable: his week, his calendar feed, his lessons where he may change them."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from students.models import Teacher
from teaching.enums import Space
from teaching.lessons import lesson_of
from teaching.models import TimetableSettings
from teaching.register import voiding
from teaching.timetable import feed_pages, services, words
from teaching.timetable.forms import MoveForm, ReasonForm
from teaching.timetable.week import asked_monday, teacher_week


@require_safe
def week(request):
    """His lessons, at the sites of his account."""
    teacher = get_object_or_404(Teacher, user=request.user)
    sites = request.user.establishments.all()
    context = {
        "week": teacher_week(teacher, sites, asked_monday(request)),
        "may_change": _sites_where_they_change(sites),
    }
    return render(request, "teaching/timetable_teacher.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def change_lesson(request, key):
    """Cancel, move or restore one of his own lessons, where his establishment lets teachers."""
    lesson = _own_lesson(request, key)
    act = request.POST.get("act", "")
    data = {name: request.POST if act == name else None for name in ("move", "cancel", "restore")}
    asks = {"is_called": bool(voiding.called([lesson]))}
    forms = {
        "move": MoveForm(data["move"], lesson=lesson, prefix="move", **asks),
        "cancel": ReasonForm(data["cancel"], prefix="cancel", **asks),
        "restore": ReasonForm(data["restore"], prefix="restore", **asks),
    }
    form = forms.get(act)
    if request.method == "POST" and form and form.is_valid():
        try:
            said = _do(act, lesson, form, request.user)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{said} Les familles sont prévenues.")
            return redirect("teacher:change_lesson", key)
    context = {
        "lesson": lesson,
        "notes": words.what_became(lesson),
        "forms": forms,
        "failed": form,
    }
    return render(request, "teaching/timetable_change.html", context)


def _do(act, lesson, form, actor):
    data = {"actor": actor, "reason": form.cleaned_data["reason"], "voids": form.confirms}
    if act == "cancel":
        services.cancel([lesson], **data)
        return "La séance est annulée."
    if act == "move":
        services.move(lesson, form.where, **data)
        return "La séance est déplacée."
    services.restore([lesson], **data)
    return "La séance est rétablie."


def _own_lesson(request, key):
    """His own or one where he replaces, at a site of his account that lets teachers; else 404."""
    teacher = get_object_or_404(Teacher, user=request.user)
    sites = request.user.establishments.all()
    lesson = lesson_of(teacher, key, sites)
    if lesson.course.establishment_id not in _sites_where_they_change(sites):
        raise Http404
    return lesson


def _sites_where_they_change(sites):
    rows = TimetableSettings.objects.filter(establishment__in=sites, teachers_change_lessons=True)
    return set(rows.values_list("establishment", flat=True))


@require_safe
def feed(request):
    """The private address of his own lessons."""
    get_object_or_404(Teacher, user=request.user)
    return feed_pages.show(request, Space.TEACHER)


@require_POST
def make_feed(request):
    get_object_or_404(Teacher, user=request.user)
    return feed_pages.make(request, Space.TEACHER)


@require_POST
def revoke_feed(request):
    get_object_or_404(Teacher, user=request.user)
    return feed_pages.revoke(request, Space.TEACHER)
