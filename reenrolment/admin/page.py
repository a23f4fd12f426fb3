"""What the page that examines one dossier shows, in a constant number of queries."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Q, prefetch_related_objects
from django.http import Http404

from documents.enums import Verdict
from documents.models import Review
from documents.pieces import Piece
from reenrolment.enums import TO_EXAMINE, ReminderOutcome, Status
from reenrolment.models import Reenrolment, ReminderLine, RequestedPiece
from reenrolment.pieces import demand_of, pieces_of
from reenrolment.rows import Row, any_dance, rows_of
from reenrolment.worklist import dossiers_of, neighbours, with_flags
from students.models import Course, Custody, Slot, WaitingEntry
from students.models.waiting import awaited_by


@dataclass(frozen=True)
class Event:
    """One line of the log: a move, a verdict on one of the pieces, a reminder to a household."""

    at: dt.datetime
    actor: str
    what: str
    why: str


@dataclass(frozen=True)
class Examination:
    dossier: Reenrolment
    custodies: list[Custody]  # with the guardians of each family prefetched
    rows: list[Row]
    pieces: list[Piece]
    demand: list[RequestedPiece]
    coming: dict[Course, list[Slot]]  # the coming year's courses; empty once nothing is to place
    waits: list[WaitingEntry]  # what the student waits for, in the year prepared
    events: list[Event]
    previous: Reenrolment | None
    following: Reenrolment | None

    @property
    def is_open(self) -> bool:
        """May anything still be done?"""
        return self.dossier.status in TO_EXAMINE

    @property
    def alternating(self) -> bool:
        return len(self.custodies) > 1

    @property
    def unplaced(self) -> list[Row]:
        return [row for row in self.rows if row.choice.wanted and not is_placed(row)]

    @property
    def pending(self) -> list[Piece]:
        return [p for p in self.pieces if p.document and p.document.verdict == Verdict.PENDING]

    @property
    def handed_in(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece.document]

    @property
    def lacking(self) -> list[Piece]:
        """Missing or refused: validating now sets the « tarif haut »."""
        return [piece for piece in self.pieces if piece.sets_top_rate]

    @property
    def missing(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece.is_missing]

    @property
    def refused(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece.is_refused]

    @property
    def may_be_completed(self) -> bool:
        """Can a complement be asked for? Not while one is under way."""
        return self.dossier.status == Status.SUBMITTED and bool(self.lacking)

    @cached_property
    def demanded(self) -> list[Piece]:
        """The pieces of the demand under way, in the order of the page."""
        asked = {row.key for row in self.demand}
        return [piece for piece in self.pieces if piece.key in asked]

    def piece_of(self, document_pk) -> Piece:
        """Raises Http404 unless the document is one of the dossier's."""
        for piece in self.pieces:
            if piece.document and piece.document.pk == document_pk:
                return piece
        raise Http404

    def row_of(self, choice_pk: int) -> Row:
        """Raises Http404 unless it is a line of the dossier that goes on."""
        for row in self.rows:
            if row.choice.pk == choice_pk and row.choice.wanted:
                return row
        raise Http404

    def waits_of(self, row: Row) -> list[WaitingEntry]:
        """Those for the course that the line leads to."""
        granted = row.choice.granted
        course_pk = (
            granted.course_id if granted and granted.is_live else row.course and row.course.pk
        )
        return [entry for entry in self.waits if entry.course_id == course_pk]

    def courses_for(self, row: Row) -> list[Course]:
        """Where the student may be placed: the proposed course first, then its discipline's.

        No course proposed: those of the same art, the same discipline first.
        """
        discipline = row.enrolment.course.discipline

        def closeness(course):
            granted = row.choice.granted
            if granted is not None and granted.course_id == course.pk or course == row.course:
                return 0
            if course.discipline_id == discipline.pk:
                return 1
            if row.course is None and course.discipline.art == discipline.art:
                return 2
            return None

        close = [(closeness(course), course) for course in self.coming]
        close = [pair for pair in close if pair[0] is not None]
        return [course for _, course in sorted(close, key=lambda pair: pair[0])]


def is_placed(row: Row) -> bool:
    return row.choice.granted is not None and row.choice.granted.is_placed


def load_examination(user, pk) -> Examination:
    """Raises Http404 when the dossier is not one of the agent's establishments'."""
    dossier = (
        with_flags(dossiers_of(user))
        .select_related(
            "campaign__establishment",
            "campaign__previous_year",
            "campaign__school_year",
            "student",
            "terms",
            "submitted_by",
            "decided_by",
        )
        .filter(pk=pk)
        .first()
    )
    if dossier is None:
        raise Http404
    custodies = list(dossier.student.custodies.select_related("family__commune"))
    prefetch_related_objects(custodies, "family__guardians")
    rows = rows_of(dossier.campaign, dossier.student, dossier, with_slots=False)
    demand = demand_of(dossier)
    pieces = pieces_of(
        dossier.campaign,
        dossier.student,
        custodies,
        dances=any_dance(rows),
        reenrolment=dossier,
        demand=demand,
    )
    previous, following = neighbours(user, dossier)
    return Examination(
        dossier=dossier,
        custodies=custodies,
        rows=rows,
        pieces=pieces,
        demand=demand,
        coming=_coming(dossier) if dossier.status in TO_EXAMINE else {},
        waits=_waits(dossier),
        events=_events(dossier, custodies, pieces),
        previous=previous,
        following=following,
    )


def _coming(dossier):
    """The courses that the campaign prepares, each with all its slots, their places and waits."""
    slots = defaultdict(list)
    awaited = awaited_by(but_of=dossier.student)
    of_year = Slot.objects.with_places().filter(**_prepared(dossier.campaign, "course__"))
    related = ["course__school_year", "teacher"]
    for slot in of_year.annotate(awaited_by=awaited).select_related(*related):
        slots[slot.course_id].append(slot)
    courses = Course.objects.filter(**_prepared(dossier.campaign)).select_related("discipline")
    return {course: slots[course.pk] for course in courses}


def _waits(dossier):
    waits = dossier.student.waiting_entries.live().filter(**_prepared(dossier.campaign, "course__"))
    return list(waits.select_related("course", "slot__course"))


def _prepared(campaign, prefix=""):
    """The courses of the campaign, for a filter."""
    return {
        f"{prefix}establishment": campaign.establishment_id,
        f"{prefix}school_year": campaign.school_year_id,
    }


def _events(dossier, custodies, pieces):
    """Newest first."""
    events = [
        Event(move.at, _name(move.actor), str(move), move.reason)
        for move in dossier.transitions.select_related("actor")
    ]
    shown = [piece.document.pk for piece in pieces if piece.document]
    ever_supplied = dossier.supplied_pieces.values("document")
    reviews = Review.objects.filter(Q(document__in=shown) | Q(document__in=ever_supplied))
    for review in reviews.select_related("document__type", "actor"):
        what = f"{review.document.type} ({review.document.name})\u00a0: "
        why = " ".join(filter(None, [review.get_reason_display(), review.comment]))
        events.append(Event(review.at, review.signed, what + review.get_verdict_display(), why))
    reminded = ReminderLine.objects.filter(
        reminder__campaign=dossier.campaign_id,
        family__in=[custody.family_id for custody in custodies],
        outcome=ReminderOutcome.SENT,
    )
    for line in reminded.select_related("reminder__actor", "family"):
        what = f"Rappel des pièces au foyer {line.family}"
        events.append(Event(line.done_at, _name(line.reminder.actor), what, line.reminder.word))
    return sorted(events, key=lambda event: event.at, reverse=True)


def _name(user):
    return user.get_full_name() or user.get_username()
