"""What a teacher is left to do: what each capability says to the page « Ma semaine ».

A capability writes a Source (`teaching/<capability>/todo.py`) and is added to SOURCES in
teaching/home/sources.py. Each answers for all that the page shows at once: one query for all the
lessons, never one a lesson.
"""

import datetime as dt
from dataclasses import dataclass

from accounts.models import Establishment
from students.models import Teacher
from teaching.lessons import Occurrence


@dataclass(frozen=True)
class ToDo:
    """« Faire l'appel », and where. `is_late`: it should have been done already."""

    label: str
    url: str
    is_late: bool = False


class Source:
    """What one capability has to say; each overrides what it needs.

    `teacher` is the one who reads, `now` an aware moment; nothing is said of what is not his.
    """

    def due(
        self, teacher: Teacher, lessons: list[Occurrence], now: dt.datetime
    ) -> dict[str, list[ToDo]]:
        """By `Occurrence.key`, of the lessons that the page shows. One query, however many.

        Cancelled lessons, those to come, and those where he is replaced may be among them.
        """
        return {}

    def others(self, teacher: Teacher, sites: list[Establishment], now: dt.datetime) -> list[ToDo]:
        """What is tied to no lesson of the page: an evaluation due, an hour to fix. One query."""
        return []
