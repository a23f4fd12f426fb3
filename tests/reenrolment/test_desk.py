"""The desk of a campaign: what it counts, for whom, at what price; and « Prolonger »."""

import datetime as dt

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts.dates import moment
from accounts.enums import MailKind
from accounts.middleware import BACKGROUND
from accounts.models import Mail
from reenrolment.desk import board_of
from reenrolment.enums import EarlyGroup, Status
from reenrolment.models import Campaign, EarlyAccess, Reenrolment, Transition
from reenrolment.services import drafts, extensions, submission
from students import closing, services
from students.enums import Cycle
from students.models import Hold, WaitingEntry
from tests.factories import (
    CampaignFactory,
    CourseFactory,
    CustodyFactory,
    DisciplineFactory,
    EstablishmentFactory,
    GuardianFactory,
    SlotFactory,
    StudentFactory,
    TermsFactory,
)
from tests.queries import count_queries
from tests.races import run_together
from tests.reenrolment.conftest import make_case

pytestmark = pytest.mark.django_db


def url(name, campaign):
    return reverse(f"admin:reenrolment_campaign_{name}", args=[campaign.pk])


def told(response):
    return [str(message) for message in response.context["messages"]]


def coming(name, *, places, discipline="Formation musicale", **slot):
    course = CourseFactory(coming=True, name=name, discipline=DisciplineFactory(name=discipline))
    return SlotFactory(course=course, places=places, **slot)


def seat(slot, count):
    for _ in range(count):
        services.claim(StudentFactory(), slot, cycle=Cycle.FIRST)


def keep(slot):
    until = timezone.now() + dt.timedelta(minutes=9)
    return services.hold(StudentFactory(), slot, until=until)


# --- What it counts


def test_the_slots_with_the_nearly_full_ones_first_and_the_closed_ones_last():
    campaign = CampaignFactory()
    wide, close, full, shut = (
        coming(name, places=places)
        for name, places in [("Large", 10), ("Presque", 5), ("Plein", 2), ("Fermé", 1)]
    )
    SlotFactory(course=CourseFactory(name="Cette année"))
    SlotFactory(
        course=CourseFactory(coming=True, establishment=EstablishmentFactory(name="Annexe"))
    )
    seat(wide, 1)
    seat(close, 3)
    keep(close)
    seat(full, 1)
    keep(full)
    WaitingEntry.objects.create(
        student=StudentFactory(), course=full.course, slot=full, since=timezone.now()
    )
    closing.close(shut)
    Hold.objects.filter(pk=keep(wide).pk).update(until=timezone.now())  # it is over

    board = board_of(campaign)

    assert [(line.slot, line.figures, line.state) for line in board.slots] == [
        (full, [2, 1, 1, 0, 1], "complet"),
        (close, [5, 3, 1, 1, 0], "presque complet"),
        (wide, [10, 1, 0, 9, 0], "ouvert"),
        (shut, [1, 0, 0, 1, 0], "fermé"),
    ]
    assert board.held == 2


def test_the_slots_of_one_discipline(admin):
    campaign = CampaignFactory()
    theory, theatre = coming("Solfège", places=3), coming("Impro", places=3, discipline="Théâtre")
    DisciplineFactory(name="Harpe")

    page = admin.get(url("desk", campaign), {"discipline": theatre.course.discipline_id})

    board = page.context["board"]
    assert [line.slot for line in board.slots] == [theatre]
    assert board.disciplines == [theory.course.discipline, theatre.course.discipline]
    for nobodys in ("999999", ""):
        shown = admin.get(url("desk", campaign), {"discipline": nobodys}).context["board"].slots
        assert len(shown) == (0 if nobodys else 2)
    for silly in ("x", "9" * 5000, "-1"):
        assert admin.get(url("desk", campaign), {"discipline": silly}).status_code == 404


