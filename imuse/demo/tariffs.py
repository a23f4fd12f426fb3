"""The tariffs of both establishments, this year's and the coming year's, published; and a draft.

The draft is a new vote of the conservatoire for the second half of the coming year: to compare,
then to publish. The dance school votes a « taux d'effort » (`dance_tariffs`).

Amounts are invented on the shapes that towns publish: a cursus of 603 € for residents and 909 €
outside, a collective practice alone of 108 and 117 €, 38 € of file fee for the household.
"""

import datetime as dt
from decimal import Decimal

from accounts.models import User
from billing.models import (
    CourseCategory,
    PaymentPlan,
    TariffCategory,
    TariffFee,
    TariffGrid,
    TariffModifier,
    TariffRate,
    TariffRental,
)
from billing.tariffs import drafting, publishing
from billing.tariffs.enums import FeePer, ModifierReason, RateAudience
from families.enums import Zone
from imuse.demo import dance_tariffs
from imuse.demo.clock import Clock
from imuse.demo.dance_tariffs import deliberation
from imuse.demo.teaching import Teaching
from imuse.demo.town import Town
from students.enums import Art
from students.models import Course

BANDS = [(None, 500), (500, 800), (800, 1100), (1100, None)]
# Code, label, whether it is paid once; children of the town and of the communes with a convention,
# by quotient, children from elsewhere; adults of the three zones, None: as children.
CATEGORIES = [
    ("cursus", "Cursus musical", True,
     [186, 312, 456, 603], [234, 396, 564, 720], 909, [684, 820, 1044]),
    ("fm", "Formation musicale seule", True,
     [90, 150, 210, 264], [114, 186, 258, 324], 396, [300, 360, 450]),
    ("collectif", "Pratique collective seule", True,
     [36, 60, 84, 108], [45, 72, 96, 113], 117, [108, 113, 117]),
    ("eveil", "Éveil et initiation", True, [54, 96, 144, 198], [66, 117, 174, 237], 264, None),
    ("danse", "Danse", False,
     [96, 168, 246, 320], [120, 204, 300, 390], 480, [360, 432, 540]),
    ("theatre", "Théâtre", False,
     [84, 144, 210, 270], [105, 177, 252, 324], 396, [300, 360, 450]),
]  # fmt: skip
INCLUDED = {"cursus": ["fm", "collectif"]}
MODIFIERS = [
    {"reason": ModifierReason.RANK, "label": "Deuxième élève du foyer", "percent": 10,
     "from_rank": 2, "to_rank": 2},
    {"reason": ModifierReason.RANK, "label": "Troisième élève et suivants", "percent": 20,
     "from_rank": 3},
    {"reason": ModifierReason.SECOND_DISCIPLINE, "label": "Seconde discipline", "percent": 30},
    {"reason": ModifierReason.SITUATION, "label": "Étudiant, minima sociaux", "percent": 20,
     "codes": "student, minima"},
    {"reason": ModifierReason.SCHOOL_HOURS, "label": "Horaires aménagés", "percent": 25},
]  # fmt: skip
RENTALS = [("Violon", 150, 300), ("Violoncelle", 180, 400), ("Flûte traversière", 150, 300),
           ("Clarinette", 150, 300), ("Trompette", 120, 250), ("Piano", 180, 300)]  # fmt: skip
FILE_FEE = 38
INCREASE, LATER_INCREASE, ROUNDING = Decimal(2), Decimal(3), Decimal("1.00")
SEVERAL = {"in_four": True, "in_six": True}
ENSEMBLES = ("Orchestre", "Chant choral")


def vote(town: Town, teaching: Teaching, clock: Clock, users: dict[str, User]) -> None:
    """The categories, what each course of the last two years is billed in, the grids, and in how
    many parts families may pay."""
    _vote_of_the_conservatoire(town, teaching, clock, users)
    dance_tariffs.vote(town, teaching, clock, users)
    for site, several in ((town.conservatoire, SEVERAL), (town.dance_school, {})):
        PaymentPlan.objects.create(
            establishment=site,
            school_year=town.coming,
            first_due_on=dt.date(town.coming.starts_on.year, 10, 15),
            choose_until=dt.date(town.coming.starts_on.year, 9, 15),
            **several,
        )


