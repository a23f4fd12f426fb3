"""What the pages of one slot's waiting list read: its line, its places, what was decided.

Each in a constant number of queries.
"""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q
from django.http import Http404
from django.utils import timezone

from accounts.models import User
from accounts.selectors import establishments_of
from reenrolment.models import Campaign, Reenrolment
from reenrolment.services.waiting import campaign_of
from reenrolment.waits import rank_of
from students.enums import Criterion, WaitingState
from students.models import Hold, Slot, WaitingEntry, WaitingMove
from students.waiting_order import Rule, lines_of

# Without an actor, what moved a wish.
BY_ITSELF = {
    WaitingState.WAITING: "la famille",
    WaitingState.OFFERED: "la règle publiée",
    WaitingState.ACCEPTED: "la famille",
    WaitingState.DECLINED: "la famille",
    WaitingState.EXPIRED: "le délai passé",
    WaitingState.LEFT: "d'office",
}
# Of another family, why: what decided who has a place, and nothing else of its affairs.
TOLD_OF_OTHERS = [WaitingState.OFFERED, WaitingState.ACCEPTED]


@dataclass(frozen=True)
class Waiting:
    """One student of the line."""

    rank: int
    entry: WaitingEntry
    criteria: list[Criterion]  # those that he fulfils
    others: list[WaitingEntry]  # his other wishes for the course
    dossier: Reenrolment | None


@dataclass(frozen=True)
class Event:
    """One line of the log. `own`: of the student whose family reads it."""

    at: dt.datetime
    student: str
    what: str
    rank: str
    why: str
    who: str
    own: bool = False


@dataclass(frozen=True)
class Line:
    slot: Slot  # with_places
    campaign: Campaign | None  # that prepares its year
    rule: Rule
    waiting: list[Waiting]  # first to last
    offers: list[Hold]  # the first to end first

    @property
    def offered(self) -> int:
        return sum(not offer.is_over for offer in self.offers)

    @property
    def held(self) -> int:
        """Kept by families while they fill in their dossiers."""
        return self.slot.held - self.offered

    @property
    def taken(self) -> int:
        return self.slot.capacity - self.slot.held - self.slot.places_left

    def rank_of(self, entry: WaitingEntry) -> int | None:
        return next((each.rank for each in self.waiting if each.entry == entry), None)


def load_line(user: User, slot_pk: int) -> Line:
    """Raises Http404 unless the slot is of one of the agent's establishments."""
    slot = find_slot(user, slot_pk)
    campaign = campaign_of(slot.course)
    rule = campaign.waiting_rule if campaign else Rule([], slot.course.school_year_id)
    entries = lines_of([slot.course], rule).of(slot)
    return Line(slot, campaign, rule, _details(slot, entries, rule, campaign), _offers(slot))


def find_slot(user: User, pk: int) -> Slot:
    """With its places; raises as `load_line`."""
    slots = Slot.objects.with_places().filter(course__establishment__in=establishments_of(user))
    slot = slots.select_related("course__establishment", "course__school_year").filter(pk=pk)
    if found := slot.first():
        return found
    raise Http404


def find_entry(slot: Slot, pk: int) -> WaitingEntry:
    """A wish, whatever became of it, that a place of the slot would fulfil. Raises Http404."""
    entries = WaitingEntry.objects.for_slot(slot).select_related("student", "course")
    if found := entries.filter(pk=pk).first():
        return found
    raise Http404


def log_of(slot: Slot) -> list[Event]:
    """All that was decided about the slot, newest first, as the administration reads it."""
    return [
        Event(
            at=move.at,
            student=str(move.entry.student),
            what=move.get_to_state_display(),
            rank=_rank(move),
            why=move.reason,
            who=_name(move.actor) if move.actor else BY_ITSELF[move.to_state],
        )
        for move in _moves(slot).order_by("-at", "-pk")
    ]


def log_for(entry: WaitingEntry, slot: Slot) -> list[Event]:
    """The same for the family of that wish, oldest first, since it waits.

    Of the others: « autre famille n° 2 », and why a place went to it, nothing else.
    """
    others = {}
    events = []
    for move in _moves(slot).filter(at__gte=entry.since).order_by("at", "pk"):
        student = move.entry.student
        own = student == entry.student
        if not own:
            others.setdefault(student.pk, len(others) + 1)
        told = own or move.to_state in TOLD_OF_OTHERS
        events.append(
            Event(
                at=move.at,
                student=str(student) if own else f"autre famille n°\u00a0{others[student.pk]}",
                what=move.get_to_state_display(),
                rank=_rank(move),
                why=move.reason if told else "",
                who=_kind(move),
                own=own,
            )
        )
    return events


def _moves(slot):
    """Those of a wish for any slot concern all the slots of the course, until one is offered."""
    here = Q(slot=slot) | Q(slot=None, entry__slot=None, entry__course=slot.course_id)
    return WaitingMove.objects.filter(here).select_related("entry__student", "actor")


def _details(slot, entries, rule, campaign):
    students = [entry.student_id for entry in entries]
    dossiers = Reenrolment.objects.filter(campaign=campaign, student__in=students)
    dossiers = {dossier.student_id: dossier for dossier in dossiers}
    wishes = WaitingEntry.objects.live().filter(course=slot.course_id, student__in=students)
    wishes = list(wishes.select_related("course", "slot__course").order_by("preference", "pk"))
    return [
        Waiting(
            rank=rank,
            entry=entry,
            criteria=rule.met_by(entry),
            others=[
                wish for wish in wishes if wish.student_id == entry.student_id and wish != entry
            ],
            dossier=dossiers.get(entry.student_id),
        )
        for rank, entry in enumerate(entries, start=1)
    ]


def _offers(slot):
    """Those whose time is over stand for nothing, until somebody takes a place of the slot."""
    offers = Hold.objects.filter(place__slot=slot, entry__isnull=False)
    offers = list(offers.select_related("student", "entry"))
    for offer in offers:
        offer.is_over = offer.until <= timezone.now()
    return offers


def _rank(move):
    return rank_of(move.rank, move.waiting) if move.rank else ""


def _kind(move):
    """Who decided, without a name."""
    if move.actor is None:
        return BY_ITSELF[move.to_state]
    return "l'administration" if move.actor.is_staff else "la famille"


def _name(user):
    return user.get_full_name() or user.get_username()
