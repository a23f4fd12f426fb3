"""The administration's pages of this app, by capability; importing them registers them."""

from teaching.classes import admin as classes
from teaching.evaluations import admin as evaluations
from teaching.timetable import admin as timetable

__all__ = ["classes", "evaluations", "timetable"]
