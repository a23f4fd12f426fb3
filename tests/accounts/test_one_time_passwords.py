"""Random, hashed, used once, short-lived; the lasting password works until it is used."""

import datetime as dt

import pytest
from django.contrib.auth import authenticate, get_user
from django.contrib.auth.password_validation import validate_password
from django.test import Client
from django.utils import timezone

from accounts import one_time_passwords, services
from accounts.models import OneTimePassword
from tests.factories import PASSWORD
from tests.races import run_together


@pytest.fixture
def sign_in(parent, establishment):
    return lambda password: authenticate(
        None, username="martin.c", password=password, establishment=establishment
    )


def test_it_is_readable_within_the_policy_and_never_the_same(parent):
    made = {one_time_passwords._readable() for _ in range(200)}

    assert len(made) == 200
    for password in made:
        validate_password(password, parent)
        assert len(password) == 12
        assert not set(password) & set("lI1oO0")


def test_it_works_once(sign_in, parent):
    password, _ = one_time_passwords.make(parent)

    assert sign_in(password) == parent
    assert sign_in(password) is None


def test_spaces_pasted_with_it_do_not_matter(sign_in, parent):
    password, _ = one_time_passwords.make(parent)

    assert sign_in(f" {password}\n") == parent


def test_lasting_password_works_until_it_is_used(sign_in, parent):
    password, _ = one_time_passwords.make(parent)

    assert sign_in(PASSWORD) == parent
    assert sign_in(password) == parent
    assert sign_in(PASSWORD) is None
    parent.refresh_from_db()
    assert (parent.must_choose_password, parent.has_usable_password()) == (True, False)


def test_using_it_ends_the_sessions_of_the_account(sign_in, parent):
    elsewhere = Client()
    elsewhere.force_login(parent)
    password, _ = one_time_passwords.make(parent)

    sign_in(password)

    assert not get_user(elsewhere).is_authenticated


def test_newer_one_kills_the_older(sign_in, parent):
    older, _ = one_time_passwords.make(parent)
    newer, _ = one_time_passwords.make(parent)

    assert sign_in(older) is None
    assert sign_in(newer) == parent


def test_it_lives_24_hours(parent):
    before = timezone.now()
    _, expires_at = one_time_passwords.make(parent)

    row = OneTimePassword.objects.get()
    assert row.expires_at == expires_at
    assert dt.timedelta() <= expires_at - before - dt.timedelta(hours=24) < dt.timedelta(minutes=1)


def test_expired_one_is_refused(sign_in, parent):
    password, _ = one_time_passwords.make(parent)
    OneTimePassword.objects.update(expires_at=timezone.now())

    assert sign_in(password) is None
    assert sign_in(PASSWORD) == parent


def test_nothing_is_stored_in_clear(parent):
    password, _ = one_time_passwords.make(parent)

    assert password not in str(OneTimePassword.objects.values().get())


def test_that_of_another_account_is_refused(sign_in, parent, stranger):
    password, _ = one_time_passwords.make(stranger)

    assert sign_in(password) is None


def test_one_replaced_between_check_and_use_is_refused(parent):
    one_time_passwords.make(parent)
    stale = OneTimePassword.objects.select_related("user").get()
    one_time_passwords.make(parent)

    assert one_time_passwords.use(stale) is None
    parent.refresh_from_db()
    assert not parent.must_choose_password


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_many_sign_ins_at_once_one_gets_in(sign_in, parent):
    for _ in range(20):
        password, _ = one_time_passwords.make(parent)

        results = run_together(lambda number: sign_in(password), 4)  # noqa: B023 -- ended here

        assert sorted(result is None for result in results) == [False, True, True, True]
        assert [result for result in results if result] == [parent]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_used_while_another_device_chooses_a_password(sign_in, parent):
    """Either may come first; neither holds what the other waits for."""
    for _ in range(20):
        password, _ = one_time_passwords.make(parent)
        parent.set_password(PASSWORD)
        parent.save(update_fields=["password"])

        def play(number, password=password):
            if number % 2:
                return services.choose_password("Tambourin9", actor=parent)
            return sign_in(password)

        results = run_together(play, 4)

        assert [result for result in results if isinstance(result, Exception)] == []
        assert not OneTimePassword.objects.exists()
