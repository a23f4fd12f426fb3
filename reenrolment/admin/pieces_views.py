"""The viewer of a dossier's pieces: images at left, what is decided at right, one piece a page.

No file from outside is opened in the agent's browser: he sees images that were drawn for him, or
saves the file. Each opening is logged before anything is shown.
"""

from functools import partial

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.admin import permission_required
from documents import reviewing
from documents import services as documents
from documents.enums import NEXT, Verdict
from documents.forms import ReadingForm
from documents.models import Reading
from documents.previews.queue import hurry
from reenrolment.admin.forms import PieceRefusalForm, piece_owner
from reenrolment.admin.pieces_page import (
    Viewing,
    dossier_of,
    dossiers_to_examine,
    handed_in,
    is_former,
    load_viewing,
    next_to_examine,
    pending_of,
    piece_of,
)
from reenrolment.admin.views import REVIEW, VIEW, WIDE
from reenrolment.enums import TO_EXAMINE
from reenrolment.models import Reenrolment

READ = "documents.read_document"

GONE = (
    "La famille a remplacé ou retiré la pièce que vous regardiez\u00a0: rien n'a été décidé, voici "
    "celle qui compte."
)
ALL_DONE = "Toutes les pièces envoyées de ce dossier sont examinées."
NOTHING_TYPED = "Cochez la case, ou corrigez une valeur, pour l'enregistrer."


def urls():
    """The addresses under those of the dossiers, for their ModelAdmin."""
    one = "<int:pk>/pieces/<uuid:document>/"
    views = {
        "pieces-a-examiner/": examine_pieces,
        "<int:pk>/pieces/": view_pieces,
        one: view_piece,
        f"{one}accepter/": accept_viewed,
        f"{one}refuser/": refuse_viewed,
        f"{one}lecture/": note_viewed,
    }
    return [
        path(
            route,
            admin.site.admin_view(view),
            name=f"reenrolment_reenrolment_{view.__name__}",
        )
        for route, view in views.items()
    ]


@require_safe
@permission_required(VIEW, READ)
def examine_pieces(request):
    """To the oldest dossier, at the site chosen, with a piece to examine."""
    dossier = dossiers_to_examine(request.user, request.establishment).first()
    if dossier is None:
        messages.info(request, "Aucune pièce n'attend d'examen.")
        return redirect("admin:reenrolment_reenrolment_changelist")
    return redirect("admin:reenrolment_reenrolment_view_pieces", dossier.pk)


@require_safe
@permission_required(VIEW, READ)
def view_pieces(request, pk):
    """To its first piece to examine, else to its first one."""
    pieces = handed_in(dossier_of(request.user, pk))
    if not pieces:
        messages.info(request, "La famille n'a envoyé aucune pièce.")
        return redirect("admin:reenrolment_reenrolment_change", pk)
    return _to(pk, (pending_of(pieces) or pieces)[0])


@never_cache
@require_safe
@permission_required(VIEW, READ)
def view_piece(request, pk, document):
    dossier, pieces, piece = _found(request, pk, document)
    if piece is None:
        messages.warning(request, GONE)
        return redirect("admin:reenrolment_reenrolment_view_pieces", pk)
    documents.log_access(piece.document, actor=request.user)
    hurry(piece.document)
    return _show(request, load_viewing(request.user, dossier, pieces, piece))


@require_POST
@permission_required(VIEW, READ, REVIEW)
def accept_viewed(request, pk, document):
    dossier, pieces, piece = _to_decide(request, pk, document)
    if piece is None:
        return redirect("admin:reenrolment_reenrolment_view_pieces", pk)
    form = _reading_form(piece, request.POST)

    def accept(**cleaned):
        reviewing.accept(piece.document, seen=_seen(request), noted=form.noted, actor=request.user)

    done = f"«\u00a0{piece.type}\u00a0»\u00a0: pièce acceptée."
    return _submit(request, (dossier, pieces, piece), form, accept, done)


@require_POST
@permission_required(VIEW, READ, REVIEW)
def refuse_viewed(request, pk, document):
    dossier, pieces, piece = _to_decide(request, pk, document)
    if piece is None:
        return redirect("admin:reenrolment_reenrolment_view_pieces", pk)
    refuse = partial(reviewing.refuse, piece.document, seen=_seen(request), actor=request.user)
    done = f"«\u00a0{piece.type}\u00a0»\u00a0: pièce refusée."
    form = PieceRefusalForm(piece, request.POST)
    return _submit(request, (dossier, pieces, piece), form, refuse, done)


