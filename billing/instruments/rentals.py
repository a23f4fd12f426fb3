"""Every move of a rental: reserved, handed over, extended, returned, cancelled."""

import datetime as dt
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.dates import day
from accounts.models import User
from billing.instruments import park
from billing.instruments.enums import (
    LIVE_RENTALS,
    NEXT_RENTAL,
    Condition,
    DepositState,
    RentalEvent,
    RentalState,
)
from billing.instruments.prices import charged
from billing.instruments.terms import terms_of
from billing.models import Instrument, Rental
from billing.money import round_cents
from families.models import Family
from students.models import Custody, SchoolYear, Student


@transaction.atomic
def reserve(
    instrument: Instrument,
    *,
    student: Student,
    family: Family,
    starts_on: dt.date,
    ends_on: dt.date,
    rent: Decimal,
    months: int,
    deposit: Decimal,
    actor: User,
) -> Rental:
    """Reserves the instrument for these days, the last one included; amounts in euros.

    The establishment's clauses of this day are the contract's, whatever they become (`terms`).
    `family` is the household of the student that rents. Refuses a household that is not his
    (code "not_household"), days that are not of one school year ("outside_year"), and an
    instrument that is not free on all of them (see `park.check_free`).
    """
    instrument = park.lock(instrument)
    if not Custody.objects.filter(student=student, family=family).exists():
        raise ValidationError(f"{student} n'est pas de ce foyer.", code="not_household")
    deposit = round_cents(deposit)
    rental = Rental(
        instrument=instrument,
        student=student,
        family=family,
        school_year=_year_of(starts_on),
        terms=terms_of(instrument.establishment),
        starts_on=starts_on,
        ends_on=ends_on,
        rent=round_cents(rent),
        months=months,
        deposit=deposit,
        deposit_state=DepositState.DUE if deposit else DepositState.NONE,
    )
    rental.full_clean()
    _check_year(rental)
    park.check_free(instrument, starts_on, ends_on)
    rental.save()
    log(rental, RentalEvent.RESERVED, actor=actor, details=_sentence(rental.period))
    return rental


@transaction.atomic
def insure(
    rental: Rental, *, insurer: str, policy_number: str, insured_until: dt.date, actor: User
) -> Rental:
    """Notes the attestation that the household brought. Refuses one that is over already."""
    rental = lock(rental)
    if rental.state not in LIVE_RENTALS:
        raise _impossible(rental)
    if insured_until < timezone.localdate():
        raise ValidationError(
            {
                "insured_until": ValidationError(
                    f"Cette assurance est terminée depuis le {day(insured_until)}\u00a0: demandez"
                    " une attestation en cours.",
                    code="insurance_over",
                )
            }
        )
    rental.insurer, rental.policy_number = insurer, policy_number
    rental.insured_until = insured_until
    rental.full_clean()
    rental.save(update_fields=["insurer", "policy_number", "insured_until"])
    details = f"{insurer}, contrat {policy_number}, jusqu'au {day(insured_until)}."
    log(rental, RentalEvent.INSURED, actor=actor, details=details)
    return rental


@transaction.atomic
def hand_over(
    rental: Rental, *, on: dt.date, condition: Condition, note: str = "", actor: User
) -> Rental:
    """The student leaves with the instrument, in this condition.

    Refuses without an insurance that runs on this day (code "not_insured"), before the rental
    begins or after it ends ("too_early", "too_late"), on a day to come ("in_future"), and an
    instrument that is not there: with the student before, at the luthier's ("taken", "in_repair").
    """
    instrument = park.lock(rental.instrument)
    rental = _move(rental, RentalState.ONGOING)
    if on > timezone.localdate():
        raise ValidationError({"on": _in_future()})
    if on < rental.starts_on:
        raise ValidationError(
            {
                "on": ValidationError(
                    f"La location ne commence que le {day(rental.starts_on)}\u00a0: pour remettre"
                    " l'instrument plus tôt, annulez-la et refaites-la.",
                    code="too_early",
                )
            }
        )
    if on > rental.ends_on:
        raise ValidationError(
            {
                "on": ValidationError(
                    f"La location finit le {day(rental.ends_on)}\u00a0: prolongez-la d'abord.",
                    code="too_late",
                )
            }
        )
    if not (rental.insurer and rental.policy_number and rental.insured_until):
        raise ValidationError(
            "L'assurance est obligatoire avant de remettre l'instrument\u00a0: notez d'abord la"
            " compagnie, le numéro du contrat et sa date de fin.",
            code="not_insured",
        )
    if rental.insured_until < on:
        raise ValidationError(
            f"L'assurance est terminée depuis le {day(rental.insured_until)}\u00a0: demandez une"
            " attestation en cours avant de remettre l'instrument.",
            code="not_insured",
        )
    park.check_free(instrument, on, rental.ends_on, but=rental)
    rental.handed_over_on, rental.condition_out = on, condition
    rental.full_clean()
    rental.save(update_fields=["state", "handed_over_on", "condition_out"])
    log(rental, RentalEvent.HANDED_OVER, actor=actor, condition=condition, details=note)
    _note_condition(instrument, condition)
    return rental


