"""Who has which instrument, until when, and what was said of it."""

import datetime as dt
from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.dates import day
from billing.instruments.enums import (
    DEPOSIT_RECEIVED,
    HANDED_OVER,
    LIVE_RENTALS,
    Condition,
    DepositState,
    RentalEvent,
    RentalState,
)
from billing.models.instruments import Instrument
from billing.models.rental_terms import RentalTerms
from billing.money import ZERO
from families.models import Family
from students.models import SchoolYear, Student


class RentalQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The household that rents, and it alone: not the student's other one."""
        return self.filter(family__guardians__user=user).exclude(  # at most one guardian
            state=RentalState.CANCELLED
        )

    def live(self):
        return self.filter(state__in=LIVE_RENTALS)

    def overdue(self, today: dt.date):
        """Not returned on the day after the last one."""
        return self.filter(state=RentalState.ONGOING, ends_on__lt=today)

    def taken_between(self, starts_on: dt.date, ends_on: dt.date, *, today: dt.date):
        """The live ones that share a day with this period, its last day included.

        An instrument that is out stays taken until it comes back, whatever the day agreed on.
        """
        late = Q(state=RentalState.ONGOING) if starts_on <= today else Q(pk=None)
        return self.live().filter(Q(ends_on__gte=starts_on) | late, starts_on__lte=ends_on)

    def for_list(self):
        """What a list of rentals shows, in one query."""
        return self.select_related("instrument__kind", "student", "family", "school_year")

    def for_contract(self):
        """What a contract says, in two queries."""
        return (
            self.for_list()
            .select_related("instrument__establishment", "family__commune", "terms")
            .prefetch_related("family__guardians")
        )


