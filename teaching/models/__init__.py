"""The tables of the app, one file by noun."""

from teaching.models.absences import AbsenceNotice, Justification
from teaching.models.calendar import Closure, Lesson, LessonTime
from teaching.models.register import (
    Absence,
    AbsenceMove,
    Register,
    RegisterEntry,
    RegisterSettings,
)

__all__ = [
    "Absence",
    "AbsenceMove",
    "AbsenceNotice",
    "Closure",
    "Justification",
    "Lesson",
    "LessonTime",
    "Register",
    "RegisterEntry",
    "RegisterSettings",
]
