from django.db import models


class Condition(models.TextChoices):
    """The state of an instrument, as it is noted when it leaves and when it comes back."""

    NEW = "new", "neuf"
    GOOD = "good", "bon"
    WORN = "worn", "usagé"
    DAMAGED = "damaged", "abîmé"


class Availability(models.TextChoices):
    """Where an instrument is today; computed (`with_availability`), never stored."""

    FREE = "free", "disponible"
    RESERVED = "reserved", "réservé"
    RENTED = "rented", "loué"
    OVERDUE = "overdue", "retour en retard"
    IN_REPAIR = "in_repair", "en réparation"
    RETIRED = "retired", "hors service"


class RentalState(models.TextChoices):
    RESERVED = "reserved", "réservée"
    ONGOING = "ongoing", "en cours"
    RETURNED = "returned", "terminée"
    CANCELLED = "cancelled", "annulée"


LIVE_RENTALS = [RentalState.RESERVED, RentalState.ONGOING]
HANDED_OVER = [RentalState.ONGOING, RentalState.RETURNED]
NEXT_RENTAL = {
    RentalState.RESERVED: [RentalState.ONGOING, RentalState.CANCELLED],
    RentalState.ONGOING: [RentalState.RETURNED],
    RentalState.RETURNED: [],
    RentalState.CANCELLED: [],
}


class DepositState(models.TextChoices):
    """A deposit is given back, or kept in part or in whole: it is never income by itself."""

    NONE = "none", "sans dépôt"
    DUE = "due", "à recevoir"
    HELD = "held", "reçu"
    GIVEN_BACK = "given_back", "rendu"
    KEPT = "kept", "gardé"


DEPOSIT_RECEIVED = [DepositState.HELD, DepositState.GIVEN_BACK, DepositState.KEPT]
NEXT_DEPOSIT = {
    DepositState.NONE: [],
    DepositState.DUE: [DepositState.HELD],
    DepositState.HELD: [DepositState.GIVEN_BACK, DepositState.KEPT],
    DepositState.GIVEN_BACK: [],
    DepositState.KEPT: [],
}


class RentalEvent(models.TextChoices):
    """What the log of a rental tells."""

    RESERVED = "reserved", "instrument réservé"
    HANDED_OVER = "handed_over", "instrument remis"
    RETURNED = "returned", "instrument rendu"
    EXTENDED = "extended", "location prolongée"
    CANCELLED = "cancelled", "location annulée"
    INSURED = "insured", "assurance notée"
    DEPOSIT_RECEIVED = "deposit_received", "dépôt reçu"
    DEPOSIT_GIVEN_BACK = "deposit_given_back", "dépôt rendu"
    DEPOSIT_KEPT = "deposit_kept", "dépôt gardé"
    INVOICED = "invoiced", "facture préparée"
