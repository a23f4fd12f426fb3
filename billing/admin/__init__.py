"""The régie's pages, one file by noun."""

from billing.admin.invoices import InvoiceAdmin
from billing.admin.payments import PaymentAdmin
from billing.admin.runs import InvoiceRunAdmin
from billing.admin.situations import PayerShareAdmin, SituationAdmin
from billing.admin.tariffs import TariffCategoryAdmin, TariffGridAdmin, TariffRateAdmin

__all__ = [
    "InvoiceAdmin",
    "InvoiceRunAdmin",
    "PayerShareAdmin",
    "PaymentAdmin",
    "SituationAdmin",
    "TariffCategoryAdmin",
    "TariffGridAdmin",
    "TariffRateAdmin",
]