def _vote_of_the_conservatoire(town, teaching, clock, users):
    categories = _make_categories(town)
    for year in (town.current, town.coming):
        CourseCategory.objects.bulk_create(
            CourseCategory(course=course, category=categories[_category_of(course)])
            for course in teaching.courses[year].values()
            if course.establishment == town.conservatoire
        )
    start = town.current.starts_on
    with clock.at(clock.moment((start - clock.today).days - 60, 10)):
        grid = _make_grid(town, categories, voted_on=start - dt.timedelta(75))
        publishing.publish(grid, actor=users["direction"])
    coming, label = town.coming, f"Tarifs {town.coming}"
    with clock.at(clock.moment(-20, 10)):
        following = _prepare(
            grid, coming, label, INCREASE, voted_on=clock.day(-30), actor=users["regie"]
        )
        following = publishing.publish(following, actor=users["direction"])
    half = dt.date(coming.ends_on.year, 2, 1)
    with clock.at(clock.moment(-2, 10)):
        label += ", à partir de février"
        later = _prepare(
            following, coming, label, LATER_INCREASE, voted_on=clock.day(-5), actor=users["regie"]
        )
        later.valid_from = half
        drafting.save_draft(later, actor=users["regie"])
        publishing.shorten(
            following, valid_until=half - dt.timedelta(days=1), actor=users["direction"]
        )


def _prepare(grid, year, label, percent, *, voted_on, actor):
    """A draft made from the grid, with its délibération."""
    draft = drafting.duplicate(
        grid, school_year=year, label=label, percent=percent, rounding=ROUNDING, actor=actor
    )
    for name, value in deliberation(voted_on).items():
        setattr(draft, name, value)
    drafting.save_draft(draft, actor=actor)
    return draft


def _make_categories(town):
    made = {
        code: TariffCategory.objects.create(
            establishment=town.conservatoire, code=code, label=label, once=once, position=position
        )
        for position, (code, label, once, *_) in enumerate(CATEGORIES, start=1)
    }
    for code, included in INCLUDED.items():
        made[code].includes.set([made[each] for each in included])
    return made


def _make_grid(town, categories, *, voted_on):
    year = town.current
    grid = TariffGrid.objects.create(
        establishment=town.conservatoire,
        school_year=year,
        label=f"Tarifs {year}",
        top_within_zone=True,
        valid_from=year.starts_on,
        valid_until=year.ends_on,
        **deliberation(voted_on),
    )
    TariffRate.objects.bulk_create(
        TariffRate(grid=grid, category=categories[code], **fields)
        for code, _, _, *amounts in CATEGORIES
        for fields in _rates(*amounts)
    )
    for position, fields in enumerate(MODIFIERS, start=1):
        TariffModifier.objects.create(grid=grid, position=position, **fields)
    TariffFee.objects.create(
        grid=grid, label="Frais de dossier", amount=FILE_FEE, per=FeePer.HOUSEHOLD
    )
    TariffRental.objects.bulk_create(
        TariffRental(grid=grid, instrument=instrument, amount=amount, deposit=deposit)
        for instrument, amount, deposit in RENTALS
    )
    return grid


def _rates(resident, conventioned, outside, adults):
    audience = RateAudience.CHILD if adults else RateAudience.ALL
    for zone, amounts in ((Zone.RESIDENT, resident), (Zone.CONVENTIONED, conventioned)):
        for (low, high), amount in zip(BANDS, amounts, strict=True):
            yield {
                "zone": zone,
                "audience": audience,
                "band_low": low,
                "band_high": high,
                "amount": amount,
            }
    yield {"zone": Zone.OUTSIDE, "audience": audience, "amount": outside}
    if not adults:
        return
    for zone, amount in zip(Zone.values, adults, strict=True):
        yield {"zone": zone, "audience": RateAudience.ADULT, "amount": amount}


def _category_of(course: Course) -> str:
    discipline = course.discipline
    if "veil" in discipline.name:
        return "eveil"
    if discipline.art != Art.MUSIC:
        return "danse" if discipline.art == Art.DANCE else "theatre"
    if discipline.name in ENSEMBLES:
        return "collectif"
    return "fm" if discipline.name == "Formation musicale" else "cursus"
