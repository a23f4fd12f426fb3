"""The capabilities that have something to say on « Ma semaine », in the order of the page."""

from teaching.announcements.todo import AnnouncementsToRead
from teaching.classes.todo import HoursToFix
from teaching.concerts.todo import TurnsToPropose
from teaching.evaluations.todo import EvaluationsDue
from teaching.home.todo import Source
from teaching.register.todo import RegistersDue

SOURCES: list[Source] = [
    RegistersDue(),
    EvaluationsDue(),
    HoursToFix(),
    TurnsToPropose(),
    AnnouncementsToRead(),
]
