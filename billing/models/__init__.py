"""The tables of the app, one file by noun."""

from billing.models.instruments import Instrument, InstrumentKind, Repair
from billing.models.invoices import Instalment, Invoice, InvoiceLine, InvoiceSeries
from billing.models.payments import Payment
from billing.models.rentals import Rental, RentalCharge, RentalMove

__all__ = [
    "Instalment",
    "Instrument",
    "InstrumentKind",
    "Invoice",
    "InvoiceLine",
    "InvoiceSeries",
    "Payment",
    "Rental",
    "RentalCharge",
    "RentalMove",
    "Repair",
]
