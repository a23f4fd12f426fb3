"""The demo is made once for the whole file; each test undoes what it does to it."""

import datetime as dt
from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from accounts.enums import MailKind
from accounts.mails import MAX_ATTEMPTS
from accounts.models import Establishment, Mail, User
from billing.enums import InvoiceStatus, RunState, Settlement
from billing.estimates import tariff_of
from billing.models import Invoice, InvoiceLine, InvoiceRun, TariffGrid
from billing.statements import statement_of
from billing.tariffs import publishing
from billing.tariffs.enums import GridStatus
from documents.enums import Verdict
from documents.models import Document, Reading
from documents.pieces import is_valid
from families import erasures
from families.absorbing import compare
from families.doubles import likely_doubles
from families.holdings import fingerprint_of, holdings, obstacles
from families.models import DataExport, ErasureRequest, Family, Guardian
from imuse import invariants
from imuse.demo import loading
from imuse.demo.accounts import ACCOUNTS, PASSWORD
from imuse.demo.clock import Clock
from imuse.demo.town import school_years
from reenrolment.desk import board_of
from reenrolment.enums import ReminderOutcome, Status
from reenrolment.launch_progress import State, families_to_write_to, progress_of
from reenrolment.models import Campaign, Launch, PieceReminder, Reenrolment
from reenrolment.rows import rows_of
from students.enums import Criterion, Scheduling, WaitingState
from students.models import (
    Course,
    Custody,
    Enrolment,
    SchoolYear,
    Slot,
    Student,
    Teacher,
    WaitingEntry,
)
from students.suitability import audience_of
from students.waiting_order import lines_of
from teaching.classes.lists import NEW, class_lists
from teaching.models import Absence, Announcement

NAMES = [account.username for account in ACCOUNTS]


def run(*arguments):
    written = StringIO()
    call_command("demo", *arguments, stdout=written)
    return written.getvalue()


@pytest.fixture(scope="module")
def made(django_db_setup, django_db_blocker):
    """What `manage.py demo` wrote."""
    with django_db_blocker.unblock(), transaction.atomic():
        with override_settings(DEBUG=True):
            written = run()
        yield written
        transaction.set_rollback(True)
    storages["private"]._root._children.clear()


@pytest.fixture
def demo(made, db, settings):
    settings.DEBUG = True
    return made


@pytest.fixture(autouse=True)
def _empty_private_storage():
    """The files stay for the whole file, like the rows."""


def test_without_debug_a_reset_is_refused_too(demo, settings):
    settings.DEBUG = False

    with pytest.raises(CommandError, match="que si DEBUG est activé"):
        run("--reset")

    assert loading.is_loaded()


def test_tells_the_accounts_and_the_password(demo):
    lines = demo.splitlines()

    assert [line.split()[0] for line in lines[2:-1]] == NAMES
    assert lines[-1] == (
        "Tous ont le mot de passe Conservatoire1, sur le site «\u00a0Conservatoire\u00a0»."
    )


def test_is_as_large_as_promised(demo):
    assert Family.objects.count() == 60 + 2  # one is entered twice, one asks to be forgotten
    assert Student.objects.count() == 91
    assert Teacher.objects.count() == 12
    assert Slot.objects.count() == 62
    for year in SchoolYear.objects.all():
        assert Course.objects.filter(school_year=year).count() == 26


def test_breaks_no_invariant(demo):
    assert list(invariants.violations()) == []


def test_a_class_has_somebody_new_and_another_somebody_gone(demo):
    teacher = Teacher.objects.get(user__username="vasseur.c")
    year = Campaign.objects.first().previous_year
    slots = Slot.objects.taught_by(teacher).filter(course__school_year=year)
    lists = class_lists(slots.select_related("course__establishment"))

    assert any(row.change == NEW for each in lists for row in each.rows)
    assert any(each.gone for each in lists)


def test_a_family_has_an_absence_to_justify(demo, client):
    client.force_login(User.objects.get(username="martin.c"))
    titles = [task.title for task in client.get(reverse("imuse:home")).context["tasks"]]

    # In the first days of lessons and in the holidays, no register was called lately.
    if Absence.objects.exists():
        assert any(title.endswith(" à justifier") for title in titles)


def test_campaigns_are_open(demo):
    campaigns = Campaign.objects.select_related("previous_year")

    assert [campaign.is_open for campaign in campaigns] == [True, True]
    assert {c.previous_year for c in campaigns} == {SchoolYear.objects.current()}


@pytest.mark.parametrize("username", NAMES)
def test_accounts_sign_in(demo, rf, username):
    site = Establishment.objects.get(name="Conservatoire")

    user = authenticate(rf.post("/"), establishment=site, username=username, password=PASSWORD)

    assert user == User.objects.get(username=username)


