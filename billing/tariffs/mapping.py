"""Which category each course of a year is billed in."""

from collections.abc import Mapping

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Establishment, User
from billing.models.tariffs import CourseCategory, TariffCategory
from students.models import Course, SchoolYear

NONE = "aucune"


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

    Each change is in the history of its course, which says before and after: what a course is
    billed as moves what families owe.

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
    changed = {}
    for course, category in categories.items():
        row = held.get(course)
        if (row and row.category_id) == category:
            continue
        changed[course] = row and row.category_id, category
        if category is None:
            row.delete()
        elif row:
            row.category_id = category
            row.save(update_fields=["category"])
        else:
            CourseCategory.objects.create(course_id=course, category_id=category)
    _log(changed, actor=actor)
    return len(changed)


def _log(changed, *, actor):
    """`changed`: by the key of a course, the keys of its category before and after."""
    if not changed:
        return
    labels = dict(
        TariffCategory.objects.filter(
            pk__in={key for pair in changed.values() for key in pair if key}
        ).values_list("pk", "label")
    )
    content_type = ContentType.objects.get_for_model(Course)
    LogEntry.objects.bulk_create(
        LogEntry(
            user=actor,
            content_type=content_type,
            object_id=course.pk,
            object_repr=course.name[:200],
            action_flag=CHANGE,
            change_message=f"Catégorie tarifaire\u00a0: {labels.get(after, NONE)} (avant\u00a0:"
            f" {labels.get(before, NONE)}).",
        )
        for course in Course.objects.filter(pk__in=changed)
        for before, after in [changed[course.pk]]
    )


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
