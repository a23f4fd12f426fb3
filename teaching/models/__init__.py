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

__all__ = [
    "Closure",
    "Criterion",
    "Evaluation",
    "EvaluationMove",
    "Lesson",
    "LessonTime",
    "Mark",
    "Period",
    "Scale",
    "ScaleLevel",
]
