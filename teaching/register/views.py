"""The teacher's registers: those of the moment, and the one of a lesson."""

import datetime as dt

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from students.models import Teacher
from teaching.lessons import Attendees, find, hours_of_teacher, lesson_of, lessons
from teaching.register import services
from teaching.register.forms import RegisterForm
from teaching.register.marks import summary_of
from teaching.register.selectors import FORGOTTEN_DAYS, name_of, not_called, sheet_of

BACK = dt.timedelta(days=FORGOTTEN_DAYS)


@require_safe
def registers(request):
    """« Appel »: today's lessons, and those of two weeks whose register was forgotten."""
    teacher = get_object_or_404(Teacher, user=request.user)
    today = timezone.localdate()
    hours = hours_of_teacher(teacher, request.user.establishments.all(), today - BACK, today)
    expected = Attendees(hours)
    found = [
        lesson
        for lesson in lessons(hours, today - BACK, today)
        if teacher in (lesson.teacher, lesson.usual_teacher) and expected.of(lesson)
    ]
    end_of_today = timezone.localtime().replace(hour=23, minute=59, second=59)
    due = {lesson.key for lesson in not_called(found, end_of_today)}
    context = {
        "today": [(lesson, lesson.key in due) for lesson in found if lesson.starts.date() == today],
        "forgotten": [
            lesson for lesson in found if lesson.key in due and lesson.starts.date() < today
        ],
    }
    return render(request, "teaching/register_index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def register(request, key):
    """The register of one lesson: everybody is present, but for whom one says otherwise."""
    teacher = get_object_or_404(Teacher, user=request.user)
    lesson = lesson_of(teacher, key, request.user.establishments.all())
    form = RegisterForm(sheet_of(lesson), request.POST if request.method == "POST" else None)
    if request.method == "POST":
        return _send(request, form)
    closed = _why_closed(lesson)
    return render(request, "teaching/register.html", _context(request, form, closed=closed))


def _send(request, form):
    if not form.is_valid():
        return _refused(request, form, 422, "Corrigez ce qui est signalé, puis validez à nouveau.")
    try:
        called = services.call(
            form.sheet.lesson, form.marks, **form.sending.cleaned_data, actor=request.user
        )
    except ValidationError as error:
        if error.code != "stale":
            return _refused(request, form, 422, error.messages[0])
        # What the others wrote may have come after this page read the lesson.
        lesson = find(form.sheet.lesson.hour, form.sheet.lesson.planned_on)
        form = RegisterForm(sheet_of(lesson), request.POST)
        form.is_valid()
        return _refused(request, form.after_conflict(), 409, error.messages[0], conflict=True)
    if not called.is_known:
        messages.success(request, f"L'appel est enregistré\u00a0: {summary_of(called.marks)}.")
    if called.unexpected:
        messages.warning(
            request,
            "Un élève que vous aviez noté n'est plus attendu à ce cours\u00a0: il n'est pas dans "
            "l'appel.",
        )
    url = reverse("teacher:register", args=[form.sheet.lesson.key])
    if _is_script(request):
        return JsonResponse({"url": url, "version": called.version})
    return redirect(url)


def _refused(request, form, status, sentence, *, conflict=False):
    if _is_script(request):  # it sends the form as a page, which says it
        return JsonResponse({"sentence": sentence}, status=status)
    context = _context(request, form, sentence=sentence, conflict=conflict)
    return render(request, "teaching/register.html", context, status=status)


def _context(request, form, *, closed="", sentence="", conflict=False):
    last = form.sheet.last
    return {
        "form": form,
        "lesson": form.sheet.lesson,
        "last": last,
        "last_by": name_of(last.by, reader=request.user) if last else "",
        "closed": closed,
        "sentence": sentence,
        "conflict": conflict,
    }


def _why_closed(lesson):
    try:
        services.check_open(lesson)
    except ValidationError as error:
        return error.messages[0]
    return ""


def _is_script(request):
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"
