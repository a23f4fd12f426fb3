"""The launch of a campaign: who is told that it begins, and what became of each message."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Mail
from families.models import Family, Guardian
from reenrolment.models.campaigns import Campaign


class Launch(models.Model):
    """« Lancement » of a campaign: once; the newcomers are added to it later."""

    campaign = models.OneToOneField(
        Campaign, models.PROTECT, verbose_name="campagne", related_name="launch"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    at = models.DateTimeField("le")

    class Meta:
        verbose_name = "lancement"

    def __str__(self):
        return f"Lancement\u00a0: {self.campaign}"


class LaunchMail(models.Model):
    """One guardian to tell, once per campaign: the constraint is what forbids a second mail.

    `prepared_at` is empty until the account is there and the mail is in the outbox.
    """

    launch = models.ForeignKey(
        Launch, models.PROTECT, verbose_name="lancement", related_name="launch_mails"
    )
    guardian = models.ForeignKey(
        Guardian, models.PROTECT, verbose_name="responsable", related_name="launch_mails"
    )
    prepared_at = models.DateTimeField("préparé le", null=True, blank=True)
    mail = models.OneToOneField(
        Mail,
        models.PROTECT,
        verbose_name="message",
        related_name="launch_mail",
        null=True,
        blank=True,
        help_text="Le dernier envoyé\u00a0; vide sans adresse e-mail.",
    )
    problem = models.CharField("empêchement", max_length=200, blank=True)

    class Meta:
        verbose_name = "message de lancement"
        verbose_name_plural = "messages de lancement"
        ordering = [
            "guardian__family__sort_name",
            "guardian__family_id",
            "guardian__sort_name",
            "pk",
        ]
        indexes = [
            models.Index("id", name="launch_mail_to_do", condition=Q(prepared_at=None)),
        ]
        constraints = [
            models.UniqueConstraint(
                name="launch_mail_once_per_guardian",
                fields=["launch", "guardian"],
                violation_error_message="Ce responsable est déjà prévenu.",
            ),
            models.CheckConstraint(
                name="launch_mail_outcome_once_prepared",
                condition=Q(prepared_at__isnull=False) | Q(mail=None, problem=""),
                violation_error_message="Un message à préparer n'a encore rien donné.",
            ),
            models.CheckConstraint(
                name="launch_mail_sent_or_prevented",
                condition=Q(mail=None) | Q(problem=""),
                violation_error_message="Un message empêché n'est pas envoyé.",
            ),
        ]

    def __str__(self):
        return f"{self.guardian}"


class LaunchResend(models.Model):
    """« Renvoyer »: who asked, for which household, when. Append-only."""

    launch = models.ForeignKey(
        Launch, models.PROTECT, verbose_name="lancement", related_name="resends"
    )
    family = models.ForeignKey(Family, models.PROTECT, verbose_name="famille", related_name="+")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    at = models.DateTimeField("le")

    class Meta:
        verbose_name = "renvoi"
        ordering = ["-at", "-pk"]

    def __str__(self):
        return f"{self.family}, {self.at:%d/%m/%Y %H:%M}"
