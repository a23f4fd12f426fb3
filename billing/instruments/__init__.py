"""The instrument park: `park` keeps it, `rentals` lends it, `deposits` and `charges` are its money.

Lock order: the instrument, then its rental, then what billing.services lock.
"""
