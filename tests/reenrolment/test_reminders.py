"""« Rappel des pièces »: who is reminded, of what, once a day whatever happens."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import mails
from accounts.enums import MailKind
from accounts.models import Mail
from documents.enums import Verdict
from documents.models import Document
from families.reminders import sending
from imuse.invariants import violations
from reenrolment import emails
from reenrolment.enums import ReminderOutcome, Status
from reenrolment.lacking import Stage, lacking_households
from reenrolment.models import PieceReminder, ReminderLine, RequestedPiece, SuppliedPiece
from reenrolment.services import reminders
from tests.factories import (
    PASSWORD,
    CampaignFactory,
    CourseFactory,
    CustodyFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    GuardianFactory,
    PieceRuleFactory,
    StudentFactory,
)
from tests.reenrolment.reminder_cases import (
    hand_in,
    make_dossier,
    make_household,
    make_rules,
    outcomes,
    plan,
    remind_all,
)

TOO_OLD = "Le document est trop ancien."


@pytest.fixture
def campaign(establishment):
    return CampaignFactory()


@pytest.fixture
def rules(campaign):
    return make_rules()


@pytest.fixture
def family(rules):
    return make_household()


@pytest.fixture
def draft(family):
    return make_dossier(family)


def owed(campaign):
    """{household: {student: [pieces]}}."""
    return {
        household.family.name: {
            each.student.first_name: [str(piece.type) for piece in each.pieces]
            for each in household.dossiers
        }
        for household in lacking_households(campaign)
    }


def stages(campaign):
    return [each.stage for h in lacking_households(campaign) for each in h.dossiers]


def code_of(function, *args, **kwargs):
    with pytest.raises(ValidationError) as refused:
        function(*args, **kwargs)
    return refused.value.code


def submit(dossier, *supplied):
    """As the family would, with these documents."""
    actor = dossier.student.families.first().guardians.get().user
    dossier.status, dossier.terms = Status.SUBMITTED, dossier.campaign.terms
    dossier.submitted_at, dossier.submitted_by = timezone.now(), actor
    dossier.save()
    for document in supplied:
        SuppliedPiece.objects.create(reenrolment=dossier, document=document)
    return dossier


def ask_again(dossier, kind, family=None, *, until=dt.timedelta(days=9)):
    actor = dossier.submitted_by
    move = dossier.transitions.create(
        from_status=Status.SUBMITTED, to_status=Status.INCOMPLETE, actor=actor
    )
    RequestedPiece.objects.create(transition=move, document_type=kind, family=family)
    dossier.status, dossier.complement_until = Status.INCOMPLETE, timezone.now() + until
    dossier.save()


# --- Whom ---------------------------------------------------------------------------------------


def test_a_draft_lacks_what_is_missing_or_refused(campaign, rules, family, draft):
    tax, photo = rules
    assert owed(campaign) == {"Martin": {"Louise": ["Avis d'imposition", "Photo d'identité"]}}
    assert stages(campaign) == [Stage.DRAFT]

    hand_in(tax, family)  # to be examined: nothing more to do
    assert owed(campaign) == {"Martin": {"Louise": ["Photo d'identité"]}}

    hand_in(photo, draft.student, refusal=TOO_OLD)
    (household,) = lacking_households(campaign)
    assert household.dossiers[0].pieces[0].is_refused

    draft.student.documents.update(verdict=Verdict.ACCEPTED, refusal="")
    assert owed(campaign) == {}


def test_a_draft_is_no_longer_asked_for_once_the_campaign_has_closed(campaign, draft):
    campaign.closes_at = timezone.now() - dt.timedelta(minutes=1)
    campaign.save()

    assert owed(campaign) == {}


@pytest.mark.parametrize("status", [Status.VALIDATED, Status.REFUSED, Status.WITHDRAWN])
def test_nothing_is_owed_once_decided_or_withdrawn(campaign, family, rules, status):
    actor = family.guardians.get().user
    decided = {"decided_at": timezone.now(), "decided_by": actor}
    fields = {} if status == Status.WITHDRAWN else decided
    make_dossier(family, status=status, **fields)

    assert owed(campaign) == {}


def test_a_submitted_dossier_owes_what_it_was_submitted_without(campaign, rules, family, draft):
    tax, photo = rules
    submit(draft, hand_in(photo, draft.student))
    hand_in(tax, family)  # afterwards, through a brother's: not of this dossier

    assert owed(campaign) == {"Martin": {"Louise": ["Avis d'imposition"]}}
    assert stages(campaign) == [Stage.SUBMITTED]
    (household,) = lacking_households(campaign)
    assert not household.sends_itself


def test_a_complement_owes_what_is_asked_again_and_not_sent_yet(campaign, rules, family, draft):
    tax, photo = rules
    submit(draft)
    ask_again(draft, tax, family)

    assert owed(campaign) == {"Martin": {"Louise": ["Avis d'imposition"]}}
    assert stages(campaign) == [Stage.INCOMPLETE]
    (household,) = lacking_households(campaign)
    assert household.until == draft.complement_until

    hand_in(tax, family)
    assert owed(campaign) == {}


def test_a_complement_whose_time_is_over_is_sent_to_the_secretariat(campaign, rules, draft, family):
    submit(draft)
    ask_again(draft, rules[0], family, until=-dt.timedelta(minutes=1))

    (household,) = lacking_households(campaign)
    assert (household.until, household.sends_itself) == (None, False)


def test_sent_again_after_a_complement(campaign, rules, draft, family):
    submit(draft)
    ask_again(draft, rules[0], family)
    draft.transitions.create(
        from_status=Status.INCOMPLETE, to_status=Status.SUBMITTED, actor=draft.submitted_by
    )
    draft.status, draft.complement_until = Status.SUBMITTED, None
    draft.save()

    assert stages(campaign) == [Stage.RETURNED]


def test_each_household_of_a_child_is_told_of_its_own(campaign, rules, draft, family, registrar):
    tax, photo = rules
    other = make_household("Benali", email="samir@example.org", first_name="Samir")
    CustodyFactory(student=draft.student, family=other, rank=2)
    hand_in(photo, draft.student)
    hand_in(tax, family, refusal="Illisible chez les Martin.")

    plan(campaign, family, other, actor=registrar)
    remind_all()

    claire = Mail.objects.get(to="claire@example.org")
    samir = Mail.objects.get(to="samir@example.org")
    assert "- Avis d'imposition : refusée. Illisible chez les Martin.\n" in claire.body
    assert "- Avis d'imposition : pièce manquante\n" in samir.body
    assert "Martin" not in samir.body


def test_of_two_households_one_that_owes_nothing_is_not_listed(campaign, rules, draft, family):
    tax, photo = rules
    other = make_household("Benali", email="samir@example.org")
    CustodyFactory(student=draft.student, family=other, rank=2)
    hand_in(photo, draft.student)
    hand_in(tax, other)

    assert owed(campaign) == {"Martin": {"Louise": ["Avis d'imposition"]}}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"email": ""}, "sans adresse e-mail"),
        ({"user": None}, "sans compte"),
        ({"is_active": False}, "compte fermé"),
        ({"elsewhere": True}, "compte d'un autre établissement"),
    ],
)
def test_who_cannot_be_reached(campaign, draft, family, registrar, change, why):
    guardian = family.guardians.get()
    if "is_active" in change:
        guardian.user.is_active = False
        guardian.user.save()
    elif "elsewhere" in change:
        guardian.user.establishments.set([EstablishmentFactory(name="Annexe")])
    else:
        family.guardians.update(**change)

    (household,) = lacking_households(campaign)
    assert household.reached == []
    assert household.unreached_because == [(guardian, why)]
    assert code_of(plan, campaign, family, actor=registrar) == "nobody"


def test_another_campaigns_dossiers_are_not_asked_for(campaign, rules, family):
    annexe = EstablishmentFactory(name="Annexe")
    elsewhere = CampaignFactory(establishment=annexe, terms__establishment=annexe)
    make_dossier(family, campaign=elsewhere)

    assert owed(campaign) == {}


@pytest.mark.parametrize("count", [20, 200])
def test_the_list_makes_twelve_queries_whatever_the_count(
    campaign, rules, count, django_assert_num_queries
):
    for number in range(count):
        family = make_household(f"Famille {number}", email=f"f{number}@example.org")
        dossier = make_dossier(family)
        if number % 3 == 0:
            submit(dossier)
        if number % 6 == 0:
            ask_again(dossier, rules[0], family)

    with django_assert_num_queries(12):
        found = lacking_households(campaign)
        assert all(household.reached and household.groups for household in found)
        assert len(found) == count


# --- What the mail says ---------------------------------------------------------------------------


def body_for(campaign, word=""):
    household = lacking_households(campaign)[0]
    return emails.remind_pieces(campaign, household, household.reached[0], word)


def test_the_mail_lists_the_pieces_child_by_child(campaign, rules, family, draft, settings):
    settings.SITE_URL = "https://conservatoire.example"
    campaign.closes_at = dt.datetime(2099, 6, 11, 18, tzinfo=dt.UTC)
    campaign.save()
    tax, photo = rules
    hand_in(photo, draft.student, refusal=TOO_OLD)
    hugo = make_dossier(family, first_name="Hugo").student
    hand_in(photo, hugo)

    subject, body = body_for(campaign)

    year = campaign.school_year
    assert subject == (
        f"Réinscriptions {year} : pièces à compléter avant le 11\xa0juin 2099 à 20\xa0h"
    )
    for text in [
        "Bonjour Claire,\n",
        "\nPour Hugo et Louise, à envoyer avant le 11\xa0juin 2099 à 20\xa0h :\n"
        "- Avis d'imposition : pièce manquante\n",
        "\nPour Louise, à envoyer avant le 11\xa0juin 2099 à 20\xa0h :\n"
        "- Photo d'identité : refusée. Le document est trop ancien.\n",
        "validez la demande : https://conservatoire.example/extranet/accueil/\n",
        "le tarif haut des droits d'inscription est appliqué",
        "Vous recevez ce message du service parce qu'",
        "03 20 00 00 00",
    ]:
        assert text in body
    assert "Martin" not in subject + body
    assert "mot du secrétariat" not in body


def test_one_too_old_is_not_said_to_be_missing(campaign, rules, family, draft):
    """Whoever sent it last year would answer that it was sent."""
    tax, _ = rules
    tax.valid_months = 6
    tax.save()
    hand_in(tax, family)
    Document.objects.update(uploaded_at=dt.datetime(2024, 6, 3, 12, tzinfo=dt.UTC))

    _, body = body_for(campaign)

    assert "- Avis d'imposition : celle envoyée le 3\xa0juin 2024 n'est plus valable\n" in body


def test_where_one_household_is_enough_it_is_said(campaign, rules, family, draft):
    tax, _ = rules
    tax.rules.update(each_home=False)
    other = make_household("Durand", email="paul@example.org", first_name="Paul")
    CustodyFactory(student=draft.student, family=other, rank=2)

    _, body = body_for(campaign)

    line = "- Avis d'imposition : pièce manquante (l'envoi d'un seul des deux foyers suffit)\n"
    assert line in body

    hand_in(tax, other)

    photo_alone = {"Louise": ["Photo d'identité"]}
    assert owed(campaign) == {"Martin": photo_alone, "Durand": photo_alone}


def test_one_child_one_link_to_his_page(campaign, draft):
    _, body = body_for(campaign)

    assert f"/extranet/eleves/{draft.student_id}/reinscription/" in body


def test_the_link_opens_its_page_after_the_sign_in(client, campaign, draft, family):
    page = reverse("reenrolment:edit", args=[draft.student_id])
    user = family.guardians.get().user

    door = client.get(page)["Location"]
    answer = client.post(
        door,
        {
            "establishment": campaign.establishment.pk,
            "username": user.username,
            "password": PASSWORD,
        },
        follow=True,
    )

    assert answer.request["PATH_INFO"] == page
    assert "Avis d&#x27;imposition" in answer.content.decode()


def test_a_submitted_dossier_is_sent_to_the_secretariat(campaign, draft):
    submit(draft)

    subject, body = body_for(campaign)

    assert subject == f"Réinscriptions {campaign.school_year} : pièces à compléter"
    assert "Pour Louise, à voir avec le secrétariat" in body
    assert "Connectez-vous à l'extranet pour envoyer" not in body


def test_the_word_is_in_the_mail_as_it_was_typed(campaign, draft):
    _, body = body_for(campaign, word="L'avis 2026 <b>suffit</b> & merci.")

    assert "\nLe mot du secrétariat :\nL'avis 2026 <b>suffit</b> & merci.\n" in body


# --- Planning -------------------------------------------------------------------------------------


def test_a_reminder_is_sent_now_and_once(campaign, draft, family, registrar, mailoutbox):
    GuardianFactory(family=family, first_name="Paul", user__email="paul@example.org")
    reminder = plan(campaign, family, actor=registrar, word="  Merci. ")
    call_command("send_mails")
    call_command("send_mails")

    assert sorted(m.to[0] for m in mailoutbox) == ["claire@example.org", "paul@example.org"]
    reminder.refresh_from_db()
    line = reminder.lines.get()
    assert (line.outcome, line.day) == (ReminderOutcome.SENT, timezone.localdate())
    assert reminder.word == "Merci."
    assert reminder.started_at <= line.done_at <= reminder.ended_at
    assert list(violations()) == []


def test_planned_for_later_it_waits_for_its_moment(campaign, draft, family, registrar, monkeypatch):
    at = timezone.now() + dt.timedelta(days=2)
    reminder = plan(campaign, family, actor=registrar, planned_for=at)
    assert remind_all() == []

    monkeypatch.setattr(timezone, "now", lambda: at)
    assert len(remind_all()) == 1
    reminder.refresh_from_db()
    assert (reminder.started_at, reminder.ended_at) == (at, at)


def test_what_is_missing_is_read_again_at_the_moment_of_sending(
    campaign, rules, draft, family, registrar
):
    tax, photo = rules
    other = make_household("Benali", email="samir@example.org")
    make_dossier(other)
    reminder = plan(campaign, family, other, actor=registrar)
    hand_in(tax, family)
    hand_in(photo, draft.student)
    hand_in(tax, other)
    remind_all()

    assert outcomes(reminder) == {
        "Martin": ReminderOutcome.COMPLETE,
        "Benali": ReminderOutcome.SENT,
    }
    assert "imposition" not in Mail.objects.get().body


def test_an_account_closed_meanwhile_gets_nothing(campaign, draft, family, registrar):
    reminder = plan(campaign, family, actor=registrar)
    family.guardians.update(user=None)
    remind_all()

    assert outcomes(reminder) == {"Martin": ReminderOutcome.UNREACHABLE}
    assert not Mail.objects.exists()


@pytest.mark.parametrize(
    ("away", "code"), [(dt.timedelta(0), "past"), (dt.timedelta(days=400), "too_far")]
)
def test_a_moment_that_cannot_be(campaign, draft, family, registrar, away, code):
    at = timezone.now() + away

    assert code_of(plan, campaign, family, actor=registrar, planned_for=at) == code


def test_nobody_to_remind(campaign, rules, family, registrar):
    assert code_of(plan, campaign, family, actor=registrar) == "nobody"


def test_a_word_too_long_is_refused(campaign, draft, family, registrar):
    with pytest.raises(ValidationError) as refused:
        plan(campaign, family, actor=registrar, word="a" * 501)

    assert list(refused.value.error_dict) == ["word"]
    assert not PieceReminder.objects.exists()


def test_a_second_reminder_of_the_day_is_refused(campaign, draft, family, registrar, director):
    plan(campaign, family, actor=registrar)
    assert code_of(plan, campaign, family, actor=director) == "already"  # not sent yet
    remind_all()
    assert code_of(plan, campaign, family, actor=director) == "already"  # sent

    other = make_household("Benali", email="samir@example.org")
    make_dossier(other)
    again = plan(campaign, family, other, actor=director)
    assert [line.family for line in again.lines.all()] == [other]


def test_two_planned_for_one_day(campaign, draft, family, registrar):
    tomorrow = timezone.localtime().replace(hour=9) + dt.timedelta(days=1)
    plan(campaign, family, actor=registrar, planned_for=tomorrow)
    later = tomorrow + dt.timedelta(hours=3)
    assert code_of(plan, campaign, family, actor=registrar, planned_for=later) == "already"

    plan(campaign, family, actor=registrar, planned_for=later + dt.timedelta(days=1))
    plan(campaign, family, actor=registrar)  # today


def test_two_campaigns_remind_one_household_once_a_day(campaign, draft, family, registrar):
    annexe = EstablishmentFactory(name="Annexe")
    elsewhere = CampaignFactory(establishment=annexe, terms__establishment=annexe)
    PieceRuleFactory(establishment=annexe)
    make_dossier(family, campaign=elsewhere)
    family.guardians.get().user.establishments.add(annexe)
    first, second = (
        PieceReminder.objects.create(campaign=one, actor=registrar, planned_for=timezone.now())
        for one in (campaign, elsewhere)
    )
    for reminder in (first, second):  # past the check of `plan`, as two transactions would be
        ReminderLine.objects.create(reminder=reminder, family=family)
    remind_all()

    assert (outcomes(first), outcomes(second)) == (
        {"Martin": ReminderOutcome.SENT},
        {"Martin": ReminderOutcome.ALREADY},
    )
    assert Mail.objects.count() == 1


def test_the_day_is_that_of_paris(campaign, draft, family, registrar, monkeypatch):
    year = timezone.now().year + 1
    campaign.closes_at = dt.datetime(year + 1, 6, 1, tzinfo=dt.UTC)
    campaign.save()
    evening = dt.datetime(year, 7, 1, 21, 59, tzinfo=dt.UTC)  # 23:59 in Paris
    monkeypatch.setattr(timezone, "now", lambda: evening)
    plan(campaign, family, actor=registrar)
    remind_all()
    monkeypatch.setattr(timezone, "now", lambda: evening + dt.timedelta(minutes=1))
    plan(campaign, family, actor=registrar)
    remind_all()

    days = ReminderLine.objects.order_by("pk").values_list("day", flat=True)
    assert list(days) == [dt.date(year, 7, 1), dt.date(year, 7, 2)]


def test_cancelled_nothing_leaves(campaign, draft, family, registrar, director):
    at = timezone.now() + dt.timedelta(minutes=5)
    reminder = plan(campaign, family, actor=registrar, planned_for=at)
    reminders.cancel(reminder, actor=director)
    PieceReminder.objects.update(planned_for=timezone.now())
    assert remind_all() == []

    reminder.refresh_from_db()
    assert reminder.cancelled_by == director
    assert code_of(reminders.cancel, reminder, actor=director) == "cancelled"
    plan(campaign, family, actor=registrar)  # it holds the household no more


def test_started_it_is_cancelled_no_more(campaign, draft, family, registrar):
    reminder = plan(campaign, family, actor=registrar)
    remind_all()

    assert code_of(reminders.cancel, reminder, actor=registrar) == "started"


# --- Faults ---------------------------------------------------------------------------------------


def test_one_household_that_cannot_be_told_stops_nobody(
    campaign, draft, family, registrar, monkeypatch
):
    other = make_household("Benali", email="samir@example.org", first_name="Samir")
    make_dossier(other)
    compose = emails.remind_pieces

    def broken(campaign, household, guardian, word):
        if guardian.first_name == "Claire":
            raise RuntimeError
        return compose(campaign, household, guardian, word)

    monkeypatch.setattr(emails, "remind_pieces", broken)
    reminder = plan(campaign, family, other, actor=registrar)
    remind_all()

    assert outcomes(reminder) == {"Martin": ReminderOutcome.FAILED, "Benali": ReminderOutcome.SENT}
    reminder.refresh_from_db()
    assert reminder.ended_at


def test_the_mail_server_is_away_the_outbox_tries_again(
    campaign, draft, family, registrar, monkeypatch, mailoutbox
):
    plan(campaign, family, actor=registrar)
    with monkeypatch.context() as away:
        away.setattr(EmailMessage, "send", lambda self: (_ for _ in ()).throw(OSError()))
        call_command("send_mails")
    assert (len(mailoutbox), Mail.objects.get().attempts) == (0, 1)

    mails.send_due(timezone.now() + dt.timedelta(minutes=2))
    assert len(mailoutbox) == 1


def day_before(reminder, *, mail):
    """Yesterday's reminder, and what its mail is now."""
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    reminder.lines.update(day=yesterday)
    Mail.objects.update(**mail)


