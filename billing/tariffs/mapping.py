"""Which category each course of a year is billed in."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Establishment, User
from billing.models.tariffs import CourseCategory, TariffCategory
from students.models import Course, SchoolYear


def unmapped_courses(establishment: Establishment, school_year: SchoolYear) -> list[Course]:
    """Those that can't be billed, by name."""
    return list(_courses(establishment, school_year).filter(tariff_category=None))


def courses_with_categories(
    establishment: Establishment, school_year: SchoolYear
) -> list[tuple[Course, int | None, bool]]:
    """Each course with the key of its category; True when that one is only proposed.

    Proposed: what the course of the same name, the year before, is billed in. Three queries.
    """
    courses = list(_courses(establishment, school_year).select_related("tariff_category"))
    former = _former_categories(establishment, school_year)
    rows = []
    for course in courses:
        held = getattr(course, "tariff_category", None)
        key = held.category_id if held else former.get(course.name)
        rows.append((course, key, held is None and key is not None))
    return rows


@transaction.atomic
def save_categories(
    establishment: Establishment, categories: Mapping[int, int | None], *, actor: User
) -> int:
    """Writes the category (key) of each course (key), None for none; how many have changed.

    Raises ValidationError, code `elsewhere`, for a course or a category of another establishment.
    """
    courses = _own_keys(Course.objects.filter(establishment=establishment), categories)
    wanted = {key for key in categories.values() if key is not None}
    known = _own_keys(TariffCategory.objects.filter(establishment=establishment), wanted)
    if courses != set(categories) or known != wanted:
        raise ValidationError("Ce cours est d'un autre établissement.", code="elsewhere")
    held = {
        each.course_id: each
        for each in CourseCategory.objects.select_for_update().filter(course__in=courses)
    }
    changed = 0
    for course, category in categories.items():
        row = held.get(course)
        if (row and row.category_id) == category:
            continue
        changed += 1
        if category is None:
            row.delete()
        elif row:
            row.category_id = category
            row.save(update_fields=["category"])
        else:
            CourseCategory.objects.create(course_id=course, category_id=category)
    return changed


def _courses(establishment, school_year) -> QuerySet[Course]:
    return Course.objects.filter(establishment=establishment, school_year=school_year)


def _former_categories(establishment, school_year):
    before = SchoolYear.objects.filter(starts_on__lt=school_year.starts_on).order_by("-starts_on")
    rows = CourseCategory.objects.filter(
        course__establishment=establishment, course__school_year=before.values("pk")[:1]
    )
    return dict(rows.values_list("course__name", "category"))


def _own_keys(queryset, keys):
    return set(queryset.filter(pk__in=keys).values_list("pk", flat=True))
