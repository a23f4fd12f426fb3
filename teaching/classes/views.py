"""Class lists: who comes, and nothing else about the families (security.md).

« Mes classes » shows those of the site chosen; a class of another site of the account opens by its
address.
"""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.attachments import seal
from accounts.names import with_de
from accounts.spreadsheets.writing import CONTENT_TYPES, CSV
from students.enums import Scheduling
from students.models import Course, Enrolment, SchoolYear, Slot, Teacher
from teaching.classes import hours, portraits
from teaching.classes.files import take_out
from teaching.classes.forms import FromDayForm, HourForm
from teaching.classes.lists import class_lists

FACES = "trombinoscope"


@require_safe
def classes(request):
    """« Mes classes »: those of this year and of the coming one, at the chosen establishment."""
    teacher = get_object_or_404(Teacher, user=request.user)
    years = _years()
    slots = _slots(request, teacher, years).with_places().with_students()
    courses = _courses(request, teacher, years).with_students()
    slots = slots.order_by(*Slot._meta.ordering)  # counting leaves the order out
    courses = courses.order_by(*Course._meta.ordering)
    by_year = [
        {
            "year": year,
            "slots": [slot for slot in slots if slot.course.school_year_id == year.pk],
            "courses": [course for course in courses if course.school_year_id == year.pk],
        }
        for year in years
    ]
    return render(request, "teaching/class_classes.html", {"classes": by_year})


@require_safe
def slot(request, pk):
    """Who comes to the teacher's lesson, to read and to print; `?vue=trombinoscope`: faces."""
    return _show(request, _slot(request, pk))


@require_safe
def course(request, pk):
    """The same for a course without slots: the teacher or the school fixes the hours."""
    return _show(request, _course(request, pk))


@require_safe
def slot_file(request, pk):
    """The list as a file: `?format=xlsx`, else CSV."""
    return _file(request, [_slot(request, pk)])


@require_safe
def course_file(request, pk):
    return _file(request, [_course(request, pk)])


@require_safe
def all_lists(request, year):
    """Every class of a year at the chosen establishment, one after the other, to print at once."""
    teacher = get_object_or_404(Teacher, user=request.user)
    year = get_object_or_404(SchoolYear, pk=year, pk__in=[each.pk for each in _years()])
    lists = class_lists(_all_classes(request, teacher, year))
    context = {"year": year, "lists": lists, "faces": request.GET.get("vue") == FACES}
    return render(request, "teaching/class_all_lists.html", context)


@require_safe
def all_files(request, year):
    """The same as one file."""
    teacher = get_object_or_404(Teacher, user=request.user)
    year = get_object_or_404(SchoolYear, pk=year, pk__in=[each.pk for each in _years()])
    return _file(request, _all_classes(request, teacher, year))


@require_safe
def portrait(request, pk):
    """A small picture of one of his own students: shown, and kept by no browser."""
    teacher = get_object_or_404(Teacher, user=request.user)
    sites = request.user.establishments.all()
    found = get_object_or_404(portraits.of_teacher(teacher, sites), pk=pk)
    try:
        with found.file.open() as stored:
            content = stored.read()
    except FileNotFoundError:
        raise Http404 from None
    response = HttpResponse(content, content_type="image/jpeg")
    seal(response)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def hour(request, pk):
    """Fixes or changes the weekly hour of one student (`pk`: his enrolment)."""
    enrolment, form = _enrolment(request, pk), HourForm(request.POST or None)
    time = _time(enrolment)
    if request.method != "POST":
        form = HourForm(initial=_initial(enrolment, time))
    elif form.is_valid():
        try:
            hours.fix(enrolment, form.wanted, even_so=form.cleaned_data["even_so"])
        except ValidationError as error:
            form.refuse(error)
        else:
            text = f"L'horaire {with_de(enrolment.student)} est enregistré."
            messages.success(request, text)
            return redirect("teacher:course", enrolment.course_id)
    context = {"enrolment": enrolment, "time": time, "form": form}
    if time is not None:
        context["end_form"] = FromDayForm(
            initial={"from_day": hours.first_day(enrolment.course)}, prefix="fin"
        )
    return render(request, "teaching/class_hour.html", context)


@require_POST
def end_hour(request, pk):
    """Takes the student's hour away, from a day on."""
    enrolment = _enrolment(request, pk)
    form = FromDayForm(request.POST, prefix="fin")
    if not form.is_valid():
        messages.error(request, "Indiquez à partir de quel jour cet horaire est retiré.")
        return redirect("teacher:hour", pk)
    try:
        hours.end(enrolment, form.cleaned_data["from_day"])
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("teacher:hour", pk)
    text = f"L'horaire {with_de(enrolment.student)} est retiré."
    messages.success(request, text)
    return redirect("teacher:course", enrolment.course_id)


def _years():
    """This one and the coming one."""
    under_way = SchoolYear.objects.filter(ends_on__gte=timezone.localdate())
    return list(under_way.order_by("starts_on")[:2])


def _slots(request, teacher, years):
    slots = Slot.objects.taught_by(teacher).filter(
        course__establishment=request.establishment, course__school_year__in=years
    )
    return slots.select_related("course__establishment", "course__school_year")


def _courses(request, teacher, years):
    courses = Course.objects.taught_by(teacher).filter(
        establishment=request.establishment, school_year__in=years
    )
    return courses.select_related("establishment", "school_year")


def _all_classes(request, teacher, year):
    return [*_slots(request, teacher, [year]), *_courses(request, teacher, [year])]


def _slot(request, pk):
    teacher = get_object_or_404(Teacher, user=request.user)
    slots = Slot.objects.taught_by(teacher).filter(
        course__establishment__in=request.user.establishments.all()
    )
    slots = slots.with_places().select_related("course__school_year", "course__establishment")
    return get_object_or_404(slots, pk=pk)


def _course(request, pk):
    teacher = get_object_or_404(Teacher, user=request.user)
    courses = Course.objects.taught_by(teacher).filter(
        establishment__in=request.user.establishments.all()
    )
    return get_object_or_404(courses.select_related("school_year", "establishment"), pk=pk)


def _enrolment(request, pk):
    """One of his own students, in a course of which he fixes the hours."""
    teacher = get_object_or_404(Teacher, user=request.user)
    enrolments = Enrolment.objects.confirmed().filter(
        course__teacher=teacher,
        course__scheduling=Scheduling.TEACHER,
        course__establishment__in=request.user.establishments.all(),
    )
    enrolments = enrolments.select_related("student", "course__school_year")
    return get_object_or_404(enrolments, pk=pk)


def _time(enrolment):
    """The hour that lasts, or is to come."""
    return enrolment.lesson_times.filter(ends_on=None).first()


def _initial(enrolment, time):
    first = {"from_day": hours.first_day(enrolment.course)}
    if time is None:
        return first
    names = ("weekday", "starts_at", "ends_at", "room")
    return first | {name: getattr(time, name) for name in names}


def _show(request, found):
    (each,) = class_lists([found])
    context = {"list": each, "faces": request.GET.get("vue") == FACES}
    return render(request, "teaching/class.html", context)


def _file(request, found):
    format_ = request.GET.get("format")
    format_ = format_ if format_ in CONTENT_TYPES else CSV
    content = take_out(class_lists(found), format_, actor=request.user)
    response = HttpResponse(content, content_type=CONTENT_TYPES[format_])
    name = f"classes-{timezone.localdate():%Y-%m-%d}.{format_}"
    response["Content-Disposition"] = content_disposition_header(True, name)
    seal(response)
    return response
