"""How the simulator tells that something happened: a POST of the idOp, and nothing else."""

import logging
import threading
import time
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from billing.payfip.simulator.operations import Operation

logger = logging.getLogger(__name__)

LOOPBACK = ["127.0.0.1", "localhost", "::1"]
SECONDS_AFTER = 2.0  # the person is back before


def notify(operation: Operation, when: str, seconds_after: float = SECONDS_AFTER) -> None:
    """`when`: as in operations.NOTIFY. « before » waits for the answer of the site."""
    if when == "before":
        _post(operation)
    elif when == "thrice":
        _post(operation)
        for _ in range(2):
            _later(operation, seconds_after)
    elif when == "after":
        _later(operation, seconds_after)


def _later(operation, seconds):
    threading.Thread(target=_wait_and_post, args=[operation, seconds], daemon=True).start()


def _wait_and_post(operation, seconds):
    time.sleep(seconds)
    _post(operation)


def _post(operation):
    url = operation.asked["urlnotif"]
    if urlsplit(url).hostname not in LOOPBACK:  # a demonstration calls nobody
        logger.warning("No notification: %s is not this machine", url)
        return
    request = Request(url, data=urlencode({"idop": operation.idop}).encode())  # noqa: S310
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=10) as response:
            response.read()
    except HTTPError as error:
        logger.warning("Notification of %s: %s", operation.idop, error)
        error.close()
    except (OSError, HTTPException) as error:
        logger.warning("Notification of %s: %s", operation.idop, error)
