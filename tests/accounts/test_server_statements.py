"""What PostgreSQL keeps of a prepared query: read once a connection, right for any values."""

import datetime as dt

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.utils import DataError

from accounts import server_statements
from accounts.enums import MailKind
from accounts.models import Mail, User
from accounts.prepared import Text, prepared
from tests.factories import UserFactory

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite ne prépare rien"),
]


@prepared
def account(pk: int) -> QuerySet[User]:
    return User.objects.filter(pk=pk)


def statements() -> list[tuple]:
    """(name, types of its values, text) of those that the connection knows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, parameter_types::text[], statement FROM pg_prepared_statements"
        )
        return cursor.fetchall()


def named(label) -> list[tuple]:
    return [each for each in statements() if each[0].startswith(label)]


def test_it_is_read_once_by_a_connection(django_assert_num_queries):
    one, two = UserFactory(username="une"), UserFactory(username="deux")
    with django_assert_num_queries(3):
        assert [account(pk) for pk in (one.pk, two.pk, 0)] == [[one], [two], []]
    [(name, types, text)] = named(f"{__name__}.account"[:40])
    assert (types, "$1" in text) == (["bigint"], True)


def test_the_right_answers_once_the_plan_is_anyone_s():
    """It is, from the first call on."""
    users = UserFactory.create_batch(12)
    assert [account(user.pk) for user in users] == [[user] for user in users]


def test_a_plan_is_made_once():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('plan_cache_mode')")
        assert cursor.fetchone() == ("force_generic_plan",)
    users = UserFactory.create_batch(3)
    assert [account(user.pk) for user in users] == [[user] for user in users]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name LIKE %s",
            [f"{__name__}.account"[:40] + "%"],
        )
        [(generic, custom)] = cursor.fetchall()
    assert (generic >= 3, custom) == (True, 0)


def test_every_kind_of_value_finds_its_type():
    @prepared
    def joined(
        name: Text, after: dt.datetime, on: dt.date, until: dt.time, keys: list[int], staff: bool
    ) -> QuerySet[User]:
        return User.objects.filter(
            username=name,
            date_joined__gt=after,
            date_joined__date=on,
            date_joined__time__lt=until,
            pk__in=keys,
            is_staff=staff,
        )

    user = UserFactory(username="o'brien", date_joined=dt.datetime(2026, 5, 12, 8, tzinfo=dt.UTC))
    morning = dt.datetime(2026, 5, 12, 7, tzinfo=dt.UTC)
    asked = [morning, dt.date(2026, 5, 12), dt.time(12)]
    assert joined(Text("o'brien"), *asked, [user.pk, 0], False) == [user]
    assert joined(Text("o'brien"), *asked, [user.pk, 0], True) == []
    assert joined(Text("100 %"), *asked, [user.pk, 0], False) == []
    [first, _] = sorted(named(f"{__name__}.joined"[:40]))
    assert first[1] == [
        "text",
        "timestamp with time zone",
        "date",
        "time without time zone",
        "bigint",
        "bigint",
    ]


def test_what_is_no_value_stays_in_the_text():
    """A partial index serves a condition that the plan can read."""

    @prepared
    def of_kind(pk: int) -> QuerySet[Mail]:
        return Mail.objects.filter(pk=pk, kind=MailKind.ABSENCE, last_error__contains="100 %")

    assert of_kind(1) == []
    [(_, types, text)] = named(f"{__name__}.of_kind"[:40])
    assert types == ["bigint"]
    assert f"'{MailKind.ABSENCE.value}'" in text
    assert "%100 \\%%" in text


def test_without_any_value():
    @prepared
    def accounts() -> QuerySet[User]:
        return User.objects.filter(is_staff=True)

    user = UserFactory(is_staff=True)
    assert accounts() == accounts() == [user]


def test_a_rollback_forgets_nothing():
    user = UserFactory()

    @prepared
    def another(pk: int) -> QuerySet[User]:
        return User.objects.filter(pk=pk)

    def fail():
        assert another(user.pk) == [user]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    with pytest.raises(DataError):
        transaction.atomic(fail)()
    assert another(user.pk) == [user]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_lost_is_told_again():
    user = UserFactory()
    assert account(user.pk) == [user]
    connection.close()
    assert account(user.pk) == [user]


@pytest.fixture
def pooled(monkeypatch):
    """As docs/production.md says behind pgbouncer."""
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)


def test_nothing_is_kept_where_connections_go_round(pooled):
    @prepared
    def behind_a_pool(pk: int) -> QuerySet[User]:
        return User.objects.filter(pk=pk)

    user = UserFactory()
    assert behind_a_pool(user.pk) == [user]
    assert named(f"{__name__}.behind"[:40]) == []
    assert not server_statements.are_kept(connection)


def test_a_long_name_is_cut_and_stays_its_own():
    statement = server_statements.ServerStatement("x" * 100, "SELECT 1", (), (), ())
    another = server_statements.ServerStatement("x" * 100, "SELECT 1", (), (), ())
    assert len(statement.name.strip('"')) == server_statements.NAME_LENGTH
    assert statement.name != another.name
