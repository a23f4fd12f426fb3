"""The administration's pages of this app, by capability; importing them registers them."""

from teaching.absences import admin as absences
from teaching.announcements import admin as announcements
from teaching.classes import admin as classes
from teaching.concerts import admin as concerts
from teaching.evaluations import admin as evaluations
from teaching.register import admin as register
from teaching.timetable import admin as timetable

__all__ = [
    "absences",
    "announcements",
    "classes",
    "concerts",
    "evaluations",
    "register",
    "timetable",
]
