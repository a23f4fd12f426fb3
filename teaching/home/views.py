"""« Ma semaine »: where a teacher comes in, on a phone, between two lessons."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field, replace

from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from students.models import Enrolment, Teacher
from teaching.home.sources import SOURCES
from teaching.home.todo import ToDo
from teaching.lessons import Attendees, Occurrence, hours_of_teacher, lessons
from teaching.models import LessonTime

WEEK = dt.timedelta(days=7)
FAR = dt.timedelta(days=366 * 3)  # on either side of today


@dataclass(frozen=True)
class Entry:
    """A lesson as the page shows it."""

    lesson: Occurrence
    teacher: Teacher  # who reads
    attendees: list[Enrolment]
    to_do: list[ToDo] = field(default_factory=list)

    @property
    def name(self) -> str:
        """« Formation musicale A »; of an individual lesson the student too."""
        hour = self.lesson.hour
        if isinstance(hour, LessonTime) and hour.enrolment_id:
            return f"{self.lesson.name} – {hour.enrolment.student}"
        return self.lesson.name

    @property
    def expected(self) -> int:
        return len(self.attendees)

    @property
    def is_replaced(self) -> bool:
        """Somebody else gives the reader's lesson."""
        return self.lesson.is_substituted and self.lesson.teacher != self.teacher

    @property
    def list_url(self) -> str:
        """The class list, of his own classes only."""
        if self.lesson.usual_teacher != self.teacher:
            return ""
        if isinstance(self.lesson.hour, LessonTime):
            return reverse("teacher:course", args=[self.lesson.course.pk])
        return reverse("teacher:slot", args=[self.lesson.hour.pk])


@dataclass(frozen=True)
class Day:
    date: dt.date
    entries: list[Entry]
    is_today: bool


@require_safe
def index(request):
    """The lessons of a week at all the account's sites, today's first, with what is left to do.

    `?semaine=2026-10-14`: the week of that day; anything else, this one. The queries are as many
    whatever the number of lessons and of students.
    """
    teacher = get_object_or_404(Teacher, user=request.user)
    sites = list(request.establishments)  # as the header reads them too
    now = timezone.now()
    today = timezone.localdate(now)
    monday = _monday(request.GET.get("semaine"), today)
    sunday = monday + WEEK - dt.timedelta(days=1)
    hours = hours_of_teacher(teacher, sites, monday, sunday)
    found = lessons(hours, monday, sunday)
    days = _days(_entries(teacher, hours, found, now), today)
    context = {
        "monday": monday,
        "sunday": sunday,
        "is_this_week": monday <= today <= sunday,
        "today": next((day for day in days if day.is_today), None),
        "days": [day for day in days if not day.is_today],
        "others": [each for source in SOURCES for each in source.others(teacher, sites, now)],
        "previous": monday - WEEK,
        "next": monday + WEEK,
        "several_sites": len(sites) > 1,
    }
    return render(request, "teaching/home_index.html", context)


def _monday(asked, today):
    try:
        day = dt.date.fromisoformat(asked or "")
    except ValueError:
        day = today
    day = day if abs(day - today) < FAR else today
    return day - dt.timedelta(days=day.weekday())


def _entries(teacher, hours, found, now):
    attendees = Attendees(hours)
    to_do = defaultdict(list)
    for source in SOURCES:
        for key, each in source.due(teacher, found, now).items():
            to_do[key] += each
    entries = [Entry(lesson, teacher, attendees.of(lesson)) for lesson in found]
    # Where nobody is expected there is nothing to do.
    return [
        replace(entry, to_do=to_do[entry.lesson.key]) if entry.attendees else entry
        for entry in entries
    ]


def _days(entries, today):
    by_date = defaultdict(list)
    for entry in entries:
        by_date[timezone.localdate(entry.lesson.starts)].append(entry)
    return [Day(date, each, date == today) for date, each in sorted(by_date.items())]
