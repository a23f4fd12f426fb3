"""One course, its full slots, who waits for them, and what became of the student's wishes."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.http import Http404, HttpRequest
from django.utils import timezone

from accounts.dates import moment
from reenrolment.enums import Status
from reenrolment.models import Campaign
from reenrolment.page import Page, load_courses
from reenrolment.rows import Row
from reenrolment.selectors import awaits_allotment
from reenrolment.waits import rank_of
from students.enums import Criterion, Scheduling, WaitingState
from students.models import Course, Slot, Student, WaitingEntry, WaitingMove
from students.selectors import may_pick, slots_for
from students.suitability import coming_level, misfits
from students.waiting_order import Lines, as_awaited, lines_of

ANY = "N'importe quel horaire"


@dataclass(frozen=True)
class AwaitedSlot:
    """A slot with its line, seen by one student."""

    slot: Slot
    waiting: int
    rank: int | None  # None: he does not wait for it
    rank_of_newcomer: int  # what joining at this moment would give
    offered_until: dt.datetime | None

    @property
    def label(self) -> str:
        """The option of a drop-down, where there are lines."""
        state = "place proposée" if self.offered_until else self._line
        return f"{self.slot.within_course} ({state})"

    @property
    def standing(self) -> str:
        """What the student's family wants to know of the line."""
        if self.offered_until:
            return "place proposée"
        if self.rank:
            closed = "\u00a0; horaire fermé pour le moment" if self.slot.closed_at else ""
            return f"votre rang\u00a0: {rank_of(self.rank, self.waiting)}{closed}"
        if not self.waiting:
            return self._line
        foretold = rank_of(self.rank_of_newcomer, self.waiting + 1)
        return f"{self._line}\u00a0; votre rang, en demandant maintenant\u00a0: {foretold}"

    @property
    def _line(self) -> str:
        if not self.waiting:
            return "personne n'attend"
        return "1 élève attend" if self.waiting == 1 else f"{self.waiting} élèves attendent"


@dataclass(frozen=True)
class Step:
    """A step of the published order, and whether the student fulfils it."""

    words: str
    answer: str  # empty for the last one, time


@dataclass(frozen=True)
class WaitingPage:
    page: Page
    row: Row
    course: Course
    slots: list[Slot]  # as his family sees them: those for him, and those that he waits for
    all_suit: bool  # has the course no other
    lines: Lines
    entries: list[WaitingEntry]  # his, live, the preferred first
    moves: list[WaitingMove]  # of all his wishes for the course, the latest first
    is_ranking: bool = False  # the slots are ranked, full or not: there is no line yet

    @property
    def student(self) -> Student:
        return self.page.student

    @property
    def campaign(self) -> Campaign:
        return self.page.campaign

    @property
    def is_deposited(self) -> bool:
        return self.page.status != Status.DRAFT

    @property
    def is_frozen(self) -> bool:
        """Between the closing and the publication the ranked wishes change no more."""
        return self.is_ranking and not self.campaign.is_open

    @property
    def seat(self) -> Slot | None:
        """Where he has his place already: he may wait for a better one."""
        return self.row.granted.slot if self.row.granted else None

    @property
    def picked(self) -> Slot | None:
        """Of a draft: the slot of which a place is kept meanwhile."""
        kept = (slot for slot in self.slots if slot.held_until and slot.pk not in self._offers)
        return next(kept, None)

    @property
    def awaited(self) -> list[AwaitedSlot]:
        """The slots among which to wish: the full ones, and those for which he waits already.

        All of them where they are ranked.
        """
        return [
            AwaitedSlot(
                slot,
                waiting=len(self.lines.of(slot)),
                rank=self.lines.rank(self.student, slot),
                rank_of_newcomer=self.lines.rank_of_newcomer(slot),
                offered_until=self._offers.get(slot.pk),
            )
            for slot in self.slots
            if slot not in (self.seat, self.picked)
            and (
                self.is_ranking or not may_pick(slot) or slot.pk in self._named | set(self._offers)
            )
        ]

    @property
    def may_wish_any(self) -> bool:
        """« N'importe quel horaire » is for who has no place, where none is left to pick.

        Nor where some are for another age or level. Ranked, all are to be wished for.
        """
        is_ranked = self.is_ranking and self.seat is None and self.all_suit
        if None in self._named or is_ranked:
            return True
        nothing_left = not any(may_pick(slot) for slot in self.slots)
        return bool(self.slots) and self.seat is None and self.all_suit and nothing_left

    @property
    def choices(self) -> list[tuple[int | None, str]]:
        """What may be wished for: the key of a slot and its label, None for any slot."""
        slots = [
            (each.slot.pk, each.slot.within_course if self.is_ranking else each.label)
            for each in self.awaited
        ]
        return [*slots, *([(None, ANY)] if self.may_wish_any else [])]

    @property
    def not_to_wish(self) -> list[tuple[int | None, str]]:
        """What a page opened before may name still: there is a place left by now."""
        slots = [(slot.pk, f"{slot.within_course} (il reste de la place)") for slot in self.left]
        return [*slots, *([] if self.may_wish_any else [(None, ANY)])]

    @property
    def left(self) -> list[Slot]:
        """Those of which a place is left: they are picked, not waited for."""
        named = {awaited.slot.pk for awaited in self.awaited}
        his = [self.seat, self.picked]
        return [slot for slot in self.slots if slot not in his and slot.pk not in named]

    @property
    def wishes(self) -> list[int | None]:
        """The keys of the slots named, the preferred first; None: any."""
        return [entry.slot_id for entry in self.entries]

    @property
    def stored(self) -> list[str]:
        """The same in words."""
        return [entry.within_course for entry in self.entries]

    @property
    def offers(self) -> list[WaitingEntry]:
        return [entry for entry in self.entries if entry.state == WaitingState.OFFERED]

    @property
    def steps(self) -> list[Step]:
        """The rule of the campaign in its own words, and where the student stands."""
        *criteria, last = self.lines.rule.words
        if self.is_ranking:
            last = "le plus petit numéro de tirage"
        answers = [self._answer(criterion) for criterion in self.lines.rule.criteria]
        return [*map(Step, criteria, answers), Step(last, "")]

    @property
    def history(self) -> list[tuple[str, str]]:
        """When, and what happened, in plain words."""
        return [(moment(move.at), _told(move)) for move in self.moves]

    @property
    def _named(self) -> set[int | None]:
        return set(self.wishes)

    @property
    def _offers(self) -> dict[int, dt.datetime]:
        return {entry.offered_slot.pk: entry.hold.until for entry in self.offers}

    def _answer(self, criterion: Criterion) -> str:
        shown = [each.slot for each in self.awaited] or self.slots
        met = [slot for slot in shown if getattr(slot, criterion.value)]
        if not met:
            return "non"
        if len(met) == len(shown):
            return "oui"
        days = dict.fromkeys(slot.get_weekday_display() for slot in met)
        return f"oui, le {' et le '.join(days)}"


