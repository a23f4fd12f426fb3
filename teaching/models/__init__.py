"""The tables of the app, one file by noun."""

from teaching.models.absences import AbsenceNotice, Justification
from teaching.models.announcements import (
    Announcement,
    AnnouncementFile,
    AnnouncementMove,
    AnnouncementRecipient,
    NewsRefusal,
)
from teaching.models.calendar import Closure, Lesson, LessonTime
from teaching.models.concerts import Concert, ConcertMove, ConcertPerformer, ConcertTurn
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
from teaching.models.register import Absence, AbsenceMove, Register, RegisterEntry, RegisterSettings
from teaching.models.timetable import CalendarFeed, LessonChange, TimetableSettings

__all__ = [
    "Absence",
    "AbsenceMove",
    "AbsenceNotice",
    "Announcement",
    "AnnouncementFile",
    "AnnouncementMove",
    "AnnouncementRecipient",
    "CalendarFeed",
    "Closure",
    "Concert",
    "ConcertMove",
    "ConcertPerformer",
    "ConcertTurn",
    "Criterion",
    "Evaluation",
    "EvaluationMove",
    "Justification",
    "Lesson",
    "LessonChange",
    "LessonTime",
    "Mark",
    "NewsRefusal",
    "Period",
    "Portrait",
    "PortraitSource",
    "Register",
    "RegisterEntry",
    "RegisterSettings",
    "Scale",
    "ScaleLevel",
    "TimetableSettings",
]
