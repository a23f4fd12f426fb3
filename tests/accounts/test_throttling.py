"""Too many failures, at the one door: what the CNIL asks, without keeping a family out."""

import datetime as dt
import logging
import re
from unittest.mock import patch

import pytest
from django.contrib.auth import get_user
from django.db import IntegrityError, transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone

from accounts import mails, one_time_passwords, services, throttling
from accounts.models import SignInAttempt
from accounts.views import REFUSED
from tests.factories import PASSWORD, UserFactory
from tests.races import run_together

URL = "/extranet/connexion/"
NEW = "Violoncelle7"


@pytest.fixture
def knock(establishment):
    """Somebody at the door, without a session; says whether he got in."""

    def play(password="Conservatoire2", username="martin.c", address="192.0.2.1", **typed):
        client = Client(REMOTE_ADDR=address)
        data = {"establishment": establishment.pk, "username": username, "password": password}
        play.response = client.post(URL, data | typed)
        return get_user(client).is_authenticated

    return play


def go_by(**time):
    SignInAttempt.objects.update(at=F("at") - dt.timedelta(**time))


def test_four_errors_of_an_honest_person_suspend_nothing(knock, parent):
    assert [knock() for _ in range(4)] == [False] * 4
    assert knock(PASSWORD)


def test_after_five_failures_the_right_password_is_answered_as_a_wrong_one(knock, parent):
    for _ in range(4):
        knock()
    knock()
    wrong = knock.response

    assert not knock(PASSWORD)

    def hide_token(response):
        return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())

    assert knock.response.status_code == wrong.status_code == 200
    assert hide_token(knock.response) == hide_token(wrong)
    assert knock.response.context["form"].non_field_errors() == [REFUSED]
    clocks = {"Expires": "", "Last-Modified": ""}  # a second may have struck between the two
    assert {**knock.response.headers, **clocks} == {**wrong.headers, **clocks}


def test_delays_grow(knock, parent):
    minutes = []
    for _ in range(4):
        knock()
    for _ in range(6):
        knock()
        end = throttling.suspended_until(parent)
        minutes.append(round((end - timezone.now()) / dt.timedelta(minutes=1)))
        go_by(minutes=minutes[-1] + 1)

    assert minutes == [1, 2, 4, 8, 16, 60]


@pytest.mark.parametrize(("minutes", "gets_in"), [(0.9, False), (1.1, True)])
def test_suspension_ends_by_itself(knock, parent, minutes, gets_in):
    for _ in range(5):
        knock()
    go_by(minutes=minutes)

    assert knock(PASSWORD) == gets_in


def evaluated(knock, hours, every_minutes):
    """How many wrong passwords are looked at within this time, tried again and again."""
    before = SignInAttempt.objects.count()
    for _ in range(int(hours * 60 / every_minutes)):
        knock()
        go_by(minutes=every_minutes)
    return SignInAttempt.objects.count() - before


def test_ten_failures_in_a_row_are_looked_at_then_none_for_an_hour(knock, parent):
    assert evaluated(knock, hours=1.4, every_minutes=2) == 10

    assert not knock(PASSWORD)
    go_by(minutes=60)
    assert knock(PASSWORD)


def test_twenty_five_failures_a_day_are_looked_at(knock, parent):
    assert evaluated(knock, hours=23.5, every_minutes=10) == 25

    assert not knock(PASSWORD)
    go_by(hours=23)
    assert knock(PASSWORD)


def test_a_day_later_they_count_no_more_and_are_gone(knock, parent):
    for _ in range(5):
        knock()
    go_by(hours=25)

    knock()

    assert list(SignInAttempt.objects.values_list("rank", flat=True)) == [1]
    assert knock(PASSWORD)


def test_who_knocks_without_end_prolongs_nothing(knock, parent):
    for _ in range(5):
        knock()
    end = throttling.suspended_until(parent)

    for _ in range(20):
        knock(address="198.51.100.7")

    assert throttling.suspended_until(parent) == end
    assert SignInAttempt.objects.count() == 5
    assert SignInAttempt.objects.order_by("-rank").first().refused == 20


def test_success_ends_the_row_of_failures_and_not_the_count_of_the_day(knock, parent):
    for _ in range(3):
        for _ in range(4):
            knock()
        assert knock(PASSWORD)

    assert list(SignInAttempt.objects.values_list("rank", flat=True)) == [None] * 12
    with patch.object(throttling, "PER_DAY", 12):
        assert not knock(PASSWORD)


