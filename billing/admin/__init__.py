"""The régie's pages, one file by noun."""

from billing.admin.invoices import InvoiceAdmin
from billing.admin.payments import PaymentAdmin
from billing.admin.runs import InvoiceRunAdmin

__all__ = ["InvoiceAdmin", "InvoiceRunAdmin", "PaymentAdmin"]
