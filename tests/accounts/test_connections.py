"""« Mes connexions »: what is recorded, what is shown, and closing the others."""

import datetime as dt
import logging

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import connections, one_time_passwords, throttling
from accounts.enums import Means
from accounts.models import Connection, User
from tests.accounts.codes import code_of, set_up
from tests.accounts.session_clock import idle, signed_in
from tests.factories import PASSWORD, UserFactory
from tests.queries import count_queries
from tests.races import run_together

URL = "/extranet/mot-de-passe/connexions/"
CLOSE = "/extranet/mot-de-passe/connexions/fermer/"
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36"


@pytest.fixture
def sign_in(establishment):
    """`sign_in(username="martin.c", password=…)`: a new browser, in by the door."""

    def open_browser(username="martin.c", password=PASSWORD, **meta):
        browser = Client()
        typed = {"establishment": establishment.pk, "username": username, "password": password}
        browser.post(reverse("accounts:sign_in"), typed, **meta)
        return browser

    return open_browser


def shown(browser) -> list[tuple[bool, bool]]:
    """For each row: is it this browser's, is its session open."""
    context = browser.get(URL).context
    return [(row.pk == context["current"], row.is_open) for row in context["connections"]]


def record(user, **changes) -> Connection:
    now = timezone.now()
    fields = {"started_at": now, "seen_at": now, "means": Means.PASSWORD, "generation": 0}
    return Connection.objects.create(user=user, device="Firefox", **fields | changes)


def is_in(browser) -> bool:
    return browser.get(URL).status_code == 200


# --- What is recorded -------------------------------------------------------------------------


def test_a_sign_in_is_recorded_with_no_more_than_what_is_shown(parent, sign_in):
    browser = sign_in(HTTP_USER_AGENT=PHONE, REMOTE_ADDR="192.0.2.77")

    row = Connection.objects.get()
    assert (row.user, row.means, row.second_factor) == (parent, Means.PASSWORD, False)
    assert (row.device, row.address) == ("Chrome sur Android", "192.0.2.x")
    page = browser.get(URL).content.decode()
    assert "Chrome sur Android" in page
    assert "192.0.2.77" not in page


def test_a_refused_sign_in_is_not(parent, sign_in):
    sign_in(password="Conservatoire2")

    assert not Connection.objects.exists()


def test_the_means_is_recorded(parent, sign_in):
    password, _ = one_time_passwords.make(parent)
    sign_in(password=password)

    assert Connection.objects.get().means == Means.ONE_TIME_PASSWORD


def test_a_one_time_password_closes_what_was_open(parent, sign_in):
    """Whoever asked for it may have lost the other device."""
    sign_in()
    password, _ = one_time_passwords.make(parent)

    sign_in(password=password)

    rows = connections.last_ones(User.objects.get(pk=parent.pk))
    assert [row.is_open for row in rows] == [True, False]


def test_the_code_is_recorded_once_it_is_shown(parent, sign_in):
    device, _ = set_up(parent)
    browser = sign_in()
    assert not Connection.objects.get().second_factor

    browser.post(reverse("accounts:verify_second_factor"), {"code": code_of(device, ahead=1)})

    assert Connection.objects.get().second_factor


def test_activity_is_recorded_once_a_minute(parent, sign_in):
    browser = sign_in()
    idle(browser, seconds=50)
    before = Connection.objects.get().seen_at
    browser.get(URL)
    assert Connection.objects.get().seen_at == before

    idle(browser, seconds=11)
    browser.get(URL)

    assert Connection.objects.get().seen_at > before


def test_the_database_knows_the_means(parent):
    with pytest.raises(IntegrityError), transaction.atomic():
        record(parent, means="badge")


# --- What is shown ----------------------------------------------------------------------------


def test_one_sees_ones_own_the_newest_first_and_the_current_one(parent, stranger, sign_in):
    sign_in("autre.f")
    sign_in()
    browser = sign_in()

    assert shown(browser) == [(True, True), (False, True)]
    assert {row.user for row in browser.get(URL).context["connections"]} == {parent}


def test_twenty_are_shown(parent, client):
    for _ in range(21):
        record(parent)
    client.force_login(parent)

    assert len(shown(client)) == 20


@pytest.mark.parametrize("way", ["signed out", "admin", "idle", "twelve hours", "new password"])
def test_a_session_that_has_ended_is_not_shown_open(parent, sign_in, way):
    other, browser = sign_in(), sign_in()
    match way:
        case "signed out":
            other.post(reverse("accounts:sign_out"))
        case "admin":
            User.objects.update(is_staff=True)
            other.post(reverse("admin:logout"))
        case "idle":
            idle(other, minutes=60)
        case "twelve hours":
            signed_in(other, hours=12)
            first = Connection.objects.order_by("pk")[:1]
            Connection.objects.filter(pk__in=first).update(
                started_at=timezone.now() - dt.timedelta(hours=12)
            )
        case "new password":
            typed = {"current_password": PASSWORD}
            new = {"new_password": "Symphonie42", "new_password_again": "Symphonie42"}
            browser.post(reverse("accounts:change_password"), typed | new)

    assert shown(browser) == [(True, True), (False, False)]
    assert not is_in(other)


