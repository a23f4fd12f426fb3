from reenrolment.models.allotments import Allocation, Allotment
from reenrolment.models.assisting import AssistedSession
from reenrolment.models.campaigns import Campaign, EarlyAccess, Terms, WaitingCriterion
from reenrolment.models.dossiers import (
    COMMENT_LENGTH,
    CourseChoice,
    Reenrolment,
    RequestedPiece,
    SuppliedPiece,
    Transition,
)
from reenrolment.models.launches import Launch, LaunchMail, LaunchResend
from reenrolment.models.reminders import PieceReminder, ReminderLine

__all__ = [
    "Allocation",
    "Allotment",
    "AssistedSession",
    "COMMENT_LENGTH",
    "Campaign",
    "CourseChoice",
    "EarlyAccess",
    "Launch",
    "LaunchMail",
    "LaunchResend",
    "PieceReminder",
    "Reenrolment",
    "ReminderLine",
    "RequestedPiece",
    "SuppliedPiece",
    "Terms",
    "Transition",
    "WaitingCriterion",
]