@transaction.atomic
def take_back(
    rental: Rental, *, on: dt.date, condition: Condition, note: str = "", actor: User
) -> Rental:
    """The instrument is back, in this condition, and free for others."""
    instrument = park.lock(rental.instrument)
    rental = _move(rental, RentalState.RETURNED)
    if on > timezone.localdate():
        raise ValidationError({"on": _in_future()})
    if on < rental.handed_over_on:
        raise ValidationError(
            {
                "on": ValidationError(
                    f"L'instrument a été remis le {day(rental.handed_over_on)}\u00a0: il ne peut"
                    " pas être revenu avant.",
                    code="before_handing_over",
                )
            }
        )
    rental.returned_on, rental.condition_back = on, condition
    rental.full_clean()
    rental.save(update_fields=["state", "returned_on", "condition_back"])
    log(rental, RentalEvent.RETURNED, actor=actor, condition=condition, details=note)
    _note_condition(instrument, condition)
    return rental


@transaction.atomic
def extend(rental: Rental, *, ends_on: dt.date, actor: User) -> Rental:
    """A later last day, within the school year. Refuses days on which it is another's."""
    instrument = park.lock(rental.instrument)
    rental = lock(rental)
    if rental.state not in LIVE_RENTALS:
        raise _impossible(rental)
    before = rental.ends_on
    if ends_on <= before:
        raise ValidationError(
            {
                "ends_on": ValidationError(
                    f"Choisissez un jour après le {day(before)}, où la location finit déjà.",
                    code="not_later",
                )
            }
        )
    rental.ends_on = ends_on
    rental.full_clean()
    _check_year(rental)
    # Of what a rental under way added, a repair takes nothing: it goes on meanwhile.
    is_out = rental.state == RentalState.ONGOING
    check = park.check_not_taken if is_out else park.check_free
    check(instrument, before + dt.timedelta(days=1), ends_on, but=rental)
    rental.save(update_fields=["ends_on"])
    log(rental, RentalEvent.EXTENDED, actor=actor, details=f"Jusqu'au {day(ends_on)}.")
    return rental


@transaction.atomic
def cancel(rental: Rental, *, reason: str, actor: User) -> Rental:
    """Nothing will be handed over. Refuses while a deposit is held or an invoice stands."""
    park.lock(rental.instrument)
    rental = _move(rental, RentalState.CANCELLED)
    if rental.deposit_state == DepositState.HELD:
        raise ValidationError(
            "Le dépôt de garantie a été reçu\u00a0: rendez-le d'abord.", code="deposit_held"
        )
    if charged(rental):
        raise ValidationError(
            "Une facture porte cette location\u00a0: supprimez d'abord le brouillon, ou annulez la"
            " facture.",
            code="invoiced",
        )
    rental.full_clean()
    rental.save(update_fields=["state"])
    log(rental, RentalEvent.CANCELLED, actor=actor, details=reason)
    return rental


def lock(rental: Rental) -> Rental:
    """A fresh row: the caller's copy may be stale."""
    return Rental.objects.select_for_update(of=["self"]).for_list().get(pk=rental.pk)


def log(rental, event, *, actor, condition="", details=""):
    move = rental.moves.model(
        rental=rental, event=event, actor=actor, condition=condition, details=details
    )
    move.full_clean()
    move.save()


def _move(rental, state):
    rental = lock(rental)
    if state not in NEXT_RENTAL[rental.state]:
        raise _impossible(rental)
    rental.state = state
    return rental


def _year_of(date):
    year = SchoolYear.objects.filter(starts_on__lte=date, ends_on__gte=date).first()
    if year is None:
        raise ValidationError(
            {
                "starts_on": ValidationError(
                    f"Le {day(date)} n'est d'aucune année scolaire\u00a0: créez-la d'abord.",
                    code="outside_year",
                )
            }
        )
    return year


def _check_year(rental):
    year = rental.school_year
    if rental.starts_on < year.starts_on or rental.ends_on > year.ends_on:
        raise ValidationError(
            {
                "ends_on": ValidationError(
                    f"L'année {year} va du {day(year.starts_on)} au {day(year.ends_on)}\u00a0: une"
                    " location n'en sort pas, la suivante est une autre location.",
                    code="outside_year",
                )
            }
        )


def _note_condition(instrument, condition):
    """The park says what was last seen."""
    if instrument.condition != condition:
        instrument.condition = condition
        instrument.save(update_fields=["condition"])


def _impossible(rental):
    return ValidationError(
        f"Action déjà faite ou impossible\u00a0: cette location est {rental.get_state_display()}.",
        code="bad_transition",
    )


def _in_future():
    return ValidationError("Cette date est à venir.", code="in_future")


def _sentence(text):
    return f"{text[0].upper()}{text[1:]}."
