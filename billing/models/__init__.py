"""The tables of the app, one file by noun."""

from billing.models.invoices import Instalment, Invoice, InvoiceLine, InvoiceSeries
from billing.models.payments import Payment
from billing.models.runs import InvoiceRun, RunHousehold

__all__ = [
    "Instalment",
    "Invoice",
    "InvoiceLine",
    "InvoiceRun",
    "InvoiceSeries",
    "Payment",
    "RunHousehold",
]
