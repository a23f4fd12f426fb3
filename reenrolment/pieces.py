"""The pieces of one dossier: what is due, and what it was submitted with."""

from dataclasses import replace

from django.db.models import Q

from documents.pieces import Piece, accepted_at, piece_key, pieces_due, settle
from reenrolment.enums import Status
from reenrolment.models import Campaign, Reenrolment, RequestedPiece
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


def load_pieces(reenrolment: Reenrolment) -> list[Piece]:
    """`pieces_of` for whoever holds nothing but the dossier: the services and the admin."""
    return pieces_of(
        reenrolment.campaign,
        reenrolment.student,
        list(reenrolment.student.custodies.select_related("family__commune")),
        dances=followed_courses(reenrolment.campaign)
        .filter(student=reenrolment.student, course__discipline__art=Art.DANCE)
        .exists(),
        reenrolment=reenrolment,
    )


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
    supplied = reenrolment.supplied_pieces.filter(in_force=True).select_related("document__type")
    frozen = {}
    for row in supplied.annotate(accepted_at=accepted_at("document")):
        row.document.accepted_at = row.accepted_at
        frozen[piece_key(row.document.type_id, row.document.family_id)] = row.document
    return frozen


def _as_submitted(piece, frozen, asked):
    newer = piece.document is not None and (
        frozen is None or piece.document.uploaded_at > frozen.uploaded_at
    )
    return piece if asked and newer else replace(piece, document=frozen)
