"""The families' timetable: the household's week, one student's, and the calendar feed."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_POST, require_safe

from families.models import Guardian
from students.selectors import household_students
from teaching.enums import Space
from teaching.timetable import feed_pages, feeds
from teaching.timetable.calendars import Publication
from teaching.timetable.week import asked_monday, household_week, next_lessons
from teaching.timetable.week import student_week as week_of_student


@require_safe
def week(request):
    """All the household's students, side by side."""
    get_object_or_404(Guardian, user=request.user)
    found = household_week(request.user, asked_monday(request))
    return render(request, "teaching/timetable_week.html", {"week": found})


@require_safe
def student_week(request, pk):
    """One student: what comes next, and a week; under the « cours » tab."""
    selection = household_students(request.user, pk)
    context = {
        "selection": selection,
        "week": week_of_student(selection.student, request.user, asked_monday(request)),
        "next_lessons": next_lessons(selection.student),
    }
    return render(request, "teaching/timetable_student.html", context)


@require_safe
def feed(request):
    """The private address of the household's lessons, and how to give it to a calendar."""
    get_object_or_404(Guardian, user=request.user)
    return feed_pages.show(request, Space.FAMILY)


@require_POST
def make_feed(request):
    get_object_or_404(Guardian, user=request.user)
    return feed_pages.make(request, Space.FAMILY)


@require_POST
def revoke_feed(request):
    get_object_or_404(Guardian, user=request.user)
    return feed_pages.revoke(request, Space.FAMILY)


@require_safe
@login_not_required
def calendar(request, token):
    """What a telephone reads by itself: the address is the secret, there is no session.

    Read again and again for nothing: an unchanged calendar is answered 304, without writing it.
    """
    found = feeds.find(token)
    agenda = feeds.agenda_of(found) if found else None
    if agenda is None:
        raise Http404
    feeds.note_read(found)
    publication = Publication(f"{settings.SITE_NAME} – emploi du temps", agenda)
    response = get_conditional_response(request, etag=publication.etag)
    if response is None:
        response = HttpResponse(publication.write(), content_type="text/calendar; charset=utf-8")
        response["Content-Disposition"] = 'inline; filename="emploi-du-temps.ics"'
    response["ETag"] = publication.etag
    patch_cache_control(response, private=True, max_age=900)
    return response