def load_waiting(request: HttpRequest, pk: int, course_pk: int) -> WaitingPage | None:
    """None when the dossier, as it stands, waits for nothing: « Réinscription » says why.

    Raises Http404 for somebody else's student, and for a course that is not among those whose
    slots the student's family picks.
    """
    page = load_courses(request, pk)
    row = row_of(page, course_pk)
    if row is None:
        raise Http404
    if not may_wait(page, row):
        return None
    course, rule = row.next_course, page.campaign.waiting_rule
    all_slots = (
        as_awaited(slots_for(page.student), page.student, rule)
        .filter(course=course)
        .select_related("course__school_year")
    )
    level = coming_level(row.enrolment)
    suited = {slot for slot in all_slots if not misfits(slot, page.student, level)}
    lines = lines_of([course], rule, offers_to=page.student)
    offers = [entry for entry in lines.offers if entry.hold.until > timezone.now()]
    mine = [entry for entry in lines.entries if entry.student_id == page.student.pk]
    named = {entry.slot_id for entry in [*offers, *mine]}
    slots = [
        slot
        for slot in all_slots
        if slot.pk in named or (slot in suited and slot.closed_at is None)
    ]
    moves = WaitingMove.objects.filter(entry__student=page.student, entry__course=course)
    return WaitingPage(
        page,
        row,
        course,
        slots,
        len(suited) == len(all_slots),
        lines,
        entries=sorted([*offers, *mine], key=lambda entry: (entry.preference, entry.pk)),
        moves=list(moves.select_related("entry__course", "entry__slot__course", "slot__course")),
        is_ranking=awaits_allotment(page.campaign),
    )


def row_of(page: Page, course_pk: int) -> Row | None:
    """The row that leads to the course, if the family picks its slots."""
    return next(
        (
            row
            for row in page.rows
            if row.next_course
            and row.next_course.pk == course_pk
            and row.next_course.scheduling == Scheduling.FAMILY
        ),
        None,
    )


def may_wait(page: Page, row: Row) -> bool:
    """Of a dossier deposited, a course that goes on."""
    return page.takes_wishes and (page.status == Status.DRAFT or row.granted is not None)


def _told(move: WaitingMove) -> str:
    tell: Callable[[WaitingMove], str] = TOLD[WaitingState(move.to_state)]
    return tell(move) + (f" {_why(move)}" if move.reason else "")


def _wish(move):
    return move.entry.within_course


def _place(move):
    return move.slot.within_course if move.slot else _wish(move)


def _ranked(move):
    return f" (rang\u00a0: {rank_of(move.rank, move.waiting)})" if move.rank else ""


def _why(move):
    if move.to_state == WaitingState.OFFERED:
        return f"Motif\u00a0: {move.reason.rstrip('.')}."
    return move.reason if move.reason.endswith(".") else f"{move.reason}."


TOLD = {
    WaitingState.WAITING: lambda move: f"Demande enregistrée\u00a0: {_wish(move)}.",
    WaitingState.OFFERED: lambda move: f"Place proposée\u00a0: {_place(move)}{_ranked(move)}.",
    WaitingState.ACCEPTED: lambda move: f"Place obtenue\u00a0: {_place(move)}.",
    WaitingState.DECLINED: lambda move: f"Place refusée\u00a0: {_place(move)}.",
    WaitingState.EXPIRED: lambda move: (
        f"Délai passé sans réponse\u00a0: {_place(move)}. La place est allée à la famille suivante."
    ),
    WaitingState.LEFT: lambda move: f"Retrait de la liste\u00a0: {_wish(move)}.",
}
