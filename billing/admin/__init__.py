"""The régie's pages, one file by noun."""

from billing.admin.invoices import InvoiceAdmin
from billing.admin.online import PayFiPAccountAdmin, PaymentAttemptAdmin
from billing.admin.payments import PaymentAdmin

__all__ = ["InvoiceAdmin", "PayFiPAccountAdmin", "PaymentAdmin", "PaymentAttemptAdmin"]
