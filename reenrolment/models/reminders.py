"""Reminders of missing or refused pieces: what was asked, when, and what each household got."""

from django.db import models

from accounts.enums import MailKind
from families.models import Family
from families.reminders.models import (
    Reminder,
    line_constraints,
    schedule_constraints,
    to_do,
    under_way,
)
from families.reminders.models import ReminderLine as BaseLine
from reenrolment.enums import ReminderOutcome
from reenrolment.models.campaigns import Campaign


class PieceReminder(Reminder):
    """« Rappel des pièces », of one campaign."""

    mail_kind = MailKind.PIECE_REMINDER

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, verbose_name="campagne", related_name="piece_reminders"
    )

    class Meta:
        verbose_name = "rappel des pièces"
        verbose_name_plural = "rappels des pièces"
        ordering = ["-planned_for", "-pk"]
        permissions = [("remind_families", "Peut relancer les familles pour leurs pièces")]
        indexes = under_way("piece_reminder")
        constraints = schedule_constraints("piece_reminder")


class ReminderLine(BaseLine):
    """One household of a reminder of pieces."""

    reminder = models.ForeignKey(
        PieceReminder, models.PROTECT, verbose_name="rappel", related_name="lines"
    )
    family = models.ForeignKey(
        Family, models.PROTECT, verbose_name="famille", related_name="reminder_lines"
    )
    outcome = models.CharField(
        "suite", max_length=11, choices=ReminderOutcome, default=ReminderOutcome.TO_DO
    )

    class Meta:
        verbose_name = "foyer d'un rappel"
        verbose_name_plural = "foyers d'un rappel"
        ordering = ["family__sort_name", "family_id", "pk"]
        indexes = to_do("reminder_line")
        constraints = line_constraints("reminder_line", ReminderOutcome)
