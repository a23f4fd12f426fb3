"""What the pages of one dossier show, read in ten queries with those of every page.

The pieces, the week and the cost are read by the pages that show them.
Two more while the student waits for a place: the rule of the lists, and the lines. One more before
the campaign opens for everybody, two if it lets a group in: for this student?
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from django.http import Http404, HttpRequest
from django.utils import timezone

from documents.enums import Formats, Owner
from documents.pieces import Piece, lacking
from reenrolment.costs import Cost, cost_of
from reenrolment.early_access import Opening, opening_of
from reenrolment.enums import Status
from reenrolment.models import Campaign, Reenrolment, RequestedPiece
from reenrolment.payment import Payment, payment_of
from reenrolment.pieces import demand_of, pieces_of
from reenrolment.readiness import fingerprint_of, problems
from reenrolment.rows import Row, any_dance, rows_of
from reenrolment.selectors import latest_campaign, refusal_of
from reenrolment.services.waiting import DEPOSITED
from reenrolment.waits import Wait
from reenrolment.week import Week, week_of
from students.models import Student
from students.selectors import Selection, household_students


class Mode(StrEnum):
    """What the family may do with the dossier at this moment."""

    NO_CAMPAIGN = "no_campaign"
    NO_COURSE = "no_course"  # not a re-enrolment: the page says where to ask
    TO_COME = "to_come"
    EDIT = "edit"
    COMPLEMENT = "complement"
    READ = "read"


A_PHOTO = (Owner.STUDENT, Formats.IMAGE)


@dataclass(frozen=True)
class Page:
    selection: Selection
    campaign: Campaign | None
    reenrolment: Reenrolment | None
    rows: list[Row]
    demand: list[RequestedPiece]
    opening: Opening | None = None  # for this student; None without a campaign
    refusal: str = ""  # why the administration refused it

    @property
    def student(self) -> Student:
        return self.selection.student

    @property
    def mode(self) -> Mode:
        if self.campaign is None:
            return Mode.NO_CAMPAIGN
        if self.reenrolment is None and self.opening.is_to_come:
            return Mode.TO_COME
        if not self.rows:
            return Mode.NO_COURSE
        if self.opening.is_open and self.status == Status.DRAFT:
            return Mode.EDIT
        if self.status == Status.INCOMPLETE and timezone.now() < self.reenrolment.complement_until:
            return Mode.COMPLEMENT
        return Mode.READ

    @property
    def status(self) -> Status:
        return Status(self.reenrolment.status) if self.reenrolment else Status.DRAFT

    @cached_property
    def pieces(self) -> list[Piece]:
        """Two queries, three once it is submitted: most forms sent say nothing of the pieces."""
        if self.campaign is None:
            return []
        return pieces_of(
            self.campaign,
            self.student,
            self.selection.custodies,
            dances=any_dance(self.rows),
            reenrolment=self.reenrolment,
            demand=self.demand,
        )

    @cached_property
    def own_pieces(self) -> list[Piece]:
        """The household's own and the student's: what the reader may send and open."""
        ours = self.selection.own_family.pk
        own = [p for p in self.pieces if p.family is None or p.family.pk == ours]
        return sorted(own, key=lambda piece: piece.family is None)  # as the manual: Famille, Elève

    @property
    def other_pieces(self) -> list[Piece]:
        """The other household's, of which only « reçue » or « manquante » shows.

        None of those that either household may give: one's own line says whether to send it.
        """
        own = {piece.key for piece in self.own_pieces}
        either = {piece.type.pk for piece in self.own_pieces if piece.either_home}
        return [p for p in self.pieces if p.key not in own and p.type.pk not in either]

    @property
    def holds_a_photo(self) -> bool:
        """One of the student was handed in: his teachers may see it, if the households agree."""
        return any(
            piece.document and (piece.type.owner, piece.type.formats) == A_PHOTO
            for piece in self.own_pieces
        )

    @cached_property
    def sendable(self) -> dict[str, Piece]:
        """What may be sent or taken back now, by key."""
        concerned = [piece for piece in self.own_pieces if piece.concerns_home]
        if self.mode == Mode.EDIT:
            return {piece.key: piece for piece in concerned}
        if self.mode == Mode.COMPLEMENT:
            asked = {row.key for row in self.demand}
            return {piece.key: piece for piece in concerned if piece.key in asked}
        return {}

    @cached_property
    def held_until(self) -> dt.datetime | None:
        """When the first of the places held goes back, unless the family prolongs."""
        held = [row.held_until for row in self.rows]
        return min(filter(None, held), default=None)

    @property
    def has_lost_holds(self) -> bool:
        return any(row.is_no_longer_held for row in self.rows)

    @property
    def takes_wishes(self) -> bool:
        """May a place be waited for: of a draft to submit, and of a dossier that goes on."""
        return self.mode == Mode.EDIT or self.status in DEPOSITED

    @property
    def waits(self) -> list[Wait]:
        """The student's wishes on the waiting lists, of all his courses."""
        return [wait for row in self.rows for wait in row.waits]

    @cached_property
    def week(self) -> Week:
        """One query, for the pages that show it."""
        return week_of(self.selection.students, self.campaign)

    @cached_property
    def cost(self) -> Cost:
        """Read by the pages that show it: see `cost_of`."""
        return cost_of(self.campaign, self.selection.own_family)

    @cached_property
    def payment(self) -> Payment | None:
        """In how many parts the household may pay that cost: one query, for the page that asks."""
        return payment_of(self.campaign, self.selection.own_family, self.cost)

    @property
    def problems(self) -> list[tuple[str, str]]:
        """What is to mend before the recap: the id of the field, and what to do."""
        return problems(self.reenrolment, self.rows)

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.reenrolment, self.rows, self.pieces)

    @property
    def lacking(self) -> list[Piece]:
        """Missing or refused, of either household: the « tarif haut » would apply."""
        return lacking(self.pieces)


