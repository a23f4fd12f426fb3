"""Who follows what this year, who followed what before, and what was played."""

import datetime as dt
import random
from itertools import cycle

from imuse.demo.catalogue import (
    ADULT,
    COURSES,
    ENSEMBLES,
    FULL,
    LAST_PLACE,
    OCCASIONS,
    PATH,
    REPERTOIRE,
)
from imuse.demo.clock import Clock
from imuse.demo.households import Household
from imuse.demo.teaching import Teaching
from students import services as students
from students.enums import Cycle, EnrolmentStatus
from students.models import Enrolment, Place, RepertoirePiece, Work
from students.models.works import composer_key, title_key

JURY = "Formation musicale C1-4"  # its next course is a jury's decision, student by student
LET_PASS = "Formation musicale C2-1"
YEARLY = [Cycle.FIRST, Cycle.SECOND]  # the cycles that count their years


class Schooling:
    def __init__(self, teaching: Teaching, households: list[Household], rng: random.Random):
        self.teaching, self.town, self.rng = teaching, teaching.town, rng
        pupils = [pupil for household in households for pupil in household.pupils]
        self.pupils = list({pupil.student.pk: pupil for pupil in pupils}.values())

    def enrol(self) -> None:
        """This year's courses, seated where the course has slots."""
        seats = {name: self._seats(name) for name, taught in COURSES.items() if taught.lessons}
        jury = cycle([None, self.teaching.course(self.town.coming, LET_PASS), None])
        enrolments = []
        for pupil in self.pupils:
            for enrolment in self._enrolments(pupil.student, self.town.current, pupil.courses, 0):
                name = enrolment.course.name
                enrolment.place = next(seats[name]) if name in seats else None
                enrolment.next_course = next(jury) if name == JURY else None
                enrolments.append(enrolment)
        Enrolment.objects.bulk_create(enrolments)

    def remember(self) -> None:
        """The two former years, as far back as each student goes."""
        enrolments = []
        for pupil in self.pupils:
            courses = pupil.courses
            for years_ago, year in enumerate(self.town.years[2:], start=1):
                courses = _before(courses)
                enrolments += self._enrolments(pupil.student, year, courses, years_ago)
        Enrolment.objects.bulk_create(enrolments)

    def play(self, clock: Clock) -> None:
        """What instrumentalists and the CHAM choir played, this year and the one before."""
        pieces, works = [], _know_the_works()
        for pupil in self.pupils:
            for name in [name for name in pupil.courses if name in REPERTOIRE]:
                played = self.rng.sample(REPERTOIRE[name], 2)
                pieces += [
                    RepertoirePiece(
                        student=pupil.student,
                        school_year=year,
                        course=(course := self.teaching.course(year, name)),
                        teacher=course.teacher,
                        composer=composer,
                        title=title,
                        work=works[composer, title],
                        occasion=self.rng.choice(OCCASIONS),
                        played_on=self._day(year, clock.today),
                    )
                    for year, (composer, title) in zip(self.town.years[1:3], played, strict=True)
                ]
        RepertoirePiece.objects.bulk_create(pieces)

    def welcome(self, clock: Clock) -> None:
        """The newcomers are seated for the coming year, where everybody wants to be."""
        crowded = [self.teaching.slot(self.town.coming, *names) for names in FULL + LAST_PLACE]
        slots = {
            name: cycle([slot for slot in crowded if slot.course.name == name])
            for name in {slot.course.name for slot in crowded}
        }
        with clock.at(clock.moment(-10, 10)):
            for pupil in self.pupils:
                if taught := COURSES.get(pupil.joins):
                    students.confirm(
                        students.claim(
                            pupil.student,
                            next(slots[pupil.joins]),
                            cycle=taught.cycle,
                            cycle_year=taught.cycle_year,
                        )
                    )

    def _enrolments(self, student, year, courses, years_ago):
        """Confirmed, at the student's level, which is that of the « formation musicale » if any."""
        theory = next((COURSES[name] for name in courses if name in PATH), None)
        for name in courses:
            taught = COURSES[name]
            if theory:
                level = {"cycle": theory.cycle, "cycle_year": theory.cycle_year}
            elif taught.cycle in YEARLY:
                level = {"cycle": taught.cycle, "cycle_year": student.pk % 3 + 1 - years_ago}
            else:
                level = {"cycle": taught.cycle, "cycle_year": None}
            if level["cycle_year"] is None or level["cycle_year"] > 0:
                yield Enrolment(
                    student=student,
                    course=self.teaching.course(year, name),
                    status=EnrolmentStatus.CONFIRMED,
                    **level,
                )

    def _seats(self, name):
        """The places of the course, one slot after the other, so that all fill alike.

        But those of a group for adults: nobody whom we invent would sit there.
        """
        course = self.teaching.course(self.town.current, name)
        places = Place.objects.filter(slot__course=course).exclude(slot__age_from=ADULT)
        return iter(places.order_by("number", "slot"))

    def _day(self, year, today):
        """Some day of the year's lessons that has passed, None while there is none."""
        first = year.starts_on + dt.timedelta(days=30)
        days = (min(today, dt.date(first.year + 1, 6, 30)) - first).days
        return first + dt.timedelta(days=self.rng.randint(0, days)) if days >= 0 else None


def _know_the_works():
    works = Work.objects.bulk_create(
        Work(
            composer=composer,
            title=title,
            composer_key=composer_key(composer),
            title_key=title_key(title),
        )
        for played in REPERTOIRE.values()
        for composer, title in played
    )
    return {(work.composer, work.title): work for work in works}


def _before(courses):
    """What somebody who follows these followed the year before."""
    theory = next((name for name in courses if name in PATH), None)
    if theory is None:
        return courses
    step = PATH.index(theory) - 1
    followed = [PATH[step]] if step >= 0 else []
    if step >= PATH.index("Formation musicale C1-1"):
        followed += [name for name in courses if name in ENSEMBLES]
    if step > PATH.index("Formation musicale C1-1"):
        followed += [name for name in courses if name in ENSEMBLES.values()]
    return followed
