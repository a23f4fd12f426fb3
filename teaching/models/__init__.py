"""The tables of the app, one file by noun."""

from teaching.models.calendar import Closure, Lesson, LessonTime
from teaching.models.timetable import CalendarFeed, LessonChange, TimetableSettings

__all__ = [
    "CalendarFeed",
    "Closure",
    "Lesson",
    "LessonChange",
    "LessonTime",
    "TimetableSettings",
]