def test_what_the_server_kept_back_yesterday_does_not_leave_beside_todays(
    campaign, draft, family, registrar, mailoutbox
):
    first = plan(campaign, family, actor=registrar)
    remind_all()
    day_before(first, mail={"attempts": 5, "last_error": "injoignable"})
    plan(campaign, family, actor=registrar)
    call_command("send_mails")

    assert len(mailoutbox) == 1
    assert Mail.objects.get(sent_at=None).last_error == sending.REPLACED


@pytest.mark.parametrize("state", ["sent today", "in the sender's hands"])
def test_yesterdays_that_leaves_today_is_todays(campaign, draft, family, registrar, state):
    first = plan(campaign, family, actor=registrar)
    remind_all()
    now = timezone.now()
    sent = {"sent_at": now}
    day_before(
        first,
        mail=sent if state == "sent today" else {"taken_until": now + dt.timedelta(minutes=9)},
    )
    second = plan(campaign, family, actor=registrar)
    remind_all()

    assert outcomes(second) == {"Martin": ReminderOutcome.ALREADY}
    assert Mail.objects.count() == 1


def test_the_database_refuses_a_second_line_of_the_day(campaign, draft, family, registrar):
    plan(campaign, family, actor=registrar)
    remind_all()
    other = PieceReminder.objects.create(
        campaign=campaign, actor=registrar, planned_for=timezone.now()
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        ReminderLine.objects.create(
            reminder=other,
            family=family,
            outcome=ReminderOutcome.SENT,
            day=timezone.localdate(),
            done_at=timezone.now(),
        )


@pytest.mark.parametrize(
    "fields",
    [
        {"started_at": dt.datetime(2000, 1, 1, tzinfo=dt.UTC)},  # before its moment
        {"ended_at": dt.datetime(2099, 1, 1, tzinfo=dt.UTC)},  # never started
        {"cancelled_at": dt.datetime(2099, 1, 1, tzinfo=dt.UTC)},  # by nobody
    ],
)
def test_the_database_refuses_what_cannot_be(campaign, registrar, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        PieceReminder.objects.create(
            campaign=campaign, actor=registrar, planned_for=timezone.now(), **fields
        )


def test_nothing_to_do_is_one_query(campaign, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert reminders.remind_next() is None


def test_one_household_costs_as_much_in_a_crowd(campaign, rules, registrar):
    def queries_of_one():
        with CaptureQueriesContext(connection) as queries:
            assert reminders.remind_next()
        return len(queries)

    first = make_household("Premier", email="premier@example.org")
    make_dossier(first)
    plan(campaign, first, actor=registrar)
    alone = queries_of_one()
    crowd = [make_household(f"F{n}", email=f"f{n}@example.org") for n in range(20)]
    for family in crowd:
        make_dossier(family)
    plan(campaign, *crowd, actor=registrar)

    assert queries_of_one() <= alone


def test_invariants_see_a_reminder_that_ended_too_soon(campaign, draft, family, registrar):
    reminder = plan(campaign, family, actor=registrar)
    PieceReminder.objects.update(started_at=timezone.now(), ended_at=timezone.now())
    (wrong,) = violations()
    assert f"(n° {reminder.pk}) est fini et il lui reste" in wrong

    reminder.lines.update(
        outcome=ReminderOutcome.SENT, day=timezone.localdate(), done_at=timezone.now()
    )
    (wrong,) = violations()
    assert "aucun message n'est écrit" in wrong


def test_two_students_of_one_name_are_two(campaign, rules, family):
    for _ in range(2):
        EnrolmentFactory(
            student=StudentFactory(family=family), course=CourseFactory()
        )  # without dossiers: nothing is asked for them
    make_dossier(family)
    make_dossier(family)

    (household,) = lacking_households(campaign)
    assert [group.whom for group in household.groups] == ["Louise et Louise", "Louise"]


def test_the_kind_of_the_mail(campaign, draft, family, registrar):
    reminder = plan(campaign, family, actor=registrar)
    remind_all()
    guardian = family.guardians.get()

    mail = Mail.objects.get()
    assert mail.kind == MailKind.PIECE_REMINDER
    assert mail.key == f"piece_reminder:{reminder.pk}:{family.pk}:{guardian.pk}"