def test_the_dossiers_by_state(case, parent):
    case.fill_in()
    case.submit(parent)
    other = make_case(StudentFactory(), slot=coming("Autre", places=9))
    other.fill_in()

    numbers = dict(board_of(case.campaign).statuses)

    assert numbers == dict.fromkeys(Status, 0) | {Status.SUBMITTED: 1, Status.DRAFT: 1}


@pytest.fixture
def sent(case, parent):
    """`sent("2027-05-03T18:10+02:00", …)`: a dossier sent at each of these moments."""
    dossier = Reenrolment.objects.create(
        campaign=case.campaign,
        student=case.student,
        status=Status.SUBMITTED,
        submitted_at=timezone.now(),
        submitted_by=parent,
        terms=case.campaign.terms,
    )

    def sent(*moments, from_status=Status.DRAFT):
        for at in moments:
            row = Transition.objects.create(
                reenrolment=dossier,
                from_status=from_status,
                to_status=Status.SUBMITTED,
                actor=parent,
            )
            Transition.objects.filter(pk=row.pk).update(at=dt.datetime.fromisoformat(at))

    return sent


def board_at(campaign, monkeypatch, now):
    monkeypatch.setattr(timezone, "now", lambda: dt.datetime.fromisoformat(now))
    return board_of(campaign)


def counted(bars):
    return {f"{bar.at:%d/%m %H:%M %Z}": bar.number for bar in bars if bar.number}


def test_the_dossiers_by_hour_and_by_day(case, sent, monkeypatch):
    Campaign.objects.update(
        opens_at=dt.datetime.fromisoformat("2027-05-01T18:00+02:00"),
        closes_at=dt.datetime.fromisoformat("2027-06-01T18:00+02:00"),
    )
    case.campaign.refresh_from_db()
    sent("2027-05-01T18:00+02:00", "2027-05-02T23:59:59+02:00", "2027-05-03T00:00+02:00")
    sent("2027-05-03T18:59:59+02:00", "2027-05-03T19:00+02:00", "2027-05-03T19:20+02:00")
    sent("2027-05-03T19:25+02:00", from_status=Status.INCOMPLETE)  # not the first time

    board = board_at(case.campaign, monkeypatch, "2027-05-03T19:30+02:00")

    assert len(board.hours) == 24
    assert counted(board.hours) == {
        "02/05 23:00 CEST": 1,
        "03/05 00:00 CEST": 1,
        "03/05 18:00 CEST": 1,
        "03/05 19:00 CEST": 2,
    }
    assert board.this_hour.number == 2
    assert [(bar.at.day, bar.number, bar.most) for bar in board.days] == [
        (1, 1, 4),
        (2, 1, 4),
        (3, 4, 4),
    ]


def test_the_hour_that_exists_twice_is_two_hours(case, sent, monkeypatch):
    sent("2027-10-31T02:30+02:00", "2027-10-31T02:30+01:00", "2027-10-31T02:40+01:00")

    board = board_at(case.campaign, monkeypatch, "2027-10-31T08:00+01:00")

    assert counted(board.hours) == {"31/10 02:00 CEST": 1, "31/10 02:00 CET": 2}
    assert len({bar.at.astimezone(dt.UTC) for bar in board.hours}) == 24


def test_a_campaign_that_is_over_stops_at_its_last_day(case, sent, monkeypatch):
    Campaign.objects.update(
        opens_at=dt.datetime.fromisoformat("2027-05-01T18:00+02:00"),
        closes_at=dt.datetime.fromisoformat("2027-05-02T18:00+02:00"),
    )
    case.campaign.refresh_from_db()

    board = board_at(case.campaign, monkeypatch, "2027-08-01T10:00+02:00")

    assert [f"{bar.at:%d/%m}" for bar in board.days] == ["01/05", "02/05"]


# --- The page


