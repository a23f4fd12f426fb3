"""Amounts are Decimal, in euros and cents; this is where they are rounded and written out."""

from decimal import ROUND_HALF_UP, Decimal

from django.db.models import DecimalField

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
MINUS = "\u2212"  # the sign, as wide as a digit; a hyphen would let the amount break after it


def round_cents(amount: Decimal) -> Decimal:
    """To the cent, half up: `2.345` gives `2.35`, `-2.345` gives `-2.35`."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def euros(amount: Decimal) -> str:
    """« 1 234,50 € », for the sentences of services; templates use the filter of this name."""
    written = f"{amount:,.2f}".replace(",", "\u202f").replace(".", ",")
    return written.replace("-", MINUS) + "\u00a0€"


class SumField(DecimalField):
    """What a sum of amounts gives: SQLite computes in binary and would answer 0.300000000000000."""

    def __init__(self, **kwargs):
        super().__init__(**{"max_digits": 12, "decimal_places": 2, **kwargs})

    def from_db_value(self, value, expression, connection):
        return value if value is None else round_cents(value)
