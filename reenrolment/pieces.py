"""The pieces of one dossier: what is due, and what it was submitted with."""

from collections import defaultdict
from dataclasses import replace

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from accounts.prepared import prepared
from documents.pieces import (
    Piece,
    Pupil,
    accepted_at,
    is_valid,
    piece_key,
    pieces_due,
    pieces_due_of_many,
    settle,
)
from reenrolment.enums import Status
from reenrolment.models import (
    Campaign,
    Reenrolment,
    RequestedPiece,
    SuppliedPiece,
    Transition,
)
from students.enums import Art, EnrolmentStatus
from students.models import Custody, Enrolment, Student

EDITABLE = [Status.DRAFT, Status.WITHDRAWN]


def pieces_of(
    campaign: Campaign,
    student: Student,
    custodies: list[Custody],
    *,
    dances: bool,
    reenrolment: Reenrolment | None = None,
    demand: list[RequestedPiece] | None = None,
) -> list[Piece]:
    """Every piece due, of both households, with the document that counts for this dossier.

    `demand` is what `demand_of` gave, for whoever asked already.

    A draft shows what is current; a submitted dossier what it was submitted with, but for the
    pieces asked for again, where a newer document shows as soon as it is sent.
    """
    submitted = reenrolment is not None and reenrolment.status not in EDITABLE
    due = pieces_due(
        student,
        custodies,
        establishment=campaign.establishment,
        school_year=campaign.school_year,
        dances=dances,
        at=reenrolment.submitted_at if submitted else None,
    )
    if not submitted:
        return due
    frozen = _frozen(reenrolment)
    asked = {row.key for row in (demand_of(reenrolment) if demand is None else demand)}
    return settle([_as_submitted(p, frozen.get(p.key), p.key in asked) for p in due])


def load_pieces(reenrolment: Reenrolment, *, dances: bool | None = None) -> list[Piece]:
    """`pieces_of` for whoever holds nothing but the dossier: the services and the admin.

    `dances`, which the rows tell whoever has them, is else read too.
    """
    campaign, student = reenrolment.campaign, reenrolment.student
    if dances is None:
        followed = followed_courses(campaign).filter(student=student)
        dances = followed.filter(course__discipline__art=Art.DANCE).exists()
    return pieces_of(
        campaign, student, _custodies_of(student.pk), dances=dances, reenrolment=reenrolment
    )


@prepared
def _custodies_of(student: int) -> QuerySet[Custody]:
    return Custody.objects.filter(student=student).select_related("family__commune")


def pieces_of_many(
    campaign: Campaign, dossiers: QuerySet[Reenrolment]
) -> list[tuple[Reenrolment, list[Custody], list[Piece], set[str]]]:
    """`pieces_of` of many dossiers of a campaign: each with its custodies and the keys asked again.

    Seven queries, however many there are. The dossiers come with their student.
    """
    found = list(dossiers.select_related("student"))
    custodies = _custodies(dossiers)
    dancers = _dancers(campaign, [dossier.student_id for dossier in found])
    moments = {dossier.pk: _judged_at(dossier) for dossier in found}
    due = pieces_due_of_many(
        [Pupil(d.student, custodies[d.student_id], d.student_id in dancers) for d in found],
        establishment=campaign.establishment,
        school_year=campaign.school_year,
        at=min(moments.values(), default=None),  # the one that finds the most valid
    )
    frozen, asked = _frozen_of_many(dossiers), _asked_of_many(dossiers)
    rows = []
    for dossier in found:
        pieces = [_valid(piece, moments[dossier.pk]) for piece in due[dossier.student_id]]
        keys = asked[dossier.pk]
        if dossier.status not in EDITABLE:
            held = frozen[dossier.pk]
            pieces = [_as_submitted(p, held.get(p.key), p.key in keys) for p in pieces]
        rows.append((dossier, custodies[dossier.student_id], settle(pieces), keys))
    return rows


def _custodies(dossiers):
    rows = Custody.objects.filter(student__in=dossiers.order_by().values("student"))
    custodies = defaultdict(list)
    for custody in rows.select_related("family"):
        custodies[custody.student_id].append(custody)
    return custodies


def _dancers(campaign, students):
    courses = followed_courses(campaign).filter(course__discipline__art=Art.DANCE)
    return set(courses.filter(student__in=students).order_by().values_list("student", flat=True))


def _judged_at(dossier):
    return timezone.now() if dossier.status in EDITABLE else dossier.submitted_at


def _valid(piece, at):
    kept = piece.document is None or is_valid(piece.document, piece.type, at)
    return piece if kept else replace(piece, document=None, expired=piece.document)


def _frozen_of_many(dossiers):
    supplied = SuppliedPiece.objects.filter(
        reenrolment__in=dossiers.order_by().values("pk"), in_force=True
    )
    frozen = defaultdict(dict)
    for row in supplied.select_related("document__type"):
        document = row.document
        frozen[row.reenrolment_id][piece_key(document.type_id, document.family_id)] = document
    return frozen


def _asked_of_many(dossiers):
    """The keys of the demand that is under way, by dossier (see `demand_of`)."""
    moves = Transition.objects.filter(
        reenrolment=OuterRef("transition__reenrolment"), to_status=Status.INCOMPLETE
    )
    rows = RequestedPiece.objects.filter(
        transition__reenrolment__in=dossiers.order_by().values("pk"),
        transition__reenrolment__status=Status.INCOMPLETE,
        transition=Subquery(moves.order_by("-pk").values("pk")[:1]),
    ).annotate(dossier=F("transition__reenrolment"))
    asked = defaultdict(set)
    for row in rows:
        asked[row.dossier].add(row.key)
    return asked


def followed_courses(campaign: Campaign):
    """The enrolments that the campaign asks about: confirmed, this year, in this establishment."""
    return Enrolment.objects.filter(is_followed(campaign))


def is_followed(campaign: Campaign) -> Q:
    """The condition of `followed_courses`, to be joined to others."""
    return Q(
        status=EnrolmentStatus.CONFIRMED,
        course__school_year=campaign.previous_year_id,
        course__establishment=campaign.establishment_id,
    )


def demand_of(reenrolment: Reenrolment) -> list[RequestedPiece]:
    """The pieces of the demand that is under way, each with its `transition` (date, reason)."""
    if reenrolment.status != Status.INCOMPLETE:
        return []
    last = reenrolment.transitions.filter(to_status=Status.INCOMPLETE).order_by("-pk")
    return list(
        RequestedPiece.objects.filter(transition=last.values("pk")[:1]).select_related("transition")
    )


def _frozen(reenrolment):
    frozen = {}
    for row in _supplied(reenrolment.pk):
        row.document.accepted_at = row.accepted_at
        frozen[piece_key(row.document.type_id, row.document.family_id)] = row.document
    return frozen


@prepared
def _supplied(reenrolment: int) -> QuerySet[SuppliedPiece]:
    supplied = SuppliedPiece.objects.filter(reenrolment=reenrolment, in_force=True)
    supplied = supplied.annotate(accepted_at=accepted_at("document"))
    return supplied.select_related("document__type")


def _as_submitted(piece, frozen, asked):
    newer = piece.document is not None and (
        frozen is None or piece.document.uploaded_at > frozen.uploaded_at
    )
    return piece if asked and newer else replace(piece, document=frozen)
