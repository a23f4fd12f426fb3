"""The tables of the app, one file by noun."""

from billing.models.invoices import Instalment, Invoice, InvoiceLine, InvoiceSeries
from billing.models.payments import Payment
from billing.models.regie import (
    AccountingCode,
    CashDay,
    CashDayTotal,
    Deposit,
    ReceiptSeries,
    RegieSettings,
)
from billing.models.reminders import (
    WORD_LENGTH,
    PaymentReminder,
    PaymentReminderLine,
    RemindedInvoice,
)

__all__ = [
    "WORD_LENGTH",
    "AccountingCode",
    "CashDay",
    "CashDayTotal",
    "Deposit",
    "Instalment",
    "Invoice",
    "InvoiceLine",
    "InvoiceSeries",
    "Payment",
    "PaymentReminder",
    "PaymentReminderLine",
    "ReceiptSeries",
    "RegieSettings",
    "RemindedInvoice",
]
