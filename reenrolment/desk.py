"""What the desk of a campaign shows: how the evening goes, slot by slot and hour by hour.

Everything is counted by the database: seven queries, with 900 students or 20,000.
"""

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, F, QuerySet
from django.db.models.functions import TruncHour
from django.utils import timezone

from reenrolment.enums import Status
from reenrolment.models import Campaign, EarlyAccess, Transition
from students.models import Discipline, Hold, Slot
from students.models.waiting import awaited_by

HOURS = 24  # the last ones, by hour; before them, by day

# The columns of numbers of the table of slots, each counted beside what `with_places` adds.
FIGURES = {
    "Places": F("capacity"),
    "Prises": F("capacity") - F("held") - F("places_left"),
    "Réservées": F("held"),
    "Libres": F("places_left"),
    "En attente": awaited_by(),
}


@dataclass(frozen=True)
class Bar:
    """How many dossiers were sent in an hour, or in a day; `most` is that of the fullest bar."""

    at: dt.datetime  # the beginning, in Paris
    number: int
    most: int


@dataclass(frozen=True)
class SlotLine:
    slot: Slot
    figures: list[int]  # in the order of FIGURES

    @property
    def tone(self) -> str:
        """For the colour: what calls for somebody is marked, and said in words by `state`."""
        if self.slot.closed_at:
            return "closed"
        if self.slot.places_left == 0:
            return "full"
        return "nearly" if self.slot.places_left <= 2 else ""

    @property
    def state(self) -> str:
        return {"closed": "fermé", "full": "complet", "nearly": "presque complet"}.get(
            self.tone, "ouvert"
        )


@dataclass(frozen=True)
class Board:
    read_at: dt.datetime
    statuses: list[tuple[Status, int]]
    held: int  # places, by families that are filling in at this moment
    slots: list[SlotLine]
    disciplines: list[Discipline]
    early: list[EarlyAccess]
    hours: list[Bar]
    days: list[Bar]

    @property
    def this_hour(self) -> Bar:
        """Since the hour struck."""
        return self.hours[-1]


def board_of(campaign: Campaign, discipline: int | None = None) -> Board:
    """`discipline`: the key of the only one whose slots are wanted."""
    now = timezone.localtime()
    by_hour = _sent_by_hour(campaign)
    return Board(
        read_at=now,
        statuses=_statuses(campaign),
        held=_of(campaign, Hold.objects.filter(until__gt=now, entry=None)).count(),
        slots=[
            SlotLine(slot, [getattr(slot, f"figure_{n}") for n in range(len(FIGURES))])
            for slot in slots_of(campaign, discipline)
        ],
        disciplines=list(_disciplines(campaign)),
        early=list(campaign.early_accesses.all()),
        hours=_hours(by_hour, now),
        days=_days(by_hour, campaign, now),
    )


def slots_of(campaign: Campaign, discipline: int | None = None) -> QuerySet[Slot]:
    """Those that the campaign offers: the nearly full ones first, the closed ones last."""
    slots = _of(campaign, Slot.objects.all()).select_related("course")
    if discipline is not None:
        slots = slots.filter(course__discipline=discipline)
    return (
        slots.with_places()
        .annotate(**{f"figure_{n}": figure for n, figure in enumerate(FIGURES.values())})
        .order_by(
            F("closed_at").asc(nulls_first=True),
            *["places_left", "-capacity", "course__sort_name", "weekday", "starts_at", "pk"],
        )
    )


def _of(campaign, rows):
    """The rows of the courses of the year that the campaign prepares, at its establishment."""
    return rows.filter(
        course__establishment=campaign.establishment_id,
        course__school_year=campaign.school_year_id,
    )


def _statuses(campaign):
    counted = campaign.reenrolments.order_by().values("status").annotate(number=Count("pk"))
    numbers = dict(counted.values_list("status", "number"))
    return [(status, numbers.get(status, 0)) for status in Status]


def _disciplines(campaign):
    return Discipline.objects.filter(
        pk__in=_of(campaign, Slot.objects.order_by()).values("course__discipline")
    )


def _sent_by_hour(campaign) -> Counter:
    """How many families said « Valider », by hour of UTC: in Paris an hour of October is double.

    A dossier sent again after a complement is not counted again.
    """
    sent = Transition.objects.filter(
        reenrolment__campaign=campaign, from_status=Status.DRAFT, to_status=Status.SUBMITTED
    )
    hours = sent.order_by().annotate(hour=TruncHour("at", tzinfo=dt.UTC)).values("hour")
    return Counter(dict(hours.annotate(number=Count("pk")).values_list("hour", "number")))


def _hours(by_hour, now):
    last = now.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
    hours = [last - dt.timedelta(hours=ago) for ago in reversed(range(HOURS))]
    return _bars([(timezone.localtime(hour), by_hour[hour]) for hour in hours])


def _days(by_hour, campaign, now):
    """Every day from the first dossier, or the opening, until today or the closing."""
    numbers = Counter()
    for hour, number in by_hour.items():
        numbers[timezone.localdate(hour)] += number
    first = min([timezone.localdate(campaign.opens_at), *numbers])
    last = max([min(now.date(), timezone.localdate(campaign.closes_at)), *numbers])
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    return _bars(
        [(timezone.make_aware(dt.datetime.combine(day, dt.time())), numbers[day]) for day in days]
    )


def _bars(numbers):
    most = max((number for _, number in numbers), default=0)
    return [Bar(at, number, most) for at, number in numbers]
