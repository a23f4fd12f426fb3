"""Reminders of overdue invoices: what was asked, what each household got, at which level."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Establishment
from billing.enums import PaymentReminderOutcome, ReminderLevel
from billing.models.invoices import Invoice
from families.models import Family

WORD_LENGTH = 500  # characters, « mot de la régie »


class PaymentReminder(models.Model):
    """« Relance » : households chosen by an agent. services/reminders.py alone writes it."""

    establishment = models.ForeignKey(
        Establishment,
        models.PROTECT,
        verbose_name="établissement",
        related_name="payment_reminders",
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    asked_at = models.DateTimeField("demandée le", auto_now_add=True)
    word = models.CharField("mot de la régie", max_length=WORD_LENGTH, blank=True)
    ended_at = models.DateTimeField("finie le", null=True, blank=True)

    class Meta:
        verbose_name = "relance"
        ordering = ["-pk"]
        permissions = [("remind_debtors", "Peut relancer les foyers en retard de paiement")]
        indexes = [
            models.Index("id", name="payment_reminder_under_way", condition=Q(ended_at=None)),
        ]

    def __str__(self):
        return f"Relance du {self.asked_at:%d/%m/%Y}"


class PaymentReminderLine(models.Model):
    """One household of a reminder. `day`: that of Paris when its mails were written, else empty.

    The unique (family, day) is what forbids a second reminder on the same day.
    """

    reminder = models.ForeignKey(
        PaymentReminder, models.PROTECT, verbose_name="relance", related_name="lines"
    )
    family = models.ForeignKey(
        Family, models.PROTECT, verbose_name="famille", related_name="payment_reminder_lines"
    )
    outcome = models.CharField(
        "suite",
        max_length=11,
        choices=PaymentReminderOutcome,
        default=PaymentReminderOutcome.TO_DO,
    )
    day = models.DateField("relancé le", null=True, blank=True)
    done_at = models.DateTimeField("traité le", null=True, blank=True)

    class Meta:
        verbose_name = "foyer d'une relance"
        verbose_name_plural = "foyers d'une relance"
        ordering = ["family__sort_name", "family_id", "pk"]
        indexes = [
            models.Index(
                "id",
                name="payment_reminder_line_to_do",
                condition=Q(outcome=PaymentReminderOutcome.TO_DO),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="payment_reminder_line_once_a_day",
                fields=["family", "day"],
                violation_error_message="Ce foyer a déjà été relancé ce jour-là.",
            ),
            models.UniqueConstraint(
                name="payment_reminder_line_once_per_reminder",
                fields=["reminder", "family"],
                violation_error_message="Ce foyer est déjà dans cette relance.",
            ),
            models.CheckConstraint(
                name="payment_reminder_line_outcome_known",
                condition=Q(outcome__in=PaymentReminderOutcome.values),
                violation_error_message="Suite inconnue.",
            ),
            models.CheckConstraint(
                name="payment_reminder_line_day_iff_sent",
                condition=Q(outcome=PaymentReminderOutcome.SENT) ^ Q(day=None),
                violation_error_message="Le jour est celui d'une relance écrite.",
            ),
            models.CheckConstraint(
                name="payment_reminder_line_done_at_iff_done",
                condition=Q(outcome=PaymentReminderOutcome.TO_DO) ^ Q(done_at__isnull=False),
                violation_error_message="La date suit le traitement.",
            ),
        ]

    def __str__(self):
        return f"{self.family}"


class RemindedInvoice(models.Model):
    """An invoice as a mail has asked for it: its history, and what the next level follows."""

    line = models.ForeignKey(
        PaymentReminderLine, models.PROTECT, verbose_name="foyer", related_name="invoices"
    )
    invoice = models.ForeignKey(
        Invoice, models.PROTECT, verbose_name="facture", related_name="reminders"
    )
    level = models.PositiveSmallIntegerField("niveau", choices=ReminderLevel)
    overdue = models.DecimalField("en retard (€)", max_digits=10, decimal_places=2)
    day = models.DateField("relancée le")

    class Meta:
        verbose_name = "relance d'une facture"
        verbose_name_plural = "relances d'une facture"
        ordering = ["day", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="reminded_invoice_once_a_day",
                fields=["invoice", "day"],
                violation_error_message="Cette facture a déjà été relancée ce jour-là.",
            ),
            models.CheckConstraint(
                name="reminded_invoice_level_known",
                condition=Q(level__in=ReminderLevel.values),
                violation_error_message="Niveau de relance inconnu.",
            ),
            models.CheckConstraint(
                name="reminded_invoice_overdue_positive",
                condition=Q(overdue__gt=0),
                violation_error_message="On ne relance que ce qui est dû.",
            ),
        ]

    def __str__(self):
        return f"{self.invoice}, {self.get_level_display()}"
