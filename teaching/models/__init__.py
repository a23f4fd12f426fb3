"""The tables of the app, one file by noun."""

from teaching.models.calendar import Closure, Lesson, LessonTime
from teaching.models.evaluations import (
    Criterion,
    Evaluation,
    EvaluationMove,
    Mark,
    Period,
    Scale,
    ScaleLevel,
)
from teaching.models.portraits import Portrait, PortraitSource
from teaching.models.timetable import CalendarFeed, LessonChange, TimetableSettings

__all__ = [
    "CalendarFeed",
    "Closure",
    "Criterion",
    "Evaluation",
    "EvaluationMove",
    "Lesson",
    "LessonChange",
    "LessonTime",
    "Mark",
    "Period",
    "Portrait",
    "PortraitSource",
    "Scale",
    "ScaleLevel",
    "TimetableSettings",
]
