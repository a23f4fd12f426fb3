"""Class lists: who comes, and nothing else about the families (security.md).

Those of the site chosen; a class of another site of the account opens by its address.
"""

from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from students.models import Course, Enrolment, SchoolYear, Slot, Teacher


@require_safe
def index(request):
    """« Mes classes »: those of this year and of the coming one, at the chosen establishment."""
    teacher = get_object_or_404(Teacher, user=request.user)
    years = list(
        SchoolYear.objects.filter(ends_on__gte=timezone.localdate()).order_by("starts_on")[:2]
    )
    slots = (
        Slot.objects.taught_by(teacher)
        .filter(course__establishment=request.establishment, course__school_year__in=years)
        .with_places()
        .with_students()
        .select_related("course")
        .order_by(*Slot._meta.ordering)  # counting leaves the order out
    )
    courses = (
        Course.objects.taught_by(teacher)
        .filter(establishment=request.establishment, school_year__in=years)
        .with_students()
        .order_by(*Course._meta.ordering)
    )
    classes = [
        {
            "year": year,
            "slots": [slot for slot in slots if slot.course.school_year_id == year.pk],
            "courses": [course for course in courses if course.school_year_id == year.pk],
        }
        for year in years
    ]
    return render(request, "teaching/class_index.html", {"classes": classes})


@require_safe
def slot(request, pk):
    """Who comes to the teacher's lesson, to read and to print."""
    teacher = get_object_or_404(Teacher, user=request.user)
    slot = get_object_or_404(
        Slot.objects.taught_by(teacher)
        .filter(course__establishment__in=request.user.establishments.all())
        .with_places()
        .select_related("course__school_year"),
        pk=pk,
    )
    enrolments = _class_list(Enrolment.objects.filter(place__slot=slot))
    return render(request, "teaching/class_slot.html", {"slot": slot, "enrolments": enrolments})


@require_safe
def course(request, pk):
    """The same for a course without slots: the teacher or the school fixes the hours."""
    teacher = get_object_or_404(Teacher, user=request.user)
    course = get_object_or_404(
        Course.objects.taught_by(teacher)
        .filter(establishment__in=request.user.establishments.all())
        .select_related("school_year"),
        pk=pk,
    )
    enrolments = _class_list(Enrolment.objects.filter(course=course))
    return render(
        request, "teaching/class_course.html", {"course": course, "enrolments": enrolments}
    )


def _class_list(enrolments):
    live = enrolments.live().select_related("student")
    return list(live.order_by("student__sort_name", "student_id"))
