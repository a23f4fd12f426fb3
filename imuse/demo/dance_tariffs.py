"""The dance school's tariffs: a « taux d'effort », between a floor and a ceiling.

The shape is that of the towns that ask a share of the quotient; the amounts are invented.
"""

import datetime as dt
from decimal import Decimal

from accounts.models import User
from billing.models import (
    CourseCategory,
    TariffCategory,
    TariffFee,
    TariffGrid,
    TariffModifier,
    TariffRate,
)
from billing.tariffs import drafting, publishing
from billing.tariffs.enums import FeePer, ModifierReason, RateAudience
from families.enums import Zone
from imuse.demo.clock import Clock
from imuse.demo.teaching import Teaching
from imuse.demo.town import Town
from students.enums import Cycle

# Code, label, share of the quotient in %, floor and ceiling of residents; outside the town.
CATEGORIES = [
    ("eveil", "Éveil à la danse", "6.4", 76, 285, 330),
    ("danse", "Danse, un cours", "9.6", 114, 440, 510),
]
FILE_FEE = 20
INCREASE, ROUNDING = Decimal("1.5"), Decimal("1.00")


def vote(town: Town, teaching: Teaching, clock: Clock, users: dict[str, User]) -> None:
    site = town.dance_school
    categories = {
        code: TariffCategory.objects.create(
            establishment=site, code=code, label=label, position=position
        )
        for position, (code, label, *_) in enumerate(CATEGORIES, start=1)
    }
    for year in (town.current, town.coming):
        CourseCategory.objects.bulk_create(
            CourseCategory(
                course=course,
                category=categories["eveil" if course.cycle == Cycle.AWAKENING else "danse"],
            )
            for course in teaching.courses[year].values()
            if course.establishment == site
        )
    start = town.current.starts_on
    with clock.at(clock.moment((start - clock.today).days - 60, 10)):
        grid = _make_grid(town, categories, voted_on=start - dt.timedelta(75))
        publishing.publish(grid, actor=users["direction"])
    with clock.at(clock.moment(-20, 10)):
        following = drafting.duplicate(
            grid,
            school_year=town.coming,
            label=f"Tarifs de danse {town.coming}",
            percent=INCREASE,
            rounding=ROUNDING,
            actor=users["regie"],
        )
        for name, value in deliberation(clock.day(-30)).items():
            setattr(following, name, value)
        drafting.save_draft(following, actor=users["regie"])
        publishing.publish(following, actor=users["direction"])


def deliberation(voted_on: dt.date) -> dict:
    """What a grid says of its vote."""
    number = f"{voted_on.year}-{voted_on.timetuple().tm_yday:03}"
    return {
        "deliberation_number": number,
        "deliberation_date": voted_on,
        "deliberation_url": f"https://conservatoire.example/deliberations/{number}.pdf",
    }


def _make_grid(town, categories, *, voted_on):
    year = town.current
    grid = TariffGrid.objects.create(
        establishment=town.dance_school,
        school_year=year,
        label=f"Tarifs de danse {year}",
        valid_from=year.starts_on,
        valid_until=year.ends_on,
        **deliberation(voted_on),
    )
    TariffRate.objects.bulk_create(
        rate
        for code, *amounts in CATEGORIES
        for rate in _rates(grid, categories[code], *amounts[1:])
    )
    TariffModifier.objects.create(
        grid=grid, position=1, reason=ModifierReason.RANK, label="Deuxième élève et suivants",
        percent=15, from_rank=2,
    )  # fmt: skip
    TariffFee.objects.create(grid=grid, label="Adhésion", amount=FILE_FEE, per=FeePer.STUDENT)
    return grid


def _rates(grid, category, percent, floor, ceiling, outside):
    for zone in (Zone.RESIDENT, Zone.CONVENTIONED):
        yield TariffRate(
            grid=grid,
            category=category,
            zone=zone,
            effort_percent=Decimal(percent),
            effort_floor=floor,
            effort_ceiling=ceiling,
        )
    yield TariffRate(
        grid=grid, category=category, zone=Zone.OUTSIDE, audience=RateAudience.ALL, amount=outside
    )
