"""What this app holds about a household: the copy of « Mes données », the erasure."""

from django.db.models import Prefetch, Q

from accounts.personal_data import forget_in_admin_log
from accounts.records import record
from billing.enums import LIVE_RENTALS, DepositState, InvoiceStatus
from billing.models import Invoice, InvoiceLine, Payment, Rental, RentalMove
from families.enums import Fate
from families.holdings import Holding, Part

EXPORTED = {
    Invoice: [
        *["establishment", "school_year", "kind", "year", "number", "issued_on", "due_on"],
        *["payer_name", "payer_address"],
    ],
    InvoiceLine: ["label", "explanation", "amount"],
    Payment: ["amount", "means", "paid_on", "reference", "recorded_at"],
    Rental: [
        *["instrument", "student", "school_year", "state", "starts_on", "ends_on"],
        *["rent", "months", "deposit", "deposit_state", "deposit_reference"],
        *["deposit_received_on", "deposit_settled_on", "deposit_kept", "deposit_reason"],
        *["insurer", "policy_number", "insured_until"],
        *["handed_over_on", "condition_out", "returned_on", "condition_back"],
    ],
    RentalMove: ["at", "actor", "event", "condition", "details"],
}
MOVES = RentalMove.objects.select_related("actor").order_by("pk")
FORGOTTEN = "effacé"
NESTED = "dit où la ligne est rangée"
TEN_YEARS = "La loi oblige à garder dix ans les pièces comptables (code de commerce, L. 123-22)."


class BillingPart(Part):
    exported = EXPORTED
    not_exported = {
        "billing.InvoiceSeries": "un compteur",
        "billing.Invoice.family": NESTED,
        "billing.Invoice.status": "un brouillon n'est encore rien : la copie ne les contient pas",
        "billing.InvoiceLine.invoice": NESTED,
        "billing.InvoiceLine.position": "les lignes sont dans leur ordre",
        "billing.Payment.invoice": NESTED,
        "billing.Payment.recorded_by": "un agent",
        "billing.InstrumentKind": "une liste publique",
        "billing.Instrument": "un bien du conservatoire",
        "billing.Repair": "un bien du conservatoire",
        "billing.Rental.family": NESTED,
        "billing.RentalMove.rental": NESTED,
        "billing.RentalCharge": "les lignes des factures le disent",
    }
    sections = {
        "factures": "vos factures, leurs lignes, vos paiements",
        "locations": "les instruments que vous louez ou avez loués, avec ce qui a été noté",
    }

    def export(self, copy):
        invoices = (
            Invoice.objects.visible_to(copy.user)
            .for_list()
            .select_related("establishment", "school_year")
            .prefetch_related("payments")
        )
        rentals = Rental.objects.visible_to(copy.user).for_list()
        rentals = rentals.prefetch_related(Prefetch("moves", MOVES))
        return {
            "factures": [_invoice(invoice) for invoice in invoices],
            "locations": [_rental(rental, copy) for rental in rentals],
        }

    def holdings(self, family):
        issued = family.invoices.filter(status=InvoiceStatus.ISSUED)
        payments = Payment.objects.filter(invoice__family=family)
        drafts = family.invoices.filter(status=InvoiceStatus.DRAFT)
        return [
            Holding(
                "Factures émises, avec le nom et l'adresse du payeur",
                issued.count(),
                Fate.KEPT,
                TEN_YEARS,
            ),
            Holding("Paiements", payments.count(), Fate.KEPT, TEN_YEARS),
            Holding("Brouillons de factures", drafts.count(), Fate.ERASED),
            Holding(
                "Locations d'instruments\u00a0: assurance et motifs",
                family.rentals.count(),
                Fate.EMPTIED,
                "Elles disent où chaque instrument a été, sans dire chez qui.",
            ),
        ]

    def obstacles(self, family):
        """Nobody else would answer for the instrument, nor be given the deposit back."""
        rentals = family.rentals.for_list().order_by("pk")
        return [
            f"{rental}\u00a0: cette location n'est pas terminée."
            if rental.state in LIVE_RENTALS
            else f"{rental}\u00a0: le dépôt de garantie n'est pas rendu."
            for rental in rentals.filter(
                Q(state__in=LIVE_RENTALS) | Q(deposit_state=DepositState.HELD)
            )
        ]

    def erase(self, family):
        pks = list(family.invoices.values_list("pk", flat=True))
        drafts = family.invoices.select_for_update().filter(status=InvoiceStatus.DRAFT)
        Invoice.objects.filter(pk__in=[draft.pk for draft in drafts]).delete()
        forget_in_admin_log(Invoice, pks)
        _empty_rentals(family)


def _empty_rentals(family):
    """What was signed for is over; the dates and amounts stay, for the accounts."""
    rentals = Rental.objects.filter(family=family)
    RentalMove.objects.filter(rental__in=rentals).update(details="")
    rentals.exclude(insurer="").update(insurer=FORGOTTEN, policy_number=FORGOTTEN)
    rentals.exclude(deposit_reason="").update(deposit_reason=FORGOTTEN)
    rentals.update(deposit_reference="")
    forget_in_admin_log(Rental, list(rentals.values_list("pk", flat=True)))


def _rental(rental, copy):
    return {
        **record(rental, EXPORTED[Rental]),
        "mouvements": [
            record(move, EXPORTED[RentalMove], actor=copy.signature(move.actor))
            for move in rental.moves.all()
        ],
    }


def _invoice(invoice):
    return {
        **record(invoice, EXPORTED[Invoice]),
        "total (€)": str(invoice.total),
        "payé (€)": str(invoice.paid),
        "lignes": [record(line, EXPORTED[InvoiceLine]) for line in invoice.lines.all()],
        "paiements": [record(payment, EXPORTED[Payment]) for payment in invoice.payments.all()],
    }
