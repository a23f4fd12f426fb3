"""Many invoices at once: the run, and what it found of each household."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Establishment
from billing.enums import (
    LIVE_RUNS,
    NOT_PRICED,
    WITH_A_SENTENCE,
    Billed,
    InvoiceKind,
    RunOutcome,
    RunState,
)
from billing.instruments.enums import HANDED_OVER, RentalState
from billing.models.invoices import PARTS
from billing.models.tariffs import TariffGrid
from families.models import Family
from students.enums import EnrolmentStatus
from students.models import SchoolYear

STATUSES = {
    Billed.CONFIRMED: [EnrolmentStatus.CONFIRMED],
    Billed.LIVE: [EnrolmentStatus.CONFIRMED, EnrolmentStatus.REQUESTED],
}
RENTALS = {
    Billed.CONFIRMED: (HANDED_OVER, "instruments remis"),
    Billed.LIVE: ([*HANDED_OVER, RentalState.RESERVED], "instruments remis ou réservés"),
}
LAUNCHED = [RunState.ISSUING, RunState.PAUSED, RunState.ISSUED]


class InvoiceRun(models.Model):
    """« Facturation groupée »: the year's invoices drafted, checked, then issued, by the queue.

    The dates and `parts` are those of its drafts; `grid` is the one that was published when it was
    prepared, none for rentals. Abandoned once it had begun to issue, it keeps when and by whom.
    `billing.runs` alone writes it; a second run of a year drafts what has changed since.
    """

    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="invoice_runs"
    )
    school_year = models.ForeignKey(
        SchoolYear, models.PROTECT, verbose_name="année scolaire", related_name="invoice_runs"
    )
    kind = models.CharField(
        "genre", max_length=10, choices=InvoiceKind, default=InvoiceKind.COTISATION
    )
    label = models.CharField("libellé", max_length=100)
    billed = models.CharField(
        "inscriptions facturées",
        max_length=10,
        choices=Billed,
        default=Billed.CONFIRMED,
        help_text="Pour des locations\u00a0: les instruments remis, ou aussi les réservés.",
    )
    grid = models.ForeignKey(
        TariffGrid,
        models.PROTECT,
        verbose_name="grille tarifaire",
        related_name="invoice_runs",
        null=True,
        blank=True,
        editable=False,
    )
    parts = models.PositiveSmallIntegerField(
        "payable en", choices=[(times, f"{times}\u00a0fois") for times in PARTS], default=1
    )
    published_on = models.DateField("visible à partir du", null=True, blank=True)
    due_on = models.DateField("à payer jusqu'au")
    online_until = models.DateField("payable en ligne jusqu'au", null=True, blank=True)
    counter_until = models.DateField("payable au guichet jusqu'au", null=True, blank=True)
    state = models.CharField(
        "état", max_length=10, choices=RunState, default=RunState.PREPARING, editable=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="préparée par", related_name="+"
    )
    created_at = models.DateTimeField("préparée le", auto_now_add=True)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="émise par",
        related_name="+",
        null=True,
        blank=True,
    )
    issued_at = models.DateTimeField("émission lancée le", null=True, blank=True)
    ended_at = models.DateTimeField("émission finie le", null=True, blank=True)

    class Meta:
        verbose_name = "facturation groupée"
        verbose_name_plural = "facturations groupées"
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                name="invoice_run_one_under_way",
                fields=["establishment", "school_year", "kind"],
                condition=Q(state__in=LIVE_RUNS),
                violation_error_message="Une facturation de cette année est déjà en cours\u00a0: "
                "émettez-la ou abandonnez-la d'abord.",
            ),
            models.CheckConstraint(
                name="invoice_run_state_known",
                condition=Q(state__in=RunState.values),
                violation_error_message="État inconnu.",
            ),
            models.CheckConstraint(
                name="invoice_run_kind_known",
                condition=Q(kind__in=InvoiceKind.values),
                violation_error_message="Genre de facture inconnu.",
            ),
            models.CheckConstraint(
                name="invoice_run_billed_known",
                condition=Q(billed__in=Billed.values),
                violation_error_message="Inscriptions facturées inconnues.",
            ),
            models.CheckConstraint(
                name="invoice_run_payable_in_known_parts",
                condition=Q(parts__in=PARTS),
                violation_error_message="Une facture se paie en 1, 2, 3, 4 ou 6 fois.",
            ),
            models.CheckConstraint(
                name="invoice_run_launched_at_and_by",
                condition=Q(
                    state__in=[*LAUNCHED, RunState.ABANDONED],
                    issued_at__isnull=False,
                    issued_by__isnull=False,
                )
                | ~Q(state__in=LAUNCHED) & Q(issued_at=None, issued_by=None),
                violation_error_message="L'émission a une date et un auteur.",
            ),
            models.CheckConstraint(
                name="invoice_run_has_a_grid_but_for_rentals",
                condition=Q(kind=InvoiceKind.LOCATION, grid=None)
                | ~Q(kind=InvoiceKind.LOCATION) & Q(grid__isnull=False),
                violation_error_message="Les cotisations suivent une grille, les locations leur"
                " contrat.",
            ),
            models.CheckConstraint(
                name="invoice_run_ended_at_iff_issued",
                condition=Q(state=RunState.ISSUED) ^ Q(ended_at=None),
                violation_error_message="La date de fin suit l'état.",
            ),
        ]

    def __str__(self):
        return f"{self.label} ({self.school_year})"

    @property
    def statuses(self) -> list[EnrolmentStatus]:
        """Of the enrolments that it bills."""
        return STATUSES[Billed(self.billed)]

    @property
    def is_of_rentals(self) -> bool:
        return self.kind == InvoiceKind.LOCATION

    @property
    def rental_states(self) -> list[RentalState]:
        """Of the rentals that it bills."""
        states, _ = RENTALS[Billed(self.billed)]
        return states

    @property
    def billed_words(self) -> str:
        """« confirmées », « instruments remis ou réservés »."""
        _, words = RENTALS[Billed(self.billed)]
        return words if self.is_of_rentals else self.get_billed_display()

    @property
    def is_preparing(self) -> bool:
        return self.state == RunState.PREPARING

    @property
    def is_issuing(self) -> bool:
        return self.state == RunState.ISSUING

    @property
    def is_to_check(self) -> bool:
        return self.state == RunState.TO_CHECK

    @property
    def is_paused(self) -> bool:
        return self.state == RunState.PAUSED

    @property
    def is_abandoned(self) -> bool:
        return self.state == RunState.ABANDONED


class RunHousehold(models.Model):
    """A household of a run: what the year costs it, and what became of it (`sentence`: why not).

    In euros: `total` by the grid for the whole year, or by the contracts of its rentals; `billed`
    by earlier invoices of it, `last_year` by those of the year before (None: none). `grid` priced
    it: the run's, or the one that had billed the household before.
    """

    run = models.ForeignKey(
        InvoiceRun,
        models.PROTECT,
        verbose_name="facturation",
        related_name="households",
        db_index=False,  # as that of an invoice: two indexes begin with it
    )
    family = models.ForeignKey(
        Family, models.PROTECT, verbose_name="famille", related_name="run_households"
    )
    outcome = models.CharField("suite", max_length=10, choices=RunOutcome, default=RunOutcome.TO_DO)
    sentence = models.CharField("pourquoi", max_length=300, blank=True)
    total = models.DecimalField(
        "dû pour l'année", max_digits=10, decimal_places=2, null=True, blank=True
    )
    billed = models.DecimalField("déjà facturé", max_digits=10, decimal_places=2, default=0)
    last_year = models.DecimalField(
        "l'an dernier", max_digits=10, decimal_places=2, null=True, blank=True
    )
    at_top_rate = models.BooleanField("au tarif haut", default=False)
    grid = models.ForeignKey(
        TariffGrid,
        models.PROTECT,
        verbose_name="grille appliquée",
        related_name="+",
        null=True,
        blank=True,
        editable=False,
    )

    class Meta:
        verbose_name = "foyer d'une facturation"
        verbose_name_plural = "foyers d'une facturation"
        ordering = ["pk"]  # they are written in the order of the families' names
        indexes = [
            models.Index("run", "outcome", "id", name="run_household_by_outcome"),
        ]
        constraints = [
            models.UniqueConstraint(
                name="run_household_once_per_run",
                fields=["run", "family"],
                violation_error_message="Ce foyer est déjà dans cette facturation.",
            ),
            models.CheckConstraint(
                name="run_household_outcome_known",
                condition=Q(outcome__in=RunOutcome.values),
                violation_error_message="Suite inconnue.",
            ),
            models.CheckConstraint(
                name="run_household_says_why_not",
                condition=Q(outcome__in=WITH_A_SENTENCE) & ~Q(sentence="")
                | ~Q(outcome__in=WITH_A_SENTENCE) & Q(sentence=""),
                violation_error_message="Un refus dit pourquoi.",
            ),
            models.CheckConstraint(
                name="run_household_priced_or_not",
                condition=Q(outcome__in=NOT_PRICED, total=None)
                | ~Q(outcome__in=NOT_PRICED) & Q(total__isnull=False),
                violation_error_message="Un foyer calculé a son montant.",
            ),
        ]

    def __str__(self):
        return str(self.family)