def test_refused_attempts_are_counted_and_only_ones_own(parent, stranger, sign_in):
    sign_in(password="Conservatoire2")
    sign_in("autre.f", password="Conservatoire2")
    browser = sign_in()

    assert "un essai de connexion à votre compte a été refusé" in browser.get(URL).content.decode()
    for _ in range(8):  # the fifth suspends: the last ones are not even looked at
        throttling.begin("martin.c", "")
    assert browser.get(URL).context["refused"] == 9
    assert "9 essais" in browser.get(URL).content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_makes_as_many_queries_whatever_the_count(client, parent, count):
    for _ in range(count):
        record(parent)
    client.force_login(parent)

    assert count_queries(client, URL) == 5  # session, account, sites, connections, attempts


def test_the_password_page_leads_there(client, parent):
    client.force_login(parent)

    page = client.get(reverse("accounts:change_password")).content.decode()

    assert f'href="{URL}"' in page


# --- Closing the others -----------------------------------------------------------------------


def test_the_others_end_and_this_one_stays_under_a_new_id(parent, sign_in, caplog):
    caplog.set_level(logging.INFO, logger="accounts.security")
    phone, browser = sign_in(), sign_in()
    before = browser.session.session_key

    response = browser.post(CLOSE, follow=True)

    said = [str(message) for message in response.context["messages"]]
    assert said == ["Vos autres appareils sont déconnectés."]
    assert (is_in(browser), is_in(phone)) == (True, False)
    assert shown(browser) == [(True, True), (False, False)]
    assert browser.session.session_key != before
    assert caplog.messages[-1] == "Other sessions closed: account martin.c"


def test_nobody_elses_session_ends(parent, stranger, sign_in):
    other, browser = sign_in("autre.f"), sign_in()

    browser.post(CLOSE)

    assert is_in(other)


def test_the_second_factor_stays_shown(parent, sign_in):
    device, _ = set_up(parent)
    browser = sign_in()
    browser.post(reverse("accounts:verify_second_factor"), {"code": code_of(device, ahead=1)})

    browser.post(CLOSE)

    assert is_in(browser)


def test_a_session_closed_meanwhile_closes_nothing(parent):
    stale = User.objects.get(pk=parent.pk)
    connections.close_others(actor=parent)

    with pytest.raises(ValidationError) as caught:
        connections.close_others(actor=stale)

    assert caught.value.code == "closed"
    assert User.objects.get(pk=parent.pk).session_generation == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_devices_that_close_each_other_one_stays(establishment):
    for _ in range(20):
        user = UserFactory()
        browsers = [Client(), Client()]
        for browser in browsers:
            browser.force_login(user)

        run_together(lambda number, browsers=browsers: browsers[number].post(CLOSE), 2)

        assert sorted(is_in(browser) for browser in browsers) == [False, True]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_whoever_signs_in_while_all_is_closed_is_never_shown_open_wrongly(establishment):
    """In before the closing, and out; or after, and in: the page says the same as the door."""
    for _ in range(20):
        user = UserFactory()
        director = UserFactory(is_staff=True, is_superuser=True)
        browser = Client()
        typed = {
            "establishment": establishment.pk,
            "username": user.username,
            "password": PASSWORD,
        }

        def play(number, user=user, browser=browser, director=director, typed=typed):
            if number:
                connections.close_all(user, actor=director)
            else:
                browser.post(reverse("accounts:sign_in"), typed)

        run_together(play, 2)

        fresh = User.objects.get(pk=user.pk)
        [row] = connections.last_ones(fresh)
        assert row.is_open == is_in(browser)


# --- The staff --------------------------------------------------------------------------------


def close_by_staff(client, *users):
    data = {"action": "close_sessions", "_selected_action": [user.pk for user in users]}
    response = client.post("/admin/accounts/user/", data, follow=True)
    return [str(message) for message in response.context["messages"]]


def test_the_secretariat_closes_a_familys_sessions_and_signs_for_it(
    client, registrar, parent, sign_in, caplog
):
    caplog.set_level(logging.INFO, logger="accounts.security")
    phone = sign_in()
    client.force_login(registrar)

    said = close_by_staff(client, parent)

    assert said == ["martin.c\u00a0: les sessions sont fermées."]
    assert not is_in(phone)
    assert "Sessions closed by secretariat: account martin.c" in caplog.messages
    assert registrar.logentry_set.get().change_message == "Sessions fermées."


def test_it_closes_none_of_an_account_above_its_own(client, registrar, director):
    other = Client()
    other.force_login(director)
    client.force_login(registrar)

    said = close_by_staff(client, director)

    assert said == ["direction\u00a0: Seule la direction ferme les sessions de ce compte."]
    assert is_in(other)
    assert not registrar.logentry_set.exists()


def test_the_direction_closes_an_agents(client, registrar, director):
    other = Client()
    other.force_login(registrar)
    client.force_login(director)

    close_by_staff(client, registrar)

    assert not is_in(other)


def test_who_may_only_look_at_accounts_closes_nothing(client, registrar, parent):
    registrar.groups.first().permissions.remove(
        *registrar.groups.first().permissions.filter(codename="close_sessions_user")
    )
    client.force_login(registrar)

    close_by_staff(client, parent)

    assert User.objects.get(pk=parent.pk).session_generation == 0


# --- Keeping it no longer than needed ---------------------------------------------------------


def test_what_is_older_than_six_months_is_deleted(parent):
    now = timezone.now()
    kept = record(parent, started_at=now - connections.KEPT_FOR + dt.timedelta(minutes=1))
    record(parent, started_at=now - connections.KEPT_FOR)

    assert connections.purge() == 1
    assert list(Connection.objects.all()) == [kept]
