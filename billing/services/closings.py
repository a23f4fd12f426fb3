"""« Arrêté de caisse »: a day of the till is closed for good.

Whoever records money by hand and whoever closes the day lock the same row of `CashDay`, after the
invoices and before the counters: a payment is either in the totals frozen, or refused.
"""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.dates import day as written_day
from accounts.models import Establishment, User
from billing.models import CashDay, CashDayTotal
from billing.regie.journal import till_of


@transaction.atomic
def close_day(establishment: Establishment, day: dt.date, *, actor: User) -> CashDay:
    """Freezes what each means brought and took that day; nothing is recorded on it afterwards.

    Refuses a day to come (code "day_in_future") and one that is closed ("day_closed").
    """
    if day > timezone.localdate():
        raise ValidationError("Cette journée est à venir.", code="day_in_future")
    cash_day = lock_open_day(establishment, day)
    cash_day.closed_at, cash_day.closed_by = timezone.now(), actor
    cash_day.full_clean(validate_unique=False)
    cash_day.save(update_fields=["closed_at", "closed_by"])
    CashDayTotal.objects.bulk_create(
        CashDayTotal(
            cash_day=cash_day,
            means=line.means,
            received=line.received,
            refunded=line.refunded,
            bounced=line.bounced,
        )
        for line in till_of(establishment, day)
    )
    return cash_day


def lock_open_day(establishment: Establishment, day: dt.date) -> CashDay:
    """The row of this day, locked until the transaction ends; refuses one that is closed."""
    cash_day, _ = CashDay.objects.select_for_update(of=["self"]).get_or_create(
        establishment=establishment, day=day
    )
    if cash_day.closed_at:
        raise ValidationError(
            f"La caisse du {written_day(day)} est arrêtée\u00a0: rien ne s'y ajoute plus. "
            "Enregistrez au jour d'ouverture suivant.",
            code="day_closed",
        )
    return cash_day
