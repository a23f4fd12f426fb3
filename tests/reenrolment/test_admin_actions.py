"""Each action of the page that examines a dossier: done, refused, and by whom."""

import datetime as dt

import pytest
from django.utils import timezone

from accounts.models import Mail
from documents.enums import Verdict
from documents.models import Document
from reenrolment.enums import Status
from reenrolment.models import Reenrolment
from reenrolment.pieces import load_pieces
from reenrolment.services import decisions
from students.enums import Weekday
from tests.factories import (
    CourseFactory,
    EstablishmentFactory,
    PieceRuleFactory,
    SlotFactory,
)
from tests.reenrolment.dossier_pages import action, page_of, status, told

COMPLEMENT_FIELDS = {"until": "2099-05-31", "message": "Merci."}


# --- Placing ------------------------------------------------------------------------------------


def test_place_in_a_slot(admin, case, submitted, choir_slot):
    choice = case.choice(case.choir)

    response = admin.post(action("place", submitted, choice.pk), {"where": f"slot-{choir_slot.pk}"})

    assert response.url == page_of(submitted, f"choice-{choice.pk}")
    assert told(admin, response) == ["«\u00a0Chœur\u00a0»\u00a0: l'élève a sa place."]
    assert case.choice(case.choir).granted.slot == choir_slot


def test_place_in_a_course_without_slots(admin, case, submitted):
    taught = CourseFactory(coming=True, scheduling="teacher")

    admin.post(
        action("place", submitted, case.choice(case.choir).pk), {"where": f"course-{taught.pk}"}
    )

    assert case.choice(case.choir).granted.course == taught


def test_a_slot_that_is_full_is_refused_beside_the_field(admin, case, submitted):
    full = SlotFactory(course=case.choir_course, weekday=Weekday.WEDNESDAY, places=0)

    response = admin.post(
        action("place", submitted, case.choice(case.choir).pk), {"where": f"slot-{full.pk}"}
    )

    assert response.status_code == 200
    form = response.context["bound"]
    assert form.errors == {"where": [f"Le créneau «\u00a0{full}\u00a0» est complet."]}
    assert f'id="{form["where"].auto_id}_error"' in response.content.decode()
    assert case.choice(case.choir).granted.slot is None


@pytest.mark.parametrize("where", ["", "slot-0", "slot-x", "course-1", "\x00"])
def test_a_place_that_is_not_offered_is_refused(admin, case, submitted, where):
    response = admin.post(action("place", submitted, case.choice(case.choir).pk), {"where": where})

    assert (response.status_code, list(response.context["bound"].errors)) == (200, ["where"])


def test_a_slot_of_this_year_or_of_another_establishment_is_not_offered(admin, case, submitted):
    annexe = EstablishmentFactory(name="Annexe")
    elsewhere = SlotFactory(course=CourseFactory(coming=True, establishment=annexe))
    for slot in (SlotFactory(), elsewhere):
        response = admin.post(
            action("place", submitted, case.choice(case.choir).pk), {"where": f"slot-{slot.pk}"}
        )

        assert list(response.context["bound"].errors) == ["where"]


def test_a_choice_that_stops_or_of_another_dossier_does_not_exist(admin, case, submitted):
    choice = case.choice(case.choir)
    submitted.choices.filter(pk=choice.pk).update(wanted=False, granted=None)

    for pk in (choice.pk, 0, 999):
        assert admin.post(action("place", submitted, pk)).status_code == 404


# --- Complement ---------------------------------------------------------------------------------


@pytest.fixture
def lacking(submitted):
    """The submitted dossier, two pieces of which are missing."""
    PieceRuleFactory.create_batch(2)
    return submitted


def test_request_complement(admin, lacking):
    keys = [piece.key for piece in load_pieces(lacking)]

    response = admin.post(
        action("request_complement", lacking), COMPLEMENT_FIELDS | {"pieces": keys[:1]}
    )

    assert response.url == page_of(lacking, "decision")
    reenrolment = Reenrolment.objects.get()
    assert reenrolment.status == Status.INCOMPLETE
    until = timezone.localtime(reenrolment.complement_until)
    assert until.strftime("%d/%m/%Y %H:%M %Z") == "31/05/2099 23:59 CEST"
    transition = reenrolment.transitions.first()
    assert transition.reason == "Merci."
    assert [row.key for row in transition.requested_pieces.all()] == keys[:1]
    assert Mail.objects.get().kind == "complement"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"pieces": []}, "pieces"),
        ({"pieces": ["999-s"]}, "pieces"),
        ({"until": ""}, "until"),
        ({"until": "demain"}, "until"),
        ({"until": "2020-01-01"}, "until"),
        ({"message": "x" * 1001}, "message"),
    ],
)
def test_a_complement_that_is_refused_keeps_what_was_typed(admin, lacking, changes, field):
    data = COMPLEMENT_FIELDS | {"pieces": [load_pieces(lacking)[0].key]} | changes

    response = admin.post(action("request_complement", lacking), data)

    assert response.status_code == 200
    form = response.context["bound"]
    assert (form, list(form.errors)) == (response.context["complement_form"], [field])
    assert form["message"].value() == data["message"]
    assert status(lacking) == Status.SUBMITTED


def test_a_piece_that_is_not_lacking_is_not_offered(admin, with_document):
    (sent,) = load_pieces(with_document)
    PieceRuleFactory()

    response = admin.post(
        action("request_complement", with_document), COMPLEMENT_FIELDS | {"pieces": [sent.key]}
    )

    assert list(response.context["bound"].errors) == ["pieces"]
    assert status(with_document) == Status.SUBMITTED


