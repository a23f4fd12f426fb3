import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError

from billing.models import CourseCategory
from billing.tariffs import mapping
from tests.factories import (
    CourseFactory,
    EstablishmentFactory,
    SchoolYearFactory,
    TariffCategoryFactory,
)


@pytest.fixture
def years():
    return SchoolYearFactory(offset=0), SchoolYearFactory(offset=1)


def test_a_course_is_proposed_what_the_one_of_the_year_before_is_billed_in(
    establishment, years, django_assert_num_queries
):
    this, coming = years
    cursus, dance = TariffCategoryFactory(), TariffCategoryFactory(code="danse")
    was = {name: CourseFactory(name=name, school_year=this) for name in ("Flûte", "Jazz")}
    CourseCategory.objects.create(course=was["Flûte"], category=cursus)
    CourseCategory.objects.create(course=was["Jazz"], category=dance)
    flute, jazz, opera = (
        CourseFactory(name=name, school_year=coming) for name in ("Flûte", "Jazz", "Opéra")
    )
    CourseCategory.objects.create(course=jazz, category=cursus)

    with django_assert_num_queries(2):
        rows = mapping.courses_with_categories(establishment, coming)

    assert rows == [(flute, cursus.pk, True), (jazz, cursus.pk, False), (opera, None, False)]
    assert mapping.unmapped_courses(establishment, coming) == [flute, opera]


def test_categories_are_given_changed_and_taken_away(establishment, accountant):
    cursus, dance = TariffCategoryFactory(), TariffCategoryFactory(code="danse")
    one, two, three = (CourseFactory(name=name) for name in "ABC")
    CourseCategory.objects.create(course=two, category=cursus)
    CourseCategory.objects.create(course=three, category=cursus)

    changed = mapping.save_categories(
        establishment, {one.pk: dance.pk, two.pk: None, three.pk: cursus.pk}, actor=accountant
    )

    assert changed == 2
    rows = CourseCategory.objects.order_by("course__name").values_list("course", "category")
    assert list(rows) == [(one.pk, dance.pk), (three.pk, cursus.pk)]


def test_each_change_is_in_the_history_of_its_course(establishment, accountant):
    cursus = TariffCategoryFactory(label="Cursus")
    one, two = (CourseFactory(name=name) for name in "AB")
    CourseCategory.objects.create(course=two, category=cursus)

    for _ in range(2):  # the second one changes nothing
        mapping.save_categories(establishment, {one.pk: cursus.pk, two.pk: None}, actor=accountant)

    logs = LogEntry.objects.order_by("object_repr").values_list(
        "user", "content_type__model", "object_id", "change_message"
    )
    assert list(logs) == [
        (
            accountant.pk,
            "course",
            str(one.pk),
            "Catégorie tarifaire\u00a0: Cursus (avant\u00a0: aucune).",
        ),
        (
            accountant.pk,
            "course",
            str(two.pk),
            "Catégorie tarifaire\u00a0: aucune (avant\u00a0: Cursus).",
        ),
    ]


def test_a_course_or_a_category_of_another_site_is_refused(establishment, accountant):
    annexe = EstablishmentFactory(name="Annexe")
    mine, theirs = CourseFactory(), CourseFactory(establishment=annexe)
    category = TariffCategoryFactory(establishment=annexe)

    for wanted in ({theirs.pk: None}, {mine.pk: category.pk}, {987_654: None}):
        with pytest.raises(ValidationError) as caught:
            mapping.save_categories(establishment, wanted, actor=accountant)
        assert caught.value.code == "elsewhere"
    assert not CourseCategory.objects.exists()
