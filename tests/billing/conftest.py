import pytest

from billing import services
from tests.factories import InvoiceFactory, InvoiceLineFactory


@pytest.fixture
def make_issued(establishment, accountant):
    """Makes issued invoices: `make_issued(family=…)`, of one line of 38 € or of the `amounts`."""

    def make(amounts=("38.00",), **kwargs):
        draft = InvoiceFactory(**{"establishment": establishment, **kwargs})
        for amount in amounts:
            InvoiceLineFactory(invoice=draft, amount=amount)
        return services.issue(draft, actor=accountant)

    return make
