"""The outbox: neither lost, nor doubled, nor silent."""

import datetime as dt
import logging
import smtplib
from threading import Event

import pytest
from django.core import mail as django_mail
from django.core.mail import EmailMessage
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import email_changes, mails, services
from accounts.delivery import Carrier
from accounts.enums import WITH_A_SECRET, MailKind
from accounts.models import Mail, OneTimePassword, PasswordRequest
from tests.races import run_together

pytestmark = pytest.mark.django_db

NOW = timezone.now() + dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)


def queue(key="1:2", to="claire@example.org"):
    mails.queue(
        MailKind.ACKNOWLEDGEMENT, key=key, to=to, subject="Bien reçu", body="C'est l'accusé."
    )


@pytest.fixture
def broken(monkeypatch):
    """A mail server that refuses everything; `broken.clear()` mends it."""
    errors = [smtplib.SMTPDataError(554, b"refus\xc3\xa9")]
    send = EmailMessage.send

    def refuse(message, **kwargs):
        if errors:
            raise errors[0]
        return send(message, **kwargs)

    monkeypatch.setattr(EmailMessage, "send", refuse)
    return errors


def test_many_are_written_at_once_and_each_once():
    queue(key="1:1")
    mails.send_due()
    many = [(f"1:{n}", f"famille.{n}@example.org", "Objet", "Texte") for n in range(1, 1201)]

    mails.queue_many(MailKind.ACKNOWLEDGEMENT, many)
    mails.queue_many(MailKind.ACKNOWLEDGEMENT, [])

    assert Mail.objects.count() == 1200
    assert mails.waiting().count() == 1199


def test_queued_mail_is_sent_once(mailoutbox):
    queue()
    assert mailoutbox == []

    assert mails.send_due() == 1
    assert mails.send_due() == 0

    (sent,) = mailoutbox
    assert (sent.subject, sent.body, sent.to) == (
        "Bien reçu",
        "C'est l'accusé.",
        ["claire@example.org"],
    )
    assert sent.from_email == "conservatoire@conservatoire.example"
    assert sent.message()["Auto-Submitted"] == "auto-generated"
    row = Mail.objects.get()
    assert row.sent_at is not None
    assert (row.taken_until, row.attempts, row.last_error) == (None, 1, "")


def test_same_key_is_written_once(mailoutbox):
    queue()
    queue(to="autre@example.org")
    mails.send_due()
    queue()

    assert mails.send_due() == 0
    assert [message.to for message in mailoutbox] == [["claire@example.org"]]


def test_without_address_nothing_is_written():
    queue(to="")

    assert not Mail.objects.exists()


def test_mail_goes_with_the_move_that_is_rolled_back():
    with transaction.atomic():
        queue()
        assert Mail.objects.exists()
        transaction.set_rollback(True)

    assert not Mail.objects.exists()


def test_mail_due_later_waits(mailoutbox):
    queue()
    Mail.objects.update(due_at=NOW + MINUTE)

    assert mails.send_due(NOW) == 0
    assert mails.send_due(NOW + MINUTE) == 1


def test_oldest_first_and_no_more_than_asked(mailoutbox):
    for number in range(3):
        queue(key=str(number), to=f"{number}@example.org")

    assert mails.send_due(limit=2) == 2
    assert [message.to for message in mailoutbox] == [["0@example.org"], ["1@example.org"]]


def test_a_one_time_password_goes_before_all_the_others(parent, mailoutbox):
    for number in range(3):
        queue(key=str(number), to=f"{number}@example.org")
    Mail.objects.update(due_at=NOW - MINUTE)
    mails.queue_one_time_password(parent)

    mails.send_due(NOW, limit=1)

    assert [message.to for message in mailoutbox] == [[parent.email]]