def test_families_belong_to_the_first_site_and_staff_to_both(demo):
    sites = {user.username: user.establishments.count() for user in User.objects.all()}

    assert {name for name, count in sites.items() if count == 2} == {
        "secretariat", "regie", "direction",
    }  # fmt: skip
    assert set(sites.values()) == {1, 2}


def test_dossiers_stand_in_every_state(demo):
    states = {status: Reenrolment.objects.filter(status=status).count() for status in Status.values}

    assert states == {
        Status.DRAFT: 4,
        Status.SUBMITTED: 27,
        Status.INCOMPLETE: 1,
        Status.VALIDATED: 6,
        Status.REFUSED: 1,
        Status.WITHDRAWN: 1,
    }
    assert Reenrolment.objects.filter(top_rate=True).exists()
    assert set(Document.objects.values_list("verdict", flat=True)) == set(Verdict.values)


def test_pieces_were_sent_before_the_dossier_that_holds_them(demo):
    later = [
        dossier
        for dossier in Reenrolment.objects.exclude(submitted_at=None)
        for supplied in dossier.supplied_pieces.select_related("document")
        if supplied.document.uploaded_at > dossier.submitted_at
    ]

    assert later == []


def test_nothing_is_dated_in_the_future(demo):
    now = timezone.now()

    assert not Document.objects.filter(uploaded_at__gt=now).exists()
    assert not Reenrolment.objects.filter(submitted_at__gt=now).exists()
    assert not Mail.objects.filter(created_at__gt=now).exists()


def test_the_past_mails_have_left(demo):
    assert Mail.objects.count() > 40
    refused = Mail.objects.get(sent_at=None)
    assert (refused.kind, refused.attempts) == (MailKind.LAUNCH, MAX_ATTEMPTS)


def test_a_message_to_everyone_and_one_to_a_class_are_read_by_some(demo):
    everyone, to_class = Announcement.objects.order_by("sent_at")
    assert (everyone.everyone, to_class.signed) == (True, "Cécile Vasseur")
    for announcement in (everyone, to_class):
        read = announcement.recipients.filter(read_at__isnull=False).count()
        assert announcement.state == "sent"
        assert 0 < read < announcement.recipients.count()
    assert everyone.files.get().name == "concert-d-hiver.pdf"
    parent = User.objects.get(username="martin.c")
    assert everyone.recipients.get(guardian__user=parent).read_at is None


def test_the_campaign_was_launched(demo):
    launch = Launch.objects.get()
    states = {state: number for state, number in progress_of(launch).counts.items() if number}

    assert launch.campaign.establishment.name == "Conservatoire"
    assert launch.at < launch.campaign.opens_at
    assert set(states) == {State.SENT, State.FAILED, State.NO_EMAIL}
    assert states[State.FAILED] == 1
    assert families_to_write_to(launch).exists()


def test_the_families_that_lack_a_piece_were_reminded_yesterday(demo):
    reminder = PieceReminder.objects.get()

    assert set(reminder.lines.values_list("outcome", flat=True)) == {ReminderOutcome.SENT}
    assert reminder.ended_at
    assert Mail.objects.filter(kind=MailKind.PIECE_REMINDER, sent_at__isnull=False).exists()


def test_claire_martin_has_nothing_begun_and_every_kind_of_course(demo):
    campaign = Campaign.objects.get(establishment__name="Conservatoire")
    students = Student.objects.visible_to(User.objects.get(username="martin.c"))
    rows = {s.first_name: rows_of(campaign, s, None) for s in students}

    assert not Reenrolment.objects.filter(student__in=students).exists()
    assert {name: [str(row.course) for row in found] for name, found in rows.items()} == {
        "Hugo": ["Danse classique C1", "Formation musicale C1-2"],
        "Louise": ["Chorale d'enfants", "Formation musicale C1-3", "Piano"],
    }
    theory = rows["Louise"][1]
    left = {slot.group: slot.places_left for slot in theory.slots}
    assert set(left) == {"A", "C", "D"}  # B is full
    assert left["C"] == 1 < min(left["A"], left["D"])
    assert [slot.group for slot in theory.unsuited] == ["E"]  # of adults


def test_the_children_s_choirs_and_the_dance_classes_are_for_some(demo):
    coming = Slot.objects.filter(course__school_year=SchoolYear.objects.first())

    assert {
        f"{slot.course} {slot.group}".strip(): audience_of(slot)
        for slot in coming.select_related("course")
        if audience_of(slot)
    } == {
        "Chorale d'enfants A": "7 à 9 ans",
        "Chorale d'enfants B": "dès 10 ans",
        "Chœur d'adultes": "dès 18 ans",
        "Danse classique C1 A": "1re à 2e année du cycle",
        "Danse classique C1 B": "dès la 3e année du cycle",
        "Formation musicale C1-3 E": "dès 18 ans",
        "Initiation musicale A": "5 à 8 ans",
        "Initiation musicale B": "5 à 8 ans",
        "Éveil musical A": "4 à 6 ans",
        "Éveil musical B": "4 à 6 ans",
    }


