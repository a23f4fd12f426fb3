"""The tables of the app, one file by noun."""

from billing.models.invoices import Instalment, Invoice, InvoiceLine, InvoiceSeries
from billing.models.payments import Payment
from billing.models.tariff_rows import TariffFee, TariffModifier, TariffRate, TariffRental
from billing.models.tariffs import CourseCategory, TariffCategory, TariffGrid

__all__ = [
    "CourseCategory",
    "Instalment",
    "Invoice",
    "InvoiceLine",
    "InvoiceSeries",
    "Payment",
    "TariffCategory",
    "TariffFee",
    "TariffGrid",
    "TariffModifier",
    "TariffRate",
    "TariffRental",
]
