"""An independent client pays at the simulator: it is no mirror of our own."""

from decimal import Decimal
from urllib.parse import urlencode
from urllib.request import urlopen

import eopayment
import pytest
from eopayment.payfip_ws import PayFiPError

from billing.payfip.simulator.operations import UNKNOWN_CLIENT
from tests.billing.payfip.orders import NUMCLI

REAL = "https://www.payfip.gouv.fr/tpa"


@pytest.fixture
def regie(payfip):
    """eopayment's backend, whose WSDL is its own; only the address of the service is changed."""
    payment = eopayment.Payment(
        eopayment.PAYFIP_WS,
        {
            "numcli": NUMCLI,
            "saisie": "T",
            "automatic_return_url": "http://127.0.0.1:9/notification",
            "normal_return_url": "http://127.0.0.1:9/retour",
        },
    )
    soap = payment.backend.payfip.client
    (binding,) = soap.wsdl.bindings
    soap._default_service = soap.create_service(binding, f"{payfip.url}/services/securite")
    return payment


def order(regie):
    transaction, kind, url = regie.request(
        Decimal("123.45"), email="claire.martin@example.org", orderid="F202600042", subject="Cours"
    )
    assert kind == eopayment.URL
    assert url == f"{REAL}/paiementws.web?idop={transaction}"
    return transaction, url


@pytest.mark.parametrize(
    ("choice", "result"),
    [
        ("carte", eopayment.PAID),
        ("prelevement", eopayment.PAID),
        ("refus-carte", eopayment.DENIED),
        ("refus-prelevement", eopayment.DENIED),
    ],
)
def test_eopayment_pays(regie, payfip, choice, result):
    idop, url = order(regie)
    with urlopen(url.replace(REAL, payfip.url)) as page:
        assert "123,45\xa0€" in page.read().decode()
    chosen = urlencode({"idop": idop, "choix": choice}).encode()
    with urlopen(f"{payfip.url}/paiementws.web", chosen) as page:
        back = page.read().decode()
    assert f"http://127.0.0.1:9/retour?idop={idop}" in back

    response = regie.response(urlencode({"idop": idop}))

    assert response.result == result
    assert response.order_id == idop
    assert response.bank_data["montant"] == "12345"
    assert response.bank_data["refdet"] == "F202600042"


def test_eopayment_waits_for_a_result_and_sees_one_expire(regie, payfip):
    idop, _ = order(regie)
    assert regie.payment_status(idop).result == eopayment.WAITING

    payfip.operations.forget(idop)
    assert regie.payment_status(idop).result == eopayment.EXPIRED


def test_eopayment_reads_who_is_paid_and_the_faults(regie):
    service = regie.backend.payfip

    assert service.get_info_client(NUMCLI).libelleN1 == "REGIE DE DEMONSTRATION"
    with pytest.raises(PayFiPError) as fault:
        service.get_info_client(UNKNOWN_CLIENT)
    assert fault.value.code == "T2"
