"""Who enters before everybody, to the instant; each student is judged by himself."""

import datetime as dt
import re

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.dates import moment
from families.enums import Zone
from families.models import Commune
from reenrolment import emails
from reenrolment.early_access import opening_of, openings_of
from reenrolment.enums import EarlyGroup
from reenrolment.households import load_households
from reenrolment.letters import letters_of
from reenrolment.models import Campaign, EarlyAccess, Reenrolment
from reenrolment.page import Mode
from reenrolment.pieces import load_pieces
from reenrolment.services import drafts, submission, supplies
from reenrolment.services.drafts import Edit
from students.enums import Cycle, EnrolmentStatus, Scheduling
from students.models import Enrolment
from tests.documents.builders import make_pdf
from tests.factories import (
    CourseFactory,
    CustodyFactory,
    EnrolmentFactory,
    FamilyFactory,
    GuardianFactory,
    PieceRuleFactory,
    StudentFactory,
    this_year,
)
from tests.queries import FAMILY_PAGE, count_queries
from tests.reenrolment.conftest import make_case

pytestmark = pytest.mark.django_db

OPENS = dt.datetime.fromisoformat(f"{this_year() + 1}-05-03T18:00:00+02:00")
EARLY = OPENS - dt.timedelta(days=2)
CLOSES = OPENS + dt.timedelta(days=30)
INSTANT = dt.timedelta(microseconds=1)


@pytest.fixture
def campaign(case):
    """Opens on 3 May at 18:00, in two days for some: it is 2 May."""
    Campaign.objects.filter(pk=case.campaign.pk).update(opens_at=OPENS, closes_at=CLOSES)
    case.campaign.refresh_from_db()
    return case.campaign


@pytest.fixture
def clock(monkeypatch):
    def at(now):
        monkeypatch.setattr(timezone, "now", lambda: now)

    return at


def give(campaign, criterion, opens_at=EARLY):
    return EarlyAccess.objects.create(campaign=campaign, criterion=criterion, opens_at=opens_at)


def meet(criterion, case):
    """Makes the student of the case meet it, and it alone."""
    match criterion:
        case EarlyGroup.SCHOOL_HOURS:
            cham = CourseFactory(scheduling=Scheduling.SCHOOL)
            EnrolmentFactory(student=case.student, course=cham)
        case EarlyGroup.SECOND_CYCLE:
            Enrolment.objects.filter(pk=case.theory.pk).update(cycle=Cycle.SECOND)
        case EarlyGroup.THIRD_CYCLE:
            Enrolment.objects.filter(pk=case.theory.pk).update(cycle=Cycle.THIRD)
        case EarlyGroup.SIBLINGS:
            brother = StudentFactory(family=case.student.families.get())
            EnrolmentFactory(student=brother)
        case EarlyGroup.RESIDENTS:
            Commune.objects.update(zone=Zone.RESIDENT)


