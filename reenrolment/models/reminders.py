"""Reminders of missing or refused pieces: what was asked, when, and what each household got."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from families.models import Family
from reenrolment.enums import ReminderOutcome
from reenrolment.models.campaigns import Campaign

WORD_LENGTH = 500  # characters, « mot du secrétariat »


class PieceReminder(models.Model):
    """« Rappel des pièces »: households chosen by an agent, now or for a moment to come.

    services/reminders.py alone writes it. It may be cancelled until it has started.
    """

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, verbose_name="campagne", related_name="piece_reminders"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    asked_at = models.DateTimeField("demandé le", auto_now_add=True)
    word = models.CharField("mot du secrétariat", max_length=WORD_LENGTH, blank=True)
    planned_for = models.DateTimeField("prévu pour le")
    started_at = models.DateTimeField("commencé le", null=True, blank=True)
    ended_at = models.DateTimeField("fini le", null=True, blank=True)
    cancelled_at = models.DateTimeField("annulé le", null=True, blank=True)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="annulé par",
        related_name="+",
        null=True,
        blank=True,
    )

    class Meta:
        verbose_name = "rappel des pièces"
        verbose_name_plural = "rappels des pièces"
        ordering = ["-planned_for", "-pk"]
        permissions = [("remind_families", "Peut relancer les familles pour leurs pièces")]
        indexes = [
            models.Index(
                "planned_for",
                name="piece_reminder_under_way",
                condition=Q(ended_at=None, cancelled_at=None),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="piece_reminder_starts_no_earlier_than_planned",
                condition=Q(started_at=None) | Q(started_at__gte=F("planned_for")),
                violation_error_message="Un rappel ne part pas avant le moment prévu.",
            ),
            models.CheckConstraint(
                name="piece_reminder_ends_once_started",
                condition=Q(ended_at=None) | Q(started_at__isnull=False),
                violation_error_message="Un rappel fini a commencé.",
            ),
            models.CheckConstraint(
                name="piece_reminder_cancelled_before_it_starts",
                condition=Q(cancelled_at=None) | Q(started_at=None),
                violation_error_message="Un rappel commencé ne s'annule plus.",
            ),
            models.CheckConstraint(
                name="piece_reminder_cancelled_at_and_by",
                condition=Q(cancelled_at=None, cancelled_by=None)
                | Q(cancelled_at__isnull=False, cancelled_by__isnull=False),
                violation_error_message="Une annulation a date et auteur.",
            ),
        ]

    def __str__(self):
        return f"Rappel des pièces du {self.planned_for:%d/%m/%Y}"

    @property
    def is_scheduled(self) -> bool:
        """May it still be cancelled?"""
        return self.started_at is None and self.cancelled_at is None


class ReminderLine(models.Model):
    """One household of a reminder. `day`: that of Paris when its mails were written, else empty.

    The unique (family, day) is what forbids a second reminder on the same day.
    """

    reminder = models.ForeignKey(
        PieceReminder, models.PROTECT, verbose_name="rappel", related_name="lines"
    )
    family = models.ForeignKey(
        Family, models.PROTECT, verbose_name="famille", related_name="reminder_lines"
    )
    outcome = models.CharField(
        "suite", max_length=11, choices=ReminderOutcome, default=ReminderOutcome.TO_DO
    )
    day = models.DateField("relancé le", null=True, blank=True)
    done_at = models.DateTimeField("traité le", null=True, blank=True)

    class Meta:
        verbose_name = "foyer d'un rappel"
        verbose_name_plural = "foyers d'un rappel"
        ordering = ["family__sort_name", "family_id", "pk"]
        indexes = [
            models.Index(
                "id", name="reminder_line_to_do", condition=Q(outcome=ReminderOutcome.TO_DO)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="reminder_line_once_per_family_and_day",
                fields=["family", "day"],
                violation_error_message="Ce foyer a déjà été relancé ce jour-là.",
            ),
            models.UniqueConstraint(
                name="reminder_line_once_per_reminder",
                fields=["reminder", "family"],
                violation_error_message="Ce foyer est déjà dans ce rappel.",
            ),
            models.CheckConstraint(
                name="reminder_line_outcome_known",
                condition=Q(outcome__in=ReminderOutcome.values),
                violation_error_message="Suite inconnue.",
            ),
            models.CheckConstraint(
                name="reminder_line_day_iff_sent",
                condition=Q(outcome=ReminderOutcome.SENT) ^ Q(day=None),
                violation_error_message="Le jour est celui d'un rappel écrit.",
            ),
            models.CheckConstraint(
                name="reminder_line_done_at_iff_done",
                condition=Q(outcome=ReminderOutcome.TO_DO) ^ Q(done_at__isnull=False),
                violation_error_message="La date suit le traitement.",
            ),
        ]

    def __str__(self):
        return f"{self.family}"
