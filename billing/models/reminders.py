"""Reminders of overdue invoices: what was asked, what each household got, at which level."""

from django.db import models
from django.db.models import Q

from accounts.enums import MailKind
from accounts.models import Establishment
from billing.enums import PaymentReminderOutcome, ReminderLevel
from billing.models.invoices import Invoice
from families.models import Family
from families.reminders.models import (
    Reminder,
    ReminderLine,
    line_constraints,
    schedule_constraints,
    to_do,
    under_way,
)


class PaymentReminder(Reminder):
    """« Relance » of overdue invoices, of one establishment."""

    mail_kind = MailKind.PAYMENT_REMINDER

    establishment = models.ForeignKey(
        Establishment,
        models.PROTECT,
        verbose_name="établissement",
        related_name="payment_reminders",
    )

    class Meta:
        verbose_name = "relance"
        ordering = ["-planned_for", "-pk"]
        permissions = [("remind_debtors", "Peut relancer les foyers en retard de paiement")]
        indexes = under_way("payment_reminder")
        constraints = schedule_constraints("payment_reminder")


class PaymentReminderLine(ReminderLine):
    """One household of a reminder of payment."""

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

    class Meta:
        verbose_name = "foyer d'une relance"
        verbose_name_plural = "foyers d'une relance"
        ordering = ["family__sort_name", "family_id", "pk"]
        indexes = to_do("payment_reminder_line")
        constraints = line_constraints("payment_reminder_line", PaymentReminderOutcome)


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