def test_a_complement_asked_for_meanwhile_is_told(admin, lacking, registrar):
    pieces = load_pieces(lacking)
    decisions.request_complement(
        lacking, pieces=pieces, until=timezone.now() + dt.timedelta(days=1), actor=registrar
    )

    response = admin.post(
        action("request_complement", lacking), COMPLEMENT_FIELDS | {"pieces": [pieces[0].key]}
    )

    assert told(admin, response) == [
        "Ce dossier est maintenant «\u00a0complément demandé\u00a0»\u00a0: "
        "l'action n'est plus possible."
    ]


# --- Decision -----------------------------------------------------------------------------------


def test_validate(admin, placed, registrar):
    response = admin.post(action("validate", placed), {"top_rate": "non"})

    assert told(admin, response) == [
        "La réinscription est validée\u00a0: la famille reçoit un mail."
    ]
    reenrolment = Reenrolment.objects.get()
    assert (reenrolment.status, reenrolment.decided_by) == (Status.VALIDATED, registrar)


def test_validate_says_what_is_still_to_place(admin, submitted):
    response = admin.post(action("validate", submitted), {"top_rate": "non"})

    (message,) = told(admin, response)
    assert message.startswith("Il reste à placer l'élève en")
    assert status(submitted) == Status.SUBMITTED


@pytest.mark.parametrize("data", [{}, {"top_rate": "non"}])
def test_nobody_sets_the_top_rate_without_having_read_it(admin, placed, data):
    PieceRuleFactory()

    response = admin.post(action("validate", placed), data)

    assert told(admin, response) == [
        "Une pièce a changé depuis l'ouverture de cette page\u00a0: relisez avant de valider."
    ]
    assert status(placed) == Status.SUBMITTED

    admin.post(action("validate", placed), {"top_rate": "oui"})

    assert Reenrolment.objects.get().top_rate is True


def test_refuse(admin, placed):
    response = admin.post(action("refuse", placed), {"reason": "Dossier en double."})

    assert response.url == page_of(placed, "decision")
    assert status(placed) == Status.REFUSED
    assert Reenrolment.objects.get().transitions.first().reason == "Dossier en double."


def test_withdraw(admin, placed):
    response = admin.post(action("withdraw", placed), {"reason": "Appel du 3 mai."})

    assert response.url == page_of(placed, "decision")
    assert status(placed) == Status.WITHDRAWN


@pytest.mark.parametrize("name", ["refuse", "withdraw"])
def test_a_reason_is_required(admin, placed, name):
    response = admin.post(action(name, placed), {"reason": " "})

    assert response.context["bound"].errors == {"reason": ["Dites à la famille pourquoi."]}
    assert response.context[f"{name}_form"] is response.context["bound"]
    assert status(placed) == Status.SUBMITTED


@pytest.mark.parametrize("name", ["validate", "refuse", "withdraw", "request_complement"])
@pytest.mark.parametrize("data", [{"reason": "Encore."}, {}])
def test_what_is_decided_stays_so_and_the_agent_is_told(admin, placed, registrar, name, data):
    decisions.validate(placed, actor=registrar)

    response = admin.post(action(name, placed), data)

    assert len(told(admin, response)) == 1
    assert status(placed) == Status.VALIDATED


def test_placing_in_a_decided_dossier_is_told(admin, case, placed, registrar):
    decisions.validate(placed, actor=registrar)

    response = admin.post(
        action("place", placed, case.choice(case.choir).pk), {"where": f"slot-{case.slot.pk}"}
    )

    assert told(admin, response) == ["Ce dossier n'est plus à examiner."]


# --- Who may ------------------------------------------------------------------------------------


@pytest.fixture
def actions(case, with_document, document) -> list[str]:
    """Every address of an action, on rows that exist."""
    return [
        action("accept_piece", with_document, document.pk),
        action("refuse_piece", with_document, document.pk),
        action("place", with_document, case.choice(case.choir).pk),
        *(
            action(name, with_document)
            for name in ("request_complement", "validate", "refuse", "withdraw")
        ),
    ]


@pytest.fixture
def unchanged(with_document):
    """Fails when anything has changed in the end."""
    yield
    assert status(with_document) == Status.SUBMITTED
    assert Document.objects.get().verdict == Verdict.PENDING


def test_reading_an_action_is_not_doing_it(admin, actions, unchanged):
    assert [admin.get(url).status_code for url in actions] == [405] * 7


def test_the_regie_may_do_nothing(client, accountant, actions, unchanged):
    client.force_login(accountant)

    assert [client.post(url, {"reason": "Non."}).status_code for url in actions] == [403] * 7


def test_who_may_only_look_may_do_nothing(admin, registrar, actions, unchanged):
    for group in registrar.groups.all():
        group.permissions.remove(
            *group.permissions.filter(codename__in=["decide_reenrolment", "review_document"])
        )

    assert [admin.post(url, {"reason": "Non."}).status_code for url in actions] == [403] * 7


def test_another_establishments_dossier_does_not_exist(admin, registrar, actions, unchanged):
    registrar.establishments.set([EstablishmentFactory(name="Annexe")])

    assert [admin.post(url, {"reason": "Non."}).status_code for url in actions] == [404] * 7


@pytest.mark.parametrize("who", ["parent", "teacher", None])
def test_others_are_sent_to_the_sign_in_page(client, who, request, actions, unchanged):
    if who:
        person = request.getfixturevalue(who)
        client.force_login(getattr(person, "user", person))

    assert [client.post(url, {"reason": "Non."}).status_code for url in actions] == [302] * 7
