"""A place of the waiting list that is, or was, offered to a student."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from django.http import Http404, HttpRequest
from django.utils import timezone

from reenrolment.enums import Status
from reenrolment.page import Page, load_courses
from reenrolment.rows import Row
from reenrolment.waiting_page import may_wait, row_of
from students.enums import WaitingState
from students.models import Hold, Slot, WaitingEntry, WaitingMove


class Stage(StrEnum):
    """What the page tells of the offer."""

    OPEN = "open"  # to accept or to decline
    CLOSED = "closed"  # running, but the dossier takes no answer any more
    WAITING = "waiting"  # nothing is offered
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    LEFT = "left"


@dataclass(frozen=True)
class OfferPage:
    page: Page
    row: Row | None  # None: the course is not the student's any more
    entry: WaitingEntry
    last_move: WaitingMove
    others: list[WaitingEntry]  # his other wishes for the course, the preferred first
    picked: Hold | None  # of a draft: the place kept until it is submitted

    @property
    def stage(self) -> Stage:
        if self.entry.state != WaitingState.OFFERED:
            return Stage(self.entry.state)
        if self.until is None or self.until <= timezone.now():
            return Stage.EXPIRED
        is_open = self.row is not None and may_wait(self.page, self.row)
        return Stage.OPEN if is_open else Stage.CLOSED

    @property
    def slot(self) -> Slot | None:
        """What is offered, or was; None for « any slot » while nothing was."""
        return self.entry.offered_slot or self.last_move.slot or self.entry.slot

    @property
    def until(self) -> dt.datetime | None:
        held = getattr(self.entry, "hold", None)
        return held and held.until

    @property
    def is_draft(self) -> bool:
        return self.page.status == Status.DRAFT

    @property
    def may_wait_again(self) -> bool:
        return self.row is not None and may_wait(self.page, self.row)

    @property
    def given_back(self) -> Slot | None:
        """The place that he has now in the course, which accepting gives back."""
        if self.row is None:
            return None
        if self.row.granted:
            return self.row.granted.slot
        return self.picked.place.slot if self.picked else None

    @property
    def held_until(self) -> dt.datetime | None:
        """Of a draft: how long the place that was accepted is kept."""
        is_it = self.picked and self.picked.place.slot == self.slot
        return self.picked.until if is_it else None

    @property
    def ended(self) -> list[WaitingEntry]:
        """The wishes liked no better, which accepting ends."""
        return [other for other in self.others if other.preference >= self.entry.preference]

    @property
    def kept(self) -> list[WaitingEntry]:
        """Those liked better, which go on waiting."""
        return [other for other in self.others if other.preference < self.entry.preference]


def load_offer(request: HttpRequest, pk: int, entry_pk: int) -> OfferPage:
    """Raises Http404 for somebody else's student, or another student's wish."""
    page = load_courses(request, pk)
    wishes = WaitingEntry.objects.filter(student=page.student).select_related(
        "course__establishment",
        "slot__course",
        "hold__place__slot__course",
        "hold__place__slot__teacher",
    )
    entry = wishes.filter(pk=entry_pk).first()
    if entry is None:
        raise Http404
    others = wishes.live().filter(course=entry.course_id).exclude(pk=entry.pk)
    return OfferPage(
        page,
        row_of(page, entry.course_id),
        entry,
        entry.moves.select_related("slot__course").first(),
        list(others.order_by("preference", "pk")),
        _picked(entry) if page.status == Status.DRAFT else None,
    )


def _picked(entry):
    picked = Hold.objects.filter(
        student=entry.student_id, course=entry.course_id, entry=None, until__gt=timezone.now()
    )
    return picked.select_related("place__slot__course").first()
