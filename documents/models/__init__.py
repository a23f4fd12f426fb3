from documents.models.documents import Document, DocumentQuerySet, storage_name
from documents.models.log import Access, Review
from documents.models.pieces import DocumentType, PieceRule, example_name

__all__ = [
    "Access",
    "Document",
    "DocumentQuerySet",
    "DocumentType",
    "PieceRule",
    "Review",
    "example_name",
    "storage_name",
]