def test_every_child_finds_a_group_of_his_age_and_level(demo):
    campaign = Campaign.objects.get(establishment__name="Conservatoire")
    followed = Enrolment.objects.filter(course__school_year=campaign.previous_year_id)

    for student in Student.objects.filter(enrolments__in=followed).distinct():
        assert not any(row.no_slot_suits for row in rows_of(campaign, student, None))


def test_a_course_is_full_one_waits_for_a_jury_and_one_is_on_school_time(demo):
    coming = SchoolYear.objects.first()
    now = Course.objects.filter(school_year=SchoolYear.objects.current())
    theatre = Course.objects.get(school_year=coming, name="Atelier théâtre")

    assert theatre.slots.count() == 2
    assert not theatre.slots.open().exists()
    assert now.get(name="Formation musicale C1-4").enrolments.filter(next_course=None).exists()
    assert now.filter(scheduling=Scheduling.SCHOOL, enrolments__isnull=False).exists()


def test_the_desk_has_something_to_show(demo):
    campaign = Campaign.objects.get(establishment__name="Conservatoire")
    board = board_of(campaign)

    assert {line.state for line in board.slots} == {"complet", "presque complet", "ouvert", "fermé"}
    assert sum(bar.number for bar in board.days) == 36
    [early] = board.early
    assert early.opens_at < campaign.opens_at


def test_ines_benali_has_two_households_and_a_draft(demo):
    students = [
        Student.objects.visible_to(User.objects.get(username=name)).get()
        for name in ("benali.n", "benali.s")
    ]

    assert students[0] == students[1]
    assert Reenrolment.objects.get(student=students[0]).status == Status.DRAFT


def test_ines_benali_is_offered_a_place_and_others_wait(demo):
    """By the rule of the campaign, whose lines no other place can be taken from."""
    entry = WaitingEntry.objects.get(state=WaitingState.OFFERED)
    campaign = Campaign.objects.get(establishment__name="Conservatoire")
    theory = Course.objects.get(school_year=campaign.school_year, name="Formation musicale C1-3")

    assert entry.student in Student.objects.visible_to(User.objects.get(username="benali.n"))
    assert entry.hold.until > timezone.now()
    assert campaign.waiting_rule.words == [*Criterion.labels, "ordre des demandes"]
    lines = lines_of([theory], campaign.waiting_rule)
    # With the day on which it is made, ages move, and what families choose.
    assert 2 <= len(lines.of(theory.slots.get(group="B"))) <= 3


def test_philippe_dubois_has_a_proof_of_address_to_replace(demo):
    dossier = Reenrolment.objects.visible_to(User.objects.get(username="dubois.p")).get()

    assert dossier.status == Status.INCOMPLETE
    asked = dossier.transitions.first().requested_pieces.get()
    assert asked.document_type.name == "Justificatif de domicile"
    document = dossier.supplied_pieces.get(document__type=asked.document_type).document
    assert document.verdict == Verdict.REFUSED


def test_an_adult_student_is_his_own_guardian(demo):
    custody = Custody.objects.get(student__last_name="Lefebvre")

    assert str(custody.family.guardians.get()) == str(custody.student)


def test_a_teacher_has_classes_of_both_years_and_another_is_a_parent(demo):
    vasseur = Teacher.objects.get(user__username="vasseur.c")
    years = {slot.course.school_year for slot in Slot.objects.taught_by(vasseur)}

    assert len(years) == 2
    for year in years:
        classes = Slot.objects.taught_by(vasseur).filter(course__school_year=year)
        assert any(s.confirmed + s.requested for s in classes.with_students())
    assert Guardian.objects.get(user__username="delattre.n").user.teacher


def test_a_household_is_entered_twice_and_somebody_there_has_no_account(demo):
    (double,) = likely_doubles(reader=User.objects.get(username="secretariat"))

    assert double.is_household
    assert list(double.reasons) == ["même nom", "même téléphone portable"]
    assert double.other.family.guardians.filter(user=None).exclude(email="").count() == 1
    compare(double.one.family, double.other.family)


def test_invoices_are_paid_due_and_overdue(demo):
    issued = Invoice.objects.filter(status=InvoiceStatus.ISSUED).with_amounts()
    settlements = issued.values_list("settlement", flat=True)

    assert set(settlements) == set(Settlement) - {Settlement.CANCELLED}


