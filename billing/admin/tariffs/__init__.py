"""The tariffs: their grids, the categories of courses."""

from billing.admin.tariffs.categories import TariffCategoryAdmin
from billing.admin.tariffs.grids import TariffGridAdmin, TariffRateAdmin

__all__ = ["TariffCategoryAdmin", "TariffGridAdmin", "TariffRateAdmin"]
