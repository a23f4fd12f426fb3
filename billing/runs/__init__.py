"""« Facturation groupée »: a year's invoices by the queue (settings.BETWEEN_MAILS).

planning.py     a run, its dates, its end: what an agent decides
drafting.py     one batch of households at a time becomes drafts
pricing.py      what each household owes, by the published grid
instalments.py  in how many parts each household pays
rentals.py      what each owes for its instruments, by their contracts
comparing.py    what it was billed already, and what is left to bill
issuing.py      one draft at a time becomes an invoice
controlling.py  what the agent reads before he issues
"""
