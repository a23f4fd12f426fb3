"""The CAF's attestations of last spring, accepted: their quotients are what this year is billed on.

Too old for the coming year, for which families send another.
"""

import datetime as dt
from decimal import Decimal

from accounts.models import User
from documents import reviewing
from documents import services as documents
from documents.models import DocumentType
from documents.reviewing import Noted
from families.models import Family
from imuse.demo.clock import Clock
from imuse.demo.files import make_pdf
from imuse.demo.households import Household
from imuse.demo.town import CAF, Town

SPRING = (5, 20)  # month and day on which they were sent
OVER = 200  # days: an attestation counts no more when the campaign opens
WITHOUT = 7  # one household in so many gave none: at the « tarif haut »
FIRST, STEP, LOWEST, HIGHEST = 743, 367, 180, 1900  # euros


def attest_last_spring(
    town: Town, clock: Clock, households: list[Household], secretary: User
) -> None:
    """The first household's quotient is `FIRST`, the others' are spread over all the bands."""
    kind = DocumentType.objects.get(name=CAF)
    spring = dt.date(town.current.starts_on.year, *SPRING)
    days = min((spring - clock.today).days, -OVER)
    homes = [home for home in households if any(pupil.courses for pupil in home.pupils)]
    for index, home in enumerate(homes):
        if index % WITHOUT == WITHOUT - 1:
            continue
        quotient = LOWEST + (FIRST - LOWEST + index * STEP) % (HIGHEST - LOWEST)
        with clock.at(clock.moment(days, 18)):
            document = documents.hand_in(
                "attestation_caf.pdf",
                _paper(home.family, clock.day(days), quotient),
                type=kind,
                family=home.family,
                actor=home.user or secretary,
            )
        with clock.at(clock.moment(days + 2, 10)):
            month = clock.day(days).replace(day=1)
            reviewing.accept(
                document,
                seen=reviewing.seen_of(document),
                noted=Noted(clock.day(days), Decimal(quotient), month),
                actor=secretary,
            )


def _paper(family: Family, made_on: dt.date, quotient: int) -> bytes:
    lines = [str(family), family.address, f"{family.commune.postal_code} {family.commune.name}"]
    lines.append(f"Quotient familial ({made_on:%m/%Y}) : {quotient} €")
    lines.append(f"Fait le {made_on:%d/%m/%Y}")
    return make_pdf(CAF, lines)
