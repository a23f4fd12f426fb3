"""Reminders to households: chosen on a list, read again, sent now or later, once a day at most.

What is reminded (missing pieces, overdue invoices) and of whom is each app's own (`sending.Rules`);
the steps, from the list to what became of each mail, are here.
"""
