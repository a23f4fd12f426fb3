"""The tables of the app, one file by noun."""

from billing.models.instruments import Instrument, InstrumentKind, Repair
from billing.models.invoices import Instalment, Invoice, InvoiceLine, InvoiceSeries
from billing.models.online import AttemptMove, PayFiPAccount, PaymentAttempt
from billing.models.payments import Payment
from billing.models.plans import PaymentPlan, PaymentPlanChoice
from billing.models.regie import (
    AccountingCode,
    CashDay,
    CashDayTotal,
    Deposit,
    ReceiptSeries,
    RegieSettings,
)
from billing.models.reminders import (
    PaymentReminder,
    PaymentReminderLine,
    RemindedInvoice,
)
from billing.models.rental_terms import RentalTerms
from billing.models.rentals import Rental, RentalCharge, RentalMove
from billing.models.runs import InvoiceRun, RunHousehold
from billing.models.situations import PayerShare, Situation
from billing.models.tariff_rows import TariffFee, TariffModifier, TariffRate, TariffRental
from billing.models.tariffs import CourseCategory, TariffCategory, TariffGrid

__all__ = [
    "AccountingCode",
    "AttemptMove",
    "CashDay",
    "CashDayTotal",
    "CourseCategory",
    "Deposit",
    "Instalment",
    "Instrument",
    "InstrumentKind",
    "Invoice",
    "InvoiceLine",
    "InvoiceRun",
    "InvoiceSeries",
    "PayFiPAccount",
    "PayerShare",
    "Payment",
    "PaymentAttempt",
    "PaymentPlan",
    "PaymentPlanChoice",
    "PaymentReminder",
    "PaymentReminderLine",
    "ReceiptSeries",
    "RegieSettings",
    "RemindedInvoice",
    "Rental",
    "RentalCharge",
    "RentalMove",
    "RentalTerms",
    "Repair",
    "RunHousehold",
    "Situation",
    "TariffCategory",
    "TariffFee",
    "TariffGrid",
    "TariffModifier",
    "TariffRate",
    "TariffRental",
]
