"""What billing writes to families."""

from django.conf import settings
from django.urls import reverse

from accounts.emails import compose
from accounts.models import Establishment
from billing.enums import InvoiceKind
from billing.regie.overdue import OverdueHousehold
from families.models import Guardian


def remind_payment(
    establishment: Establishment, household: OverdueHousehold, guardian: Guardian, word: str = ""
) -> tuple[str, str]:
    """What this household owes late, subject and body, in the tone of its level.

    `word`: the régie's own. One link: the only invoice's page, else the list.
    """
    kinds = {each.invoice.kind for each in household.invoices}
    page = reverse(
        "billing:locations" if kinds == {InvoiceKind.LOCATION} else "billing:cotisations"
    )
    if len(household.invoices) == 1:
        page = reverse("billing:invoice", args=[household.invoices[0].invoice.pk])
    return compose(
        "payment_reminder",
        {
            "establishment": establishment,
            "guardian": guardian,
            "household": household,
            "word": word,
            "url": settings.SITE_URL + page,
        },
    )
