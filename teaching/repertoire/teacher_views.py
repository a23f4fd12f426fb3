"""The teacher's pages of the repertoire: a class, a student, a piece; own students only."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.names import with_de
from students import repertoire as services
from students.models import RepertoirePiece, Slot, Teacher
from teaching.repertoire.editing import answer
from teaching.repertoire.forms import (
    CorrectionForm,
    EnsembleForm,
    PieceForm,
)
from teaching.repertoire.selectors import (
    classes_now,
    counts_of,
    may_change,
    pieces_of,
    pupils_now,
)


@require_safe
def repertoire_slot(request, pk):
    return _class(request, _slot(request, pk))


@require_safe
def repertoire_course(request, pk):
    return _class(request, _course(request, pk))


@require_safe
def repertoire(request, pk):
    """What one student (`pk`: his enrolment) played, over the years."""
    enrolment, enrolments, teacher = _pupil(request, pk)
    pieces = list(pieces_of(enrolment.student))
    for piece in pieces:
        piece.may_change = may_change(piece, teacher, enrolments)
    context = {"enrolment": enrolment, "pieces": pieces, "class_url": _address(enrolment)}
    return render(request, "teaching/repertoire.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add_piece(request, pk):
    """A piece to one student's repertoire (`pk`: his enrolment)."""
    enrolment, _, teacher = _pupil(request, pk)
    back = reverse("teacher:repertoire", args=[pk])

    def write(form):
        services.add(
            form.played, [enrolment], teacher=teacher, sending=form.cleaned_data["sending"]
        )
        return f"Le répertoire {with_de(enrolment.student)} compte un morceau de plus."

    return _edit(request, PieceForm, write, back, enrolment=enrolment, course=enrolment.course)


@require_http_methods(["GET", "HEAD", "POST"])
def add_to_slot(request, pk):
    return _add_to_class(request, _slot(request, pk))


@require_http_methods(["GET", "HEAD", "POST"])
def add_to_course(request, pk):
    return _add_to_class(request, _course(request, pk))


@require_http_methods(["GET", "HEAD", "POST"])
def piece(request, pk):
    """Corrects a piece of his own hand, or of his own course."""
    found, enrolment = _piece(request, pk)
    back = reverse("teacher:repertoire", args=[enrolment.pk])

    def write(form):
        try:
            services.correct(found, form.played, edition=form.cleaned_data["edition"])
        except ValidationError as error:
            if getattr(error, "code", "") == "stale":
                form.take_over(error.params["current"])
            raise
        return "Le morceau est corrigé."

    course = found.course or enrolment.course
    return _edit(
        request, CorrectionForm, write, back, enrolment=enrolment, course=course, piece=found
    )


@require_POST
def remove_piece(request, pk):
    found, enrolment = _piece(request, pk)
    services.remove(found)
    messages.success(
        request,
        f"«\u00a0{found.title}\u00a0» est retiré du répertoire {with_de(enrolment.student)}.",
    )
    return redirect("teacher:repertoire", enrolment.pk)


@require_safe
def works(request):
    """What is suggested while a teacher types (static/js/repertoire.js)."""
    get_object_or_404(Teacher, user=request.user)
    found = services.suggest(
        request.GET.get("compositeur", "")[:200], request.GET.get("oeuvre", "")[:200]
    )
    return JsonResponse({"suggestions": [vars(each) for each in found]})


def _class(request, group):
    enrolments = _enrolments(request, group)
    course = group.course if isinstance(group, Slot) else group
    counts = counts_of(enrolments, course.school_year)
    rows = [(each, counts.get(each.student_id, 0)) for each in enrolments]
    context = {"group": group, "course": course, "rows": rows, **_addresses(group)}
    return render(request, "teaching/repertoire_class.html", context)


def _add_to_class(request, group):
    enrolments = _enrolments(request, group)
    if not enrolments:
        raise Http404
    teacher = Teacher.objects.get(user=request.user)

    def write(form):
        written = services.add(
            form.played, form.chosen, teacher=teacher, sending=form.cleaned_data["sending"]
        )
        count = len(written)
        plural = "s" if count > 1 else ""
        return f"Le morceau est inscrit au répertoire de {count} élève{plural}."

    addresses = _addresses(group)
    return _edit(
        request,
        EnsembleForm,
        write,
        addresses["class_url"],
        form_kwargs={"enrolments": enrolments},
        group=group,
        course=enrolments[0].course,
    )


def _edit(request, form_class, write, back, *, form_kwargs=None, course, **context):
    kwargs = dict(form_kwargs or {})
    if "piece" in context:
        kwargs["piece"] = context["piece"]
    form, done = answer(request, form_class, write, **kwargs)
    if done:
        messages.success(request, done)
        return redirect(back)
    context |= {
        "form": form,
        "back": back,
        "composers": services.composers([course.discipline_id]),
    }
    return render(request, "teaching/repertoire_piece.html", context)


def _teacher(request):
    return get_object_or_404(Teacher, user=request.user), request.user.establishments.all()


def _slot(request, pk):
    slots, _ = classes_now(*_teacher(request))
    return get_object_or_404(slots, pk=pk)


def _course(request, pk):
    _, courses = classes_now(*_teacher(request))
    return get_object_or_404(courses, pk=pk)


def _enrolments(request, group):
    ours = pupils_now(*_teacher(request))
    ours = ours.filter(place__slot=group) if isinstance(group, Slot) else ours.filter(course=group)
    return list(ours)


def _pupil(request, pk):
    """The enrolment, those of the same student in the teacher's classes, the teacher."""
    teacher, sites = _teacher(request)
    ours = pupils_now(teacher, sites)
    enrolment = get_object_or_404(ours, pk=pk)
    return enrolment, list(ours.filter(student=enrolment.student_id)), teacher


def _piece(request, pk):
    """A piece that he may change, and one enrolment of its student in his classes."""
    teacher, sites = _teacher(request)
    pieces = RepertoirePiece.objects.select_related("student", "school_year", "course")
    found = get_object_or_404(pieces, pk=pk)
    enrolments = list(pupils_now(teacher, sites).filter(student=found.student_id))
    if not enrolments or not may_change(found, teacher, enrolments):
        raise Http404
    same = [each for each in enrolments if each.course_id == found.course_id]
    return found, (same or enrolments)[0]


def _address(enrolment):
    if enrolment.slot:
        return reverse("teacher:repertoire_slot", args=[enrolment.slot.pk])
    return reverse("teacher:repertoire_course", args=[enrolment.course_id])


def _addresses(group):
    kind = "slot" if isinstance(group, Slot) else "course"
    return {
        "class_url": reverse(f"teacher:repertoire_{kind}", args=[group.pk]),
        "add_url": reverse(f"teacher:add_to_{kind}", args=[group.pk]),
        "list_url": reverse(f"teacher:{kind}", args=[group.pk]),
    }
