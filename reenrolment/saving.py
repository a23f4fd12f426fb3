"""One POST of the re-enrolment page: its sections, its files, a piece taken back."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from django.core.exceptions import ValidationError

from documents.enums import Formats
from documents.photos import MAX_PHOTOS
from documents.pieces import Piece
from reenrolment.enums import Status
from reenrolment.forms import DraftForms, LineForm, rebased
from reenrolment.models import Campaign
from reenrolment.page import Mode, Page
from reenrolment.services import drafts, supplies
from reenrolment.services.drafts import Refusal
from reenrolment.services.submission import check_complement
from students.models import Student

KEEPS_PLACES = {"keep", "check"}  # the buttons « Prolonger » and « Vérifier »
ABOUT_PIECES = {"send", "remove"}
# gunicorn ends a request after 60 s: after so many, no other file is begun. The last one may still
# wait for photos to be assembled (25 s at most), or for a storage that is down (26 s).
LAST_START_SECONDS = 20
TOO_LONG = (
    "Ce fichier n'a pas été enregistré\u00a0: l'envoi de tous ensemble prenait trop de temps. "
    "Choisissez-le à nouveau, puis «\u00a0Envoyer\u00a0»."
)
_LINE = re.compile(r"course-[0-9]{1,18}")
NOT_SAVED = "Ce que vous venez de saisir n'a pas été enregistré."
PHOTOS_INSTEAD = (
    "Vous pouvez aussi choisir la photo de chaque page dans «\u00a0J'ai pris les pages en "
    "photo\u00a0», ci-dessous\u00a0: nous en faisons un PDF."
)
FILE_FIRST = (
    "vous avez choisi un fichier et des photos. Seul le fichier a été pris, pas les photos."
)


@dataclass(frozen=True)
class PieceLine:
    """A piece as the page shows it."""

    piece: Piece
    can_send: bool
    error: str = ""
    photos_error: str = ""

    @property
    def errors(self) -> list[str]:
        return [self.error] if self.error else []

    @property
    def photos_errors(self) -> list[str]:
        return [self.photos_error] if self.photos_error else []

    @property
    def takes_photos(self) -> bool:
        return self.can_send and _takes_photos(self.piece)

    @property
    def shows_photos(self) -> bool:
        """Is the second field unfolded? It is what mends, or what is to be mended."""
        return bool(self.photos_error) or self.error.endswith(PHOTOS_INSTEAD)

    @property
    def accept(self) -> str:
        """A hint for the browser's file chooser; the server checks whatever comes."""
        return {Formats.PDF: ".pdf", Formats.IMAGE: ".jpg,.jpeg,.png"}.get(
            self.piece.type.formats, ".pdf,.jpg,.jpeg,.png"
        )

    @property
    def is_settled(self) -> bool:
        """Nothing to send: it may be replaced all the same, which is folded away."""
        return self.piece.is_accepted or self.piece.is_covered

    @property
    def hints_first(self) -> bool:
        """Does it say at once what to send? Folded, where there is nothing to send."""
        return self.piece.concerns_home and not self.is_settled

    @property
    def field_id(self) -> str:
        return f"id_piece-{self.piece.key}"

    @property
    def photos_id(self) -> str:
        return f"id_photos-{self.piece.key}"


@dataclass
class Outcome:
    """What to show after a POST; everything that could be saved is saved.

    `read` gives the page, as it stands by then, and its forms: nothing is read again for a POST
    that saved all, whose answer is another page.
    """

    read: Callable[[], tuple[Page, DraftForms]]
    piece_errors: dict[str, str] = field(default_factory=dict)  # by the name of the field
    notices: list[str] = field(default_factory=list)
    general_errors: list[str] = field(default_factory=list)
    sections_saved: bool = False

    @property
    def page(self) -> Page:
        return self._shown[0]

    @property
    def forms(self) -> DraftForms:
        return self._shown[1]

    @cached_property
    def _shown(self):
        return self.read()

    @property
    def errors(self) -> list[tuple[str, str]]:
        """The id of the field and the sentence, in the order of the page."""
        return [
            *(("", message) for message in self.general_errors),
            *self._section_errors(),
            *((f"id_{name}", message) for name, message in self.piece_errors.items()),
        ]

    def _section_errors(self):
        if self.sections_saved or self.page.mode != Mode.EDIT:
            return []
        return self.forms.errors()

    @property
    def piece_lines(self) -> list[PieceLine]:
        sendable = self.page.sendable
        return [
            PieceLine(
                piece,
                piece.key in sendable,
                self.piece_errors.get(f"piece-{piece.key}", ""),
                self.piece_errors.get(f"photos-{piece.key}", ""),
            )
            for piece in self.page.own_pieces
        ]


