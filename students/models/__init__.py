"""The tables of the app, one file by noun: years, people, courses, enrolments."""

from students.models.class_changes import ClassChange
from students.models.courses import Course, Discipline, Place, Slot
from students.models.enrolments import Enrolment, RepertoirePiece
from students.models.holds import Hold
from students.models.people import Custody, Student, Teacher
from students.models.waiting import WaitingEntry, WaitingMove
from students.models.works import Work
from students.models.years import SchoolYear

__all__ = [
    "ClassChange",
    "Course",
    "Custody",
    "Discipline",
    "Enrolment",
    "Hold",
    "Place",
    "RepertoirePiece",
    "SchoolYear",
    "Slot",
    "Student",
    "Teacher",
    "WaitingEntry",
    "WaitingMove",
    "Work",
]
