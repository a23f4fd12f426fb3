"""The client against the simulator, then against whatever else may answer in its place."""

import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.exceptions import ValidationError

from billing.payfip import client
from billing.payfip.simulator.operations import UNKNOWN_CLIENT
from tests.billing.payfip.orders import NUMCLI, choose, make_order


def test_a_payment_from_the_order_to_its_result(payfip):
    idop = client.create_payment(make_order())
    choose(payfip, idop, "carte")

    detail = client.payment_detail(idop)

    assert (detail.idop, detail.resultrans, detail.montant) == (idop, "P", 3800)
    assert (detail.refdet, detail.numcli, detail.saisie) == ("20260004201", NUMCLI, "T")
    assert detail.numauto
    assert detail.paid_at.utcoffset()


def test_a_wrong_field_is_never_sent(payfip):
    with pytest.raises(ValidationError):
        client.create_payment(make_order(mel="non"))

    assert payfip.operations.calls == []


@pytest.mark.parametrize(
    ("happen", "code"),
    [
        (lambda operations, idop: None, "P5"),
        (lambda operations, idop: operations.forget(idop), "P1"),
        (lambda operations, idop: operations.expire(idop), "P4"),
    ],
)
def test_functional_faults_have_their_code(payfip, happen, code):
    idop = client.create_payment(make_order())
    happen(payfip.operations, idop)

    with pytest.raises(client.FunctionalFault) as fault:
        client.payment_detail(idop)

    assert fault.value.code == code
    assert fault.value.label


def test_who_is_paid(payfip):
    assert client.account_names(NUMCLI)[0] == "REGIE DE DEMONSTRATION"
    with pytest.raises(client.FunctionalFault) as fault:
        client.account_names(UNKNOWN_CLIENT)
    assert fault.value.code == "T2"


@pytest.mark.parametrize("mood", ["unavailable", "fault", "garbage", "slow"])
def test_technical_faults_decide_nothing(payfip, monkeypatch, mood):
    monkeypatch.setattr(client, "SECONDS", 0.2)
    payfip.operations.moods.service = mood

    with pytest.raises(client.TechnicalFault):
        client.payment_detail("11111111-1111-1111-1111-111111111111")


def test_after_a_silence_it_is_left_alone_for_a_while(payfip, monkeypatch):
    """A PayFiP that hangs must not hold up every process of the site."""
    monkeypatch.setattr(client, "SECONDS", 0.2)
    payfip.operations.moods.service = "slow"
    with pytest.raises(client.TechnicalFault):
        client.account_names(NUMCLI)
    payfip.operations.moods.service = "up"

    with pytest.raises(client.TechnicalFault, match="silent just now"):
        client.account_names(NUMCLI)

    monkeypatch.setattr(client, "REST_SECONDS", 0)
    client.rest.begin()
    assert client.account_names(NUMCLI)


@pytest.mark.parametrize("mood", ["unavailable", "fault", "garbage"])
def test_an_answer_at_once_however_wrong_is_no_silence(payfip, mood):
    payfip.operations.moods.service = mood
    with pytest.raises(client.TechnicalFault):
        client.account_names(NUMCLI)
    payfip.operations.moods.service = "up"

    assert client.account_names(NUMCLI)


def test_an_answer_that_drips_is_too_late(payfip, settings, monkeypatch):
    """Each packet in time, the whole never."""
    monkeypatch.setattr(client, "SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings.PAYFIP_URL = f"http://127.0.0.1:{listening.getsockname()[1]}"

        def drip():
            line, _ = listening.accept()
            with line, suppress(OSError):
                line.recv(65536)
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                for _ in range(50):
                    line.sendall(b"x")
                    time.sleep(0.05)

        thread = threading.Thread(target=drip)
        thread.start()
        begun = time.monotonic()
        with pytest.raises(client.TechnicalFault, match="too late"):
            client.account_names(NUMCLI)
        assert time.monotonic() - begun < 1
        thread.join()


def test_nobody_there_is_a_technical_fault(settings):
    settings.PAYFIP_URL = "http://127.0.0.1:1/tpa"

    with pytest.raises(client.TechnicalFault):
        client.create_payment(make_order())


ENVELOPE = (
    b"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>%s</s:Body>"
    b"</s:Envelope>"
)
BOMB = b"<!DOCTYPE a [<!ENTITY b 'cc'>]>" + ENVELOPE % b"<a>&b;</a>"
# name: status, headers, content
ANSWERS = {
    "redirected": (302, {"Location": "http://127.0.0.1:1/"}, b""),
    "a page not found": (404, {}, b"rien"),
    "endless": (200, {}, b"x" * (client.LONGEST_ANSWER + 1)),
    "entities": (200, {}, BOMB),
    "another encoding": (200, {}, b"<?xml version='1.0' encoding='inconnu'?><a/>"),
    "no body": (200, {}, ENVELOPE % b""),
    "another service": (200, {}, ENVELOPE % b"<a><return><idOp>x</idOp></return></a>"),
    "a bare fault": (500, {}, ENVELOPE % b"<s:Fault><faultstring>non</faultstring></s:Fault>"),
    "nothing": (200, {}, b""),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_strange_answers_are_technical_faults(name, settings):
    status, headers, content = ANSWERS[name]

    class Strange(BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for header, value in headers.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Strange) as server:
        settings.PAYFIP_URL = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with pytest.raises(client.TechnicalFault):
            client.payment_detail("11111111-1111-1111-1111-111111111111")
        thread.join()


def test_a_date_that_does_not_exist_is_none():
    assert client._moment("31022026", "1200") is None
    assert client._moment("", "") is None
    assert client._moment("01072026", "0930").isoformat() == "2026-07-01T09:30:00+02:00"