@require_POST
@permission_required(VIEW, READ, REVIEW)
def note_viewed(request, pk, document):
    """The date and the QF alone: the verdict stays what it was, and so does the page."""
    dossier, pieces, piece = _to_decide(request, pk, document)
    if piece is None:
        return redirect("admin:reenrolment_reenrolment_view_pieces", pk)
    form = _reading_form(piece, request.POST)

    def note(**cleaned):
        if form.noted is None:
            raise ValidationError(NOTHING_TYPED, code="nothing")
        reviewing.note(piece.document, seen=_seen(request), noted=form.noted, actor=request.user)

    return _submit(request, (dossier, pieces, piece), form, note, "C'est noté.", stay=True)


def _found(request, pk, document):
    """The dossier, its pieces, and the one asked for: None if it is one of before."""
    dossier = dossier_of(request.user, pk)
    pieces = handed_in(dossier)
    piece = piece_of(pieces, document)
    if piece is None and not is_former(dossier, document):
        raise Http404
    return dossier, pieces, piece


def _to_decide(request, pk, document):
    """As `_found`; the piece is None, and the agent told, when nothing may be decided any more."""
    dossier, pieces, piece = _found(request, pk, document)
    if piece is None:
        messages.warning(request, GONE)
    elif dossier.status not in TO_EXAMINE:
        messages.error(request, "Ce dossier n'est plus à examiner\u00a0: rien n'a été décidé.")
        piece = None
    return dossier, pieces, piece


def _submit(request, found, form, service, done, *, stay=False):
    """A valid form goes to the service; a refusal shows beside its field, with what was typed."""
    dossier, pieces, piece = found
    if form.is_valid():
        try:
            service(**form.cleaned_data)
        except ValidationError as error:
            if _codes(error) & {"stale", "bad_transition"}:
                for message in error.messages:
                    messages.error(request, message)
                return _to(dossier.pk, piece)
            form.add_error(_field_of(form, error), error)
        else:
            messages.success(request, done)
            return _to(dossier.pk, piece) if stay else _onwards(request, dossier, pieces, piece)
    return _show(request, load_viewing(request.user, dossier, pieces, piece), bound=form)


def _field_of(form, error):
    if hasattr(error, "error_dict"):
        return None  # it names its fields
    name = form.error_fields.get(error.code, form.default_error_field)
    return name if name in form.fields else None


def _onwards(request, dossier, pieces, piece):
    following = next_to_examine(pieces, piece)
    if following is None:
        messages.info(request, ALL_DONE)
    return _to(dossier.pk, following or piece)


def _show(request, page: Viewing, bound=None):
    """`bound` stands in for the blank form of the same key."""
    may_review = page.is_open and request.user.has_perm(REVIEW)
    blank = [ReadingForm(page.document, page.reading), PieceRefusalForm(page.piece)]
    reading, refusal = [
        bound if bound is not None and bound.key == form.key else form for form in blank
    ]
    context = {
        **admin.site.each_context(request),
        **WIDE,
        "title": f"{page.piece.type}, {page.dossier}",
        "opts": Reenrolment._meta,
        "page": page,
        "dossier": page.dossier,
        "document": page.document,
        "owner": piece_owner(page.piece),
        "bound": bound,
        "may_review": may_review,
        "may_accept": may_review
        and page.document.may_be_lent
        and Verdict.ACCEPTED in NEXT[page.document.verdict],
        "may_refuse": may_review and Verdict.REFUSED in NEXT[page.document.verdict],
        "reading_form": reading,
        "refusal_form": refusal,
    }
    return render(request, "admin/reenrolment/reenrolment/view_piece.html", context)


def _reading_form(piece, data):
    reading = Reading.objects.filter(document=piece.document).first()
    return ReadingForm(piece.document, reading, data)


def _seen(request):
    return request.POST.get("seen", "")


def _to(pk, piece):
    address = reverse("admin:reenrolment_reenrolment_view_piece", args=[pk, piece.document.pk])
    return redirect(address)


def _codes(error):
    return {each.code for each in getattr(error, "error_list", [])}