class TestCriteria:
    @pytest.fixture(autouse=True)
    def before(self, campaign, clock):
        clock(EARLY - dt.timedelta(days=1))

    @pytest.mark.parametrize("criterion", EarlyGroup)
    def test_each_is_met_by_whoever_it_names_and_by_nobody_else(self, campaign, case, criterion):
        for each in EarlyGroup:
            give(campaign, each, EARLY - dt.timedelta(hours=[*EarlyGroup].index(each)))
        assert opening_of(campaign, case.student).at == OPENS

        meet(criterion, case)

        opening = opening_of(campaign, case.student)
        assert opening.why == criterion.label
        assert opening.at == EARLY - dt.timedelta(hours=[*EarlyGroup].index(criterion))

    @pytest.mark.parametrize("criterion", EarlyGroup)
    def test_met_where_it_is_not_given_changes_nothing(self, campaign, case, criterion):
        for each in set(EarlyGroup) - {criterion}:
            give(campaign, each)

        meet(criterion, case)

        assert opening_of(campaign, case.student).at == OPENS

    def test_of_several_the_earliest_counts(self, campaign, case):
        meet(EarlyGroup.RESIDENTS, case)
        meet(EarlyGroup.SECOND_CYCLE, case)
        give(campaign, EarlyGroup.RESIDENTS)
        give(campaign, EarlyGroup.SECOND_CYCLE, EARLY - dt.timedelta(days=1))

        opening = opening_of(campaign, case.student)

        assert (opening.at, opening.why) == (EARLY - dt.timedelta(days=1), "élèves de cycle 2")

    def test_later_than_the_campaign_it_is_nothing(self, campaign, case):
        meet(EarlyGroup.RESIDENTS, case)
        give(campaign, EarlyGroup.RESIDENTS, OPENS + dt.timedelta(days=1))

        assert opening_of(campaign, case.student).at == OPENS

    @pytest.mark.parametrize(
        "changes",
        [{"status": EnrolmentStatus.REQUESTED}, {"course__establishment__name": "Annexe"}],
        ids=["not confirmed", "elsewhere"],
    )
    def test_only_the_courses_that_the_campaign_asks_about(self, campaign, case, changes):
        give(campaign, EarlyGroup.SECOND_CYCLE)

        EnrolmentFactory(student=case.student, cycle=Cycle.SECOND, **changes)

        assert opening_of(campaign, case.student).at == OPENS

    def test_a_brother_who_follows_nothing_this_year_makes_no_family_of_several(
        self, campaign, case
    ):
        give(campaign, EarlyGroup.SIBLINGS)
        StudentFactory(family=case.student.families.get())

        assert opening_of(campaign, case.student).at == OPENS

    def test_one_resident_household_of_two_is_enough(self, campaign, case):
        give(campaign, EarlyGroup.RESIDENTS)
        home = FamilyFactory(commune__insee_code="59001", commune__zone=Zone.RESIDENT)
        CustodyFactory(student=case.student, family=home, rank=2)

        assert opening_of(campaign, case.student).at == EARLY

    def test_each_student_is_judged_by_himself(self, campaign, case):
        brother = make_case(StudentFactory(family=case.student.families.get()), slot=case.slot)
        meet(EarlyGroup.SECOND_CYCLE, case)
        give(campaign, EarlyGroup.SECOND_CYCLE)

        openings = openings_of(campaign, [case.student, brother.student])

        assert [openings[s.pk].at for s in (case.student, brother.student)] == [EARLY, OPENS]

    @pytest.mark.parametrize(
        ("now", "given", "queries"),
        [
            (OPENS - INSTANT, [], 1),
            (OPENS - INSTANT, [EarlyGroup.RESIDENTS], 2),
            (OPENS - INSTANT, EarlyGroup, 2),
            (OPENS, EarlyGroup, 0),
        ],
    )
    def test_costs_two_queries_at_most_and_none_once_it_is_open_to_all(
        self, campaign, case, clock, now, given, queries, django_assert_num_queries
    ):
        students = [case.student, *StudentFactory.create_batch(3)]
        for each in given:
            give(campaign, each)
        clock(now)

        with django_assert_num_queries(queries):
            openings_of(campaign, students)

    def test_one_row_a_criterion(self, campaign):
        give(campaign, EarlyGroup.RESIDENTS)

        with pytest.raises(IntegrityError), transaction.atomic():
            give(campaign, EarlyGroup.RESIDENTS)
        with pytest.raises(IntegrityError), transaction.atomic():
            give(campaign, "blonds")


# --- The services, to the instant


@pytest.fixture
def early(campaign, case):
    """The student of the case enters before everybody."""
    meet(EarlyGroup.SECOND_CYCLE, case)
    give(campaign, EarlyGroup.SECOND_CYCLE)
    return case


def refusal(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ValidationError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (EARLY - INSTANT, "not_open"),
        (EARLY, None),
        (OPENS, None),
        (CLOSES - INSTANT, None),
        (CLOSES, "closed"),
    ],
)
def test_the_period_of_who_enters_early(early, clock, now, code):
    clock(now)

    assert refusal(drafts.check_open, early.campaign, early.student) == code


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (EARLY, "not_open"),
        (OPENS - INSTANT, "not_open"),
        (OPENS, None),
        (CLOSES - INSTANT, None),
        (CLOSES, "closed"),
    ],
)
def test_the_period_of_the_others(early, clock, now, code):
    other = make_case(StudentFactory(), slot=early.slot)
    clock(now)

    assert refusal(drafts.check_open, other.campaign, other.student) == code


def test_no_service_opens_before_the_students_own_hour(early, parent, clock):
    rule = PieceRuleFactory()
    clock(EARLY)
    early.fill_in()
    early.submit(parent)
    submission.withdraw(early.reenrolment, actor=parent)
    withdrawn = early.reenrolment
    [piece] = load_pieces(withdrawn)
    other = make_case(StudentFactory(family=parent.guardian.family), slot=early.slot)
    clock(EARLY - INSTANT)

    def send(case):
        return supplies.hand_in(
            case.campaign, case.student, piece, name="a.pdf", content=make_pdf(), actor=parent
        )

    assert rule.document_type == piece.type
    assert refusal(submission.take_up, withdrawn, actor=parent) == "not_open"
    assert refusal(early.fill_in) == "not_open"
    clock(EARLY)
    assert refusal(send, other) == "not_open"
    assert refusal(drafts.keep_places, other.campaign, other.student) == "not_open"
    edits = {"comment": Edit({"comment": ""}, {"comment": "Vite"})}
    assert refusal(drafts.save_draft, other.campaign, other.student, edits) == "not_open"
    assert not Reenrolment.objects.filter(student=other.student).exists()
    submission.take_up(withdrawn, actor=parent)
    Campaign.objects.update(opens_at=OPENS + dt.timedelta(days=9))
    EarlyAccess.objects.all().delete()
    assert refusal(early.submit, parent) == "not_open"


# --- What the family reads


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    return client


@pytest.fixture
def today(campaign):
    """The campaign opens tomorrow; who enters early does since yesterday."""
    now = timezone.now().replace(second=0, microsecond=0)
    campaign.opens_at = now + dt.timedelta(days=1)
    campaign.closes_at = now + dt.timedelta(days=20)
    campaign.save()
    return now


