"""What becomes of the invoices of a household that turns out to be another's double."""

from billing.models import Invoice, RunHousehold
from families.absorbing import Follower, Line


class Invoices(Follower):
    """They follow: the household sees and pays them. An issued one keeps the name that it bears."""

    relations = ["billing.Invoice.family", "billing.RunHousehold.family"]

    def lines(self, kept, absorbed):
        return [
            Line(
                f"Facture {invoice.reference}\u00a0: rejoint le foyer, au nom de"
                f" {invoice.payer_name} comme elle a été émise."
                if invoice.is_issued
                else f"Facture en préparation ({invoice.get_kind_display()})\u00a0: rejoint le"
                " foyer."
            )
            for invoice in absorbed.invoices.order_by("pk")
        ]

    def absorb(self, kept, absorbed):
        # A run has one line, and one invoice, for a household: the double's leave it. The invoices
        # first, as whoever issues one (billing.services).
        runs = list(kept.run_households.values_list("run", flat=True))
        Invoice.objects.filter(family=absorbed, run__in=runs).update(run=None)
        Invoice.objects.filter(family=absorbed).update(family=kept)
        absorbed.run_households.filter(run__in=runs).delete()
        RunHousehold.objects.filter(family=absorbed).update(family=kept)
