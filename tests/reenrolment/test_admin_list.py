"""The list of dossiers: what it shows, how it is narrowed, searched and ordered, and for whom."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from documents import services as documents
from documents.enums import RefusalReason
from reenrolment.models import Reenrolment
from reenrolment.pieces import load_pieces
from reenrolment.services import decisions, submission
from students.enums import Weekday
from students.models import Student
from tests.factories import (
    CampaignFactory,
    CourseFactory,
    DocumentFactory,
    EstablishmentFactory,
    FamilyFactory,
    GuardianFactory,
    PieceRuleFactory,
    SlotFactory,
    StudentFactory,
)
from tests.reenrolment.conftest import make_case

LIST = reverse("admin:reenrolment_reenrolment_changelist")


@pytest.fixture
def slot(establishment):
    return SlotFactory(course=CourseFactory(coming=True, name="Formation musicale C1-3"), places=9)


@pytest.fixture
def submit(slot):
    """Submits the dossier of a new family's student."""

    def submit(last_name="Martin", first_name="Louise"):
        guardian = GuardianFactory(family__name=last_name, last_name=last_name)
        student = StudentFactory(last_name=last_name, first_name=first_name, family=guardian.family)
        case = make_case(student, slot=slot)
        case.fill_in()
        case.submit(guardian.user)
        return case

    return submit


def listed(client, **parameters) -> list[Reenrolment]:
    return list(client.get(LIST, parameters).context["cl"].result_list)


def ask_complement(reenrolment, actor, until):
    from_household = [p for p in load_pieces(reenrolment) if p.sets_top_rate]
    decisions.request_complement(reenrolment, pieces=from_household, until=until, actor=actor)


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_makes_a_constant_number_of_queries(
    admin, submit, count, django_assert_num_queries
):
    PieceRuleFactory()
    for _ in range(count):
        submit()

    # session, user, sites, two of permissions, disciplines, campaigns, count twice, rows, families
    with django_assert_num_queries(11):
        response = admin.get(LIST)

    assert len(response.context["cl"].result_list) == count


def test_the_dossiers_to_examine_come_first_oldest_first_and_drafts_last(admin, submit, registrar):
    draft = submit()
    submission.withdraw(draft.reenrolment, actor=registrar)
    submission.take_up(draft.reenrolment, actor=registrar)
    refused, waiting, newer, older = submit(), submit(), submit(), submit()
    decisions.refuse(refused.reenrolment, reason="Non.", actor=registrar)
    PieceRuleFactory()
    ask_complement(waiting.reenrolment, registrar, timezone.now() + dt.timedelta(days=1))
    Reenrolment.objects.filter(pk=older.reenrolment.pk).update(
        submitted_at=timezone.now() - dt.timedelta(days=3)
    )

    expected = [older, newer, waiting, refused, draft]
    assert listed(admin) == [case.reenrolment for case in expected]


def test_a_row_tells_what_is_left_to_do(admin, submit, registrar):
    rules = PieceRuleFactory.create_batch(3)
    case = submit("Nguyễn", "Éva")
    family = case.student.families.get()
    for rule in rules[:2]:
        document = DocumentFactory(type=rule.document_type, family=family)
        case.reenrolment.supplied_pieces.create(document=document)
    documents.refuse(document, reason=RefusalReason.TOO_OLD, actor=registrar)
    Reenrolment.objects.update(missing_pieces=1)

    (row,) = listed(admin)
    text = " ".join(admin.get(LIST).content.decode().split())

    assert (row.pending, row.refused, row.missing_pieces, row.unplaced) == (1, 1, 1, 1)
    assert "<li>1 à examiner</li> <li>1 refusée</li> <li>1 manquante</li>" in text


def test_a_dossier_of_another_establishment_is_not_listed(admin, submit, registrar, director):
    submit()
    registrar.establishments.set([EstablishmentFactory(name="Annexe")])
    assert listed(admin) == []

    admin.force_login(director)  # of no establishment in particular: all of them

    assert len(listed(admin)) == 1


def test_filter_by_state(admin, submit, registrar, parent):
    PieceRuleFactory()
    soon, past = timezone.now() + dt.timedelta(days=1), timezone.now() - dt.timedelta(days=1)
    waiting, overdue, back, fresh = submit(), submit(), submit(), submit()
    for case in (waiting, overdue, back):
        ask_complement(case.reenrolment, registrar, soon)
    Reenrolment.objects.filter(pk=overdue.reenrolment.pk).update(complement_until=past)
    for piece in load_pieces(back.reenrolment):
        DocumentFactory(type=piece.type, family=piece.family)
    submission.complete(back.reenrolment, actor=parent)

    def shown(state):
        return {dossier.pk for dossier in listed(admin, etat=state)}

    assert shown("submitted") == {fresh.reenrolment.pk, back.reenrolment.pk}
    assert shown("returned") == {back.reenrolment.pk}
    assert shown("incomplete") == {waiting.reenrolment.pk, overdue.reenrolment.pk}
    assert shown("overdue") == {overdue.reenrolment.pk}
    assert shown("draft") == set()


