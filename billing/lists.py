"""The invoices of the agent's establishments; issued and paid by services alone."""

from accounts.references import reference_of
from accounts.selectors import establishments_of
from accounts.spreadsheets import cells
from accounts.spreadsheets.columns import Column, Day
from accounts.spreadsheets.lists import ExportedList
from accounts.spreadsheets.registry import register
from billing.models import Invoice

DAY = Day()


@register
class InvoiceList(ExportedList):
    model, slug, label, position = Invoice, "factures", "Factures", 9
    purpose = "Les factures, leur montant et leur règlement."

    reference = Column("number", "Facture", show=lambda invoice: invoice.reference or "brouillon")
    establishment = Column(
        "establishment", "Établissement", show=lambda invoice: str(invoice.establishment)
    )
    school_year = Column(
        "school_year", "Année scolaire", show=lambda invoice: str(invoice.school_year)
    )
    family = Column("family", "Famille", show=lambda invoice: invoice.family.name)
    family_reference = Column(
        *("family", "Référence de la famille"), show=lambda invoice: reference_of(invoice.family)
    )
    kind = Column("kind", "Genre", show=lambda invoice: invoice.get_kind_display())
    issued_on = Column("issued_on", "Émise le", show=lambda invoice: DAY.render(invoice.issued_on))
    due_on = Column("due_on", "À payer jusqu'au", show=lambda invoice: DAY.render(invoice.due_on))
    total = Column("total", "Total", show=lambda invoice: cells.amount(invoice.total))
    credited = Column("credited", "Avoirs", show=lambda invoice: cells.amount(invoice.credited))
    paid = Column("paid", "Payé", show=lambda invoice: cells.amount(invoice.paid))
    left = Column("left", "Reste à payer", show=lambda invoice: cells.amount(invoice.left))
    settlement = Column("settlement", "Règlement", show=lambda invoice: invoice.settlement_label)

    def rows(self):
        ours = Invoice.objects.filter(establishment__in=establishments_of(self.actor))
        return ours.with_amounts().select_related("establishment", "school_year", "family")
