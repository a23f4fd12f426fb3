"""A reminder and its households, as every app keeps them: abstract, each has its own tables."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.enums import MailKind
from families.reminders.outcomes import SENT, TO_DO

WORD_LENGTH = 500  # characters, of what an agent adds to the mail


class Reminder(models.Model):
    """Households chosen by an agent, for now or for a moment to come.

    `families.reminders.sending` alone writes it. It may be cancelled until it has started. The
    concrete one adds what it is about, and its `schedule_constraints`.
    """

    mail_kind: ClassVar[MailKind]

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    asked_at = models.DateTimeField("demande", auto_now_add=True)
    word = models.CharField("mot aux foyers", max_length=WORD_LENGTH, blank=True)
    planned_for = models.DateTimeField("moment prévu", default=timezone.now)
    started_at = models.DateTimeField("début de l'envoi", null=True, blank=True)
    ended_at = models.DateTimeField("fin de l'envoi", null=True, blank=True)
    cancelled_at = models.DateTimeField("annulation", null=True, blank=True)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="annulation par",
        related_name="+",
        null=True,
        blank=True,
    )

    class Meta:
        abstract = True

    def __str__(self):
        name = str(self._meta.verbose_name).capitalize()
        return f"{name} du {timezone.localtime(self.planned_for):%d/%m/%Y}"

    @property
    def is_scheduled(self) -> bool:
        """May it still be cancelled?"""
        return self.started_at is None and self.cancelled_at is None

    @property
    def state(self) -> str:
        """As the lists say it, of the sending."""
        if self.cancelled_at:
            return "envoi annulé"
        if self.ended_at:
            return "envoi fini"
        return "envoi en cours" if self.started_at else "envoi prévu"


class ReminderLine(models.Model):
    """One household of a reminder. `day`: that of Paris when its mails were written, else empty.

    The unique (family, day) is what forbids a second reminder on the same day. The concrete one
    adds `reminder` (whose lines are `lines`), `family`, `outcome`, and its `line_constraints`.
    """

    day = models.DateField("relancé le", null=True, blank=True)
    done_at = models.DateTimeField("traité le", null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self):
        return f"{self.family}"


def schedule_constraints(prefix: str) -> list[models.CheckConstraint]:
    """What holds between the moments of a Reminder; `prefix` begins their names."""
    return [
        models.CheckConstraint(
            name=f"{prefix}_starts_no_earlier_than_planned",
            condition=Q(started_at=None) | Q(started_at__gte=F("planned_for")),
            violation_error_message="Rien ne part avant le moment prévu.",
        ),
        models.CheckConstraint(
            name=f"{prefix}_ends_once_started",
            condition=Q(ended_at=None) | Q(started_at__isnull=False),
            violation_error_message="Un envoi fini a commencé.",
        ),
        models.CheckConstraint(
            name=f"{prefix}_cancelled_before_it_starts",
            condition=Q(cancelled_at=None) | Q(started_at=None),
            violation_error_message="Un envoi commencé ne s'annule plus.",
        ),
        models.CheckConstraint(
            name=f"{prefix}_cancelled_at_and_by",
            condition=Q(cancelled_at=None, cancelled_by=None)
            | Q(cancelled_at__isnull=False, cancelled_by__isnull=False),
            violation_error_message="Une annulation a date et auteur.",
        ),
    ]


def under_way(prefix: str) -> list[models.Index]:
    """The index of what is left to send."""
    return [
        models.Index(
            "planned_for",
            name=f"{prefix}_under_way",
            condition=Q(ended_at=None, cancelled_at=None),
        ),
    ]


def line_constraints(prefix: str, outcomes: type[models.TextChoices]) -> list:
    """What holds of a ReminderLine, whose outcomes are these."""
    return [
        models.UniqueConstraint(
            name=f"{prefix}_once_a_day",
            fields=["family", "day"],
            violation_error_message="Ce foyer a déjà été relancé ce jour-là.",
        ),
        models.UniqueConstraint(
            name=f"{prefix}_once_per_reminder",
            fields=["reminder", "family"],
            violation_error_message="Ce foyer est déjà dans cet envoi.",
        ),
        models.CheckConstraint(
            name=f"{prefix}_outcome_known",
            condition=Q(outcome__in=outcomes.values),
            violation_error_message="Suite inconnue.",
        ),
        models.CheckConstraint(
            name=f"{prefix}_day_iff_sent",
            condition=Q(outcome=SENT) ^ Q(day=None),
            violation_error_message="Le jour est celui d'un message écrit.",
        ),
        models.CheckConstraint(
            name=f"{prefix}_done_at_iff_done",
            condition=Q(outcome=TO_DO) ^ Q(done_at__isnull=False),
            violation_error_message="La date suit le traitement.",
        ),
    ]


def to_do(prefix: str) -> list[models.Index]:
    """The index of the lines that wait for their turn."""
    return [models.Index("id", name=f"{prefix}_to_do", condition=Q(outcome=TO_DO))]
