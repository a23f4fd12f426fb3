"""Facts in, lines out."""

from billing.pricing.bills import Bill
from billing.pricing.facts import Household
from billing.pricing.grids import Grid


class PricingError(Exception):
    """Why a household can't be priced, in French, with a code."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code, self.message = code, message


def price(grid: Grid, household: Household) -> Bill:
    """What the household owes by the grid, each line with its reason in French.

    Raises PricingError when a lesson matches no rate of the grid, or several.
    """
    raise NotImplementedError
