"""SQL composed once: the same rows as Django's, for any values, and nothing frozen unseen."""

import datetime as dt

import pytest
from django.db import connection
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.transaction import TransactionManagementError, atomic
from django.utils import timezone

from accounts import prepared as module
from accounts.models import Establishment, User
from accounts.prepared import MAX_LENGTH, prepared
from tests.factories import EstablishmentFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_gives_the_rows_of_each_call(django_assert_num_queries):
    one, two = UserFactory(username="une"), UserFactory(username="deux")
    composed = []

    @prepared
    def account(pk: int) -> QuerySet[User]:
        composed.append(pk)
        return User.objects.filter(pk=pk)

    with django_assert_num_queries(3):
        assert [account(pk) for pk in (one.pk, two.pk, 0)] == [[one], [two], []]


@pytest.fixture
def trusting(monkeypatch):
    """As in production: nothing is composed to compare."""
    monkeypatch.setattr(module, "verified", None)


def test_composes_once(trusting):
    composed = []

    @prepared
    def account(pk: int) -> QuerySet[User]:
        composed.append(pk)
        return User.objects.filter(pk=pk)

    for pk in range(1, 5):
        account(pk)
    assert len(composed) == 1


def test_composes_once_for_each_length_and_each_flag(trusting):
    composed = []

    @prepared
    def accounts(pks: list[int], is_staff: bool | None) -> QuerySet[User]:
        composed.append(len(pks))
        accounts = User.objects.filter(pk__in=pks)
        return accounts if is_staff is None else accounts.filter(is_staff=is_staff)

    agent, parent = UserFactory(is_staff=True), UserFactory()
    keys = [agent.pk, parent.pk]
    assert set(accounts(keys, None)) == {agent, parent}
    assert accounts(keys, True) == [agent]
    assert accounts(keys, False) == [parent]
    assert accounts([parent.pk], None) == [parent]
    assert accounts([agent.pk], None) == [agent]
    assert accounts([], None) == []
    assert composed == [2, 2, 2, 1, 0]


def test_a_long_list_keeps_nothing(trusting):
    composed = []

    @prepared
    def accounts(pks: list[int]) -> QuerySet[User]:
        composed.append(len(pks))
        return User.objects.filter(pk__in=pks)

    for _ in range(2):
        accounts(list(range(MAX_LENGTH + 1)))
    assert len(composed) == 2


def test_days_and_moments_are_values():
    @prepared
    def joined(after: dt.datetime, on: dt.date) -> QuerySet[User]:
        return User.objects.filter(date_joined__gt=after, date_joined__date=on)

    user = UserFactory(date_joined=dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC))
    morning, day = dt.datetime(2026, 5, 12, 9, tzinfo=dt.UTC), dt.date(2026, 5, 12)
    assert joined(morning, day) == [user]
    assert joined(morning + dt.timedelta(hours=2), day) == []
    assert joined(morning, dt.date(2026, 5, 13)) == []


def test_joins_annotations_and_prefetches_come_along():
    @prepared
    def sites(user: int) -> QuerySet[Establishment]:
        other = Exists(User.objects.filter(establishments=OuterRef("pk")).exclude(pk=user))
        sites = Establishment.objects.filter(users=user)
        return sites.annotate(shared=other, own=F("pk")).prefetch_related("users")

    site, user = EstablishmentFactory(), UserFactory()
    user.establishments.set([site])
    for shared in (False, True):
        [found] = sites(user.pk)
        assert (found.shared, found.own, user in found.users.all()) == (shared, site.pk, True)
        UserFactory().establishments.add(site)


def test_a_clock_read_inside_is_caught():
    @prepared
    def joined(pk: int) -> QuerySet[User]:
        return User.objects.filter(pk=pk, date_joined__lt=timezone.now())

    with pytest.raises(AssertionError, match="varies in a prepared query"):
        joined(1)


def test_a_condition_on_a_value_is_caught():
    @prepared
    def account(pk: int) -> QuerySet[User]:
        return User.objects.filter(pk=pk) if pk < 100 else User.objects.filter(pk=pk)[:1]

    with pytest.raises(AssertionError, match="varies in a prepared query"):
        account(1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite ne verrouille aucune ligne")
def test_rows_are_locked_in_a_transaction_alone():
    @prepared
    def locked(pk: int) -> QuerySet[User]:
        return User.objects.filter(pk=pk).select_for_update()

    user = UserFactory()
    with atomic():
        assert locked(user.pk) == [user]
    with pytest.raises(TransactionManagementError):
        locked(user.pk)
