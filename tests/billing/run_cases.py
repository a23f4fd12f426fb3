"""A run of invoices, its households and what they owe, without a tariff grid."""

import datetime as dt
from decimal import Decimal

from django.utils import timezone

from billing.models import InvoiceRun, TariffGrid
from billing.pricing.bills import Bill, Line, LineKind
from billing.runs import planning, pricing
from billing.runs.drafting import draft_next
from families.models import Family
from students.enums import EnrolmentStatus
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    GuardianFactory,
    SchoolYearFactory,
    StudentFactory,
    TariffGridFactory,
)


def enrol(family: Family | None = None, **kwargs):
    """A student of the household (a new one if None), confirmed in a course of the year."""
    family = family or GuardianFactory().family
    student = StudentFactory(family=family)
    EnrolmentFactory(
        student=student,
        course=CourseFactory(school_year=SchoolYearFactory()),
        **{"status": EnrolmentStatus.CONFIRMED, **kwargs},
    )
    return student


def make_run(actor, **kwargs) -> InvoiceRun:
    run = InvoiceRun(
        **{
            "establishment": EstablishmentFactory(),
            "school_year": SchoolYearFactory(),
            "label": "Cotisations",
            "due_on": timezone.localdate() + dt.timedelta(days=30),
            **kwargs,
        }
    )
    return planning.plan(run, actor=actor)


def prepare(actor, **kwargs) -> InvoiceRun:
    """A run whose drafts are all written."""
    run = make_run(actor, **kwargs)
    while draft_next():
        pass
    run.refresh_from_db()
    return run


class Grid:
    """Stands for the engine: `prices` by the household's key, `default` for the others.

    A price is an amount for each of its students of the year, a bill, or a sentence.
    """

    def __init__(self, monkeypatch, default="100.00"):
        self.default, self.prices, self.calls = default, {}, []
        monkeypatch.setattr(pricing, "priced", self.priced)
        monkeypatch.setattr(pricing, "grid_of", self.grid_of)

    def grid_of(self, run):
        return TariffGrid.objects.first() or TariffGridFactory(
            establishment=run.establishment, school_year=run.school_year
        )

    def priced(self, families, run, grids):
        self.calls.append([family.pk for family in families])
        return {family.pk: self._price(family) for family in families}

    def _price(self, family):
        price = self.prices.get(family.pk, self.default)
        if isinstance(price, Exception):
            raise price
        if isinstance(price, (Bill, str)) and not _is_amount(price):
            return price
        students = family.students.filter(enrolments__status=EnrolmentStatus.CONFIRMED).order_by(
            "pk"
        )
        return Bill(tuple(tuition(student, price) for student in students))


def tuition(student, amount, label="Cursus", at_top_rate=False) -> Line:
    return Line(
        kind=LineKind.TUITION,
        label=label,
        explanation="Tarif résident.",
        amount=Decimal(amount),
        pupil=student.pk,
        at_top_rate=at_top_rate,
    )


def _is_amount(price):
    return isinstance(price, str) and price.replace(".", "").isdecimal()
