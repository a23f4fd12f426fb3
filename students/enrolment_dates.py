"""When an enrolment begins and ends within the school year: who arrives late, who stops early."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction

from students.models import Course, Enrolment
from students.services import lock_enrolment


def check_dates(course: Course, starts_on: dt.date | None, ends_on: dt.date | None) -> None:
    """Refuses, under the field's name, a day outside the course's year (`outside_year`), and an
    end before the beginning (`ends_before_start`). None: the year's own day.
    """
    year = course.school_year
    for name, day in {"starts_on": starts_on, "ends_on": ends_on}.items():
        if day and not year.holds(day):
            message = f"Ce jour n'est pas dans l'année scolaire {year}."
            raise ValidationError({name: ValidationError(message, code="outside_year")})
    if starts_on and ends_on and ends_on < starts_on:
        message = "Une inscription ne finit pas avant de commencer."
        raise ValidationError({"ends_on": ValidationError(message, code="ends_before_start")})


@transaction.atomic
def set_dates(enrolment: Enrolment, starts_on: dt.date | None, ends_on: dt.date | None) -> None:
    """Writes both days; None: the whole year. Raises ValidationError, see `check_dates`."""
    enrolment = lock_enrolment(enrolment)
    check_dates(enrolment.course, starts_on, ends_on)
    enrolment.starts_on, enrolment.ends_on = starts_on, ends_on
    enrolment.full_clean()
    enrolment.save(update_fields=["starts_on", "ends_on"])
