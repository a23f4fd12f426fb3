"""What a student waits for, as the pages of his dossier say it."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Exists, QuerySet
from django.utils import timezone

from accounts.dates import moment
from accounts.prepared import prepared
from reenrolment.models import Campaign
from reenrolment.selectors import awaits_allotment
from students.enums import WaitingState
from students.models import Course, Slot, Student, WaitingEntry
from students.waiting_order import lines_of


@dataclass(frozen=True)
class Wait:
    """A wish, with its rank in the line of its slot: « LUNDI – 18 h 30 à 19 h 30, 3e sur 5 ».

    There is no line, hence no rank, before the allotment of a campaign whose slots are ranked.
    """

    entry: WaitingEntry
    rank: int | None  # None too for an offer, and for « any slot », whose rank depends on the slot
    waiting: int | None
    has_line: bool = True

    @property
    def words(self) -> str:
        if not self.has_line:
            return self.entry.within_course
        if not self.entry.slot_id:
            return f"{self.entry.within_course} (le rang dépend de l'horaire)"
        return f"{self.entry.within_course}, {rank_of(self.rank, self.waiting)}"

    @property
    def told(self) -> str:
        """The wish with its course, in one line of a page or of a mail."""
        if self.offered:
            return f"{self.offered}\u00a0: place proposée, à accepter avant le {moment(self.until)}"
        return f"{self.entry.course}, {self.words}"

    @cached_property
    def offered(self) -> Slot | None:
        """The slot of the place kept for the answer."""
        return self.entry.offered_slot

    @property
    def until(self) -> dt.datetime:
        """Of an offer: when it ends."""
        return self.entry.hold.until


def rank_of(rank: int, waiting: int) -> str:
    """« 1er sur 5 »."""
    return f"{rank}{'er' if rank == 1 else 'e'}\u00a0sur\u00a0{waiting}"


def is_waiting(campaign: Campaign, student: Student) -> Exists:
    """Does the student wait for anything that the campaign prepares?"""
    return Exists(_live(student.pk, campaign.establishment_id, campaign.school_year_id))


def waits_for_anything(campaign: Campaign, student: Student) -> bool:
    """`is_waiting`, asked by itself."""
    site, year = campaign.establishment_id, campaign.school_year_id
    return bool(_live_entries(student.pk, site, year))


@prepared
def _live_entries(student: int, site: int, year: int) -> QuerySet[WaitingEntry]:
    return _live(student, site, year)[:1]


def _live(student, site, year):
    entries = WaitingEntry.objects.live().filter(student=student)
    return entries.filter(course__establishment=site, course__school_year=year)


def waits_of(
    campaign: Campaign, student: Student, courses: Iterable[Course]
) -> dict[int, list[Wait]]:
    """By course, the preferred first, the offers whose time is over left out.

    Two queries, one more in a campaign by allotment.
    """
    lines = lines_of(courses, campaign.waiting_rule, offers_to=student)
    has_line = not awaits_allotment(campaign)
    waits = {}
    offers = [entry for entry in lines.offers if entry.hold.until > timezone.now()]
    mine = [entry for entry in lines.entries if entry.student_id == student.pk]
    for entry in sorted([*offers, *mine], key=lambda entry: (entry.preference, entry.pk)):
        ranked = has_line and entry.slot_id and entry.state == WaitingState.WAITING
        wait = Wait(
            entry,
            rank=lines.rank(student, entry.slot) if ranked else None,
            waiting=len(lines.of(entry.slot)) if ranked else None,
            has_line=has_line,
        )
        waits.setdefault(entry.course_id, []).append(wait)
    return waits
