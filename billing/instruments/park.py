"""Every write of the park itself: what an instrument is, its repairs, its end."""

import datetime as dt
from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.dates import day
from accounts.spreadsheets.saving import save_rows
from billing.instruments.enums import RentalState
from billing.models import Instrument, Rental, Repair


def lock(instrument: Instrument) -> Instrument:
    """A fresh row, locked: whoever wants it, its dates or its end waits here."""
    return (
        Instrument.objects.select_for_update(of=["self"])
        .select_related("kind", "establishment")
        .get(pk=instrument.pk)
    )


@transaction.atomic
def retire(instrument: Instrument, *, on: dt.date) -> Instrument:
    """Out of service, for good or until `reinstate`. Refuses one that is rented or reserved."""
    instrument = lock(instrument)
    if instrument.retired_on:
        raise ValidationError("Cet instrument est déjà hors service.", code="retired")
    if on > timezone.localdate():
        raise ValidationError("Cette date est à venir.", code="in_future")
    rental = Rental.objects.live().select_related("student").filter(instrument=instrument).first()
    if rental:
        raise ValidationError(_taken(rental), code="taken")
    instrument.retired_on = on
    instrument.save(update_fields=["retired_on"])
    return instrument


@transaction.atomic
def reinstate(instrument: Instrument) -> Instrument:
    """In service again."""
    instrument = lock(instrument)
    if not instrument.retired_on:
        raise ValidationError("Cet instrument est en service.", code="in_service")
    instrument.retired_on = None
    instrument.save(update_fields=["retired_on"])
    return instrument


@transaction.atomic
def send_to_repair(
    instrument: Instrument,
    *,
    starts_on: dt.date,
    ends_on: dt.date | None,
    workshop: str,
    reason: str,
) -> Repair:
    """A period of repair, `ends_on` None while nobody knows.

    A rental under way goes on meanwhile. Refuses a day of another repair, and those of a
    reservation: it is cancelled first.
    """
    instrument = lock(instrument)
    repair = Repair(
        instrument=instrument,
        starts_on=starts_on,
        ends_on=ends_on,
        workshop=workshop,
        reason=reason,
    )
    repair.full_clean()
    last = ends_on or dt.date.max
    if other := instrument.repairs.between(starts_on, last).first():
        raise ValidationError(
            f"Cet instrument est déjà en réparation depuis le {day(other.starts_on)}\u00a0:"
            " notez d'abord son retour.",
            code="in_repair",
        )
    reserved = Rental.objects.filter(instrument=instrument, state=RentalState.RESERVED)
    reserved = reserved.filter(starts_on__lte=last, ends_on__gte=starts_on)
    if rental := reserved.select_related("student").first():
        raise ValidationError(_taken(rental), code="taken")
    repair.save()
    return repair


@transaction.atomic
def end_repair(instrument: Instrument, *, on: dt.date, condition: str) -> Repair:
    """Back from the luthier's, in this condition. Refuses when no repair is under way."""
    instrument = lock(instrument)
    today = timezone.localdate()
    repair = instrument.repairs.under_way(today).select_for_update().first()
    if repair is None:
        raise ValidationError("Cet instrument n'est pas en réparation.", code="not_in_repair")
    if on > today:
        raise ValidationError("Cette date est à venir.", code="in_future")
    repair.ends_on = on
    repair.full_clean()
    repair.save(update_fields=["ends_on"])
    instrument.condition = condition
    instrument.full_clean()
    instrument.save(update_fields=["condition"])
    return repair


@transaction.atomic
def save(instrument: Instrument, names: Collection[str] = ()) -> None:
    """Writes a new instrument, or what was changed of one: `names` are its fields.

    And nothing else: somebody may hand it over or retire it at this very moment.
    """
    instrument.full_clean()
    instrument.save(update_fields=[*names, "sort_name"] if instrument.pk else None)


def save_instruments(
    created: list[Instrument], changed: list[tuple[Instrument, list[str]]]
) -> None:
    """Writes the rows of a checked list; `changed` names the attributes of each row."""
    save_rows(created, changed)


def check_free(
    instrument: Instrument, starts_on: dt.date, ends_on: dt.date, *, but: Rental | None = None
) -> None:
    """Raises ValidationError unless it may be lent on all these days: `retired`, `taken`,
    `in_repair`.

    Under the lock of the instrument, so that two agents never lend it for the same day.
    """
    if instrument.retired_on:
        raise ValidationError(
            f"Cet instrument est hors service depuis le {day(instrument.retired_on)}.",
            code="retired",
        )
    check_not_taken(instrument, starts_on, ends_on, but=but)
    if repair := instrument.repairs.between(starts_on, ends_on).first():
        raise ValidationError(
            f"Cet instrument est en réparation du {day(repair.starts_on)} au"
            f" {day(repair.ends_on)}\u00a0: choisissez d'autres dates."
            if repair.ends_on
            else f"Cet instrument est en réparation depuis le {day(repair.starts_on)}\u00a0:"
            " notez d'abord son retour.",
            code="in_repair",
        )


def check_not_taken(
    instrument: Instrument, starts_on: dt.date, ends_on: dt.date, *, but: Rental | None = None
) -> None:
    """Raises ValidationError `taken` if another rental than `but` has one of these days."""
    rentals = Rental.objects.filter(instrument=instrument).exclude(pk=but.pk if but else None)
    taken = rentals.taken_between(starts_on, ends_on, today=timezone.localdate())
    if rental := taken.select_related("student").first():
        raise ValidationError(_taken(rental), code="taken")


def _taken(rental):
    if rental.is_overdue:
        return (
            f"Cet instrument n'est pas revenu\u00a0: {rental.student} devait le rendre le"
            f" {day(rental.ends_on)}."
        )
    state = "réservé pour" if rental.state == RentalState.RESERVED else "loué à"
    return f"Cet instrument est {state} {rental.student}, {rental.period}."