def edit_page(case):
    return reverse("reenrolment:edit", args=[case.student.pk])


def test_the_family_reads_since_when_and_why(home, case, campaign, today):
    since = today - dt.timedelta(days=1)
    brother = make_case(
        StudentFactory(first_name="Hugo", family=case.student.families.get()), slot=case.slot
    )
    meet(EarlyGroup.SECOND_CYCLE, case)
    give(campaign, EarlyGroup.SECOND_CYCLE, since)

    response = home.get(edit_page(case))
    text = re.sub(r"[ \n]+", " ", response.text)

    assert response.context["page"].mode == Mode.EDIT
    assert f"Accès anticipé depuis le {moment(since)}&nbsp;:</strong> élèves de cycle 2." in text
    assert "Il vaut pour Louise&nbsp;; chaque frère ou sœur entre à sa propre date" in text
    assert "(heure de Paris)" in text
    response = home.get(edit_page(brother))
    assert response.context["page"].mode == Mode.TO_COME
    assert moment(campaign.opens_at) in response.text
    assert "anticipé" not in response.text
    tasks = home.get(reverse("imuse:home")).context["tasks"]
    assert [task.hint for task in tasks] == [
        f"Ouverture le {moment(campaign.opens_at)}.",
        f"À valider avant le {moment(campaign.closes_at)}.",
    ]


def test_the_family_reads_from_when_it_will_enter_early(home, case, campaign, today):
    at = today + dt.timedelta(hours=3)
    meet(EarlyGroup.SECOND_CYCLE, case)
    give(campaign, EarlyGroup.SECOND_CYCLE, at)

    response = home.get(edit_page(case))

    assert response.context["page"].mode == Mode.TO_COME
    assert f"ouvrent le <strong>{moment(at)}</strong>" in response.text
    [task] = home.get(reverse("imuse:home")).context["tasks"]
    assert task.hint == f"Ouverture le {moment(at)}, en accès anticipé\u00a0: élèves de cycle 2."


def test_what_was_posted_too_early_says_when_it_opens(home, case, campaign, today):
    response = home.post(edit_page(case), {"administrative": "on"})

    assert "Les réinscriptions ne sont pas encore ouvertes pour Louise Martin" in response.text
    assert moment(campaign.opens_at) in response.text
    assert not Reenrolment.objects.exists()


def test_early_a_page_has_two_queries_more_at_most(home, case, campaign, today):
    meet(EarlyGroup.SECOND_CYCLE, case)
    give(campaign, EarlyGroup.SECOND_CYCLE, today - dt.timedelta(days=1))
    PieceRuleFactory()

    early = count_queries(home, edit_page(case))
    EarlyAccess.objects.all().delete()
    to_come = count_queries(home, edit_page(case))
    Campaign.objects.update(opens_at=today - dt.timedelta(days=1))
    usual = count_queries(home, edit_page(case))

    # The pieces, two queries, are not read before they show.
    assert (early, to_come, usual) == (FAMILY_PAGE + 2, FAMILY_PAGE - 2, FAMILY_PAGE)


def test_the_next_child_is_not_shown_before_its_hour(home, parent, case, campaign, today):
    family = parent.guardian.family
    brother = make_case(StudentFactory(first_name="Hugo", family=family), slot=case.slot)
    meet(EarlyGroup.SECOND_CYCLE, case)
    give(campaign, EarlyGroup.SECOND_CYCLE, today - dt.timedelta(days=1))
    case.fill_in()
    case.submit(parent)
    url = reverse("reenrolment:confirmation", args=[case.student.pk])

    assert home.get(url).context["following"] is None
    give(campaign, EarlyGroup.SIBLINGS, today - dt.timedelta(days=1))
    assert home.get(url).context["following"] == brother.student


def test_the_mail_and_the_letter_of_the_launch_say_who_enters_early(case, campaign, parent, clock):
    clock(EARLY - dt.timedelta(days=1))
    meet(EarlyGroup.SECOND_CYCLE, case)
    give(campaign, EarlyGroup.SECOND_CYCLE)
    other = GuardianFactory()
    EnrolmentFactory(student=StudentFactory(family=other.family))

    ours, theirs = load_households(campaign, [parent.guardian.family, other.family])
    _, body = emails.launch(campaign, ours, parent.guardian, "martin.c")
    _, plain = emails.launch(campaign, theirs, other, "autre.f")
    letters = letters_of(campaign, [parent.guardian.family, other.family])

    assert f"pour Louise Martin seulement : dès le {moment(EARLY)} (élèves de cycle 2)." in body
    assert "(heure de Paris)" in body
    assert "anticipé" not in plain
    assert [[label for label, _ in letter.facts] for letter in letters] == [
        ["Ouverture", "Accès anticipé de Louise Martin", "Fermeture", "Adresse du site"],
        ["Ouverture", "Fermeture", "Adresse du site"],
    ]
