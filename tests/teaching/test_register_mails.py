"""Families are told of an absence: once, whatever the day of entry; and when it was none."""

import datetime as dt

import pytest
from django.core import mail as sent
from django.utils import timezone

from accounts import mails
from accounts.enums import MailKind
from accounts.models import Mail
from teaching.models import RegisterSettings
from tests.teaching.register_cases import ABSENT, EXCUSED, HERE, LATE, Case, make_home


@pytest.fixture
def case(teacher):
    return Case(teacher)


@pytest.fixture
def parent(case):
    return make_home(case.enrolments[0].student, first_name="Claire")


def waiting():
    return mails.waiting().filter(kind=MailKind.ABSENCE)


def send():
    """What the sender does once the delay is over."""
    return mails.send_due(timezone.now() + dt.timedelta(minutes=16))


def test_each_household_is_told_after_the_delay(case, parent):
    other = make_home(case.enrolments[0].student, rank=2)

    case.call(ABSENT, HERE, HERE)

    assert set(waiting().values_list("to", flat=True)) == {parent.email, other.email}
    assert mails.send_due() == 0  # a mis-tap may still be corrected
    assert send() == 2
    text = sent.outbox[0].body
    assert "Louise 0 Nom Louise 0 n'était pas au cours « Formation musicale A »" in text
    assert f"/extranet/eleves/{case.enrolments[0].student_id}/absences/" in text
    assert other.email not in text


def test_the_delay_is_the_establishment_s(case, parent):
    RegisterSettings.objects.create(establishment=case.slot.course.establishment, mail_delay=120)

    case.call(ABSENT, HERE, HERE)

    wait = waiting().get().due_at - timezone.now()
    assert dt.timedelta(minutes=119) < wait <= dt.timedelta(minutes=120)


@pytest.mark.parametrize("mark", [LATE, EXCUSED, HERE])
def test_nobody_is_told_of_anything_else(case, parent, mark):
    case.call(mark, HERE, HERE)

    assert not Mail.objects.exists()


def test_corrected_before_it_leaves_nothing_leaves(case, parent):
    case.call(ABSENT, HERE, HERE)
    case.call(HERE, HERE, HERE)

    assert send() == 0
    assert Mail.objects.get().last_error == "L'appel a été corrigé avant l'envoi."


def test_corrected_twice_before_it_leaves_one_leaves(case, parent):
    case.call(ABSENT, HERE, HERE)
    case.call(HERE, HERE, HERE)
    case.call(ABSENT, HERE, HERE)

    assert send() == 1
    assert sent.outbox[0].subject.startswith("Absence de Louise 0")


def test_of_the_same_absence_nobody_is_told_twice(case, parent):
    case.call(ABSENT, HERE, HERE)
    send()

    case.call(ABSENT, ABSENT, HERE)

    assert send() == 0


def test_a_late_correction_is_told(case, parent):
    case.call(ABSENT, HERE, HERE)
    send()

    case.call(LATE, HERE, HERE)

    assert send() == 1
    assert sent.outbox[1].subject.startswith("Correction")
    assert "en retard" in sent.outbox[1].body


def test_a_correction_taken_back_before_it_leaves_tells_nothing_more(case, parent):
    case.call(ABSENT, HERE, HERE)
    send()
    case.call(HERE, HERE, HERE)

    case.call(ABSENT, HERE, HERE)

    assert send() == 0
    assert len(sent.outbox) == 1


def test_a_mail_that_is_leaving_is_taken_for_sent(case, parent):
    """The sender has it in hand: the correction follows it."""
    case.call(ABSENT, HERE, HERE)
    Mail.objects.update(taken_until=timezone.now() + mails.HOLD)

    case.call(HERE, HERE, HERE)

    assert Mail.objects.count() == 2
    assert Mail.objects.latest("pk").subject.startswith("Correction")


def test_a_household_without_address_is_not_written_to(case):
    make_home(case.enrolments[0].student, email="")

    case.call(ABSENT, HERE, HERE)

    assert not Mail.objects.exists()


def test_a_refused_register_tells_nobody(case, parent):
    case.call(HERE, HERE, HERE)

    with pytest.raises(Exception, match="changé entre-temps"):
        case.call(ABSENT, HERE, HERE, version=0)

    assert not Mail.objects.exists()
