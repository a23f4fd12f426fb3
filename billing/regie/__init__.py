"""The régie's desk: what is owed, what came in, day by day, and who is late.

settings.py    what an establishment has set
dues.py        what each household owes at the counter, what is to be settled
journal.py     the journal, derived from invoices, credit notes and payments; nothing is stored
exports.py     the journal as a table, and in the layout of the treasury (docs/comptabilite.md)
overdue.py     the households that are late, and at which level they are reminded
invariants.py  what `manage.py check_invariants` looks for
"""
