"""The capabilities that have something to say on « Ma semaine », in the order of the page."""

from teaching.classes.todo import HoursToFix
from teaching.home.todo import Source

SOURCES: list[Source] = [HoursToFix()]
