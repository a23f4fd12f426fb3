"""The lists of this app, one file by noun: people, courses, enrolments (accounts/spreadsheets)."""

from students.lists.courses import CourseList, SlotList
from students.lists.enrolments import EnrolmentList
from students.lists.people import CustodyList, StudentList

__all__ = ["CourseList", "CustodyList", "EnrolmentList", "SlotList", "StudentList"]
