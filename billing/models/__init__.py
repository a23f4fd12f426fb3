"""The tables of the app, one file by noun."""

from billing.models.invoices import Instalment, Invoice, InvoiceLine, InvoiceSeries
from billing.models.online import AttemptMove, PayFiPAccount, PaymentAttempt
from billing.models.payments import Payment

__all__ = [
    "AttemptMove",
    "Instalment",
    "Invoice",
    "InvoiceLine",
    "InvoiceSeries",
    "PayFiPAccount",
    "Payment",
    "PaymentAttempt",
]