def test_it_shows_what_may_be_done(admin, case):
    shut = coming("Fermé", places=3)
    closing.close(shut)
    EarlyAccess.objects.create(
        campaign=case.campaign, criterion=EarlyGroup.RESIDENTS, opens_at=case.campaign.opens_at
    )

    page = admin.get(url("desk", case.campaign) + "?discipline=")
    text = page.text

    back = f"suite=%2Fadmin%2Freenrolment%2Fcampaign%2F{case.campaign.pk}%2Fpilotage%2F"
    back += "%3Fdiscipline%3D"
    slots = "admin:students_slot_{}".format
    assert f'href="{reverse(slots("close"), args=[case.slot.pk])}?{back}"' in text
    assert f'action="{reverse(slots("reopen"), args=[shut.pk])}"' in text
    assert f'action="{reverse(slots("resize"), args=[shut.pk])}"' in text
    add = reverse(slots("add"))
    assert f'href="{add}?course={shut.course_id}&amp;{back}"' in text
    assert f'href="{url("extend", case.campaign)}"' in text
    assert "habitants de la commune du conservatoire" in text
    assert "Ouverte jusqu'au" in text
    assert f'href="{url("desk", case.campaign)}"' in admin.get(url("change", case.campaign)).text


def test_what_it_asks_again_is_the_board_alone_and_takes_no_message(admin, case):
    admin.post(reverse("admin:students_slot_close", args=[case.slot.pk]))

    answer = admin.get(url("desk", case.campaign), headers={BACKGROUND: "desk"})

    assert "<html" not in answer.text
    assert 'id="desk-slots"' in answer.text
    assert len(told(admin.get(url("desk", case.campaign)))) == 1


def test_to_read_it_again_does_not_make_the_session_last(admin, case, monkeypatch):
    start = timezone.now()
    admin.get(url("desk", case.campaign))
    for minutes in (20, 40, 59):
        monkeypatch.setattr(
            timezone, "now", lambda minutes=minutes: start + dt.timedelta(minutes=minutes)
        )
        again = admin.get(url("desk", case.campaign), headers={BACKGROUND: "desk"})
        assert again.status_code == 200
    monkeypatch.setattr(timezone, "now", lambda: start + dt.timedelta(minutes=62))

    over = admin.get(url("desk", case.campaign), headers={BACKGROUND: "desk"})

    assert over.status_code == 302


@pytest.mark.parametrize("name", ["desk", "extend"])
def test_another_sites_desk_does_not_exist_and_the_regie_has_none(
    client, registrar, accountant, name
):
    annexe = EstablishmentFactory(name="Annexe")
    theirs = CampaignFactory(establishment=annexe, terms=TermsFactory(establishment=annexe))
    ours = CampaignFactory()
    later = moment_typed(timezone.now() + dt.timedelta(days=90))
    client.force_login(registrar)
    assert client.get(url(name, theirs)).status_code == 404
    assert client.post(url(name, theirs), {"closes_at": later}).status_code in (404, 405)
    client.force_login(accountant)
    assert client.get(url(name, ours)).status_code == 403
    assert client.post(url(name, ours), {"closes_at": later}).status_code in (403, 405)

    closings = set(Campaign.objects.values_list("closes_at", flat=True))
    assert closings == {ours.closes_at, theirs.closes_at}


@pytest.mark.parametrize("count", [1, 12])
def test_it_makes_a_constant_number_of_queries(admin, parent, case, count):
    for number in range(count):
        slot = coming(f"Cours {number}", places=3, discipline=f"Discipline {number}")
        other = make_case(StudentFactory(), slot=slot)
        other.fill_in()
        if number % 2:
            other.submit(parent)

    # session, user, sites, two of permissions, campaign; states, holds, slots, disciplines,
    # early accesses, hours
    assert count_queries(admin, url("desk", case.campaign)) == 12


# --- « Prolonger »


def moment_typed(at):
    return timezone.localtime(at).strftime("%Y-%m-%dT%H:%M")


def in_days(days):
    return (timezone.now() + dt.timedelta(days=days)).replace(second=0, microsecond=0)


