"""The tables of the app, one file by noun."""

from billing.models.instruments import Instrument, InstrumentKind, Repair
from billing.models.invoices import Instalment, Invoice, InvoiceLine, InvoiceSeries
from billing.models.online import AttemptMove, PayFiPAccount, PaymentAttempt
from billing.models.payments import Payment
from billing.models.rentals import Rental, RentalCharge, RentalMove
from billing.models.situations import PayerShare, Situation
from billing.models.tariff_rows import TariffFee, TariffModifier, TariffRate, TariffRental
from billing.models.tariffs import CourseCategory, TariffCategory, TariffGrid

__all__ = [
    "AttemptMove",
    "CourseCategory",
    "Instalment",
    "Instrument",
    "InstrumentKind",
    "Invoice",
    "InvoiceLine",
    "InvoiceSeries",
    "PayFiPAccount",
    "PayerShare",
    "Payment",
    "PaymentAttempt",
    "Rental",
    "RentalCharge",
    "RentalMove",
    "Repair",
    "Situation",
    "TariffCategory",
    "TariffFee",
    "TariffGrid",
    "TariffModifier",
    "TariffRate",
    "TariffRental",
]
