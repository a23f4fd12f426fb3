"""Every write of billing, a verb each.

Lock order: invoices by key, the day of the till, the counters last.
"""

from billing.services.closings import close_day
from billing.services.deposits import record_deposit
from billing.services.invoices import (
    OF_A_RUN,
    cancel,
    credit,
    delete_draft,
    draft,
    draft_many,
    issue,
    payer_address,
    payer_name,
    save_draft,
    set_dates,
)
from billing.services.payments import (
    bounce,
    carry_over,
    record_online_payment,
    record_payment,
    refund,
)

__all__ = [
    "OF_A_RUN",
    "bounce",
    "cancel",
    "carry_over",
    "close_day",
    "credit",
    "delete_draft",
    "draft",
    "draft_many",
    "issue",
    "payer_address",
    "payer_name",
    "record_deposit",
    "record_online_payment",
    "record_payment",
    "refund",
    "save_draft",
    "set_dates",
]