def test_one_time_password_opens_a_suspended_account_at_once(knock, parent, mailoutbox):
    for _ in range(9):
        knock()
    Client(REMOTE_ADDR="192.0.2.1").post(
        "/extranet/mot-de-passe-perdu/", {"username": "martin.c", "email": parent.email}
    )
    mails.send_due()
    password = mailoutbox[0].body.split("\n    ")[1].split("\n")[0]

    assert not knock(PASSWORD)
    assert knock(password)


def test_new_password_works_at_once_whatever_was_tried_before(knock, parent):
    evaluated(knock, hours=23.5, every_minutes=10)
    password, _ = one_time_passwords.make(parent)
    assert knock(password)

    services.choose_password(NEW, actor=parent)

    assert knock(NEW)


def test_wrong_one_time_password_is_a_failure_too(knock, parent):
    one_time_passwords.make(parent)
    for _ in range(5):
        knock("Abcdefgh2345")

    assert not knock(PASSWORD)


@pytest.mark.parametrize("username", ["MARTIN.C", " martin.c "])
def test_writing_it_otherwise_is_no_way_round(knock, parent, username):
    for _ in range(5):
        knock(username=username)

    assert not knock(PASSWORD)


def test_failures_on_one_account_leave_the_others_alone(knock, parent, stranger):
    for _ in range(5):
        knock()

    assert knock(PASSWORD, username="autre.f")


def test_unknown_identifiant_is_counted_the_same(knock, establishment):
    for _ in range(7):
        knock(username="inconnu")

    assert SignInAttempt.objects.count() == 5


def test_nothing_typed_is_kept_in_clear(knock, parent):
    knock(password="Monsecret1", username="Monsecret2")

    assert "secret" not in str(SignInAttempt.objects.values().get())


def test_form_left_incomplete_is_no_attempt(knock, parent):
    knock(password="")

    assert not SignInAttempt.objects.exists()


def test_the_administrations_door_is_the_same(knock, director, client):
    for _ in range(5):
        knock(username="direction")

    assert client.get("/admin/login/").headers["Location"] == f"{URL}?next=%2Fadmin%2F"
    assert not knock(PASSWORD, username="direction", next="/admin/")


def test_address_that_fails_on_too_many_accounts_is_suspended(knock, parent):
    with patch.object(throttling, "ACCOUNTS_PER_ADDRESS_AND_HOUR", 3):
        for number in range(3):
            knock(username=f"inconnu{number}")

        assert not knock(PASSWORD)
        assert knock.response.context["form"].non_field_errors() == [REFUSED]
        assert knock(PASSWORD, address="192.0.2.2")
        password, _ = one_time_passwords.make(parent)
        assert knock(password)  # the way out holds here too


def test_suspended_address_is_heard_again_after_an_hour_unless_it_was_the_days_limit(knock, parent):
    with patch.multiple(
        throttling, ACCOUNTS_PER_ADDRESS_AND_HOUR=3, ACCOUNTS_PER_ADDRESS_AND_DAY=5
    ):
        for number in range(3):
            knock(username=f"inconnu{number}")
        go_by(hours=1)
        assert knock(PASSWORD)
        for number in range(3, 5):
            knock(username=f"inconnu{number}")
        go_by(hours=1)
        assert not knock(PASSWORD)


def test_one_error_of_each_pupils_parent_does_not_suspend_a_school(knock, establishment):
    """Each fails once, gets in the second time, all behind one address."""
    UserFactory(username="martin.c")
    with patch.object(throttling, "ACCOUNTS_PER_ADDRESS_AND_HOUR", 3):
        for number in range(6):
            UserFactory(username=f"eleve{number}")
            knock(username=f"eleve{number}")
            assert knock(PASSWORD, username=f"eleve{number}")

        assert knock(PASSWORD)


def test_many_errors_of_one_person_count_for_one_at_his_address(knock, parent, stranger):
    with patch.object(throttling, "ACCOUNTS_PER_ADDRESS_AND_HOUR", 3):
        for _ in range(10):
            knock()

        assert knock(PASSWORD, username="autre.f")


