import pytest

from billing.enums import AskedBy
from billing.payfip import attempts, client
from billing.payfip.settling import settle
from billing.payfip.simulator.server import running
from tests.billing.payfip.orders import choose
from tests.factories import PayFiPAccountFactory


@pytest.fixture
def payfip(settings):
    """A simulator of PayFiP, in a thread; `settings.PAYFIP_URL` leads to it."""
    client.rest.end()
    with running() as simulator:
        simulator.seconds_after = 0.05
        settings.PAYFIP_URL = simulator.url
        settings.PAYFIP_TEST_ALLOWED = True
        yield simulator
    client.rest.end()


@pytest.fixture
def account(establishment):
    return PayFiPAccountFactory(establishment=establishment)


@pytest.fixture
def invoice(make_issued, family, account):
    """Of 38 €, the Martins'."""
    return make_issued(family=family)


@pytest.fixture
def start(parent, payfip):
    """`start(invoice)`: Claire Martin leaves for PayFiP, to pay all that is left."""

    def start(invoice, instalment=None):
        return attempts.start(invoice, instalment=instalment, user=parent)

    return start


@pytest.fixture
def pay(start, payfip):
    """`pay(invoice, "carte")`: she leaves, chooses on PayFiP's page, and the site asks PayFiP."""

    def pay(invoice, choice, instalment=None):
        attempt = start(invoice, instalment)
        choose(payfip, attempt.idop, choice)
        return settle(attempt, AskedBy.NOTIFICATION)

    return pay