def test_delays_grow_then_each_hour_for_three_days(broken, mailoutbox):
    queue()
    now, delays = NOW, []

    while mails.send_next(Carrier(), now):
        row = Mail.objects.get()
        delays.append((row.due_at - now) // MINUTE)
        assert mails.send_due(row.due_at - dt.timedelta(seconds=1)) == 0
        now = row.due_at

    assert delays == [1, 5, 15, 60] + [60] * 72
    row = Mail.objects.get()
    assert (row.sent_at, row.taken_until, row.attempts) == (None, None, mails.MAX_ATTEMPTS)
    assert not mails.waiting().exists()


def test_failure_is_told_then_mended(broken, mailoutbox, caplog):
    queue()

    with caplog.at_level(logging.WARNING):
        assert mails.send_due(NOW) == 0
    assert Mail.objects.get().last_error == "Refus du serveur de messagerie (554 refusé)"
    assert "Refus du serveur de messagerie (554)" in caplog.text
    assert "claire@example.org" not in caplog.text

    broken.clear()
    assert mails.send_due(NOW + MINUTE) == 1
    assert Mail.objects.get().last_error == ""
    assert len(mailoutbox) == 1


def test_long_error_fits(broken):
    broken[0] = OSError("é" * 500)
    queue()

    mails.send_due(NOW)

    assert len(Mail.objects.get().last_error) == 200


def test_one_bad_mail_does_not_hold_back_the_next(mailoutbox):
    queue(key="1", to="bad\n@example.org")
    queue(key="2")

    assert mails.send_due() == 1
    assert [message.to for message in mailoutbox] == [["claire@example.org"]]


def test_mail_of_a_dead_sender_is_taken_back(mailoutbox):
    queue()
    assert mails.take(NOW) is not None  # and the sender dies here

    assert mails.send_due(NOW + mails.HOLD - dt.timedelta(seconds=1)) == 0
    assert mails.send_due(NOW + mails.HOLD) == 1
    assert Mail.objects.get().attempts == 2


def test_mail_that_kills_its_senders_is_given_up():
    queue()
    now = NOW
    for _ in range(mails.MAX_ATTEMPTS):
        assert mails.take(now) is not None
        now += mails.HOLD

    assert mails.take(now) is None


def test_sender_that_was_late_does_not_undo_the_other_one(broken, mailoutbox, monkeypatch):
    queue()
    late = mails.take(NOW)
    broken.clear()
    mails.send_due(NOW + mails.HOLD)

    mails._note_failure(late, due_at=NOW, last_error="trop tard")

    row = Mail.objects.get()
    assert (row.sent_at, row.last_error) == (NOW + mails.HOLD, "")


def test_one_time_password_is_made_as_it_leaves(client, parent, establishment, mailoutbox):
    mails.queue_one_time_password(parent)
    assert not OneTimePassword.objects.exists()

    mails.send_due()

    (sent,) = mailoutbox
    password = sent.body.split("\n    ")[1].split("\n")[0]
    stored = str([*Mail.objects.values(), *OneTimePassword.objects.values()])
    assert sent.to == ["martin.c@example.org"]
    assert password not in stored
    client.post(
        "/extranet/connexion/",
        {"establishment": establishment.pk, "username": "martin.c", "password": password},
    )
    parent.refresh_from_db()
    assert parent.must_choose_password


def test_failed_one_time_password_is_made_anew_and_its_error_quotes_nothing(
    broken, parent, mailoutbox
):
    mails.queue_one_time_password(parent)
    mails.send_due(NOW)
    first = OneTimePassword.objects.get().hash
    assert Mail.objects.get().last_error == "Refus du serveur de messagerie (554)"

    broken.clear()
    mails.send_due(NOW + MINUTE)

    assert OneTimePassword.objects.get().hash != first
    assert len(mailoutbox) == 1


@pytest.mark.parametrize("change", [{"is_active": False}, {"email": "nouvelle@example.org"}])
def test_one_time_password_is_given_up_if_the_account_changed(parent, change, mailoutbox):
    mails.queue_one_time_password(parent)
    type(parent).objects.update(**change)

    assert mails.send_due() == 0

    row = Mail.objects.get()
    assert row.attempts == mails.MAX_ATTEMPTS
    assert row.last_error == "Compte fermé, ou adresse changée depuis la demande."
    assert not OneTimePassword.objects.exists()
    assert mailoutbox == []


@pytest.mark.parametrize("kind", WITH_A_SECRET)
def test_no_secret_is_made_for_a_mail_that_died_as_it_was_taken(
    parent, kind, mailoutbox, monkeypatch
):
    """The sender has the row in hand when a new password is chosen: whatever was asked is dead."""
    if kind == MailKind.EMAIL_CHANGE:
        email_changes.ask("nouvelle@example.org", actor=parent)
    else:
        mails.queue_one_time_password(parent)
    take = mails.take

    def take_then_choose(now):
        mail = take(now)
        if mail and mail.kind == kind:
            services.choose_password("Tambourin9", actor=parent)
        return mail

    monkeypatch.setattr(mails, "take", take_then_choose)

    mails.send_due()

    assert not OneTimePassword.objects.exists()
    assert [message.to for message in mailoutbox if message.to != [parent.email]] == []
    assert not any("\n    " in message.body for message in mailoutbox)


def test_the_database_refuses_to_keep_a_password(parent):
    mails.queue_one_time_password(parent)

    with pytest.raises(IntegrityError), transaction.atomic():
        Mail.objects.update(body="Votre mot de passe : Abcdefgh2345")


def test_idle_sender_makes_two_queries_and_takes_no_lock(django_assert_num_queries):
    with django_assert_num_queries(2):  # requests of « mot de passe perdu », mails due
        assert mails.send_due() == 0


@pytest.mark.postgres
def test_each_turn_looks_for_a_secret_without_reading_every_mail():
    many = [(f"1:{n}", f"famille.{n}@example.org", "Objet", "Texte") for n in range(1000)]
    mails.queue_many(MailKind.ACKNOWLEDGEMENT, many)
    with CaptureQueriesContext(connection) as queries:
        mails.take(NOW)
    (secrets,) = [one["sql"] for one in queries if "IN ('one_time_password'" in one["sql"]]

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_mail")
        cursor.execute(f"EXPLAIN {secrets}")
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "mail_with_a_secret_waiting" in plan


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_senders_at_the_same_moment_share_the_mails(mailoutbox):
    for turn in range(20):
        for number in range(8):
            queue(key=f"{turn}:{number}", to=f"{turn}.{number}@example.org")

        results = run_together(lambda number: mails.send_due(), 4)

        # Whoever finds every row locked leaves with less: the next turn takes the rest.
        assert sum(results) + mails.send_due() == 8

    assert len({message.to[0] for message in mailoutbox}) == len(mailoutbox) == 160
    assert set(Mail.objects.values_list("attempts", flat=True)) == {1}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_mail_being_sent_holds_no_lock_and_no_other_sender(monkeypatch, mailoutbox):
    queue(key="1", to="lent@example.org")
    sending, go_on = Event(), Event()
    send = EmailMessage.send

    def slow(message, **kwargs):
        sending.set()
        assert go_on.wait(timeout=20)
        return send(message, **kwargs)

    monkeypatch.setattr(EmailMessage, "send", slow)

    def play(number):
        if number == 0:
            return mails.send_due()
        assert sending.wait(timeout=20)
        with transaction.atomic():  # nobody holds the row…
            Mail.objects.select_for_update(nowait=True).get(sent_at=None)
        others = mails.send_due()  # … and nobody else sends it
        go_on.set()
        return others

    assert run_together(play, 2) == [1, 0]
    assert len(mailoutbox) == len(django_mail.outbox) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_requests_at_the_same_moment_write_one_mail(parent):
    for _ in range(20):
        results = run_together(lambda number: mails.queue_one_time_password(parent), 4)

        assert results == [None] * 4
        assert Mail.objects.count() == 1
        Mail.objects.all().delete()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_request_answered_while_a_password_is_chosen(parent):
    """Neither holds what the other waits for; whatever the order, nothing is left to mail."""
    for _ in range(20):
        for number in range(3):
            PasswordRequest.objects.create(pair=str(number), at=timezone.now(), user=parent)

        def play(number):
            if number:
                return mails.queue_asked()
            return services.choose_password("Tambourin9", actor=parent)

        results = run_together(play, 2)

        assert [result for result in results if isinstance(result, Exception)] == []
        assert not PasswordRequest.objects.filter(answered=False).exists()
        Mail.objects.all().delete()


def test_password_chosen_while_its_mail_leaves_does_not_hold_back_the_next(
    parent, mailoutbox, monkeypatch
):
    """The row goes while it is being sent (services.forget_mailed_secrets)."""
    mails.queue_one_time_password(parent)
    queue()
    send = EmailMessage.send

    def send_slowly(message):
        Mail.objects.filter(user=parent).delete()
        return send(message)

    monkeypatch.setattr(EmailMessage, "send", send_slowly)

    assert mails.send_due() == 2
    assert [message.to for message in mailoutbox] == [[parent.email], ["claire@example.org"]]


def test_mail_that_was_erased_is_not_tried_again(mailoutbox):
    for key in ("kept", "erased"):
        queue(key=key)
    for mail in Mail.objects.all():
        mails.give_up(mail, "Adresse refusée")
    Mail.objects.filter(key__endswith="erased").update(to="", subject="", body="Texte effacé.")

    assert mails.try_again(mails.given_up()) == 1
    assert mails.send_due() == 1
    assert len(mailoutbox) == 1


@pytest.mark.postgres
def test_the_first_of_thousands_that_wait_for_one_hour_is_read_without_a_sort():
    Mail.objects.bulk_create(
        Mail(
            key=f"invoice:{number}",
            kind=MailKind.INVOICE,
            to="claire@example.org",
            subject="Facture",
            body="Texte",
            due_at=NOW,
        )
        for number in range(2000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_mail")

    with CaptureQueriesContext(connection) as queries:
        taken = mails.take(NOW + MINUTE)

    reads = [query["sql"] for query in queries if "ORDER BY" in query["sql"]]
    assert taken == Mail.objects.order_by("pk").first()
    assert reads
    for sql in reads:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
        if "kind" not in sql.split("WHERE")[1]:  # those with a secret are few: their own index
            assert "mail_due" in plan
            assert "Sort" not in plan
