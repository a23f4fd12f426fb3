"""When a session ends, and what makes it last; test_typed_input.py: what was typed in it."""

import datetime as dt

import pytest
from django.contrib.auth import get_user
from django.contrib.sessions.models import Session
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from accounts import connections, services
from accounts.middleware import SESSION_OVER
from accounts.sessions import SIGNED_IN_AT
from tests.accounts.codes import set_up
from tests.accounts.session_clock import idle, signed_in
from tests.factories import PASSWORD

PAGE = "/extranet/mot-de-passe/"
STATE = "/extranet/session/"
EXTEND = "/extranet/session/prolonger/"


@pytest.fixture
def home(client, parent):
    """Claire Martin's browser."""
    client.force_login(parent)
    return client


def is_in(client) -> bool:
    return client.get(PAGE).status_code == 200


def left(client) -> int:
    """Minutes, as the server says, rounded."""
    return round(client.get(STATE).json()["left"] / 60)


# --- The limits -------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "expected"), [(59, True), (60, False)])
def test_an_hour_without_doing_anything_ends_it(home, minutes, expected):
    idle(home, minutes=minutes)

    assert is_in(home) is expected


@pytest.mark.parametrize(("hours", "expected"), [(11.99, True), (12, False)])
def test_twelve_hours_end_it_whatever_one_does(home, hours, expected):
    signed_in(home, hours=hours)

    assert is_in(home) is expected


def test_what_one_does_makes_it_last_but_never_past_twelve_hours(home):
    for _ in range(3):
        idle(home, minutes=50)
        assert is_in(home)
        assert left(home) == 60
    signed_in(home, hours=11.5)

    assert is_in(home)
    assert left(home) == 30
    home.post(EXTEND)
    assert left(home) == 30


def test_the_idle_limit_is_a_setting(home, settings):
    settings.SESSION_IDLE_MINUTES = 15
    idle(home, minutes=15)

    assert not is_in(home)


def test_it_ends_on_the_server_under_the_same_cookie(home):
    idle(home, minutes=60)
    home.get(PAGE)

    session = Session.objects.get(session_key=home.session.session_key)
    assert "_auth_user_id" not in session.get_decoded()
    idle(home, minutes=-59)  # no clock brings it back
    assert not is_in(home)


def test_the_staff_has_the_same_limits(client, registrar):
    client.force_login(registrar)
    idle(client, minutes=60)

    response = client.get("/admin/")

    door = "/admin/login/?next=/admin/"
    assertRedirects(response, door, fetch_redirect_response=False)


def test_a_session_that_did_not_come_by_the_door_is_not_let_in(home):
    session = home.session
    del session[SIGNED_IN_AT]
    session.save()

    assert not is_in(home)


def test_the_sign_in_page_says_that_it_has_ended_and_forgets_it(client, parent, establishment):
    client.force_login(parent)
    idle(client, minutes=60)

    door = client.get(PAGE, follow=True)

    assert [str(message) for message in door.context["messages"]] == [SESSION_OVER]
    client.post(
        reverse("accounts:sign_in"),
        {"establishment": establishment.pk, "username": "martin.c", "password": PASSWORD},
    )
    assert get_user(client) == parent
    assert "ended_for" not in client.session


# --- Writing little ---------------------------------------------------------------------------


def test_an_ordinary_request_writes_nothing(home, django_assert_num_queries):
    idle(home, seconds=50)

    with django_assert_num_queries(3):  # the session, the account, its sites
        home.get(PAGE)


def test_after_a_minute_one_column_is_written_and_nothing_of_a_parallel_request_undone(home):
    idle(home, seconds=61)
    before = Session.objects.get(session_key=home.session.session_key)

    home.get(PAGE)

    after = Session.objects.get(session_key=home.session.session_key)
    assert after.session_data == before.session_data
    assert after.expire_date > before.expire_date


# --- Asking and extending ---------------------------------------------------------------------


def test_asking_how_long_it_lasts_does_not_make_it_last(home, parent):
    idle(home, minutes=56)

    state = home.get(STATE).json()

    assert (state["who"], round(state["left"] / 60), state["canExtend"]) == (parent.pk, 4, True)
    assert left(home) == 4
    idle(home, minutes=4)
    assert home.get(STATE).json() == {"who": None, "left": 0}


def test_extending_gives_the_hour_again(home):
    idle(home, minutes=56)

    assert round(home.post(EXTEND).json()["left"] / 60) == 60
    assert left(home) == 60


def test_extending_gives_the_whole_hour_even_within_a_minute(home):
    idle(home, seconds=50)

    assert home.post(EXTEND).json()["left"] >= 3595


def test_extending_an_ended_session_revives_nothing(home):
    idle(home, minutes=60)

    assert home.post(EXTEND).json() == {"who": None, "left": 0}
    assert not is_in(home)


def test_extending_asks_for_the_token(parent):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(parent)
    token = strict.get(STATE).json()["token"]

    assert strict.post(EXTEND).status_code == 403
    assert strict.post(EXTEND, headers={"X-CSRFToken": token}).status_code == 200


def test_near_twelve_hours_nothing_extends_it(home):
    signed_in(home, hours=11.95)

    assert home.get(STATE).json()["canExtend"] is False


@pytest.mark.parametrize("situation", ["password", "code"])
def test_it_answers_while_a_password_or_a_code_is_due(client, parent, situation):
    if situation == "code":
        set_up(parent)
    parent.must_choose_password = situation == "password"
    parent.save()
    client.force_login(parent)

    assert client.get(STATE).json()["who"] == parent.pk
    assert client.post(EXTEND).json()["who"] == parent.pk


def test_every_page_of_the_site_and_of_the_administration_can_warn(home, client, registrar):
    assert b"data-session" in home.get(PAGE).content
    client.force_login(registrar)
    page = client.get("/admin/").content.decode()
    assert "data-session" in page
    assert "js/session.js" in page


def test_nobody_is_warned(client, establishment):
    assert b"data-session" not in client.get(reverse("accounts:sign_in")).content


# --- Ended from elsewhere ---------------------------------------------------------------------


def test_a_new_password_ends_the_other_sessions(home, parent):
    phone = Client()
    phone.force_login(parent)

    new = "Symphonie42"
    home.post(
        PAGE,
        {"current_password": PASSWORD, "new_password": new, "new_password_again": new},
    )

    assert (is_in(home), is_in(phone)) == (True, False)


def test_the_generation_alone_ends_every_session(home, parent):
    connections.end_all(parent)

    assert not is_in(home)


def test_a_key_that_is_being_replaced_signs_nobody_out(home, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next one"

    assert is_in(home)


def test_choosing_a_password_closes_the_generation(parent):
    user = services.choose_password("Symphonie42", actor=parent)

    assert user.session_generation == 1


def test_a_session_that_began_just_now_has_all_its_time(home):
    began = home.session[SIGNED_IN_AT]

    assert (
        dt.timedelta(0)
        <= timezone.now() - dt.datetime.fromtimestamp(began, dt.UTC)
        < dt.timedelta(seconds=5)
    )
    assert left(home) == 60


@pytest.mark.parametrize(("minutes", "errors"), [(9, ["accounts.E001"]), (10, [])])
def test_the_warning_has_its_place_before_the_end(settings, minutes, errors):
    settings.SESSION_IDLE_MINUTES = minutes

    assert [error.id for error in run_checks()] == errors
