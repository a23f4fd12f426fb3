from decimal import Decimal

from billing.pricing.bills import Bill, Line, LineKind, PricingError
from billing.tariffs.comparing import TOP, compare

BEFORE, AFTER = "before", "after"


def price(grid, household):
    """Here a household is the two amounts that it would pay."""
    amount = household[0 if grid == BEFORE else 1]
    if amount is None:
        raise PricingError("no_rate", "Aucun tarif pour ce cours.")
    return Bill((Line(LineKind.TUITION, "Cursus", grid, Decimal(amount)),))


def compared(*households):
    facts = [(key, household, household) for key, household in enumerate(households)]
    return compare(BEFORE, AFTER, facts, price=price)


def test_how_much_more_or_less_for_how_many():
    found = compared((100, 130), (100, 90), (50, 50), (0, 5))

    assert (found.before, found.after, found.amount) == (250, 275, 25)
    assert (len(found.raised), len(found.lowered), found.unchanged) == (2, 1, 1)


def test_nobody_to_compare():
    found = compared()

    assert (found.amount, found.unchanged, found.rises) == (0, 0, [])
    assert sum(each.count for each in found.ranges) == 0


def test_the_largest_rises_come_first_with_both_bills():
    found = compared(*[(100, 100 + rise) for rise in range(-3, 15)])

    assert [rise.difference.amount for rise in found.rises] == list(range(14, 14 - TOP, -1))
    first = found.rises[0]
    assert (first.before.total, first.after.total, first.difference.key) == (100, 114, 17)


def test_who_cannot_be_priced_is_told_apart():
    found = compared((100, None), (100, 100))

    assert [(each.key, each.message) for each in found.unpriced] == [
        (0, "Aucun tarif pour ce cours.")
    ]
    assert len(found.differences) == 1


def test_each_difference_is_in_one_range():
    amounts = ["-100.01", "-100", "-50.01", "-50", "-20", "-0.01", "0"]
    amounts += ["0.01", "20", "20.01", "50", "100", "100.01"]

    found = compared(*[(200, 200 + Decimal(amount)) for amount in amounts])

    assert [(each.low, each.high, each.count) for each in found.ranges] == [
        (None, -100, 1),
        (-100, -50, 2),
        (-50, -20, 1),
        (-20, 0, 2),
        (0, 0, 1),
        (0, 20, 2),
        (20, 50, 2),
        (50, 100, 1),
        (100, None, 1),
    ]
