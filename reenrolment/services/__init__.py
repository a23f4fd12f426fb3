"""Every write on a dossier, one file by who acts; each takes the lock of the dossier first.

drafts.py       the family fills in
submission.py   the family submits, completes, withdraws, takes up again
decisions.py    the administration places, asks for a complement, validates, refuses
waiting.py      the family waits for a place, answers the one that is offered
launches.py     a campaign is announced: accounts and mails (no dossier, its own locks)
extensions.py   a campaign closes later (no dossier, the campaign's own lock)
moves.py        the state machine and its log
"""
