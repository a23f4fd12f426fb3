"""What the tests of the year share."""

import datetime as dt

import pytest

from students.enums import Scheduling
from students.models import SchoolYear
from teaching.classes import portraits
from teaching.models import PortraitSource
from tests.factories import CourseFactory, DocumentTypeFactory, EstablishmentFactory


@pytest.fixture(autouse=True)
def _no_rest():
    """What a test leaves in this process is not the next one's."""
    portraits.rest.until = 0.0


@pytest.fixture
def piano(teacher):
    """A course of individual lessons of the year under way."""
    return CourseFactory(name="Piano", scheduling=Scheduling.TEACHER, teacher=teacher)


@pytest.fixture
def year_2026(db):
    return SchoolYear.objects.create(
        starts_on=dt.date(2026, 9, 1),
        ends_on=dt.date(2027, 8, 31),
        lessons_start_on=dt.date(2026, 9, 14),
        lessons_end_on=dt.date(2027, 6, 30),
    )


@pytest.fixture
def photo_type(db):
    """The identity photo, of which portraits are made."""
    photo = DocumentTypeFactory(photo=True)
    PortraitSource.objects.create(type=photo)
    return photo


@pytest.fixture
def annexe(establishment):
    return EstablishmentFactory(name="Annexe")


@pytest.fixture
def staff(client, registrar):
    client.force_login(registrar)
    return client