def test_header_of_a_client_is_no_way_round(knock, parent, establishment, settings):
    typed = {"establishment": establishment.pk, "password": "Conservatoire2"}
    with patch.object(throttling, "ACCOUNTS_PER_ADDRESS_AND_HOUR", 3):
        for number in range(3):
            Client(REMOTE_ADDR="192.0.2.1").post(
                URL,
                typed | {"username": f"inconnu{number}"},
                headers={"X-Forwarded-For": f"198.51.100.{number}"},
            )

        assert not knock(PASSWORD)


def test_page_says_it_before_and_after(client, establishment):
    told = (
        "Après plusieurs échecs, l'accès est suspendu pendant quelques minutes. "
        "«&nbsp;mot de passe perdu&nbsp;» vous fait entrer sans attendre."
    )

    assert told in client.get(URL).content.decode()
    assert told in client.post(URL, {"username": "inconnu"}).content.decode()


def test_events_are_logged_without_any_password(knock, parent, caplog):
    caplog.set_level(logging.INFO, logger="accounts.security")

    knock(PASSWORD)
    knock(username="Monsecret1")
    for _ in range(6):
        knock()
    password, _ = one_time_passwords.make(parent)
    knock(password)

    first, unknown, *wrong, suspended, last = caplog.messages
    assert first == "Sign-in by password: account martin.c, address 192.0.2.1"
    assert re.fullmatch(
        r"Sign-in refused \(wrong\): account unknown [0-9a-f]{12}, address 192\.0\.2\.1", unknown
    )
    assert wrong == ["Sign-in refused (wrong): account martin.c, address 192.0.2.1"] * 5
    assert suspended == "Sign-in refused (suspended): account martin.c, address 192.0.2.1"
    assert last == "Sign-in by one-time password: account martin.c, address 192.0.2.1"
    assert password not in caplog.text
    assert "Conservatoire" not in caplog.text


@pytest.mark.django_db
def test_the_database_refuses_an_eleventh_failure_in_a_row_and_two_of_one_rank():
    row = {"account": "0" * 64, "at": timezone.now()}
    with pytest.raises(IntegrityError), transaction.atomic():
        SignInAttempt.objects.create(rank=11, **row)
    SignInAttempt.objects.create(rank=1, **row)
    with pytest.raises(IntegrityError), transaction.atomic():
        SignInAttempt.objects.create(rank=1, **row)


def test_an_attempt_that_waited_is_no_earlier_than_its_turn(parent):
    """Its clock was read before that of another, which was counted first."""
    before = timezone.now()
    throttling.begin("martin.c", "")

    with patch.object(throttling.timezone, "now", return_value=before):
        assert not throttling.begin("martin.c", "").suspended


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_attempts_at_the_same_instant_do_not_slip_past_the_limit(parent, establishment):
    for _ in range(20):
        results = run_together(lambda number: throttling.begin("martin.c", ""), 12)

        assert sorted(result.suspended for result in results) == [False] * 5 + [True] * 7
        assert sorted(SignInAttempt.objects.values_list("rank", flat=True)) == [1, 2, 3, 4, 5]
        SignInAttempt.objects.all().delete()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_nor_when_the_last_delay_has_just_passed(parent):
    for _ in range(20):
        with patch.object(throttling, "DELAYS", {10: dt.timedelta(hours=1)}):
            for _ in range(10):
                throttling.begin("martin.c", "")
            go_by(hours=2)

            results = run_together(lambda number: throttling.begin("martin.c", ""), 14)

        counted = sum(not result.suspended for result in results)
        assert 1 <= counted <= 10
        assert SignInAttempt.objects.failed().count() == counted
        SignInAttempt.objects.all().delete()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_right_passwords_at_the_same_instant_do_not_wait_for_each_other(parent):
    """A double click, after two errors; and a password chosen elsewhere, which forgets them all."""
    for _ in range(20):
        throttling.begin("martin.c", "")
        throttling.begin("martin.c", "")
        attempts = [throttling.begin("martin.c", "") for _ in range(3)]

        def play(number, attempts=attempts):
            if number == 3:
                return throttling.unlock(parent)
            return throttling.succeeded(attempts[number])

        assert run_together(play, 4) == [None] * 4
        assert not SignInAttempt.objects.failed().exists()
        SignInAttempt.objects.all().delete()
