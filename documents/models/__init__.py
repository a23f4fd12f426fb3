from documents.models.documents import Document, DocumentQuerySet, storage_name
from documents.models.log import AUTOMATIC, Access, Review
from documents.models.pieces import DocumentType, PieceRule, example_name
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
    "example_name",
    "storage_name",
]
