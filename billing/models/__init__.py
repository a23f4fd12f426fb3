"""The tables of the app, one file by noun."""

from billing.models.invoices import Instalment, Invoice, InvoiceLine, InvoiceSeries
from billing.models.payments import Payment
from billing.models.runs import InvoiceRun, RunHousehold
from billing.models.situations import PayerShare, Situation
from billing.models.tariff_rows import TariffFee, TariffModifier, TariffRate, TariffRental
from billing.models.tariffs import CourseCategory, TariffCategory, TariffGrid

__all__ = [
    "CourseCategory",
    "Instalment",
    "Invoice",
    "InvoiceLine",
    "InvoiceRun",
    "InvoiceSeries",
    "PayerShare",
    "Payment",
    "RunHousehold",
    "Situation",
    "TariffCategory",
    "TariffFee",
    "TariffGrid",
    "TariffModifier",
    "TariffRate",
    "TariffRental",
]
