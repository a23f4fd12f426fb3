from documents.models.documents import Document, DocumentQuerySet, storage_name
from documents.models.log import AUTOMATIC, Access, Review
from documents.models.pieces import DocumentType, PieceRule

__all__ = [
    "AUTOMATIC",
    "Access",
    "Document",
    "DocumentQuerySet",
    "DocumentType",
    "PieceRule",
    "Review",
    "storage_name",
]
