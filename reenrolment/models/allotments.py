"""The allotments of a campaign: each run is kept, one is published."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q

from reenrolment.models.campaigns import Campaign
from reenrolment.models.dossiers import CourseChoice, Reenrolment
from students.models import Course, Slot

SEED_LENGTH = 64  # characters
REASON_LENGTH = 300  # characters, as on the waiting list
# How long the places of a published plan are kept for whom they are: far longer than the sender of
# mails, which gives them, may be away.
KEPT = dt.timedelta(days=30)


class AllotmentQuerySet(models.QuerySet):
    def published(self):
        return self.filter(published_at__isnull=False)


class Allotment(models.Model):
    """One run of the allotment: a trial until it is published. Never deleted.

    The seeds tried before the one published stand on the page of the draw.
    """

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, verbose_name="campagne", related_name="allotments"
    )
    seed = models.CharField("graine du tirage", max_length=SEED_LENGTH)
    note = models.CharField("remarque", max_length=300, blank=True)
    made_at = models.DateTimeField("calculée le")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="calculée par", related_name="+"
    )
    published_at = models.DateTimeField("publiée le", null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="publiée par",
        related_name="+",
        null=True,
        blank=True,
    )

    objects = AllotmentQuerySet.as_manager()

    class Meta:
        verbose_name = "répartition"
        ordering = ["-pk"]
        permissions = [
            ("run_allotment", "Peut préparer la répartition des vœux"),
            ("publish_allotment", "Peut publier la répartition des vœux"),
        ]
        constraints = [
            models.UniqueConstraint(
                name="allotment_one_published_per_campaign",
                fields=["campaign"],
                condition=Q(published_at__isnull=False),
                violation_error_message="La répartition de cette campagne est déjà publiée.",
            ),
            models.CheckConstraint(
                name="allotment_published_at_and_by",
                condition=Q(published_at=None, published_by=None)
                | Q(published_at__isnull=False, published_by__isnull=False),
                violation_error_message="Une répartition publiée a date et auteur.",
            ),
        ]

    def __str__(self):
        return f"Répartition n° {self.pk}"


class AllocationQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Those published, of either household's students."""
        ours = Reenrolment.objects.visible_to(user)
        return self.filter(choice__reenrolment__in=ours, allotment__published_at__isnull=False)

    def to_settle(self):
        """Published, and the student has not got his place yet."""
        return self.filter(settled_at=None, told_at=None, allotment__published_at__isnull=False)

    def to_tell(self):
        """The family has not been told what it got."""
        return self.filter(told_at=None, allotment__published_at__isnull=False)

    def for_list(self):
        return self.select_related(
            "choice__reenrolment__student",
            "choice__granted__place__slot__course",
            "course",
            "slot__course",
            "changed_by",
        )


class Allocation(models.Model):
    """What one run gives to one line of a dossier: a slot, or none.

    `wishes` is what the family had ranked when it ran, the preferred first, with what became of
    each: `[{"slot": 12, "words": "LUNDI – 18 h à 19 h", "fate": "full"}, …]` (null: any slot of the
    course; students.enums.Fate).
    """

    allotment = models.ForeignKey(
        Allotment, models.PROTECT, verbose_name="répartition", related_name="allocations"
    )
    choice = models.ForeignKey(
        CourseChoice, models.PROTECT, verbose_name="vœu", related_name="allocations"
    )
    course = models.ForeignKey(Course, models.PROTECT, verbose_name="cours", related_name="+")
    slot = models.ForeignKey(
        Slot,
        models.PROTECT,
        verbose_name="créneau",
        related_name="allocations",
        null=True,
        blank=True,
    )
    preference = models.PositiveSmallIntegerField("rang du vœu obtenu", null=True, blank=True)
    draw = models.PositiveIntegerField("numéro de tirage")
    wishes = models.JSONField("vœux classés", default=list, blank=True)
    reason = models.CharField("motif du changement", max_length=REASON_LENGTH, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="changée par",
        related_name="+",
        null=True,
        blank=True,
    )
    settled_at = models.DateTimeField("place donnée le", null=True, blank=True)
    told_at = models.DateTimeField("famille prévenue le", null=True, blank=True)
    problem = models.CharField("empêchement", max_length=300, blank=True)

    objects = AllocationQuerySet.as_manager()

    class Meta:
        verbose_name = "place attribuée"
        verbose_name_plural = "places attribuées"
        ordering = [
            "course__sort_name",
            "choice__reenrolment__student__sort_name",
            "choice__reenrolment__student_id",
            "pk",
        ]
        indexes = [
            models.Index("id", name="allocation_to_tell", condition=Q(told_at=None)),
        ]
        constraints = [
            models.UniqueConstraint(
                name="allocation_one_per_choice",
                fields=["allotment", "choice"],
                violation_error_message="Ce vœu est déjà dans la répartition.",
            ),
            models.CheckConstraint(
                name="allocation_wish_obtained_has_a_slot",
                condition=Q(preference=None) | Q(slot__isnull=False),
                violation_error_message="Un vœu obtenu a un créneau.",
            ),
            models.CheckConstraint(
                name="allocation_told_once_settled",
                condition=Q(told_at=None) | Q(settled_at__isnull=False),
                violation_error_message="La famille n'est prévenue qu'une fois la place donnée.",
            ),
            models.CheckConstraint(
                name="allocation_problem_once_settled",
                condition=Q(problem="") | Q(settled_at__isnull=False),
                violation_error_message="Une place à donner n'a pas encore d'empêchement.",
            ),
        ]

    def __str__(self):
        return f"{self.choice.reenrolment.student}\u00a0: {self.slot or self.course}"

    @property
    def wished(self) -> list[int | None]:
        """The keys of the slots ranked, the preferred first; None: any of the course."""
        return [wish["slot"] for wish in self.wishes]

    def preference_for(self, slot: Slot | None) -> int | None:
        """Which of the wishes this slot fulfils; None when it is none of them."""
        wished = self.wished
        for key in (slot.pk, None) if slot else ():
            if key in wished:
                return wished.index(key) + 1
        return None