def code_of(call, *args, **kwargs):
    with pytest.raises(ValidationError) as refusal:
        call(*args, **kwargs)
    return refusal.value.code


class TestExtend:
    def test_it_closes_later(self, case):
        later = in_days(30)

        assert extensions.extend(case.campaign, closes_at=later, tell=False) == 0

        assert Campaign.objects.get().closes_at == later
        assert not Mail.objects.exists()

    def test_one_that_closed_an_hour_ago_opens_again(self, case, parent):
        case.fill_in()
        Campaign.objects.update(closes_at=timezone.now() - dt.timedelta(hours=1))
        case.campaign.refresh_from_db()
        assert code_of(case.fill_in) == "closed"

        extensions.extend(case.campaign, closes_at=in_days(1), tell=False)

        case.campaign.refresh_from_db()
        drafts.check_open(case.campaign, case.student)
        assert case.submit(parent).status == Status.SUBMITTED

    def test_refusals(self, case):
        closes_at = case.campaign.closes_at
        sooner, past = closes_at - dt.timedelta(minutes=1), timezone.now()

        for moment_ in (sooner, closes_at):
            assert code_of(extensions.extend, case.campaign, closes_at=moment_, tell=True) == (
                "not_later"
            )
        Campaign.objects.update(closes_at=past - dt.timedelta(days=1))
        assert code_of(extensions.extend, case.campaign, closes_at=past, tell=True) == "past"
        assert not Mail.objects.exists()

    def test_a_stale_page_never_brings_the_closing_nearer(self, case):
        stale = Campaign.objects.get()
        extensions.extend(case.campaign, closes_at=in_days(30), tell=False)

        assert code_of(extensions.extend, stale, closes_at=in_days(20), tell=False) == "not_later"

    def test_tells_once_each_responsable_of_a_draft(self, case, parent):
        """Both households, whatever the number of children; nobody else."""
        family = parent.guardian.family
        brother = make_case(StudentFactory(first_name="Hugo", family=family), slot=case.slot)
        father = GuardianFactory(first_name="Paul")
        CustodyFactory(student=case.student, family=father.family, rank=2)
        GuardianFactory(family=family, user=None, email="")  # no address
        for each in (case, brother):
            drafts.save_draft(each.campaign, each.student, {})
        done = make_case(
            StudentFactory(family=GuardianFactory().family), slot=coming("X", places=1)
        )
        done.fill_in()
        done.submit(parent)
        Mail.objects.all().delete()
        later = in_days(30)

        assert extensions.extend(case.campaign, closes_at=later, tell=True) == 2

        mails = {mail.to: mail for mail in Mail.objects.all()}
        assert set(mails) == {parent.guardian.email, father.email}
        mother = mails[parent.guardian.email]
        assert mother.kind == MailKind.EXTENSION
        assert f"prolongées jusqu'au {moment(later)}" in mother.subject
        assert f"{moment(later)} (heure de Paris)" in mother.body
        assert "- Hugo Martin\n- Louise Martin\n" in mother.body
        assert "Hugo" not in mails[father.email].body

    def test_each_extension_tells_again(self, case, parent):
        drafts.save_draft(case.campaign, case.student, {})

        for days in (30, 31):
            extensions.extend(case.campaign, closes_at=in_days(days), tell=True)

        assert Mail.objects.filter(to=parent.guardian.email).count() == 2


