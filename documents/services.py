"""Every write on documents: handing in, removing, reviewing, and the log of who opened what."""

import datetime as dt
import logging
import uuid
from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from documents import keeping
from documents.antivirus.arrival import scan_received
from documents.checks import check_file
from documents.enums import NEXT, UNSAFE, FileGone, Owner, RefusalReason, Scan, Verdict
from documents.models import Access, Document, Review, storage_name
from documents.previews.queue import discard_pages
from families.files_to_delete import schedule
from families.services import lock_known

logger = logging.getLogger(__name__)

_UNSAFE = {
    Scan.WAITING: "Cette pièce est en quarantaine\u00a0: elle ne peut être acceptée qu'une fois "
    "le contrôle de sécurité passé.",
    Scan.INFECTED: "Le contrôle de sécurité a refusé cette pièce et effacé son fichier\u00a0: elle "
    "ne peut pas être acceptée.",
}
ONE_SITTING = dt.timedelta(hours=12)  # a session's; its pages are one consultation


def hand_in(
    name: str,
    content: bytes,
    *,
    type,
    family=None,
    student=None,
    actor,
    check: Callable[[], None] | None = None,
) -> Document:
    """Keeps a file as the current document of its type, in the place of the one before.

    Takes the name and the bytes as received. Raises ValidationError with the code of
    documents.checks for a file that is refused, `infected` when the antivirus knows better (one
    that does not answer puts the file in quarantine), `storage_down` when it can't be kept,
    `household_gone` when its household was merged or erased while the file was on its way. A
    refused file leaves nothing behind. The file is checked, scanned and stored outside the
    transaction; `check` is called inside it, just before the file becomes current, and raises when
    it may no longer.
    """
    _check_owner(type, family, student)
    checked = check_file(name, content, formats=type.formats)
    scan = scan_received(content, checked.content)
    document = Document(
        id=uuid.uuid4(),
        type=type,
        family=family,
        student=student,
        name=checked.name,
        content_type=checked.content_type,
        size=len(checked.content),
        pages=checked.pages,
        received_sha256=checked.received_sha256,
        sha256=checked.sha256,
        uploaded_by=actor,
        scan=scan,
        scanned_at=timezone.now() if scan == Scan.CLEAN else None,
    )
    _store(document, checked.content)
    try:
        _replace_current(document, check)
    except BaseException:
        _delete_unless_kept(document)
        raise
    return document


@transaction.atomic
def remove(document: Document) -> None:
    """The family takes a piece back, with what it had replaced: nothing of it is current any more.

    Row and file go. The row stays if a dossier was submitted with it or the staff opened or
    examined it, and its file too while a dossier to examine relies on it. Taken back already:
    nothing happens.
    """
    document = Document.objects.select_for_update().filter(pk=document.pk).first()
    while document is not None:
        older = _detach_replaced(document)
        _discard(document)
        document = older


@transaction.atomic
def accept(document: Document, *, actor) -> Document:
    """Raises ValidationError `bad_transition` if it is accepted already, or has no file any more.

    And `quarantined` while the antivirus has not seen it, or since it refused it.
    """
    return _review(document, Verdict.ACCEPTED, actor=actor)


@transaction.atomic
def refuse(document: Document, *, reason: RefusalReason, comment: str = "", actor) -> Document:
    """The family reads the reason, then the comment (300 characters).

    Raises ValidationError: `comment_required` when the reason is « autre », `bad_transition`.
    """
    check_refusal(reason, comment)
    return _review(document, Verdict.REFUSED, actor=actor, reason=reason, comment=comment.strip())


def check_refusal(reason: RefusalReason, comment: str) -> None:
    """Raises ValidationError `comment_required`: « autre » alone tells a family nothing."""
    if reason == RefusalReason.OTHER and not comment.strip():
        raise ValidationError("Précisez le motif du refus.", code="comment_required")


def sentence(reason: str, comment: str) -> str:
    """The reason in words, then the comment: what the family reads. Empty for an acceptance."""
    label = "" if reason in ("", RefusalReason.OTHER) else RefusalReason(reason).label
    return f"{label} {comment}".strip()


def log_access(document: Document, *, actor) -> None:
    """A staff member opens the file; written before the first byte leaves."""
    Access.objects.create(document=document, actor=actor)


