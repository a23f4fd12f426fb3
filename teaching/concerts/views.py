"""What families read of the concerts where their children play."""

from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from students.selectors import household_students
from teaching.concerts.programme import programme_of
from teaching.concerts.selectors import concerts_of_student
from teaching.models import Concert


@require_safe
def concerts(request, pk):
    """A student's: those to come, the next first, then those past."""
    selection = household_students(request.user, pk)
    own = {student.pk for student in selection.students}
    found = concerts_of_student(request.user, selection.student, own)
    now = timezone.now()
    context = {
        "selection": selection,
        "coming": [date for date in reversed(found) if date.concert.starts_at >= now],
        "past": [date for date in found if date.concert.starts_at < now],
    }
    return render(request, "teaching/student_concerts.html", context)


@require_safe
def concert(request, pk, concert):
    """The programme, as the household may read it."""
    selection = household_students(request.user, pk)
    concerts = Concert.objects.visible_to(request.user).filter(
        turns__performers__enrolment__student=selection.student
    )
    found = get_object_or_404(concerts.distinct().select_related("establishment"), pk=concert)
    own = {student.pk for student in selection.students}
    context = {
        "selection": selection,
        "concert": found,
        "programme": programme_of(found, only=own),
    }
    return render(request, "teaching/student_concert.html", context)
