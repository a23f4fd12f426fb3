"""Teachers, the courses of four years, the slots and places of the last two."""

import datetime as dt

from accounts.models import User
from imuse.demo.catalogue import CONSERVATOIRE, COURSES, DANCE_SCHOOL, DISCIPLINES, TEACHERS
from imuse.demo.town import Town
from students.models import Course, Discipline, Place, Slot, Teacher


def make_teachers(accounts: dict[tuple[str, str], User]) -> dict[str, Teacher]:
    """By last name; `accounts` are those of some of them, by first and last name."""
    teachers = Teacher.objects.bulk_create(
        Teacher(first_name=first, last_name=last, user=accounts.get((first, last)))
        for first, last in TEACHERS
    )
    return {teacher.last_name: teacher for teacher in teachers}


class Teaching:
    """The courses by year and name, and the free places of this year's slots."""

    def __init__(self, town: Town, teachers: dict[str, Teacher]):
        self.town, self.teachers = town, teachers
        disciplines = Discipline.objects.bulk_create(
            Discipline(name=name, art=art) for name, art in DISCIPLINES.items()
        )
        self.disciplines = {discipline.name: discipline for discipline in disciplines}
        self.courses = {}
        following = {}
        for year in town.years:  # from the coming one back, so that the next course exists
            following = self._make_courses(year, following)
            self.courses[year] = following
        self.slots = {year: self._make_slots(year) for year in (town.coming, town.current)}

    def course(self, year, name: str) -> Course:
        return self.courses[year][name]

    def slot(self, year, name: str, group: str) -> Slot:
        course = self.course(year, name)
        return next(s for s in self.slots[year] if s.course == course and s.group == group)

    def _make_courses(self, year, following):
        sites = {self.town.conservatoire: CONSERVATOIRE, self.town.dance_school: DANCE_SCHOOL}
        courses = Course.objects.bulk_create(
            Course(
                establishment=site,
                school_year=year,
                discipline=self.disciplines[taught.discipline],
                name=taught.name,
                cycle=taught.cycle,
                scheduling=taught.scheduling,
                teacher=self.teachers.get(taught.teacher),
                next_course=following.get(taught.following),
                age_from=taught.ages[0],
                age_to=taught.ages[1],
            )
            for site, programme in sites.items()
            for taught in programme
        )
        return {course.name: course for course in courses}

    def _make_slots(self, year):
        made = [
            (
                lesson.places,
                Slot(
                    course=self.course(year, taught.name),
                    group=lesson.group,
                    weekday=lesson.weekday,
                    starts_at=dt.time.fromisoformat(lesson.starts_at),
                    ends_at=dt.time.fromisoformat(lesson.ends_at),
                    room=lesson.room,
                    teacher=self.teachers[lesson.teacher],
                    age_from=lesson.ages[0],
                    age_to=lesson.ages[1],
                    cycle_year_from=lesson.cycle_years[0],
                    cycle_year_to=lesson.cycle_years[1],
                ),
            )
            for taught in COURSES.values()
            for lesson in taught.lessons
        ]
        slots = Slot.objects.bulk_create(slot for _, slot in made)
        Place.objects.bulk_create(
            Place(slot=slot, number=number)
            for places, slot in made
            for number in range(1, places + 1)
        )
        return slots
