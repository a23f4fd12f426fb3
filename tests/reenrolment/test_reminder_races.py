"""Two agents, two workers, a worker killed: one reminder a day for a household, on PostgreSQL."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts import roles
from accounts.models import Mail
from imuse.invariants import violations
from reenrolment.enums import ReminderOutcome
from reenrolment.models import PieceReminder, ReminderLine
from reenrolment.services import reminders
from tests.factories import CampaignFactory
from tests.races import no_deadlock, run_together
from tests.reenrolment.reminder_cases import (
    make_dossier,
    make_household,
    make_rules,
    plan,
    remind_all,
)
from tests.reenrolment.test_killed import count_statements, submit_and_be_killed

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROUNDS = 20


@pytest.fixture
def campaign(establishment):
    roles.sync()
    campaign = CampaignFactory()
    make_rules()
    return campaign


def make_family(number):
    family = make_household(f"Famille {number}", email=f"f{number}@example.org")
    make_dossier(family)
    return family


def put_in_two_reminders(campaign, registrar, *families):
    """Past the check of `plan`: as two sites' agents would, each in a campaign of his own."""
    made = [
        PieceReminder.objects.create(campaign=campaign, actor=registrar, planned_for=timezone.now())
        for _ in range(2)
    ]
    for reminder in made:
        for family in families:
            ReminderLine.objects.create(reminder=reminder, family=family)
    return made


def remind_all_safely(_number):
    return [line.outcome for line in remind_all()]


def check_each_once(*families):
    assert sorted(Mail.objects.values_list("to", flat=True)) == sorted(
        guardian.email for family in families for guardian in family.guardians.all()
    )
    assert ReminderLine.objects.filter(outcome=ReminderOutcome.SENT).count() == len(families)
    assert not PieceReminder.objects.filter(ended_at=None, cancelled_at=None).exists()
    assert list(violations()) == []


def clear():
    ReminderLine.objects.all().delete()
    PieceReminder.objects.all().delete()
    Mail.objects.all().delete()


def test_two_agents_click_at_once(campaign, registrar, director):
    family = make_family(1)
    agents = [registrar, director]
    for _ in range(ROUNDS):
        answers = run_together(lambda n: plan(campaign, family, actor=agents[n]), 2)

        refused = [each for each in answers if isinstance(each, ValidationError)]
        assert [each.code for each in refused] == ["already"]
        remind_all()
        check_each_once(family)
        clear()


def test_two_workers_and_two_reminders_of_one_household(campaign, registrar):
    family = make_family(1)
    with no_deadlock():
        for _ in range(ROUNDS):
            put_in_two_reminders(campaign, registrar, family)

            run_together(remind_all_safely, 2)

            remind_all()
            check_each_once(family)
            clear()


def test_four_workers_and_a_crowd_told_twice(campaign, registrar):
    families = [make_family(number) for number in range(12)]
    put_in_two_reminders(campaign, registrar, *families)

    with no_deadlock():
        answers = run_together(remind_all_safely, 4)

    remind_all()
    assert not [each for each in answers if isinstance(each, Exception)]
    check_each_once(*families)


def test_cancelled_at_the_moment_when_it_starts(campaign, registrar):
    family = make_family(1)
    for _ in range(ROUNDS):
        reminder = plan(campaign, family, actor=registrar)

        def play(number, reminder=reminder):
            if number:
                return reminders.cancel(reminder, actor=registrar)
            return remind_all()

        _, cancelled = run_together(play, 2)

        remind_all()
        reminder.refresh_from_db()
        assert (cancelled is None) == bool(reminder.cancelled_at)
        assert Mail.objects.count() == (0 if reminder.cancelled_at else 1)
        clear()


def test_a_worker_killed_before_each_statement(campaign, registrar):
    """Whatever it had done, the next one finishes, and nobody gets two."""
    families = [make_family(number) for number in range(2)]
    plan(campaign, *families, actor=registrar)
    last = count_statements(remind_all)
    check_each_once(*families)
    for kill in range(0, last + 1, 2):
        clear()
        plan(campaign, *families, actor=registrar)
        submit_and_be_killed(remind_all, before=kill)

        assert list(violations()) == []
        remind_all()
        check_each_once(*families)