def save_line(campaign: Campaign, student: Student, data) -> tuple[str, Refusal | None]:
    """Saves one line of the table, which `data` names « line », and nothing else of the page.

    Gives its section, and why no place of the slot could be held, if so. Raises ValidationError as
    `save_draft` does; `no_section` for a line that is not the student's; `not_saved` for what only
    the whole page can explain: a line that is not valid, or that somebody else changed meanwhile.
    """
    section = data.get("line", "")
    if not _LINE.fullmatch(section):
        raise ValidationError("Ce cours n'est pas suivi.", code="no_section")
    form = LineForm(data, prefix=section)
    if not form.is_valid():
        raise ValidationError(NOT_SAVED, code="not_saved")
    unsaved = drafts.save_draft(campaign, student, {section: form.whole_edit}, strict=True)
    if not unsaved:
        return section, None
    [refusal] = unsaved
    if not isinstance(refusal, Refusal):
        raise ValidationError(NOT_SAVED, code="not_saved")
    return section, refusal


def save(page: Page, data, files, *, actor, reload: Callable[[], Page]) -> Outcome:
    """Saves what is valid; the outcome carries the rest, as it was typed, with its errors.

    When nothing may be saved any more (the period closed, the other parent submitted), it says so.
    `reload` gives the page as it stands after the writes. A file goes in by the name
    « piece-<key> », photos of its pages by « photos-<key> », in the order of the pages; a key that
    is not due from this household is ignored, like any other field that the page did not show.
    """
    general, unsaved, edits, valid = [], [], {}, True
    try:
        if page.status == Status.INCOMPLETE:  # the courses are frozen
            check_complement(page.reenrolment)
        else:
            typed = DraftForms(page, data)
            edits, valid = typed.edits(), not typed.errors()
            unsaved = drafts.save_draft(
                page.campaign, page.student, edits, keeps_places=bool(KEEPS_PLACES & set(data))
            )
    except ValidationError as error:
        general = [f"{message} {NOT_SAVED}" for message in error.messages]
    piece_errors, notices = ({}, []) if general else _supply(page, data, files, actor)

    def read():
        fresh = reload()
        forms = DraftForms(fresh, rebased(data, fresh, unsaved, {} if general else edits))
        forms.tell_unsaved(unsaved)
        return fresh, forms

    saved = valid and not (general or unsaved)
    return Outcome(read, piece_errors, notices, general, saved)


def _supply(page, data, files, actor):
    """Each file by itself: one that is refused keeps none of the others out.

    But a storage that is down is not waited for again, nor is a file begun that the request may not
    outlast.
    Returns the sentences by the name of their field, and those that are of no field.
    """
    errors, notices, down = {}, [], ""
    if not files and not ABOUT_PIECES & set(data):
        return errors, notices
    last_start = time.monotonic() + LAST_START_SECONDS
    for key, piece in page.sendable.items():
        upload, photos = files.get(f"piece-{key}"), _photos(files, piece)
        name = f"photos-{key}" if photos and not upload else f"piece-{key}"
        stop = down or (TOO_LONG if time.monotonic() > last_start else "")
        if stop and (upload or photos):
            errors[name] = stop
            continue
        try:
            if upload:
                _hand_in(page, piece, upload, actor)
            elif photos:
                supplies.hand_in_photos(
                    page.campaign, page.student, piece, photos=photos, actor=actor
                )
            elif data.get("remove") == key:
                _check_seen(piece, data.get(f"shown-{key}", ""))
                supplies.remove(page.campaign, page.student, piece)
            elif data.get("send") == key:
                errors[name] = "Choisissez d'abord un fichier, puis «\u00a0Envoyer\u00a0»."
        except ValidationError as error:
            errors[name] = _told(error, piece)
            if getattr(error, "code", "") == "storage_down":
                down = errors[name]
        if upload and photos:
            notices.append(f"{piece.type}\u00a0: {FILE_FIRST}")
    return errors, notices


def _hand_in(page, piece, upload, actor):
    supplies.hand_in(
        page.campaign,
        page.student,
        piece,
        name=upload.name,
        content=upload.read(),
        actor=actor,
    )


def _photos(files, piece):
    """The photos of the pages, one more than admitted at most: that one is told."""
    if not _takes_photos(piece):
        return []
    uploads = files.getlist(f"photos-{piece.key}")[: MAX_PHOTOS + 1]
    return [(upload.name, upload.read()) for upload in uploads]


def _takes_photos(piece):
    return piece.type.formats != Formats.IMAGE


def _told(error, piece):
    """Whoever sent a photo where a PDF is due reads that we make one."""
    codes = {each.code for each in error.error_list}
    sentence = " ".join(error.messages)
    if codes & {"image_where_pdf", "heic"} and _takes_photos(piece):
        return f"{sentence} {PHOTOS_INSTEAD}"
    return sentence


def _check_seen(piece, shown):
    """Taking a piece back must not take the one that the other parent has sent meanwhile."""
    if piece.document is not None and shown and shown != str(piece.document.pk):
        raise ValidationError(
            "Cette pièce vient d'être remplacée par une autre personne\u00a0: "
            "vérifiez-la avant de la retirer.",
            code="stale",
        )
