"""Moves the days by which invoices are due, which nothing in the product does."""

import datetime as dt

from billing.models import Instalment, Invoice


def fall_due(day: dt.date, *invoices: Invoice) -> None:
    """Those given, or else all, are due whole by that day."""
    pks = [invoice.pk for invoice in invoices] or Invoice.objects.values("pk")
    Invoice.objects.filter(pk__in=pks).update(due_on=day)
    Instalment.objects.filter(invoice__in=pks).update(due_on=day)
