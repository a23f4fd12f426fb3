"""The administration's pages, each in the folder of its capability."""

from teaching.absences.admin import AbsenceAdmin, AbsenceNoticeAdmin
from teaching.register.admin import RegisterAdmin, RegisterSettingsAdmin

__all__ = ["AbsenceAdmin", "AbsenceNoticeAdmin", "RegisterAdmin", "RegisterSettingsAdmin"]
