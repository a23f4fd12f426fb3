"""On paper: the list of a class stands on one A4 page."""

import re

from django.urls import reverse

from tests.factories import CourseFactory, EnrolmentFactory, SlotFactory


def pages_of(pdf):
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_a_class_of_thirty_prints_on_one_page(visit, teacher):
    slot = SlotFactory(course=CourseFactory(), teacher=teacher, places=30)
    for place in slot.places.all():
        EnrolmentFactory(course=slot.course, place=place)
    page = visit().sign_in_as(teacher.user).page

    page.goto(reverse("teacher:slot", args=[slot.pk]))

    assert page.locator("tbody tr").count() == 30
    assert pages_of(page.pdf(format="A4")) == 1
