"""What this app holds about a household: the copy of « Mes données », the erasure."""

from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.personal_data import forget_in_admin_log
from accounts.records import record
from documents.checks.names import propose_name
from documents.enums import FileGone, Verdict
from documents.models import AUTOMATIC, Access, Document, Reading, Review
from documents.previews.queue import discard_pages
from families.enums import Fate
from families.files_to_delete import schedule
from families.holdings import Attachment, Holding, Part
from students.personal_data import students_only_of

EXPORTED = {
    Document: [
        *["type", "name", "file", "content_type", "size", "pages", "uploaded_at", "uploaded_by"],
        *["removed_at", "file_gone_at", "file_gone_reason", "verdict", "refusal"],
        *["scan", "scanned_at"],
    ],
    Review: ["verdict", "reason", "comment", "actor", "at"],
    Access: ["actor", "at"],
    Reading: [
        *["date_read", "quotient_read", "month_read", "issued_on", "quotient", "quotient_month"],
        *["confirmed_by", "confirmed_at"],
    ],
}
NESTED = "dit où la ligne est rangée"
DRAWN = "les pages du fichier, dessinées pour les agents\u00a0: le fichier est dans la copie"
EMPTIED = "effacé"


class DocumentsPart(Part):
    exported = EXPORTED
    not_exported = {
        "documents.DocumentType": "une liste publique",
        "documents.PieceRule": "une liste publique",
        "documents.Document.id": "une clé au hasard",
        "documents.Document.family": NESTED,
        "documents.Document.student": NESTED,
        "documents.Document.replaced_by": "les pièces se suivent par leur date",
        "documents.Document.received_sha256": "l'empreinte d'un fichier qui est dans la copie",
        "documents.Document.sha256": "l'empreinte d'un fichier qui est dans la copie",
        "documents.Document.preview": DRAWN,
        "documents.Document.preview_attempts": DRAWN,
        "documents.Document.preview_due_at": DRAWN,
        "documents.PageImage": DRAWN,
        "documents.Reading.document": NESTED,
        "documents.Review.document": NESTED,
        "documents.Access.document": NESTED,
    }
    sections = {
        "documents": "vos pièces justificatives, la date et le quotient qui y sont lus, leur "
        "examen, et quand un agent les a ouvertes"
    }

    def export(self, copy):
        """The household's own, and those of its students, which either household reads."""
        documents = (
            Document.objects.visible_to(copy.user)
            .select_related("type", "student", "uploaded_by", "reading__confirmed_by")
            .prefetch_related("reviews__actor", "accesses__actor")
            .order_by("uploaded_at", "pk")
        )
        return {"documents": [_document(document, copy) for document in documents]}

    def holdings(self, family):
        documents = documents_of(family)
        return [
            Holding(
                "Pièces justificatives\u00a0: fichier, nom, motifs de refus",
                documents.exclude(name=EMPTIED).count(),
                Fate.EMPTIED,
            ),
            Holding(
                "Examens et consultations des pièces",
                Review.objects.filter(document__in=documents).count()
                + Access.objects.filter(document__in=documents).count(),
                Fate.EMPTIED,
                "Le journal garde quel agent, quand, et son verdict.",
            ),
        ]

    def erase(self, family):
        """The rows stay, with their verdicts; nothing says any more what was in the files."""
        documents = documents_of(family)
        pks = list(documents.select_for_update(no_key=True).values_list("pk", flat=True))
        documents = Document.objects.filter(pk__in=pks)
        schedule(documents.values_list("file", flat=True))
        discard_pages(*documents)
        Reading.objects.filter(document__in=pks).delete()
        now = timezone.now()
        documents.current().update(removed_at=now)
        gone_before = When(file="", then=F("file_gone_reason"))
        documents.update(
            file="",
            file_gone_at=Coalesce("file_gone_at", now),
            file_gone_reason=Case(gone_before, default=Value(FileGone.ERASED)),
            name=EMPTIED,
            size=0,
            pages=None,
            received_sha256="",
            sha256="",
            refusal=Case(When(verdict=Verdict.REFUSED, then=Value(EMPTIED)), default=F("refusal")),
        )
        Review.objects.filter(document__in=pks).update(comment="")
        forget_in_admin_log(Document, pks)


def documents_of(family):
    """The household's pieces, and those of the students for whom nobody else answers."""
    return Document.objects.filter(Q(family=family) | Q(student__in=students_only_of(family)))


def _document(document, copy):
    said = {"file": _attachment(document), "uploaded_by": copy.signature(document.uploaded_by)}
    return {
        "de": str(document.student) if document.student else "le foyer",
        **record(document, EXPORTED[Document], **said),
        "lecture": _reading(document, copy),
        "examens": [
            record(review, EXPORTED[Review], actor=copy.signature(review.actor) or AUTOMATIC)
            for review in document.reviews.all()
        ],
        "consultations": [
            record(access, EXPORTED[Access], actor=copy.signature(access.actor))
            for access in document.accesses.all()
        ],
    }


def _reading(document, copy):
    """What its text says, and what an agent noted of it."""
    if not hasattr(document, "reading"):
        return None
    by = copy.signature(document.reading.confirmed_by)
    return record(document.reading, EXPORTED[Reading], confirmed_by=by)


def _attachment(document):
    if not document.file or document.is_quarantined:
        return None
    owner = f"Eleve {document.student}" if document.student else "Foyer"
    day = timezone.localdate(document.uploaded_at)
    extension = document.content_type.rpartition("/")[2].replace("jpeg", "jpg")
    return Attachment(
        document.file, propose_name(owner), propose_name(f"{day} {document.type}.{extension}")
    )
