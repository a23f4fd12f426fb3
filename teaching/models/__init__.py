"""The tables of the app, one file by noun."""

from teaching.models.calendar import Closure, Lesson, LessonTime
from teaching.models.portraits import Portrait, PortraitSource

__all__ = ["Closure", "Lesson", "LessonTime", "Portrait", "PortraitSource"]