def load_courses(request: HttpRequest, pk: int) -> Page:
    """The rows alone, without slots or waits: for a page about one of the courses.

    Raises as `load_page`.
    """
    selection, campaign, reenrolment = whose(request, pk)
    if campaign is None:
        return Page(selection, None, None, [], [])
    student = selection.student
    rows = rows_of(campaign, student, reenrolment, with_slots=False, with_waits=False)
    opening = opening_of(campaign, student)
    return Page(selection, campaign, reenrolment, rows, [], opening=opening)


def load_dossier(request: HttpRequest, pk: int) -> Reenrolment:
    """Raises Http404 as `load_page`, and when there is no dossier yet."""
    _, _, reenrolment = whose(request, pk)
    if reenrolment is None:
        raise Http404
    return reenrolment


def load_page(request: HttpRequest, pk: int) -> Page:
    """Raises Http404 when the student is neither the household's nor the one acted for."""
    return page_of(*whose(request, pk))


def page_of(
    selection: Selection, campaign: Campaign | None, reenrolment: Reenrolment | None
) -> Page:
    """`load_page` for whoever has read already what `whose` reads."""
    if campaign is None:
        return Page(selection, None, None, [], [])
    demand = demand_of(reenrolment) if reenrolment else []
    is_draft = reenrolment is None or reenrolment.status == Status.DRAFT
    rows = rows_of(campaign, selection.student, reenrolment, with_slots=is_draft)
    return Page(
        selection,
        campaign,
        reenrolment,
        rows,
        demand,
        opening=opening_of(campaign, selection.student),
        refusal=refusal_of(reenrolment),
    )


def whose(request: HttpRequest, pk: int) -> tuple[Selection, Campaign | None, Reenrolment | None]:
    """Whose dossier it is, and which: two queries. Raises Http404 as `load_page`."""
    selection = household_students(request.user, pk, acting_for=request.acting_for)
    return selection, *latest_campaign(request.establishment, selection.student)
