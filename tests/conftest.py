"""The fixed cast of the tests, and the places that they need on PostgreSQL or SQLite."""

import pytest
from django.contrib.auth import user_logged_in
from django.contrib.auth.models import Group
from django.core.files.storage import storages
from django.db import connection
from django.dispatch import receiver
from django.utils import timezone

from accounts import prepared, roles, sessions
from documents.antivirus.arrival import rest
from tests.factories import (
    EstablishmentFactory,
    FamilyFactory,
    GuardianFactory,
    StudentFactory,
    TeacherFactory,
    UserFactory,
)
from tests.fake_clamd import FakeClamd


@receiver(user_logged_in)
def _date_session(request, **kwargs):
    """`force_login` goes by no door of ours; a session without a beginning is not let in."""
    request.session[sessions.SIGNED_IN_AT] = int(timezone.now().timestamp())


@pytest.fixture(autouse=True)
def _verify_prepared_queries(monkeypatch):
    """Wherever a test goes, SQL kept from an earlier test is what Django would compose."""
    monkeypatch.setattr(prepared, "verified", set())


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """With the groups of the agents from the start, as README's first command leaves them."""
    with django_db_blocker.unblock():
        roles.sync()


@pytest.fixture
def establishment(db):
    return EstablishmentFactory()


@pytest.fixture
def family(establishment):
    return FamilyFactory(name="Martin")


@pytest.fixture
def parent(family):
    """Claire Martin's account: the mother of `student`."""
    return GuardianFactory(family=family, user__username="martin.c").user


@pytest.fixture
def student(family):
    return StudentFactory(first_name="Louise", family=family)


@pytest.fixture
def stranger(establishment):
    """The parent of another household."""
    return GuardianFactory(user__username="autre.f", last_name="Autre", first_name="Fanny").user


@pytest.fixture
def teacher(establishment):
    """Cécile Vasseur, a Teacher; her account is `teacher.user`."""
    return TeacherFactory(user__username="vasseur.c")


@pytest.fixture
def registrar(establishment):
    """The secretariat: examines dossiers and documents."""
    return _staff("secretariat", roles.SECRETARIAT)


@pytest.fixture
def accountant(establishment):
    """The régie: billing only."""
    return _staff("regie", roles.REGIE)


@pytest.fixture
def director(establishment):
    """The direction: every right of the two others, and the accounts of its site."""
    return _staff("direction", roles.DIRECTION)


@pytest.fixture
def superuser(establishment):
    """The town's computing service: every site, every right."""
    return UserFactory(username="informatique", is_staff=True, is_superuser=True)


@pytest.fixture
def clamd(settings):
    """An antivirus that is there (tests/fake_clamd.py); without it there is none."""
    fake = FakeClamd()
    settings.CLAMD = fake.setting
    rest.end()
    yield fake
    fake.stop()
    rest.end()


@pytest.fixture(autouse=True)
def _empty_private_storage():
    yield
    storages["private"]._root._children.clear() if hasattr(storages["private"], "_root") else None


def pytest_collection_modifyitems(items):
    for item in items:
        if "postgres" in item.keywords and connection.vendor != "postgresql":
            item.add_marker(pytest.mark.skip(reason="une course se joue sur PostgreSQL"))


def _staff(username, role):
    if not Group.objects.filter(name=role).exists():  # emptied after a test that commits
        roles.sync()
    user = UserFactory(username=username, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user