def log_access_of_page(document: Document, *, actor) -> None:
    """He reads one of its pages: its viewer has written so, else it is written here."""
    lately = timezone.now() - ONE_SITTING
    if not Access.objects.filter(document=document, actor=actor, at__gte=lately).exists():
        log_access(document, actor=actor)


def _check_owner(type, family, student):
    expected = {Owner.FAMILY: (True, False), Owner.STUDENT: (False, True)}[type.owner]
    if (family is not None, student is not None) != expected:
        raise ValueError(f"«\u00a0{type}\u00a0» is a piece of the {type.owner}.")


def _store(document, content):
    try:
        document.file.save(document.name, ContentFile(content), save=False)
    except Exception as error:
        # Each storage has its own exceptions, and full, down or slow is one thing to a family.
        logger.exception("A document could not be stored.")
        _sweep_up(storage_name(document, document.name))  # a full disk keeps the beginning
        raise ValidationError(
            "Votre fichier n'a pas pu être enregistré\u00a0: notre espace de stockage ne répond "
            "pas. Le reste de votre saisie est conservé\u00a0; réessayez dans quelques minutes.",
            code="storage_down",
        ) from error


@transaction.atomic
def _replace_current(document, check):
    """The old row first names its successor: at most one is current at any moment.

    Its file goes with it, unless a dossier to examine was submitted with it.
    """
    lock_known(_households(document))
    if check is not None:
        check()
    owner = {"family": document.family, "student": document.student}
    current = Document.objects.current().filter(type=document.type, **owner)
    replaced = list(current.select_for_update())
    for old in replaced:
        old.replaced_by_id = document.pk
        old.save(update_fields=["replaced_by"])
    try:
        with transaction.atomic():
            document.save(force_insert=True)
    except IntegrityError as error:
        raise ValidationError(
            "Cette pièce vient d'être envoyée par ailleurs\u00a0: rechargez la page.", code="stale"
        ) from error
    if replaced:
        keeping.let_go([old.pk for old in replaced], FileGone.REPLACED)


def _households(document):
    if document.family_id:
        return [document.family_id]
    return document.student.families.order_by().values_list("pk", flat=True)


def _detach_replaced(document):
    """The version before this one, which would keep it from going; None if it was the first."""
    older = Document.objects.select_for_update().filter(replaced_by=document).first()
    if older is not None:
        older.replaced_by = None
        older.removed_at = timezone.now()
        older.save(update_fields=["replaced_by", "removed_at"])
    return older


def _discard(document):
    try:
        with transaction.atomic():
            discard_pages(document)
            Document.objects.filter(pk=document.pk).delete()
    except ProtectedError:
        document.removed_at = document.removed_at or timezone.now()
        document.save(update_fields=["removed_at"])
        keeping.let_go([document.pk], FileGone.REMOVED)
    else:
        schedule([document.file.name])


def _review(document, verdict, *, actor, reason="", comment=""):
    document = Document.objects.select_for_update().filter(pk=document.pk).first()
    if document is None:
        raise ValidationError("La famille vient de retirer cette pièce.", code="bad_transition")
    if verdict not in NEXT[document.verdict]:
        raise ValidationError("Cette pièce a déjà été examinée ainsi.", code="bad_transition")
    if verdict == Verdict.ACCEPTED and document.scan in UNSAFE:
        raise ValidationError(_UNSAFE[document.scan], code="quarantined")
    if verdict == Verdict.ACCEPTED and document.why_gone:
        raise ValidationError(
            f"Ce fichier n'est plus conservé ({document.why_gone})\u00a0: la pièce ne peut plus"
            " être acceptée.",
            code="bad_transition",
        )
    review = Review(document=document, verdict=verdict, reason=reason, comment=comment, actor=actor)
    review.full_clean()
    review.save()
    document.verdict = verdict
    document.refusal = sentence(reason, comment)
    document.save(update_fields=["verdict", "refusal"])
    return document


def _delete_unless_kept(document):
    """A connection may die between the commit and its answer: the row may be there after all."""
    try:
        kept = Document.objects.filter(pk=document.pk).exists()
    except Exception:  # who knows? A file without a row is the lesser evil, which the sweep takes
        logger.exception("The document %s may have been kept or not.", document.pk)
    else:
        if not kept:
            _sweep_up(document.file.name)


def _sweep_up(name):
    """The family doesn't wait for it: a storage that was just slow would be slow again."""
    try:
        schedule([name])
    except Exception:
        logger.exception("The file %s is left to the sweep.", name)
