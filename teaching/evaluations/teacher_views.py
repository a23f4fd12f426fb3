"""The teacher's pages of evaluations: what is left, a class, one student after the other."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from students.models import Course, Slot, Teacher
from teaching.evaluations import services
from teaching.evaluations.bulletin import entry_of
from teaching.evaluations.forms import EvaluationForm
from teaching.evaluations.selectors import (
    class_of,
    classes_of,
    next_courses,
    periods_to_evaluate,
    pupils_of,
)
from teaching.models import Criterion, Evaluation, Period


@require_safe
def evaluations(request):
    """The periods under way at the site chosen, and what is left to write in each class."""
    teacher = get_object_or_404(Teacher, user=request.user)
    periods = periods_to_evaluate(request.establishment)
    sites = request.user.establishments.filter(pk=request.establishment.pk)
    classes = classes_of(teacher, sites, periods) if periods else {}
    return render(request, "teaching/evaluations.html", {"classes": classes})


@require_safe
def evaluation_slot(request, period, pk):
    return _class(request, period, get_object_or_404(Slot.objects.select_related("course"), pk=pk))


@require_safe
def evaluation_course(request, period, pk):
    return _class(request, period, get_object_or_404(Course, pk=pk))


def _class(request, period, group):
    teacher = get_object_or_404(Teacher, user=request.user)
    found = class_of(teacher, request.user.establishments.all(), _period(period), group)
    if found is None:
        raise Http404
    return render(request, "teaching/evaluation_class.html", {"class": found})


@require_http_methods(["GET", "HEAD", "POST"])
def evaluation(request, period, pk):
    """What is said of one student; « Enregistrer » keeps a draft, « Terminer » ends it."""
    teacher = get_object_or_404(Teacher, user=request.user)
    enrolment = get_object_or_404(pupils_of(teacher, request.user.establishments.all()), pk=pk)
    period = _period(period)
    course = enrolment.course
    if (period.school_year_id, period.establishment_id) != (
        course.school_year_id,
        course.establishment_id,
    ):
        raise Http404
    row = (
        Evaluation.objects.filter(enrolment=enrolment, period=period)
        .for_list()
        .select_related("next_course")
        .prefetch_related("marks")
        .first()
    )
    form = EvaluationForm(
        request.POST if request.method == "POST" else None,
        course=course,
        criteria=list(
            Criterion.objects.asked_of(course)
            .select_related("scale")
            .prefetch_related("scale__levels")
        ),
        next_courses=next_courses(course).select_related("school_year"),
        row=row,
    )
    following = _following(teacher, request, period, enrolment)
    if request.method == "POST" and form.is_valid():
        finished = "terminer" in request.POST
        try:
            services.write(enrolment, period, form.said, teacher=teacher, finished=finished)
        except ValidationError as error:
            _refuse(form, error)
        else:
            done = "terminée" if finished else "enregistrée en brouillon"
            messages.success(request, f"L'évaluation de {enrolment.student} est {done}.")
            return redirect(*_next_page(request, period, enrolment, following, finished))
    return render(
        request,
        "teaching/evaluation.html",
        {
            "enrolment": enrolment,
            "period": period,
            "evaluation": row,
            "entry": row and entry_of(row),
            "form": form,
            "following": following,
            "group": enrolment.slot or course,
            "group_url": _class_address(period, enrolment),
        },
    )


def _period(pk):
    """One that teachers may write in: 404 for a year that is over, or not begun."""
    periods = Period.objects.open().select_related("school_year", "establishment")
    return get_object_or_404(periods, pk=pk)


def _refuse(form, error):
    form.add_error(None, error)
    if error.code == "stale":
        form.take_over(error.params["current"])


def _following(teacher, request, period, enrolment):
    """The next student of the class by name, if any."""
    group = enrolment.slot or enrolment.course
    ours = pupils_of(teacher, request.user.establishments.all())
    ours = ours.filter(place__slot=group) if isinstance(group, Slot) else ours.filter(course=group)
    rows = list(ours)
    place = [row.pk for row in rows].index(enrolment.pk)
    return rows[place + 1] if place + 1 < len(rows) else None


def _next_page(request, period, enrolment, following, finished):
    if not finished:
        return "teacher:evaluation", period.pk, enrolment.pk
    if following:
        return "teacher:evaluation", period.pk, following.pk
    return _class_address(period, enrolment)


def _class_address(period, enrolment):
    slot = enrolment.slot
    if slot:
        return "teacher:evaluation_slot", period.pk, slot.pk
    return "teacher:evaluation_course", period.pk, enrolment.course_id
