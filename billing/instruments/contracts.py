"""The contract of a rental: one text, three shapes.

The family's page, the staff's PDF and the family's PDF (`templates/letters/rental.typ`) show the
same Contract.
"""

from dataclasses import asdict, dataclass

from django.utils import timezone

from accounts.dates import day
from accounts.pdfs import render_pdf
from billing import services
from billing.instruments.enums import DepositState
from billing.instruments.prices import due, months_due
from billing.models import Rental
from billing.money import euros


@dataclass(frozen=True)
class Contract:
    """Everything that is read on a contract, in French."""

    title: str
    lender: list[str]
    renter: list[str]
    sections: list[tuple[str, list[tuple[str, str]]]]  # a heading, then what it is and what it says
    clauses: list[str]
    date: str
    lender_name: str
    renter_name: str


def contract_of(rental: Rental) -> Contract:
    """As the rental stands today. No query for one of `for_contract`."""
    office = rental.instrument.establishment
    return Contract(
        title=f"Contrat de location n°\u00a0{rental.pk}",
        lender=[office.name, *office.address.splitlines(), office.phone, office.email],
        renter=[
            services.payer_name(rental.family),
            *services.payer_address(rental.family).splitlines(),
        ],
        sections=[
            ("Instrument", _instrument(rental)),
            ("Location", _period(rental)),
            ("Loyer et dépôt de garantie", _money(rental)),
            ("Assurance", _insurance(rental)),
        ],
        clauses=rental.terms.clauses,
        date=f"Le {day(timezone.localdate())}",
        lender_name=office.name,
        renter_name=services.payer_name(rental.family),
    )


def print_contract(contract: Contract) -> bytes:
    """The PDF, to sign. Raises ValidationError `pdf`."""
    return render_pdf("letters/rental.typ", asdict(contract))


def deposit_sentence(rental: Rental) -> str:
    """« 200,00 €, reçu le 3 septembre 2026 » ; what was kept of it, and why."""
    match rental.deposit_state:
        case DepositState.NONE:
            return "Aucun"
        case DepositState.DUE:
            return f"{euros(rental.deposit)}, à remettre au conservatoire"
        case DepositState.HELD:
            return f"{euros(rental.deposit)}, reçu le {day(rental.deposit_received_on)}"
        case DepositState.GIVEN_BACK:
            return f"{euros(rental.deposit)}, rendu le {day(rental.deposit_settled_on)}"
        case DepositState.KEPT:
            return (
                f"{euros(rental.deposit)}, dont {euros(rental.deposit_kept)} gardés le"
                f" {day(rental.deposit_settled_on)}\u00a0: {rental.deposit_reason}"
            )


def _instrument(rental):
    instrument = rental.instrument
    facts = [
        ("Genre", instrument.kind.name),
        ("Taille", instrument.size),
        ("Marque et modèle", " ".join(filter(None, [instrument.brand, instrument.model]))),
        ("Numéro de série", instrument.serial_number),
        ("Numéro d'inventaire", instrument.inventory_number),
        ("Valeur à assurer", "" if instrument.value is None else euros(instrument.value)),
    ]
    return [(what, value) for what, value in facts if value]


def _period(rental):
    facts = [
        ("Élève", str(rental.student)),
        ("Année scolaire", str(rental.school_year)),
        ("Durée", rental.period),
    ]
    if rental.handed_over_on:
        facts.append(("Remis le", _seen(rental.handed_over_on, rental.get_condition_out_display())))
    if rental.returned_on:
        facts.append(("Rendu le", _seen(rental.returned_on, rental.get_condition_back_display())))
    return facts


def _seen(on, condition):
    return f"{day(on)}, état\u00a0: {condition}"


def _money(rental):
    months = months_due(rental.starts_on, rental.ends_on, rental.months)
    return [
        ("Loyer d'une année entière", euros(rental.rent)),
        ("Loyer de cette location", f"{euros(due(rental))} ({months}/{rental.months} de l'année)"),
        ("Dépôt de garantie", deposit_sentence(rental)),
    ]


def _insurance(rental):
    if not rental.insurer:
        return [("Attestation", "à remettre avant l'instrument")]
    return [
        ("Compagnie", rental.insurer),
        ("Contrat", rental.policy_number),
        ("Valable jusqu'au", day(rental.insured_until)),
    ]
