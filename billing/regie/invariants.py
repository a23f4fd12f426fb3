"""What must stay true of the régie's desk (`manage.py check_invariants`, imuse/invariants.py)."""

from collections import defaultdict
from collections.abc import Iterator

from django.db.models import F, Max, Sum
from django.db.models.functions import Round

from accounts.dates import day as written_day
from billing.enums import BY_PAYFIP, PaymentMeans, PaymentNature
from billing.models import CashDay, CashDayTotal, Deposit, Payment, ReceiptSeries
from billing.money import ZERO, SumField, euros


def receipts() -> Iterator[str]:
    """Receipts are numbered 1, 2, 3… to their counter; the payments of one add up to it."""
    numbers = defaultdict(set)
    for establishment, year, number in Deposit.objects.values_list(
        "establishment", "year", "number"
    ):
        numbers[establishment, year].add(number)
    series = ReceiptSeries.objects.values_list("establishment", "year").annotate(Max("last_number"))
    counters = {(site, year): last for site, year, last in series}
    for (site, year), found in sorted(numbers.items()):
        if found != set(range(1, counters.get((site, year), 0) + 1)):
            yield f"Quittances {year}\u00a0: les numéros ne suivent pas leur compteur."
    sums = Deposit.objects.annotate(sum=Round(Sum("payments__amount"), precision=2))
    for deposit in sums.exclude(sum=F("amount")).order_by("pk"):
        yield f"{deposit}\u00a0: ses paiements n'en font pas la somme."


def closed_days() -> Iterator[str]:
    """What was frozen is what is recorded, but for what PayFiP told afterwards."""
    moved = defaultdict(lambda: ZERO)
    rows = Payment.objects.exclude(nature=PaymentNature.CARRIED).order_by()
    sums = rows.values("invoice__establishment", "paid_on", "means", "nature").annotate(
        sum=Sum("amount", output_field=SumField())
    )
    for row in sums:
        key = row["invoice__establishment"], row["paid_on"], row["means"], row["nature"]
        moved[key] = row["sum"]
    totals = CashDayTotal.objects.select_related("cash_day__establishment").order_by("pk")
    for total in totals:
        cash_day = total.cash_day
        for nature in ("received", "refunded", "bounced"):
            frozen = getattr(total, nature)
            now = moved[cash_day.establishment_id, cash_day.day, total.means, nature]
            is_late = total.means in BY_PAYFIP and nature == "received" and now > frozen
            if now != frozen and not is_late:
                yield (
                    f"Caisse du {written_day(cash_day.day)} ({cash_day.establishment}), "
                    f"{total.get_means_display()}\u00a0: {euros(frozen)} arrêtés, "
                    f"{euros(now)} enregistrés."
                )
    yield from _means_not_frozen(moved, totals)


def _means_not_frozen(moved, totals):
    """What a means moved on a closed day that had frozen nothing of it."""
    frozen = {(each.cash_day.establishment_id, each.cash_day.day, each.means) for each in totals}
    closed = CashDay.objects.exclude(closed_at=None).in_bulk()
    days = {(each.establishment_id, each.day): each for each in closed.values()}
    for (site, day, means, nature), amount in sorted(moved.items()):
        is_late = means in BY_PAYFIP and nature == PaymentNature.RECEIVED
        if amount and (site, day) in days and (site, day, means) not in frozen and not is_late:
            label = PaymentMeans(means).label
            yield f"{days[site, day]}, {label}\u00a0: {euros(amount)} enregistrés après l'arrêté."
