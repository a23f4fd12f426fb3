from documents.models.documents import Document, DocumentQuerySet, storage_name
from documents.models.log import AUTOMATIC, Access, Review
from documents.models.pieces import DocumentType, PieceRule
from documents.models.previews import PageImage, Reading

__all__ = [
    "AUTOMATIC",
    "Access",
    "Document",
    "DocumentQuerySet",
    "DocumentType",
    "PageImage",
    "PieceRule",
    "Reading",
    "Review",
    "storage_name",
]
