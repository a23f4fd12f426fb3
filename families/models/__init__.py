"""The tables of the app, one file by noun: households, personal data, what the staff did."""

from families.models.households import Commune, Family, Guardian
from families.models.personal_data import (
    ERASURE_TEXT_LENGTH,
    DataExport,
    Erasure,
    ErasureRequest,
    FileToDelete,
)
from families.models.staff_log import Invitation, Merge

__all__ = [
    "ERASURE_TEXT_LENGTH",
    "Commune",
    "DataExport",
    "Erasure",
    "ErasureRequest",
    "Family",
    "FileToDelete",
    "Guardian",
    "Invitation",
    "Merge",
]