def test_the_page_says_how_many_it_would_tell_then_extends_and_logs(admin, registrar, case, parent):
    drafts.save_draft(case.campaign, case.student, {})
    later, before = in_days(30), case.campaign.closes_at

    shown = admin.get(url("extend", case.campaign))
    fields = {"closes_at": moment_typed(later), "tell": "on"}
    done = admin.post(url("extend", case.campaign), fields, follow=True)

    assert (shown.context["drafts"], shown.context["to_tell"]) == (1, 1)
    assert f'value="{moment_typed(before)}"' in shown.text
    assert done.redirect_chain == [(url("desk", case.campaign), 302)]
    assert told(done) == [
        f"La campagne ferme désormais le {moment(later)}\u00a0; 1 message à envoyer."
    ]
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (registrar, str(case.campaign.pk))
    assert entry.change_message.startswith(f"Prolongée\u00a0: elle fermait le {moment(before)}.")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "obligatoire"),
        ("2020-01-01T10:00", "La nouvelle fermeture doit être à venir."),
        ("2099-03-29T02:30", "n'existe pas"),
        ("2099-05-03T18:00:01", "sans secondes"),
    ],
)
def test_the_page_shows_a_refusal_beside_the_field(admin, case, typed, message):
    response = admin.post(url("extend", case.campaign), {"closes_at": typed})

    assert message in response.context["form"].errors["closes_at"][0]
    assert "Erreur" in response.text.split("</title>")[0]
    assert not LogEntry.objects.exists()
    assert Campaign.objects.get().closes_at == case.campaign.closes_at


# --- A slot closed while families fill in


def test_a_draft_that_holds_a_place_in_a_closed_slot_is_submitted(client, case, parent):
    case.fill_in()
    closing.close(case.slot)
    client.force_login(parent)

    page = client.get(reverse("reenrolment:edit", args=[case.student.pk])).context["page"]

    assert not page.rows[0].slot_is_gone
    assert case.submit(parent).status == Status.SUBMITTED
    assert case.choice(case.theory).granted.slot == case.slot


def test_a_draft_whose_hold_is_over_is_told_and_stays_a_draft(client, case, parent):
    case.fill_in()
    closing.close(case.slot)
    case.let_holds_end()
    client.force_login(parent)

    page = client.get(reverse("reenrolment:edit", args=[case.student.pk]) + "?verifier=1")
    with pytest.raises(ValidationError) as refused:
        case.submit(parent)

    assert "n&#x27;est plus proposé aux familles" in page.text
    assert [each.code for each in refused.value.error_list] == ["slot_closed"]
    assert case.reenrolment.status == Status.DRAFT


def test_a_closed_slot_is_refused_to_whoever_picks_it(case):
    closing.close(case.slot)

    [refused] = case.fill_in()

    assert refused.error.code == "slot_closed"
    assert case.choice(case.theory).slot is None


def test_an_agent_places_a_student_in_a_closed_slot(admin, case, parent):
    case.fill_in()
    case.submit(parent)
    slot = SlotFactory(course=case.choir_course, weekday=3)
    closing.close(slot)
    choice = case.choice(case.choir)
    args = [case.reenrolment.pk, choice.pk]

    shown = admin.get(reverse("admin:reenrolment_reenrolment_change", args=args[:1]))
    admin.post(
        reverse("admin:reenrolment_reenrolment_place", args=args), {"where": f"slot-{slot.pk}"}
    )

    assert "(1 place, fermé aux familles)" in shown.text
    assert case.choice(case.choir).granted.slot == slot


def test_a_withdrawn_dossier_taken_up_again_holds_nothing_in_a_closed_slot(case, parent):
    case.fill_in()
    case.submit(parent)
    submission.withdraw(case.reenrolment, actor=parent)
    closing.close(case.slot)

    submission.take_up(case.reenrolment, actor=parent)

    assert not Hold.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_agents_extend_at_once(establishment, parent, student):
    """Both are told the truth: the closing is the later date, each mail left once."""
    case = make_case(student)
    drafts.save_draft(case.campaign, case.student, {})
    for days in range(10, 50, 2):
        dates = [in_days(days), in_days(days + 1)]

        results = run_together(
            lambda n, dates=dates: extensions.extend(case.campaign, closes_at=dates[n], tell=True),
            2,
        )

        assert Campaign.objects.get().closes_at == dates[1]
        refused = [each for each in results if isinstance(each, Exception)]
        assert [each.code for each in refused] in ([], ["not_later"])
        Mail.objects.all().delete()
