"""The régie's pages, one file by noun."""

from billing.admin.invoices import InvoiceAdmin
from billing.admin.payments import PaymentAdmin
from billing.admin.regie import RegieSettingsAdmin

__all__ = ["InvoiceAdmin", "PaymentAdmin", "RegieSettingsAdmin"]
