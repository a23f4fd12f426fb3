"""On paper: the list of a class stands on one A4 page, an invoice on as few as it needs."""

import re

from django.urls import reverse
from pypdfium2 import PdfDocument

from tests.billing.gallery import Gallery
from tests.factories import CourseFactory, EnrolmentFactory, SlotFactory


def pages_of(pdf):
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_an_invoice_prints_on_one_page_and_the_total_of_a_long_one_once(
    visit, parent, family, student, accountant
):
    """Chromium repeats a `tfoot` on every sheet."""
    invoices = Gallery(family, student, accountant).fill().invoices
    visitor = visit().sign_in_as(parent)

    def sheets(name):
        visitor.page.goto(reverse("billing:invoice", args=[invoices[name].pk]))
        with PdfDocument(visitor.page.pdf(format="A4")) as document:
            return [page.get_textpage().get_text_bounded() for page in document]

    assert len(sheets("overdue")) == 1
    assert ["Reste à payer" in text for text in sheets("sixty")].count(True) == 1


def test_a_class_of_thirty_prints_on_one_page(visit, teacher):
    slot = SlotFactory(course=CourseFactory(), teacher=teacher, places=30)
    for place in slot.places.all():
        EnrolmentFactory(course=slot.course, place=place)
    page = visit().sign_in_as(teacher.user).page

    page.goto(reverse("teacher:slot", args=[slot.pk]))

    assert page.locator("tbody tr").count() == 30
    assert pages_of(page.pdf(format="A4")) == 1


def test_twenty_faces_print_on_one_page_and_no_class_is_cut_in_two(visit, teacher):
    for weekday, places in ((1, 20), (2, 20), (3, 2)):
        slot = SlotFactory(course=CourseFactory(), teacher=teacher, places=places, weekday=weekday)
        for place in slot.places.all():
            EnrolmentFactory(course=slot.course, place=place)
    page = visit().sign_in_as(teacher.user).page

    page.goto(
        reverse("teacher:slot", args=[teacher.slots.get(weekday=1).pk]) + "?vue=trombinoscope"
    )
    assert page.locator(".face").count() == 20
    assert pages_of(page.pdf(format="A4")) == 1

    page.goto(reverse("teacher:all_lists", args=[slot.course.school_year_id]))
    assert pages_of(page.pdf(format="A4")) == 2
