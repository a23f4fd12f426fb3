"""The page that examines one dossier, and its actions: one POST, one service, back to the page.

What a service refuses is said beside the field, with what was typed; when the dossier has moved
meanwhile (a colleague, an old tab), in a message on the page as it is now.
"""

from functools import partial

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.admin import permission_required
from documents import services as documents
from documents.pieces import Piece
from reenrolment.admin.forms import (
    ComplementForm,
    PieceRefusalForm,
    PlaceForm,
    piece_owner,
    refuse_form,
    withdraw_form,
)
from reenrolment.admin.page import Examination, is_placed, load_examination
from reenrolment.models import Reenrolment
from reenrolment.rows import Row
from reenrolment.services import decisions, submission

VIEW = "reenrolment.view_reenrolment"
DECIDE = "reenrolment.decide_reenrolment"
REVIEW = "documents.review_document"

WIDE = {"is_nav_sidebar_enabled": False}  # the width goes to the work, the path leads back

MOVED = "bad_transition"  # the services' code: somebody was faster


@require_safe
@permission_required(VIEW)
def examine(request, object_id):
    """The change page of the admin: read only, with a form for each action."""
    if not object_id.isdecimal() or len(object_id) > 18:  # as many digits as a key may have
        raise Http404
    return _show(request, load_examination(request.user, int(object_id)))


@require_POST
@permission_required(VIEW, REVIEW)
def accept_piece(request, pk, document):
    page = load_examination(request.user, pk)
    piece = _piece_to_review(page, document)
    try:
        documents.accept(piece.document, actor=request.user)
    except ValidationError as error:
        _tell(request, error)
    else:
        messages.success(request, f"«\u00a0{piece.type}\u00a0»\u00a0: pièce acceptée.")
    return _back(pk, f"piece-{piece.key}")


@require_POST
@permission_required(VIEW, REVIEW)
def refuse_piece(request, pk, document):
    page = load_examination(request.user, pk)
    piece = _piece_to_review(page, document)
    return _submit(
        request,
        page,
        PieceRefusalForm(piece, request.POST),
        partial(documents.refuse, piece.document),
        anchor=f"piece-{piece.key}",
        done=f"«\u00a0{piece.type}\u00a0»\u00a0: pièce refusée.",
    )


@require_POST
@permission_required(VIEW, DECIDE)
def place(request, pk, choice):
    page = load_examination(request.user, pk)
    row = page.row_of(choice)
    return _submit(
        request,
        page,
        PlaceForm(page, row, request.POST),
        partial(decisions.place, row.choice),
        anchor=f"choice-{choice}",
        done=f"«\u00a0{row.enrolment.course}\u00a0»\u00a0: l'élève a sa place.",
    )


@require_POST
@permission_required(VIEW, DECIDE)
def request_complement(request, pk):
    page = load_examination(request.user, pk)
    return _submit(
        request,
        page,
        ComplementForm(page, request.POST),
        partial(decisions.request_complement, page.dossier),
        anchor="decision",
        done="Le complément est demandé\u00a0: la famille reçoit un mail.",
    )


@require_POST
@permission_required(VIEW, DECIDE)
def validate(request, pk):
    """`top_rate` is what the page showed: nobody sets the « tarif haut » without having read it."""
    page = load_examination(request.user, pk)
    if page.is_open and request.POST.get("top_rate") != _yes_or_no(page.lacking):
        messages.error(
            request,
            "Une pièce a changé depuis l'ouverture de cette page\u00a0: relisez avant de valider.",
        )
        return _back(pk, "decision")
    try:
        decisions.validate(page.dossier, actor=request.user)
    except ValidationError as error:
        _tell(request, error)
    else:
        messages.success(request, "La réinscription est validée\u00a0: la famille reçoit un mail.")
    return _back(pk, "decision")


@require_POST
@permission_required(VIEW, DECIDE)
def refuse(request, pk):
    page = load_examination(request.user, pk)
    return _submit(
        request,
        page,
        refuse_form(request.POST),
        partial(decisions.refuse, page.dossier),
        anchor="decision",
        done="Le dossier est refusé, ses places sont rendues\u00a0: la famille reçoit un mail.",
    )


@require_POST
@permission_required(VIEW, DECIDE)
def withdraw(request, pk):
    page = load_examination(request.user, pk)
    return _submit(
        request,
        page,
        withdraw_form(request.POST),
        partial(submission.withdraw, page.dossier),
        anchor="decision",
        done="Le dossier est retiré, ses places sont rendues\u00a0: la famille reçoit un mail.",
    )


def _piece_to_review(page, document):
    piece = page.piece_of(document)
    if not page.is_open:  # its page is read only; a brother's open dossier may still review it
        raise Http404
    return piece


def _submit(request, page, form, service, *, anchor, done):
    """A valid form goes to the service; a refusal shows beside its field, as it was typed."""
    if form.is_valid():
        try:
            service(**form.cleaned_data, actor=request.user)
        except ValidationError as error:
            if MOVED in _codes(error):
                _tell(request, error)
                return _back(page.dossier.pk, anchor)
            form.add_error(form.error_fields.get(error.code, form.default_error_field), error)
        else:
            messages.success(request, done)
            return _back(page.dossier.pk, anchor)
    if not page.is_open:
        messages.error(request, "Ce dossier n'est plus à examiner.")
        return _back(page.dossier.pk, anchor)
    return _show(request, page, bound=form)


def _show(request, page: Examination, bound=None):
    """`bound` stands in for the blank form of the same key."""
    may_decide = page.is_open and request.user.has_perm(DECIDE)
    may_review = page.is_open and request.user.has_perm(REVIEW)

    def form(blank):
        return bound if bound is not None and bound.key == blank.key else blank

    pieces = [
        _piece(page, piece, form(PieceRefusalForm(piece)) if may_review else None)
        for piece in page.pieces
    ]
    context = {
        **admin.site.each_context(request),
        **WIDE,
        "title": str(page.dossier),
        "opts": Reenrolment._meta,
        "page": page,
        "dossier": page.dossier,
        "bound": bound,
        "may_decide": may_decide,
        "may_review": may_review,
        "may_read": request.user.has_perm("documents.read_document"),
        "top_rate": _yes_or_no(page.lacking),
        "lines": [
            _line(
                page, row, form(PlaceForm(page, row)) if may_decide and row.choice.wanted else None
            )
            for row in page.rows
        ],
        "pieces": pieces,
        "pending": [line for line in pieces if line["piece"] in page.pending],
        "lacking": [line for line in pieces if line["piece"] in page.lacking],
        "complement_form": form(ComplementForm(page)),
        "refuse_form": form(refuse_form()),
        "withdraw_form": form(withdraw_form()),
    }
    return render(request, "admin/reenrolment/reenrolment/examine.html", context)


def _line(page, row: Row, form: PlaceForm | None) -> dict:
    waits = page.waits_of(row)
    return {"row": row, "form": form, "is_placed": is_placed(row), "waits": waits}


def _piece(page, piece: Piece, form: PieceRefusalForm | None) -> dict:
    return {
        "piece": piece,
        "form": form if piece.document else None,
        "owner": piece_owner(piece) if page.alternating else "",
        "is_asked": piece in page.demanded,
    }


def _back(pk, anchor):
    return redirect(f"{reverse('admin:reenrolment_reenrolment_change', args=[pk])}#{anchor}")


def _tell(request, error):
    for message in error.messages:
        messages.error(request, message)


def _codes(error):
    return {each.code for each in error.error_list}


def _yes_or_no(lacking):
    return "oui" if lacking else "non"
