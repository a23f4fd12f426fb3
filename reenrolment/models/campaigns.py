"""The period of an establishment, and the terms that the families accept."""

import datetime as dt

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, F, Q, When
from django.utils import timezone

from accounts.models import Establishment
from reenrolment.enums import CampaignMode, EarlyGroup
from students.enums import Criterion
from students.models import SchoolYear
from students.waiting_order import Rule


class Terms(models.Model):
    """The « conditions générales » in one version; once accepted by a family they never change."""

    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="terms"
    )
    version = models.CharField("version", max_length=20)
    text = models.TextField("texte")

    class Meta:
        verbose_name = "conditions générales"
        verbose_name_plural = "conditions générales"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                name="terms_one_text_per_version",
                fields=["establishment", "version"],
                violation_error_message="Cette version existe déjà.",
            )
        ]

    def __str__(self):
        return f"version {self.version}"


class CampaignQuerySet(models.QuerySet):
    def of_the_moment(self, at: dt.datetime | None = None):
        """The open one first, then the latest: one prepared early does not hide the one open."""
        now = at or timezone.now()
        is_open = When(opens_at__lte=now, closes_at__gt=now, then=0)
        return self.order_by(Case(is_open, default=1), "-opens_at", "-pk")


class Campaign(models.Model):
    """The re-enrolment period of one establishment for one coming school year."""

    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="campaigns"
    )
    previous_year = models.ForeignKey(
        SchoolYear, models.PROTECT, verbose_name="année en cours", related_name="+"
    )
    school_year = models.ForeignKey(
        SchoolYear, models.PROTECT, verbose_name="année préparée", related_name="campaigns"
    )
    opens_at = models.DateTimeField("ouvre le")
    closes_at = models.DateTimeField("ferme le")
    terms = models.ForeignKey(
        Terms, models.PROTECT, verbose_name="conditions générales", related_name="campaigns"
    )

    mode = models.CharField(
        "attribution des créneaux",
        max_length=10,
        choices=CampaignMode,
        default=CampaignMode.FIRST_COME,
        help_text="Ne change plus dès qu'une famille a commencé.",
    )

    hold_minutes = models.PositiveSmallIntegerField(
        "place gardée pendant la saisie",
        default=30,
        validators=[MinValueValidator(5), MaxValueValidator(240)],
        help_text="En minutes, depuis le choix du créneau ; la famille peut prolonger d'autant.",
    )

    travel_minutes = models.PositiveSmallIntegerField(
        "trajet entre deux sites",
        default=20,
        validators=[MaxValueValidator(120)],
        help_text="En minutes : la famille est prévenue quand deux cours lui en laissent moins.",
    )

    offer_hours = models.PositiveSmallIntegerField(
        "réponse à une place proposée",
        default=48,
        validators=[MinValueValidator(1), MaxValueValidator(336)],
        help_text="En heures : ensuite, la place est proposée à la famille suivante de la liste.",
    )

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = "campagne de réinscription"
        verbose_name_plural = "campagnes de réinscription"
        ordering = ["-opens_at"]
        constraints = [
            models.UniqueConstraint(
                name="campaign_one_per_establishment_and_year",
                fields=["establishment", "school_year"],
                violation_error_message="Cette année a déjà sa campagne.",
            ),
            models.CheckConstraint(
                name="campaign_closes_after_opening",
                condition=Q(closes_at__gt=F("opens_at")),
                violation_error_message="La campagne doit fermer après avoir ouvert.",
            ),
            models.CheckConstraint(
                name="campaign_prepares_another_year",
                condition=~Q(school_year=F("previous_year")),
                violation_error_message="La campagne prépare une autre année que celle en cours.",
            ),
            models.CheckConstraint(
                name="campaign_holds_places_from_5_to_240_minutes",
                condition=Q(hold_minutes__range=(5, 240)),
                violation_error_message="Une place se garde de 5 à 240 minutes.",
            ),
            models.CheckConstraint(
                name="campaign_offers_places_for_1_to_336_hours",
                condition=Q(offer_hours__range=(1, 336)),
                violation_error_message="Une place se propose de 1 à 336 heures.",
            ),
            models.CheckConstraint(
                name="campaign_mode_known",
                condition=Q(mode__in=CampaignMode.values),
                violation_error_message="Attribution inconnue.",
            ),
        ]
        permissions = [
            ("launch_campaign", "Peut lancer les réinscriptions"),
            ("view_needs", "Peut lire les besoins par discipline d'une année"),
        ]

    def __str__(self):
        return f"Réinscriptions {self.school_year} – {self.establishment}"

    @property
    def is_open(self) -> bool:
        """To everybody; some students enter before (reenrolment.early_access.opening_of)."""
        return self.opens_at <= timezone.now() < self.closes_at

    @property
    def is_to_come(self) -> bool:
        return timezone.now() < self.opens_at

    @property
    def by_allotment(self) -> bool:
        """Nobody picks a slot: families rank them, and get theirs after the closing."""
        return self.mode == CampaignMode.ALLOTMENT

    @property
    def hold_until(self) -> dt.datetime:
        """Until when a place picked at this moment is kept: never past the closing."""
        return min(timezone.now() + dt.timedelta(minutes=self.hold_minutes), self.closes_at)

    @property
    def offer_delay(self) -> dt.timedelta:
        """How long a place of the waiting list stays offered to one family."""
        return dt.timedelta(hours=self.offer_hours)

    @property
    def waiting_rule(self) -> Rule:
        """The published order of the waiting lists. One query."""
        criteria = self.waiting_criteria.values_list("criterion", flat=True)
        return Rule([Criterion(value) for value in criteria], self.previous_year_id)


class WaitingCriterion(models.Model):
    """One step of the order of a campaign's waiting lists, 1 first; after the last one, time."""

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, verbose_name="campagne", related_name="waiting_criteria"
    )
    position = models.PositiveSmallIntegerField("ordre")
    criterion = models.CharField("critère", max_length=10, choices=Criterion)

    class Meta:
        verbose_name = "critère de la liste d'attente"
        verbose_name_plural = "ordre de la liste d'attente (à égalité\u00a0: l'ordre des demandes)"
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="waiting_criterion_once_per_campaign",
                fields=["campaign", "criterion"],
                violation_error_message="Ce critère est déjà dans la liste.",
            ),
            models.UniqueConstraint(
                name="waiting_criterion_one_per_position",
                fields=["campaign", "position"],
                violation_error_message="Un autre critère a déjà ce rang.",
            ),
            models.CheckConstraint(
                name="waiting_criterion_known",
                condition=Q(criterion__in=Criterion.values),
                violation_error_message="Critère inconnu.",
            ),
        ]

    def __str__(self):
        return self.get_criterion_display()


class EarlyAccess(models.Model):
    """A group of students for whom a campaign opens before it does for everybody.

    One that would open later than the campaign changes nothing.
    """

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, verbose_name="campagne", related_name="early_accesses"
    )
    criterion = models.CharField("pour", max_length=20, choices=EarlyGroup)
    opens_at = models.DateTimeField("ouvre le")

    class Meta:
        verbose_name = "accès anticipé"
        verbose_name_plural = "accès anticipés"
        ordering = ["opens_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="early_access_one_per_criterion",
                fields=["campaign", "criterion"],
                violation_error_message="Ce groupe a déjà son accès anticipé.",
            ),
            models.CheckConstraint(
                name="early_access_criterion_known",
                condition=Q(criterion__in=EarlyGroup.values),
                violation_error_message="Groupe inconnu.",
            ),
        ]

    def __str__(self):
        return self.get_criterion_display()