def test_a_family_pays_in_instalments_and_a_cheque_of_hers_bounced(demo):
    ours = Invoice.objects.visible_to(User.objects.get(username="martin.c")).for_list()
    invoice = ours.get(parts=3)
    statement = statement_of(invoice, invoice.instalments.all(), [], timezone.localdate())

    assert [part.state for part in statement.parts] == ["paid", "overdue", "coming"]
    assert [payment.nature for payment in invoice.payments.all()] == [
        *["received", "bounced", "received"]
    ]
    assert ours.filter(credits__isnull=False).count() == 1
    assert [row.left for row in ours if row.settlement == Settlement.OVERPAID] == [-10]


def test_a_run_of_invoices_is_issued_and_another_to_check(demo):
    runs = InvoiceRun.objects.order_by("pk")

    assert [run.state for run in runs] == [*[RunState.ISSUED] * 2, RunState.TO_CHECK]
    assert all(run.invoices.exists() for run in runs)


def test_some_pieces_of_last_year_still_hold(demo):
    earlier = Document.objects.filter(uploaded_at__lt=timezone.now() - dt.timedelta(days=300))
    holding = {d.type.name for d in earlier if is_valid(d, d.type, timezone.now())}

    assert holding == {"Photo d'identité"}


def test_this_year_is_billed_on_last_spring_s_quotients(demo):
    lines = InvoiceLine.objects.filter(invoice__school_year=SchoolYear.objects.current())
    hers = lines.filter(invoice__family__guardians__user__username="martin.c")

    assert hers.filter(explanation__startswith="Tarif résident, QF 743 (CAF,").count() == 3
    assert lines.filter(explanation__contains="Tarif haut").exists()
    assert Reading.objects.filter(quotient__lt=500).exists()
    assert Reading.objects.filter(quotient__gt=1100).exists()


def test_the_coming_year_s_tariffs_are_voted_and_a_draft_can_be_published(demo):
    coming = Campaign.objects.get(establishment__name="Conservatoire").school_year
    grids = TariffGrid.objects.filter(school_year=coming)

    assert tariff_of(grids[0].establishment, coming, timezone.localdate()).is_published
    assert publishing.inspect(grids.get(status=GridStatus.DRAFT)).obstacles == []


@pytest.mark.parametrize("username", ["martin.c", "benali.s", "dubois.p"])
def test_families_open_their_pages(demo, client, username):
    user = User.objects.get(username=username)
    client.force_login(user)
    session = client.session
    session["establishment"] = Establishment.objects.get(name="Conservatoire").pk
    session.save()
    student = Student.objects.visible_to(user).first()

    for address in [
        reverse("families:identity"),
        reverse("students:courses", args=[student.pk]),
        reverse("students:repertoire", args=[student.pk]),
        reverse("billing:cotisations"),
        reverse("reenrolment:edit", args=[student.pk]),
    ]:
        assert client.get(address).status_code == 200


def test_again_keeps_what_was_done(demo):
    Guardian.objects.filter(user__username="martin.c").update(home_phone="03 53 01 99 99")
    dossiers = Reenrolment.objects.count()

    written = run()

    assert written.startswith("La démonstration est déjà là")
    assert written.splitlines()[1:] == demo.splitlines()[1:]
    assert Guardian.objects.get(user__username="martin.c").home_phone == "03 53 01 99 99"
    assert Reenrolment.objects.count() == dossiers


def test_again_opens_campaigns_that_have_ended(demo):
    yesterday = timezone.now() - dt.timedelta(days=1)
    ended = Campaign.objects.get(establishment__name="Conservatoire")
    Campaign.objects.filter(pk=ended.pk).update(closes_at=yesterday)

    written = run()

    assert written.splitlines()[1] == (
        "La période de réinscription était finie\u00a0: elle est rouverte."
    )
    ended.refresh_from_db()
    assert ended.is_open


def test_again_in_another_school_year_says_to_start_over(demo, monkeypatch):
    later = timezone.now() + dt.timedelta(days=366)
    monkeypatch.setattr(timezone, "now", lambda: later)

    assert "«\u00a0make demo-reset\u00a0»" in run()


@pytest.mark.parametrize("today", [dt.date(2026, 7, 15), dt.date(2026, 8, 31), dt.date(2027, 2, 1)])
def test_the_current_year_holds_any_day(today):
    """The two months of summer too."""
    first, last = school_years(today)[1]

    assert first <= today <= last


def test_the_clock_is_turned_back_and_set_again():
    clock = Clock()
    moment = clock.moment(-3, 9, 30)

    with clock.at(moment):
        assert timezone.now() == moment
        assert timezone.localdate() == clock.day(-3)
    assert timezone.localdate() == clock.today


def test_a_copy_is_ready_and_a_household_may_be_erased(demo):
    assert DataExport.objects.get().is_ready
    request = ErasureRequest.objects.get()
    assert obstacles(request.family) == []

    erasures.erase(
        request,
        expected=fingerprint_of(holdings(request.family)),
        actor=User.objects.get(username="direction"),
    )

    assert list(invariants.violations()) == []
