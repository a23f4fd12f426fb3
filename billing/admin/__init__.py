"""The régie's pages, one file by noun."""

from billing.admin.instruments import InstrumentAdmin, InstrumentKindAdmin
from billing.admin.invoices import InvoiceAdmin
from billing.admin.online import PayFiPAccountAdmin, PaymentAttemptAdmin
from billing.admin.payments import PaymentAdmin
from billing.admin.plans import PaymentPlanAdmin, PaymentPlanChoiceAdmin
from billing.admin.regie import RegieSettingsAdmin
from billing.admin.rental_terms import RentalTermsAdmin
from billing.admin.rentals import RentalAdmin
from billing.admin.runs import InvoiceRunAdmin
from billing.admin.situations import PayerShareAdmin, SituationAdmin
from billing.admin.tariffs import TariffCategoryAdmin, TariffGridAdmin, TariffRateAdmin

__all__ = [
    "InstrumentAdmin",
    "InstrumentKindAdmin",
    "InvoiceAdmin",
    "InvoiceRunAdmin",
    "PayFiPAccountAdmin",
    "PayerShareAdmin",
    "PaymentAdmin",
    "PaymentAttemptAdmin",
    "PaymentPlanAdmin",
    "PaymentPlanChoiceAdmin",
    "RegieSettingsAdmin",
    "RentalAdmin",
    "RentalTermsAdmin",
    "SituationAdmin",
    "TariffCategoryAdmin",
    "TariffGridAdmin",
    "TariffRateAdmin",
]
