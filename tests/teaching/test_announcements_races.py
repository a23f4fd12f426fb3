"""Queues, clicks and readers at the same instant, on PostgreSQL: nothing twice, nothing lost."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection

from accounts.enums import MailKind
from accounts.models import Mail
from families.absorbing import absorb_guardian, compare
from imuse.invariants import violations
from teaching.announcements import sending, services
from teaching.models import Announcement, AnnouncementRecipient
from tests.factories import EstablishmentFactory, GuardianFactory, TeacherFactory, UserFactory
from tests.races import no_deadlock, run_together
from tests.teaching.announcement_cases import LIFE, make_class, make_pupil, plan, write

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROUNDS = 20


@pytest.fixture
def teacher():
    EstablishmentFactory()
    return TeacherFactory()


def empty_queue(_):
    """As a worker: until nothing is left, or another one has the announcement."""
    while sending.send_next():
        pass


def told(announcement):
    """How many recipients, and how many mails."""
    mails = Mail.objects.filter(kind=MailKind.ANNOUNCEMENT, key__contains=f":{announcement.pk}:")
    return announcement.recipients.count(), mails.count()


def test_four_workers_tell_each_household_once(teacher, monkeypatch):
    monkeypatch.setattr(sending, "AT_ONCE", 2)
    slot = make_class(teacher, *[make_pupil() for _ in range(7)])
    for _ in range(ROUNDS):
        announcement = write(slot, teacher)
        plan(announcement)

        with no_deadlock():
            answers = run_together(empty_queue, 4)
        empty_queue(0)

        assert answers == [None] * 4
        announcement.refresh_from_db()
        assert announcement.state == "sent"
        assert told(announcement) == (7, 7)
    assert list(violations()) == []


def test_eight_clicks_are_one_sending(teacher):
    slot = make_class(teacher, make_pupil())
    for _ in range(ROUNDS):
        draft = write(slot, teacher)

        def click(_, draft=draft):
            return services.plan(draft, edition=draft.edition, actor=teacher.user)

        with no_deadlock():
            answers = run_together(click, 8)

        refused = [answer.code for answer in answers if isinstance(answer, ValidationError)]
        assert refused == ["already"] * 7
        empty_queue(0)
        assert told(draft) == (1, 1)
        assert draft.moves.filter(to_state="planned").count() == 1


def test_the_form_sent_by_four_at_once_is_one_draft(teacher):
    slot = make_class(teacher, make_pupil())
    for _ in range(ROUNDS):
        key = write(slot, teacher).key
        Announcement.objects.filter(key=key).first().delete()

        def send(_, key=key):
            return services.write_to_class(slot, teacher=teacher, key=key, typed={"text": "Un."})

        with no_deadlock():
            answers = run_together(send, 4)

        assert {answer.pk for answer in answers} == {Announcement.objects.get(key=key).pk}


def test_withdrawn_while_it_is_being_sent(teacher, monkeypatch):
    monkeypatch.setattr(sending, "AT_ONCE", 1)
    slot = make_class(teacher, *[make_pupil() for _ in range(4)])
    for _ in range(ROUNDS):
        announcement = write(slot, teacher)
        plan(announcement)
        sending.send_next()

        def play(number, announcement=announcement):
            if number:
                return services.withdraw(announcement, actor=teacher.user)
            return empty_queue(number)

        with no_deadlock():
            answers = run_together(play, 2)

        assert not [each for each in answers if isinstance(each, Exception)]
        recipients, mails = told(announcement)
        assert recipients == mails
        waiting = Mail.objects.filter(announcement_to__announcement=announcement)
        assert {mail.last_error for mail in waiting} == {services.WITHDRAWN}
    assert list(violations()) == []


def test_a_refusal_at_the_moment_of_the_sending_is_before_or_after(teacher):
    pupil = make_pupil()
    guardian = pupil.families.get().guardians.get()
    slot = make_class(teacher, pupil)
    for _ in range(ROUNDS):
        services.want_news(guardian, True)
        announcement = write(slot, teacher, kind=LIFE)
        plan(announcement)

        with no_deadlock():
            run_together(
                lambda number: (
                    services.want_news(guardian, False) if number else empty_queue(number)
                ),
                2,
            )

        recipient = announcement.recipients.get()
        assert (recipient.mail is None) == (recipient.delivery == "refused")


def test_a_responsable_merged_while_he_is_told(teacher):
    actor = UserFactory(is_staff=True, is_superuser=True)
    for _ in range(ROUNDS):
        pupil = make_pupil()
        family = pupil.families.get()
        kept, absorbed = family.guardians.get(), GuardianFactory(family=family, user=None)
        announcement = write(make_class(teacher, pupil), teacher)
        plan(announcement)
        seen = compare(kept, absorbed).fingerprint

        def play(number, kept=kept, absorbed=absorbed, seen=seen):
            if number:
                return absorb_guardian(kept=kept.pk, absorbed=absorbed.pk, actor=actor, seen=seen)
            return empty_queue(number)

        with no_deadlock():
            answers = run_together(play, 2)
        empty_queue(0)

        assert [each for each in answers if isinstance(each, Exception)] == []
        announcement.refresh_from_db()
        assert announcement.recipients.get().guardian == kept
        assert announcement.state == "sent"


WORKER = """
import django; django.setup()
from teaching.announcements import sending
sending.AT_ONCE = 1
print("ready", flush=True)
while sending.send_next():
    pass
"""


def _worker():
    """A true process, on the database of the tests."""
    url = (
        f"postgres://{connection.settings_dict['USER']}:{connection.settings_dict['PASSWORD']}"
        f"@{connection.settings_dict['HOST']}:{connection.settings_dict['PORT']}"
        f"/{connection.settings_dict['NAME']}"
    )
    environment = os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
        "SECRET_KEY": settings.SECRET_KEY,
    }
    return subprocess.Popen(
        [sys.executable, "-c", WORKER],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_workers_killed_at_any_instant_lose_and_double_nothing(teacher):
    """SIGKILL, again and again, until one has finished."""
    count = 60
    announcement = write(make_class(teacher, *[make_pupil() for _ in range(count)]), teacher)
    plan(announcement)
    for life in (0.02, 0.05, 0.1, 0.03, 0.15, 0.07):
        with _worker() as worker:
            assert worker.stdout.readline() == "ready\n"
            time.sleep(life)
            worker.send_signal(signal.SIGKILL)
        recipients, mails = told(announcement)
        assert recipients == mails

    with _worker() as worker:
        assert worker.wait(timeout=120) == 0

    announcement.refresh_from_db()
    assert announcement.state == "sent"
    assert told(announcement) == (count, count)
    guardians = AnnouncementRecipient.objects.values_list("guardian", flat=True)
    assert len(set(guardians)) == count
    assert list(violations()) == []
