"""The administration's pages of this app, split by noun; importing them registers them."""

from students.admin import courses, enrolments, people, slots

__all__ = ["courses", "enrolments", "people", "slots"]
