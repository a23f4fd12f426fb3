"""The simulator by its pages, as one who shows the product uses it."""

import os
import re
import socket
import subprocess
import sys
import time
from io import StringIO
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from django.core.management import CommandError, call_command

from billing.payfip import client
from billing.payfip.simulator import server
from tests.billing.payfip.orders import make_order


def read(url, **form):
    with urlopen(url, urlencode(form, doseq=True).encode() if form else None) as answer:
        return answer.read().decode()


def command(payfip, **form):
    return read(payfip.url.replace("/tpa", "/commandes"), **form)


def refused(url, **form):
    with pytest.raises(HTTPError) as refusal:
        read(url, **form)
    with refusal.value as answer:
        return re.search(r"code (\w\d)", answer.read().decode())[1]


def test_the_page_opens_once(payfip):
    page = client.payment_page(client.create_payment(make_order()))

    assert "38,00\xa0€" in read(page)
    assert refused(page) == "P3"


def test_the_page_of_an_expired_or_unknown_payment_says_so(payfip):
    idop = client.create_payment(make_order())
    command(payfip, perimer=idop)
    assert refused(client.payment_page(idop)) == "P4"

    command(payfip, oublier=idop)
    assert refused(client.payment_page(idop)) == "P1"


def test_the_page_is_away_with_the_service_and_opens_once_it_is_back(payfip):
    idop = client.create_payment(make_order())
    payfip.operations.moods.service = "unavailable"
    with pytest.raises(HTTPError) as away:
        read(client.payment_page(idop))
    with away.value as answer:
        assert answer.status == 503
        assert "Le service est indisponible." in answer.read().decode()

    payfip.operations.moods.service = "up"
    assert "38,00\xa0€" in read(client.payment_page(idop))


def test_one_choice_only(payfip):
    idop = client.create_payment(make_order())
    url = f"{payfip.url}/paiementws.web"
    read(client.payment_page(idop))
    read(url, idop=idop, choix="annuler")

    assert refused(url, idop=idop, choix="carte") == "P3"
    assert client.payment_detail(idop).resultrans == "A"


def test_its_moods_are_changed_by_a_page(payfip):
    idop = client.create_payment(make_order())
    read(client.payment_page(idop))
    command(
        payfip,
        notify="never",
        return_by="post",
        late_answers="1",
        falsified=["montant", "resultrans"],
    )
    back = read(f"{payfip.url}/paiementws.web", idop=idop, choix="carte")
    assert 'name="idOp"' in back

    with pytest.raises(client.FunctionalFault, match="P5"):
        client.payment_detail(idop)
    detail = client.payment_detail(idop)
    assert (detail.montant, detail.resultrans) == (3801, "Q")

    command(payfip, service="unavailable")
    with pytest.raises(client.TechnicalFault):
        client.payment_detail(idop)


@pytest.mark.parametrize(
    ("notify", "times"), [("before", 1), ("after", 1), ("thrice", 3), ("never", 0)]
)
def test_it_tells_as_often_as_wanted(payfip, monkeypatch, notify, times):
    told = []
    monkeypatch.setattr("billing.payfip.simulator.notifying._post", lambda one: told.append(one))
    payfip.operations.moods.notify = notify
    idop = client.create_payment(make_order())
    read(client.payment_page(idop))
    read(f"{payfip.url}/paiementws.web", idop=idop, choix="carte")

    end = time.monotonic() + 3
    while len(told) < times and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.1)

    assert [operation.idop for operation in told] == [idop] * times


def test_it_calls_no_other_machine(payfip, caplog):
    payfip.operations.moods.notify = "before"
    idop = client.create_payment(make_order(urlnotif="https://conservatoire.example/n"))
    read(client.payment_page(idop))
    read(f"{payfip.url}/paiementws.web", idop=idop, choix="carte")

    assert "is not this machine" in caplog.text


def test_it_listens_on_this_machine_only(payfip):
    assert payfip.server_address[0] == "127.0.0.1"


def test_it_refuses_production(settings):
    settings.DEBUG = False

    with pytest.raises(CommandError, match="DEBUG"):
        call_command("payfip_simulator")


def test_a_port_taken_is_said(settings, payfip):
    settings.DEBUG = True

    with pytest.raises(CommandError, match=f"Le port {payfip.server_port} est déjà pris"):
        call_command("payfip_simulator", port=payfip.server_port, stdout=StringIO())


def test_as_a_process_of_its_own(settings):
    """As `make demo` starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "manage.py", "payfip_simulator", "--port", str(port)]
    environment = {**os.environ, "DEBUG": "on", "DJANGO_SETTINGS_MODULE": "imuse.settings"}
    process = subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        settings.PAYFIP_URL = f"http://127.0.0.1:{port}/tpa"
        end = time.monotonic() + 60
        while True:
            try:
                idop = client.create_payment(make_order())
                break
            except client.TechnicalFault:
                assert time.monotonic() < end
                time.sleep(0.2)
        read(client.payment_page(idop))
        read(f"{settings.PAYFIP_URL}/paiementws.web", idop=idop, choix="carte")

        assert client.payment_detail(idop).resultrans == "P"
    finally:
        process.terminate()
        process.wait(timeout=10)


def test_an_unknown_address_is_no_fault(payfip):
    with pytest.raises(HTTPError) as refusal:
        read(f"{payfip.url}/ailleurs")
    with refusal.value as answer:
        assert answer.status == 404


def test_amounts_are_french():
    assert server._euros(123450) == "1\u202f234,50\xa0€"
