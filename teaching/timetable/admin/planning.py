"""The acts of the staff: with one lesson, or with all those of a teacher who is away."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from accounts.admin import permission_required
from accounts.selectors import establishments_of
from teaching.lessons import hours_of_teacher, lesson_named, lessons
from teaching.models import LessonChange
from teaching.register import voiding
from teaching.timetable import services, words
from teaching.timetable.forms import (
    AbsenceForm,
    ReasonForm,
    ReplaceForm,
    StaffMoveForm,
)

PLAN = "teaching.plan_lessons"
TOLD = "Les familles et les enseignants sont prévenus."


class PlanningMixin:
    """For LessonAdmin; every POST is one service."""

    def get_urls(self):
        views = [("seance/<str:key>", self.plan), ("absence", self.absence)]
        return [
            *[
                path(
                    f"{route}/",
                    self.admin_site.admin_view(view),
                    name=f"teaching_lesson_{view.__name__}",
                )
                for route, view in views
            ],
            *super().get_urls(),
        ]

    @method_decorator(permission_required(PLAN))
    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def plan(self, request, key):
        """One lesson: cancel, move, replace, restore."""
        lesson = self._lesson(request, key)
        act = request.POST.get("act", "")
        data = {name: request.POST if act == name else None for name in _FORMS}
        asks = {"is_called": bool(voiding.called([lesson]))}
        forms = {
            "cancel": ReasonForm(data["cancel"], prefix="cancel", **asks),
            "move": StaffMoveForm(data["move"], lesson=lesson, prefix="move", **asks),
            "replace": ReplaceForm(data["replace"], prefix="replace"),
            "restore": ReasonForm(data["restore"], prefix="restore", **asks),
        }
        form = forms.get(act)
        if request.method == "POST" and form and form.is_valid():
            try:
                said = _do(act, [lesson], form, request.user)
            except ValidationError as error:
                form.refuse(error)
            else:
                self.message_user(request, f"{said} {TOLD}", messages.SUCCESS)
                return HttpResponseRedirect(request.get_full_path())
        log = LessonChange.objects.select_related("actor")
        context = self._context(request, lesson.name) | {
            "lesson": lesson,
            "where": words.where_and_when(lesson),
            "planned": words.planned(lesson),
            "notes": words.what_became(lesson),
            "forms": forms,
            "failed": form,
            "changes": log.filter(lesson=lesson.row) if lesson.row else [],
        }
        return render(request, "admin/teaching/lesson/plan.html", context)

    @method_decorator(permission_required(PLAN))
    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def absence(self, request):
        """A teacher away from one day to another: his lessons, cancelled or replaced in one act."""
        form = AbsenceForm(request.GET or None)
        is_asked = form.is_bound and form.is_valid()
        found = _lessons_of(form.cleaned_data, request.user) if is_asked else []
        act = request.POST.get("act", "")
        called = voiding.called(found)
        cancel = ReasonForm(
            request.POST if act == "cancel" else None, prefix="cancel", is_called=bool(called)
        )
        replace = ReplaceForm(request.POST if act == "replace" else None, prefix="replace")
        done = {"cancel": cancel, "replace": replace}.get(act)
        ticked = set(request.POST.getlist("lesson"))
        chosen = [lesson for lesson in found if lesson.key in ticked]
        if request.method == "POST" and done and done.is_valid():
            try:
                _check_any(chosen)
                said = _do(act, chosen, done, request.user)
            except ValidationError as error:
                done.refuse(error)
            else:
                self.message_user(request, f"{said} {TOLD}", messages.SUCCESS)
                return HttpResponseRedirect(request.get_full_path())
        context = self._context(request, "Absence d'un enseignant") | {
            "form": form,
            "is_asked": is_asked,
            "lessons": [
                (lesson, words.where_and_when(lesson), _notes(lesson, called)) for lesson in found
            ],
            "ticked": ticked if request.method == "POST" else {lesson.key for lesson in found},
            "cancel": cancel,
            "replace": replace,
            "failed": done,
        }
        return render(request, "admin/teaching/lesson/absence.html", context)

    def _lesson(self, request, key):
        """Of an hour of the agent's establishments; else 404."""
        lesson = lesson_named(key, establishments_of(request.user))
        if lesson is None:
            raise Http404
        return lesson


_FORMS = ["cancel", "move", "replace", "restore"]


def _do(act, chosen, form, actor):
    """Does it and says it. ValidationError: see the services."""
    data = {"actor": actor, "reason": form.cleaned_data["reason"]}
    if act != "replace":  # the register says who gave it, whoever was to
        data["voids"] = form.confirms
    match act:
        case "cancel":
            done = len(services.cancel(chosen, **data))
            return f"{done} séances annulées." if done > 1 else "La séance est annulée."
        case "replace":
            data |= {name: form.cleaned_data[name] for name in ("substitute", "despite")}
            done = len(services.replace(chosen, **data))
            said = f"{data['substitute']} remplace"
            return f"{said}\u00a0: {done} séances." if done > 1 else f"{said} pour cette séance."
        case "move":
            [lesson] = chosen
            services.move(lesson, form.where, despite=form.cleaned_data["despite"], **data)
            return "La séance est déplacée."
    services.restore(chosen, **data)
    return "La séance est rétablie."


def _notes(lesson, called):
    notes = words.what_became(lesson)
    return [*notes, "L'appel est fait"] if lesson.key in called else notes


def _check_any(chosen):
    if not chosen:
        raise ValidationError("Choisissez au moins une séance.", code="nothing")


def _lessons_of(absence, agent):
    """Those that the teacher is to give between the days, at the agent's establishments."""
    teacher, first, last = absence["teacher"], absence["first"], absence["last"]
    hours = hours_of_teacher(teacher, establishments_of(agent), first, last)
    return [
        lesson
        for lesson in lessons(hours, first, last)
        if lesson.teacher == teacher and not lesson.is_cancelled
    ]