def test_filter_by_pieces(admin, submit, registrar):
    pending, refused, missing = submit(), submit(), submit()
    type_ = PieceRuleFactory().document_type
    for case in (pending, refused):
        document = DocumentFactory(type=type_, family=case.student.families.get())
        case.reenrolment.supplied_pieces.create(document=document)
    documents.refuse(document, reason=RefusalReason.TOO_OLD, actor=registrar)
    Reenrolment.objects.filter(pk=missing.reenrolment.pk).update(missing_pieces=1)

    assert listed(admin, pieces="pending") == [pending.reenrolment]
    assert listed(admin, pieces="refused") == [refused.reenrolment]
    assert listed(admin, pieces="missing") == [missing.reenrolment]


def test_filter_by_what_is_to_place(admin, submit):
    to_place, placed = submit(), submit()
    decisions.place(
        placed.choice(placed.choir),
        course=placed.choir_course,
        slot=SlotFactory(course=placed.choir_course, weekday=Weekday.WEDNESDAY),
    )

    assert listed(admin, a_placer="oui") == [to_place.reenrolment]
    assert listed(admin, a_placer="non") == [placed.reenrolment]


def test_filter_by_the_discipline_of_a_wanted_course(admin, submit):
    piano = CourseFactory(name="Piano", discipline__name="Piano")
    pianist, stopping = submit(), submit()
    pianist.theory.course = stopping.theory.course = piano
    for case in (pianist, stopping):
        case.theory.save()
    stopping.reenrolment.choices.filter(enrolment=stopping.theory).update(
        wanted=False, slot=None, granted=None
    )

    assert listed(admin, discipline=piano.discipline_id) == [pianist.reenrolment]


def test_filter_by_campaign_offers_those_of_the_agent(admin, submit):
    case = submit()
    elsewhere = CampaignFactory(establishment=EstablishmentFactory(name="Annexe"))

    response = admin.get(LIST, {"campagne": case.campaign.pk})

    assert list(response.context["cl"].result_list) == [case.reenrolment]
    assert str(elsewhere) not in response.content.decode()


@pytest.mark.parametrize("value", ["999999999999999999999", "x", ""])
@pytest.mark.parametrize("name", ["etat", "pieces", "a_placer", "discipline", "campagne"])
def test_a_filter_that_does_not_exist_is_no_error(admin, submit, name, value):
    submit()

    assert admin.get(LIST, {name: value}).status_code == 200


@pytest.mark.parametrize(
    "term", ["nguyen", "NGUYỄN eva", "Éva", "fanny autre", "R-{pk:05}", "r{pk}", "{pk}", "r - {pk}"]
)
def test_search_by_name_without_accents_or_by_reference(admin, submit, term):
    submit()
    wanted = submit("Nguyễn", "Éva")
    GuardianFactory(family=wanted.student.families.get(), last_name="Autre", first_name="Fanny")

    term = term.format(pk=wanted.reenrolment.pk)

    assert listed(admin, q=term) == [wanted.reenrolment]


def test_a_student_of_two_households_is_listed_once(admin, submit):
    case = submit()
    other = FamilyFactory(name="Martinez")
    Student.objects.get(pk=case.student.pk).custodies.create(family=other, rank=2)

    assert listed(admin, q="martin") == [case.reenrolment]


def test_facets_count(admin, submit):
    submit()

    assert "à examiner (1)" in admin.get(LIST, {"_facets": "True"}).content.decode()


def test_nothing_is_added_deleted_or_done_in_bulk(admin, submit):
    case = submit()

    assert admin.get(reverse("admin:reenrolment_reenrolment_add")).status_code == 403
    delete = reverse("admin:reenrolment_reenrolment_delete", args=[case.reenrolment.pk])
    assert admin.post(delete, {"post": "yes"}).status_code == 403
    assert admin.get(LIST).context["action_form"] is None


def test_the_regie_does_not_see_the_dossiers(client, accountant):
    client.force_login(accountant)

    assert client.get(LIST).status_code == 403


@pytest.mark.parametrize("who", ["parent", "teacher"])
def test_others_are_sent_to_the_sign_in_page(client, who, request):
    person = request.getfixturevalue(who)
    client.force_login(getattr(person, "user", person))

    response = client.get(LIST)

    assert (response.status_code, response.url.split("?")[0]) == (302, reverse("admin:login"))
