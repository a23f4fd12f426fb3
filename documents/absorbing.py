"""What becomes of the pieces of a household that turns out to be another's double."""

from django.utils import timezone
from django.utils.formats import date_format

from documents.enums import Verdict
from documents.models import Document
from families.absorbing import Follower, Line


class Documents(Follower):
    """Of two current pieces of one type, a refused one gives way, else the one sent first.

    It is taken back and not deleted: a dossier may have been submitted with it.
    """

    relations = ["documents.Document.family"]

    def lines(self, kept, absorbed):
        documents = list(absorbed.documents.current().for_list().order_by("type__name", "pk"))
        lines = [
            Line(f"Pièce «\u00a0{document.type}\u00a0» {_sent(document)}\u00a0: rejoint le foyer.")
            for document in documents
        ]
        for stays, goes in _conflicts(kept, absorbed):
            text = (
                f"Pièce «\u00a0{stays.type}\u00a0»\u00a0: les deux foyers en ont une. Celle"
                f" {_sent(stays)} compte désormais, celle {_sent(goes)} est retirée."
            )
            lines.append(Line(text, True))
        return lines

    def absorb(self, kept, absorbed):
        rows = Document.objects.current().filter(family__in=[kept, absorbed])
        list(rows.order_by("pk").select_for_update(no_key=True))
        gone = [goes.pk for _, goes in _conflicts(kept, absorbed)]
        Document.objects.filter(pk__in=gone).update(removed_at=timezone.now())
        Document.objects.filter(family=absorbed).update(family=kept)


def _conflicts(kept, absorbed):
    """(the one that stays current, the one that goes), for each type that both have."""
    here = {document.type_id: document for document in kept.documents.current().for_list()}
    for document in absorbed.documents.current().for_list().order_by("type__name", "pk"):
        if other := here.get(document.type_id):
            goes, stays = sorted([document, other], key=_worth)
            yield stays, goes


def _worth(document):
    return document.verdict != Verdict.REFUSED, document.uploaded_at


def _sent(document):
    day = date_format(timezone.localtime(document.uploaded_at), "j F Y")
    return f"du {day} ({document.get_verdict_display()})"
