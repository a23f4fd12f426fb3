"""Where each instrument of the park is today, and who has it."""

import datetime as dt

from django.db import models
from django.db.models import Case, Exists, OuterRef, Prefetch, QuerySet, Value, When
from django.utils import timezone

from billing.instruments.enums import Availability, RentalState
from billing.models import Instrument, Rental, Repair


def with_availability(
    instruments: QuerySet[Instrument], today: dt.date | None = None
) -> QuerySet[Instrument]:
    """Adds `availability`, where each is today: out of the park before anything else."""
    today = today or timezone.localdate()
    rentals = Rental.objects.filter(instrument=OuterRef("pk"))
    ongoing = rentals.filter(state=RentalState.ONGOING)
    reserved = rentals.filter(state=RentalState.RESERVED)
    under_repair = Repair.objects.under_way(today).filter(instrument=OuterRef("pk"))
    return instruments.annotate(
        availability=Case(
            When(retired_on__isnull=False, then=Value(Availability.RETIRED)),
            When(Exists(ongoing.filter(ends_on__lt=today)), then=Value(Availability.OVERDUE)),
            When(Exists(ongoing), then=Value(Availability.RENTED)),
            When(Exists(under_repair), then=Value(Availability.IN_REPAIR)),
            When(Exists(reserved), then=Value(Availability.RESERVED)),
            default=Value(Availability.FREE),
            output_field=models.CharField(),
        )
    )


def with_renters(instruments: QuerySet[Instrument]) -> QuerySet[Instrument]:
    """Adds `live_rentals`, those reserved or under way with their students, in one query more."""
    live = Rental.objects.live().select_related("student").order_by("starts_on", "pk")
    return instruments.prefetch_related(Prefetch("rentals", live, to_attr="live_rentals"))
