"""In how many parts a household may pay, and what each would be: read, never written here.

The rule of the parts is that of the invoices (`billing.schedule.spread`): an estimate shows what an
invoice of the same total would ask.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.dates import day
from accounts.models import Establishment, User
from accounts.prepared import prepared
from billing.models import PaymentPlan, PaymentPlanChoice
from billing.money import ZERO, euros
from billing.schedule import spread
from families.models import Family
from students.models import SchoolYear


@dataclass(frozen=True)
class Way:
    """One way of paying a total that is known, or that will be between two amounts (euros).

    `instalments`: the day and the amount of each part, of the lowest total.
    """

    parts: int
    instalments: list[tuple[dt.date, Decimal]]
    highest: list[tuple[dt.date, Decimal]]

    @property
    def name(self) -> str:
        return "en une fois" if self.parts == 1 else f"en {self.parts}\u00a0fois"

    @property
    def amounts(self) -> str:
        """« 3 × 180,90 € », « 180,92 €, puis 2 × 180,90 € », « de 60,00 € à 120,00 € chacune »."""
        if self.instalments != self.highest:
            low = self.instalments[-1][1] if self.instalments else ZERO
            low, high = euros(low), euros(self.highest[0][1])
            return f"de {low} à {high}" + (" chacune" if self.parts > 1 else "")
        first, *others = [amount for _, amount in self.instalments]
        if not others:
            return euros(first)
        if first == others[0]:
            return f"{self.parts}\u00a0×\u00a0{euros(first)}"
        times = f"{len(others)}\u00a0×\u00a0" if len(others) > 1 else ""
        return f"{euros(first)}, puis {times}{euros(others[0])}"

    @property
    def days(self) -> str:
        """« les 15 novembre et 15 décembre 2027, 15 janvier et 15 février 2028 »."""
        dates = [date for date, _ in self.highest]
        if len(dates) == 1:
            return f"le {day(dates[0])}"
        years = [list(of_year) for _, of_year in groupby(dates, key=lambda date: date.year)]
        return f"les {', '.join(map(_days_of_a_year, years))}"


@dataclass(frozen=True)
class Offer:
    """A plan as one household reads it. `chosen`: in how many parts, None while nothing is."""

    plan: PaymentPlan
    chosen: int | None
    today: dt.date

    @property
    def is_open(self) -> bool:
        return self.today <= self.plan.choose_until


def _days_of_a_year(dates):
    """« 15 octobre, 15 novembre et 15 décembre 2027 »."""
    *before, last = [day(date) for date in dates]
    before = [each.rpartition(" ")[0] for each in before]  # without the year
    return f"{', '.join(before)} et {last}" if before else last


def plan_of(establishment: Establishment, school_year: SchoolYear) -> PaymentPlan | None:
    """One query."""
    return PaymentPlan.objects.filter(establishment=establishment, school_year=school_year).first()


def offer_of(establishment: int, school_year: int, family: int, today: dt.date) -> Offer | None:
    """What the household may choose, or has chosen, for that year; by keys. One query."""
    for plan in _offered(establishment, school_year, family):
        return Offer(plan, plan.chosen, today)
    return None


@prepared
def _offered(establishment: int, school_year: int, family: int) -> QuerySet[PaymentPlan]:
    plans = PaymentPlan.objects.filter(establishment=establishment, school_year=school_year)
    return _with_choice(plans, family).select_related("school_year")


def open_offers(establishment: int, user: int, today: dt.date) -> list[Offer]:
    """Those of which the reader's household may still choose, the latest year first; by keys. One
    query."""
    return [Offer(plan, plan.chosen, today) for plan in _open(establishment, user, today)]


@prepared
def _open(establishment: int, user: int, today: dt.date) -> QuerySet[PaymentPlan]:
    ours = Family.objects.visible_to(User(pk=user)).values("pk")
    plans = PaymentPlan.objects.filter(establishment=establishment, choose_until__gte=today)
    return _with_choice(plans, ours).select_related("school_year")


def _with_choice(plans, family):
    of_family = {"family": family} if isinstance(family, int) else {"family__in": family}
    chosen = PaymentPlanChoice.objects.filter(plan=OuterRef("pk"), **of_family)
    return plans.annotate(chosen=Subquery(chosen.values("parts")[:1])).order_by(
        "-school_year__starts_on"
    )


def ways_of(plan: PaymentPlan, lowest: Decimal, highest: Decimal) -> list[Way]:
    """Each number of parts that a total from `lowest` to `highest` may be paid in; none of nought.

    Those whose parts reach the minimum once the total is the highest: the invoice has the last word
    (`parts_for`).
    """
    if highest <= 0:
        return []
    return [
        Way(
            number,
            spread(lowest, number, plan.first_due_on),
            spread(highest, number, plan.first_due_on),
        )
        for number in plan.parts
        if number == parts_for(plan, number, highest)
    ]


def parts_for(plan: PaymentPlan, wanted: int, total: Decimal) -> int:
    """In how many parts a total (euros) is paid: as many as wanted, or the most that the plan
    allows below it without one under the minimum; the last parts are the smallest."""
    for number in sorted(plan.parts, reverse=True):
        if number <= wanted and number > 1:
            parts = spread(total, number, plan.first_due_on)
            if len(parts) == number and parts[-1][1] >= plan.minimum:
                return number
    return 1


def chosen_by(
    establishment: Establishment, school_year: SchoolYear, families: Collection[int]
) -> tuple[PaymentPlan | None, dict[int, int]]:
    """The plan of the year, and by the key of each household its number of parts. Two queries."""
    plan = plan_of(establishment, school_year)
    if plan is None:
        return None, {}
    choices = plan.choices.filter(family__in=families).order_by()
    return plan, dict(choices.values_list("family", "parts"))
