"""A file that has just been received: scanned before it is kept."""

import logging
import time

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError

from documents.antivirus.clamd import Clamd, NotScanned, Unreachable
from documents.enums import Scan

logger = logging.getLogger(__name__)

# The family waits, and so does one of the few processes that serve the site.
LONGEST_SECONDS = 10
SLOW_SECONDS = 3  # a file of 2 Mo takes a tenth of one: a daemon so slow is drowning
REST_SECONDS = 60

INFECTED = (
    "Ce fichier n'a pas été gardé\u00a0: notre contrôle de sécurité y a reconnu un programme "
    "malveillant. Cela arrive sans qu'on le sache, avec un fichier reçu ou téléchargé\u00a0: "
    "demandez une nouvelle copie du document, ou numérisez-le à nouveau, puis envoyez ce nouveau "
    "fichier."
)


class Rest:
    """After a fault, clamd is left alone for a while: the next files go straight to quarantine.

    Each process has its own: one that is down costs a request its delay once, not once a file.
    """

    def __init__(self):
        self._until = 0.0  # on the clock `time.monotonic`

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._until

    def begin(self) -> None:
        self._until = time.monotonic() + REST_SECONDS

    def end(self) -> None:
        self._until = 0.0


rest = Rest()


def scan_received(*contents: bytes) -> Scan:
    """CLEAN, WAITING when clamd can't tell now, NOT_ANALYSED without an antivirus.

    The contents are the bytes received and those that will be kept, which may be the same. Raises
    ValidationError `infected` as soon as one is. Takes LONGEST_SECONDS at most, for all of them.
    """
    if not settings.CLAMD:
        return Scan.NOT_ANALYSED
    if not rest.is_over:
        return Scan.WAITING
    start = time.monotonic()
    try:
        signature = _first_found(set(contents), until=start + LONGEST_SECONDS)
    except NotScanned as error:
        logger.error("A file received could not be scanned: %s", error)
        return Scan.WAITING
    except (Unreachable, ImproperlyConfigured) as error:
        rest.begin()
        logger.error("The antivirus does not answer: %s", error)
        return Scan.WAITING
    if time.monotonic() - start > SLOW_SECONDS:
        rest.begin()
        logger.warning("The antivirus is slow: %.1f s for a file.", time.monotonic() - start)
    if signature:
        logger.warning("A file received was refused, infected: %s", signature)
        raise ValidationError(INFECTED, code="infected")
    return Scan.CLEAN


def _first_found(contents, until):
    clamd = Clamd.at(settings.CLAMD)
    for content in contents:
        if signature := clamd.scan(content, seconds=until - time.monotonic()):
            return signature
    return ""
