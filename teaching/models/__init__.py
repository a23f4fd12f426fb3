"""The tables of the app, one file by noun."""

from teaching.models.calendar import Closure, Lesson, LessonTime

__all__ = ["Closure", "Lesson", "LessonTime"]
