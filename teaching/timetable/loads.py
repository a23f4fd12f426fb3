"""« Heures d'enseignement »: the hours a week of each teacher, beside those of the year before.

From the slots and the fixed hours: what is not fixed yet is counted apart, by student.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from accounts.models import Establishment
from students.enums import Scheduling
from students.models import Enrolment, SchoolYear, Slot, Teacher
from teaching.lessons import Hour, hours_of_year
from teaching.models import LessonTime
from teaching.timetable.year_rooms import duration, lasting, minutes_of_week


@dataclass(frozen=True)
class Load:
    """What one teacher gives in a week.

    `before`, `minutes`: in the former year and in this one, at the site; `elsewhere`: this year, at
    the other sites. `to_fix`: his students whose individual lesson has no hour yet.
    """

    teacher: Teacher | None  # None: nobody is named yet
    before: int
    minutes: int
    elsewhere: int
    slots: int
    fixed: int
    to_fix: int

    @property
    def change(self) -> str:
        """« + 2 h », « − 45 min »; empty when it is the same."""
        difference = self.minutes - self.before
        if not difference:
            return ""
        return f"{'+' if difference > 0 else '−'} {duration(abs(difference))}"

    @property
    def words(self) -> dict[str, str]:
        return {name: duration(getattr(self, name)) for name in ("before", "minutes", "elsewhere")}


def loads_of(site: Establishment, year: SchoolYear, previous: SchoolYear | None) -> list[Load]:
    """Of all those who teach at the site in either year, by name. Five queries."""
    now = _by_teacher(year)
    before = _by_teacher(previous) if previous else {}
    to_fix = _to_fix(site, year)
    teachers = {}
    for hours in (now, before):
        for teacher, theirs in hours.items():
            if any(_is_at(hour, site) for hour in theirs):
                teachers[teacher] = theirs[0].teacher or theirs[0].course.teacher
    for teacher in to_fix:
        teachers.setdefault(teacher and teacher.pk, teacher)
    found = [
        _load(site, teacher, now.get(key, []), before.get(key, []), to_fix[teacher])
        for key, teacher in teachers.items()
    ]
    return sorted(found, key=_by_name)


def total_of(loads: list[Load]) -> Load:
    """Their sum, of nobody."""
    names = ["before", "minutes", "elsewhere", "slots", "fixed", "to_fix"]
    return Load(None, *[sum(getattr(load, name) for load in loads) for name in names])


def _by_teacher(year):
    """By key; None for the hours that name nobody. Two queries."""
    hours = defaultdict(list)
    for hour in lasting(hours_of_year(year), year):
        teacher = hour.teacher or hour.course.teacher
        hours[teacher and teacher.pk].append(hour)
    return hours


def _to_fix(site, year):
    """By teacher. One query."""
    fixed = LessonTime.objects.filter(enrolment=OuterRef("pk"), ends_on=None)
    without = Enrolment.objects.live().filter(
        ~Exists(fixed),
        course__establishment=site,
        course__school_year=year,
        course__scheduling=Scheduling.TEACHER,
        ends_on=None,
    )
    return Counter(each.course.teacher for each in without.select_related("course__teacher"))


def _load(site, teacher, now, before, to_fix):
    here = [hour for hour in now if _is_at(hour, site)]
    slots = [hour for hour in here if _is_slot(hour)]
    return Load(
        teacher,
        before=minutes_of_week(hour for hour in before if _is_at(hour, site)),
        minutes=minutes_of_week(here),
        elsewhere=minutes_of_week(hour for hour in now if not _is_at(hour, site)),
        slots=len(slots),
        fixed=len(here) - len(slots),
        to_fix=to_fix,
    )


def _is_at(hour: Hour, site):
    return hour.course.establishment_id == site.pk


def _is_slot(hour):
    return isinstance(hour, Slot)


def _by_name(load):
    teacher = load.teacher
    return (teacher is None, teacher.sort_name if teacher else "", teacher.pk if teacher else 0)