class Rental(models.Model):
    """An instrument lent to a student for a part of a school year, at his household's expense."""

    instrument = models.ForeignKey(
        Instrument, models.PROTECT, verbose_name="instrument", related_name="rentals"
    )
    student = models.ForeignKey(
        Student, models.PROTECT, verbose_name="élève", related_name="rentals"
    )
    family = models.ForeignKey(
        Family, models.PROTECT, verbose_name="foyer qui loue", related_name="rentals"
    )
    school_year = models.ForeignKey(
        SchoolYear, models.PROTECT, verbose_name="année scolaire", related_name="rentals"
    )
    terms = models.ForeignKey(
        RentalTerms,
        models.PROTECT,
        verbose_name="conditions de location",
        related_name="rentals",
        editable=False,
    )
    state = models.CharField(
        "état de la location",
        max_length=10,
        choices=RentalState,
        default=RentalState.RESERVED,
        editable=False,
    )
    starts_on = models.DateField("du")
    ends_on = models.DateField("au", help_text="Le jour où l'instrument est attendu, compris.")
    rent = models.DecimalField(
        "loyer d'une année entière (€)",
        max_digits=10,
        decimal_places=2,
        validators=[MinValueValidator(ZERO, "Un loyer n'est pas négatif.")],
    )
    months = models.PositiveSmallIntegerField(
        "mois d'une année entière",
        default=10,
        help_text="Tout mois commencé est dû, sans dépasser ce nombre.",
    )
    deposit = models.DecimalField(
        "dépôt de garantie (€)",
        max_digits=10,
        decimal_places=2,
        default=ZERO,
        validators=[MinValueValidator(ZERO, "Un dépôt n'est pas négatif.")],
    )
    deposit_state = models.CharField(
        "état du dépôt",
        max_length=10,
        choices=DepositState,
        default=DepositState.NONE,
        editable=False,
    )
    deposit_reference = models.CharField(
        "référence du dépôt",
        max_length=50,
        blank=True,
        editable=False,
    )
    deposit_received_on = models.DateField("dépôt reçu le", null=True, editable=False)
    deposit_settled_on = models.DateField("dépôt rendu ou gardé le", null=True, editable=False)
    deposit_kept = models.DecimalField(
        "montant gardé (€)", max_digits=10, decimal_places=2, default=ZERO, editable=False
    )
    deposit_reason = models.CharField(
        "motif du dépôt gardé", max_length=300, blank=True, editable=False
    )
    insurer = models.CharField("compagnie d'assurance", max_length=100, blank=True)
    policy_number = models.CharField("numéro du contrat d'assurance", max_length=60, blank=True)
    insured_until = models.DateField("assuré jusqu'au", null=True, blank=True)
    handed_over_on = models.DateField("remis le", null=True, editable=False)
    condition_out = models.CharField(
        "état à la remise", max_length=10, choices=Condition, blank=True, editable=False
    )
    returned_on = models.DateField("rendu le", null=True, editable=False)
    condition_back = models.CharField(
        "état au retour", max_length=10, choices=Condition, blank=True, editable=False
    )

    objects = RentalQuerySet.as_manager()

    class Meta:
        verbose_name = "location"
        ordering = ["-starts_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                name="rental_one_ongoing_per_instrument",
                fields=["instrument"],
                condition=Q(state=RentalState.ONGOING),
                violation_error_message="Cet instrument est déjà entre les mains d'un élève.",
            ),
            models.CheckConstraint(
                name="rental_state_known",
                condition=Q(state__in=RentalState.values),
                violation_error_message="État de location inconnu.",
            ),
            models.CheckConstraint(
                name="rental_ends_after_start",
                condition=Q(ends_on__gte=F("starts_on")),
                violation_error_message="La location doit finir après avoir commencé.",
            ),
            models.CheckConstraint(
                name="rental_amounts_not_negative",
                condition=Q(rent__gte=0, deposit__gte=0, months__gte=1),
                violation_error_message="Un loyer et un dépôt ne sont pas négatifs.",
            ),
            models.CheckConstraint(
                name="rental_handed_over_and_insured_iff_it_left",
                condition=Q(state__in=HANDED_OVER, handed_over_on__isnull=False)
                & Q(condition_out__in=Condition.values, insured_until__isnull=False)
                & ~Q(insurer="")
                & ~Q(policy_number="")
                | ~Q(state__in=HANDED_OVER) & Q(handed_over_on=None, condition_out=""),
                violation_error_message="Un instrument n'est remis qu'assuré, et son état noté.",
            ),
            models.CheckConstraint(
                name="rental_dated_return_iff_returned",
                condition=Q(
                    state=RentalState.RETURNED,
                    returned_on__isnull=False,  # else the comparison is unknown, which passes
                    returned_on__gte=F("handed_over_on"),
                    condition_back__in=Condition.values,
                )
                | ~Q(state=RentalState.RETURNED) & Q(returned_on=None, condition_back=""),
                violation_error_message="Un instrument rendu l'est à une date, dans un état.",
            ),
            models.CheckConstraint(
                name="rental_deposit_state_known_and_due_iff_there_is_one",
                condition=Q(deposit_state=DepositState.NONE, deposit=0)
                | Q(
                    deposit_state__in=[DepositState.DUE, *DEPOSIT_RECEIVED],
                    deposit__gt=0,
                ),
                violation_error_message="L'état du dépôt ne va pas avec son montant.",
            ),
            models.CheckConstraint(
                name="rental_deposit_dated_iff_received",
                condition=Q(deposit_state__in=DEPOSIT_RECEIVED, deposit_received_on__isnull=False)
                | ~Q(deposit_state__in=DEPOSIT_RECEIVED) & Q(deposit_received_on=None),
                violation_error_message="Un dépôt reçu l'est à une date.",
            ),
            models.CheckConstraint(
                name="rental_deposit_settled_iff_dated",
                condition=Q(
                    deposit_state__in=[DepositState.GIVEN_BACK, DepositState.KEPT],
                    deposit_settled_on__isnull=False,
                    deposit_settled_on__gte=F("deposit_received_on"),
                )
                | ~Q(deposit_state__in=[DepositState.GIVEN_BACK, DepositState.KEPT])
                & Q(deposit_settled_on=None),
                violation_error_message="Un dépôt rendu ou gardé l'est après avoir été reçu.",
            ),
            models.CheckConstraint(
                name="rental_deposit_kept_with_a_reason",
                condition=Q(
                    deposit_state=DepositState.KEPT,
                    deposit_kept__gt=0,
                    deposit_kept__lte=F("deposit"),
                )
                & ~Q(deposit_reason="")
                | ~Q(deposit_state=DepositState.KEPT) & Q(deposit_kept=0, deposit_reason=""),
                violation_error_message="Un dépôt gardé l'est pour un montant et un motif.",
            ),
        ]

    def __str__(self):
        return f"{self.instrument}, {self.student}"

    @property
    def period(self) -> str:
        """« du 15 septembre 2026 au 30 juin 2027 »."""
        return f"du {day(self.starts_on)} au {day(self.ends_on)}"

    @property
    def state_label(self) -> str:
        """« réservée », « en cours », « retour en retard » from the day after the last one…"""
        return "retour en retard" if self.is_overdue else self.get_state_display()

    @property
    def is_overdue(self) -> bool:
        return self.state == RentalState.ONGOING and self.ends_on < timezone.localdate()

    @property
    def must_renew_insurance(self) -> bool:
        """The insurance is over, or will be within the month, before the instrument comes back."""
        soon = timezone.localdate() + dt.timedelta(days=30)
        return (
            self.state == RentalState.ONGOING
            and self.insured_until < self.ends_on
            and self.insured_until <= soon
        )

    @property
    def is_insured(self) -> bool:
        """Is an insurance noted that runs today?"""
        until = self.insured_until
        return bool(self.insurer and self.policy_number and until) and (
            until >= timezone.localdate()
        )

    @property
    def deposit_given_back(self) -> Decimal:
        """What went back to the household, in euros."""
        if self.deposit_state not in (DepositState.GIVEN_BACK, DepositState.KEPT):
            return ZERO
        return self.deposit - self.deposit_kept


class RentalMove(models.Model):
    """The log of a rental: written with each move, never changed."""

    rental = models.ForeignKey(
        Rental, models.PROTECT, verbose_name="location", related_name="moves"
    )
    at = models.DateTimeField("le", auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    event = models.CharField("mouvement", max_length=20, choices=RentalEvent)
    condition = models.CharField(
        "état de l'instrument", max_length=10, choices=Condition, blank=True
    )
    details = models.CharField("précisions", max_length=500, blank=True)

    class Meta:
        verbose_name = "mouvement de location"
        verbose_name_plural = "mouvements de location"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="rental_move_event_known",
                condition=Q(event__in=RentalEvent.values),
                violation_error_message="Mouvement inconnu.",
            )
        ]

    def __str__(self):
        return self.get_event_display()


class RentalCharge(models.Model):
    """The line of an invoice by which a rental is paid, so that nothing is asked twice."""

    rental = models.ForeignKey(
        Rental, models.PROTECT, verbose_name="location", related_name="charges"
    )
    line = models.OneToOneField(
        "billing.InvoiceLine",
        models.CASCADE,  # a draft goes with its lines; an issued invoice is never deleted
        verbose_name="ligne de facture",
        related_name="rental_charge",
    )

    class Meta:
        verbose_name = "part facturée d'une location"
        verbose_name_plural = "parts facturées des locations"

    def __str__(self):
        return f"{self.rental}\u00a0: {self.line}"
