import pytest

from billing.payfip.simulator.server import running


@pytest.fixture
def payfip(settings):
    """A simulator of PayFiP, in a thread; `settings.PAYFIP_URL` leads to it."""
    with running() as simulator:
        simulator.seconds_after = 0.05
        settings.PAYFIP_URL = simulator.url
        yield simulator
