"""The home of the administration: what there is to do, for whom."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from reenrolment.models import Reenrolment
from reenrolment.pieces import load_pieces
from reenrolment.services import decisions, submission
from tests.factories import (
    CourseFactory,
    DocumentFactory,
    EstablishmentFactory,
    GuardianFactory,
    PieceRuleFactory,
    SlotFactory,
    StudentFactory,
)
from tests.reenrolment.conftest import make_case

INDEX = reverse("admin:index")


@pytest.fixture
def slot(establishment):
    return SlotFactory(course=CourseFactory(coming=True), places=9)


@pytest.fixture
def submit(slot):
    """Submits the dossier of a new family's student, with one piece, one other missing."""
    types = [rule.document_type for rule in PieceRuleFactory.create_batch(2)]

    def submit():
        guardian = GuardianFactory()
        case = make_case(StudentFactory(family=guardian.family), slot=slot)
        DocumentFactory(type=types[0], family=guardian.family)
        case.fill_in()
        return case.submit(guardian.user)

    return submit


@pytest.fixture
def ask(registrar):
    def ask(reenrolment):
        return decisions.request_complement(
            reenrolment,
            pieces=[piece for piece in load_pieces(reenrolment) if piece.is_missing],
            until=timezone.now() + dt.timedelta(days=1),
            actor=registrar,
        )

    return ask


def figures(client) -> list[tuple[int, str, str]]:
    return [(f.number, f.label, f.detail) for f in client.get(INDEX).context["todo"]]


def test_nothing_to_do(client, registrar):
    client.force_login(registrar)

    assert figures(client) == [
        (0, "dossier à examiner", ""),
        (0, "complément attendu", ""),
        (0, "pièce à examiner", ""),
        (0, "élève à placer", ""),
    ]


def test_what_there_is_to_do(client, registrar, parent, submit, ask):
    submit()
    back = ask(submit())
    for piece in load_pieces(back):
        if piece.is_missing:
            DocumentFactory(type=piece.type, family=piece.family)
    submission.complete(back, actor=parent)
    ask(submit())
    overdue = ask(submit())
    Reenrolment.objects.filter(pk=overdue.pk).update(complement_until=timezone.now())
    decisions.refuse(submit(), reason="Non.", actor=registrar)
    client.force_login(registrar)

    assert figures(client) == [
        (2, "dossiers à examiner", "dont 1 complément reçu"),
        (2, "compléments attendus", "dont 1 délai passé"),
        (5, "pièces à examiner", "dans 4 dossiers"),
        (4, "élèves à placer", "dans 4 cours"),
    ]


def test_each_number_is_that_of_the_list_it_leads_to(client, registrar, submit, ask):
    submit()
    submit()
    ask(submit())
    client.force_login(registrar)
    todo = client.get(INDEX).context["todo"]

    listed = [len(client.get(figure.url).context["cl"].result_list) for figure in todo]

    assert [figure.number for figure in todo] == listed == [2, 1, 3, 3]


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_makes_a_constant_number_of_queries(
    client, registrar, submit, count, django_assert_num_queries
):
    for _ in range(count):
        submit()
    client.force_login(registrar)

    # session, user, his sites, two of permissions, three figures, campaign, log; absences to
    # examine, and for the registers: slots, fixed hours, closed days
    with django_assert_num_queries(14):
        client.get(INDEX)


def test_it_leads_to_the_desk_of_the_campaign(client, registrar, accountant, submit):
    campaign = submit().campaign
    link = reverse("admin:reenrolment_campaign_desk", args=[campaign.pk])
    client.force_login(registrar)
    assert f'href="{link}"' in client.get(INDEX).text

    client.force_login(accountant)

    assert link not in client.get(INDEX).text


def test_another_establishments_work_is_not_counted(client, registrar, director, submit):
    submit()
    registrar.establishments.set([EstablishmentFactory(name="Annexe")])
    client.force_login(registrar)
    assert [number for number, *_ in figures(client)] == [0, 0, 0, 0]

    client.force_login(director)

    assert [number for number, *_ in figures(client)] == [1, 0, 1, 1]


def test_the_figures_follow_the_permissions(client, registrar, accountant, submit):
    submit()
    client.force_login(accountant)
    assert figures(client) == []

    for group in registrar.groups.all():
        group.permissions.remove(
            *group.permissions.filter(codename__in=["decide_reenrolment", "review_document"])
        )
    client.force_login(registrar)

    assert [label for _, label, _ in figures(client)] == [
        "dossier à examiner",
        "complément attendu",
    ]


@pytest.mark.parametrize("who", ["parent", "teacher"])
def test_others_are_sent_to_the_sign_in_page(client, who, request):
    person = request.getfixturevalue(who)
    client.force_login(getattr(person, "user", person))

    response = client.get(INDEX)

    assert (response.status_code, response.url.split("?")[0]) == (302, reverse("admin:login"))
