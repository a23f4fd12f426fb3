"""The page that examines one dossier: what it shows, to whom, in how many queries."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from documents import services as documents
from documents.enums import RefusalReason
from reenrolment.enums import Status
from reenrolment.models import Reenrolment
from reenrolment.pieces import load_pieces
from reenrolment.services import decisions
from students.models import Course
from tests.factories import (
    CourseFactory,
    CustodyFactory,
    DocumentFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    GuardianFactory,
    PieceRuleFactory,
    SlotFactory,
    StudentFactory,
)
from tests.reenrolment.conftest import make_case
from tests.reenrolment.dossier_pages import page_of


def text_of(response) -> str:
    return " ".join(response.content.decode().replace("&nbsp;", " ").split())


def options_of(response, choice) -> list[tuple[str, bool]]:
    """Each option of the choice's form, and whether it can be picked."""
    (line,) = [line for line in response.context["lines"] if line["row"].choice == choice]
    return [
        (option["label"], "disabled" not in option["attrs"])
        for _, group, _ in line["form"]["where"].field.widget.optgroups("where", [])
        for option in group
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_makes_a_constant_number_of_queries(
    admin, parent, student, count, django_assert_num_queries
):
    """However many courses, slots, pieces, guardians and moves."""
    family = parent.guardian.family
    GuardianFactory.create_batch(count, family=family, user=None)
    for rule in PieceRuleFactory.create_batch(count):
        DocumentFactory(type=rule.document_type, family=family)
    case = make_case(student)
    for _ in range(count):
        next_course = CourseFactory(coming=True)
        SlotFactory(course=next_course)
        EnrolmentFactory(student=student, course=CourseFactory(next_course=next_course))
    case.fill_in()
    case.submit(parent)
    case.reenrolment.choices.update(wanted=True)
    url = page_of(case.reenrolment)

    # session, user, sites, two of permissions, dossier, households, guardians, choices, rules,
    # documents, frozen pieces, two neighbours, slots, courses, waits, moves, reviews
    with django_assert_num_queries(20):
        response = admin.get(url)

    assert len(response.context["lines"]) == 2 + count
    assert len(response.context["pieces"]) == count


def test_the_page_shows_the_student_both_households_and_the_comment(admin, case, submitted):
    other = GuardianFactory(
        family__name="Lefebvre", last_name="Lefebvre", first_name="Karim", home_phone="03 20 11"
    )
    CustodyFactory(student=case.student, family=other.family, rank=2)
    Reenrolment.objects.update(comment="Plutôt le mercredi.\nMerci.")

    text = text_of(admin.get(page_of(submitted)))

    assert "14 mars" in text
    assert "Premier foyer : " in text
    assert "Claire Martin" in text
    assert "Second foyer : " in text
    assert '<a class="text-nowrap" href="tel:032011">03 20 11</a>' in text
    assert "<p>Plutôt le mercredi.<br>Merci.</p>" in text


def test_a_piece_is_shown_with_its_file_or_as_missing(admin, case, parent, registrar):
    sent, missing = PieceRuleFactory.create_batch(2)
    document = DocumentFactory(type=sent.document_type, family=parent.guardian.family)
    case.fill_in()
    reenrolment = case.submit(parent)
    documents.refuse(document, reason=RefusalReason.TOO_OLD, comment="Mai.", actor=registrar)

    response = admin.get(page_of(reenrolment))

    text = text_of(response)
    assert reverse("admin:documents_document_file", args=[document.pk]) in text
    assert "Motif : Le document est trop ancien. Mai." in text
    assert "La famille ne l'a pas envoyée." in text
    assert [line["form"] is None for line in response.context["pieces"]] == [False, True]


def test_a_piece_is_the_one_that_the_dossier_was_submitted_with(admin, case, parent):
    family, type_ = parent.guardian.family, PieceRuleFactory().document_type
    frozen = DocumentFactory(type=type_, family=family)
    case.fill_in()
    reenrolment = case.submit(parent)
    newer = DocumentFactory.build(type=type_, family=family, uploaded_by=parent)
    type_.documents.update(replaced_by=newer.pk)
    newer.save(force_insert=True)

    response = admin.get(page_of(reenrolment))

    assert [line["piece"].document for line in response.context["pieces"]] == [frozen]


def test_a_course_to_place_offers_the_slots_with_their_places(admin, case, submitted):
    two = SlotFactory(course=case.choir_course, group="B", places=2)
    full = SlotFactory(course=case.choir_course, group="C", places=0)
    SlotFactory(course__name="Chœur d'une autre année")

    response = admin.get(page_of(submitted))

    assert options_of(response, case.choice(case.choir)) == [
        ("Choisissez un créneau", True),
        (f"{two} (2 places)", True),
        (f"{full} (complet)", False),
        (f"{case.slot} (complet)", False),  # of the same discipline: another level may suit
    ]


def test_the_place_that_the_student_has_can_be_kept(admin, case, submitted):
    response = admin.get(page_of(submitted))

    assert (f"{case.slot} (place actuelle)", True) in options_of(response, case.choice(case.theory))


def test_a_course_not_known_yet_is_chosen_among_those_of_its_art(admin, case, parent):
    Course.objects.filter(pk=case.choir.course_id).update(next_course=None)
    case.fill_in()
    reenrolment = case.submit(parent)
    school = CourseFactory(
        coming=True, name="Orchestre", scheduling="school", discipline__name="Orchestre"
    )
    CourseFactory(
        coming=True, scheduling="teacher", discipline__name="Jazz", discipline__art="dance"
    )
    CourseFactory(coming=True, establishment=EstablishmentFactory(name="Annexe"))

    response = admin.get(page_of(reenrolment))

    assert options_of(response, case.choice(case.choir)) == [
        ("Choisissez un créneau", True),
        (f"{case.slot} (complet)", False),
        (f"{school} – sur le temps scolaire (CHAM)", True),
    ]


def test_a_course_that_stops_has_no_form_and_says_why(admin, case, submitted):
    submitted.choices.filter(enrolment=case.choir).update(
        wanted=False, granted=None, stop_reason="Trop de devoirs"
    )

    response = admin.get(page_of(submitted))

    assert [line["form"] is None for line in response.context["lines"]] == [True, False]
    assert "Trop de devoirs" in text_of(response)


def test_validating_waits_for_the_places_and_warns_of_the_top_rate(
    admin, case, submitted, choir_slot
):
    PieceRuleFactory()

    before = text_of(admin.get(page_of(submitted)))
    decisions.place(case.choice(case.choir), course=case.choir_course, slot=choir_slot)
    after = text_of(admin.get(page_of(submitted)))

    assert "Placer l'élève en Chœur" in before
    assert '<button type="submit" class="button default" disabled' in before
    assert "Le tarif haut sera appliqué" in before
    assert "Chaque cours demandé a sa place" in after
    assert "Valider la réinscription au tarif haut" in after
    assert " disabled" not in after.split('id="decision"')[1].split("</form>")[0]


def test_nothing_is_missing_nothing_is_warned(admin, placed):
    text = text_of(admin.get(page_of(placed)))

    assert "Toutes les pièces sont acceptées" in text
    assert "tarif haut" not in text
    assert "refusez d'abord la pièce à remplacer" in text


def test_the_complement_proposes_every_lacking_piece_and_a_fortnight(admin, case, submitted):
    PieceRuleFactory.create_batch(2)

    form = admin.get(page_of(submitted)).context["complement_form"]

    assert form.initial == {
        "pieces": [piece.key for piece in load_pieces(submitted)],
        "until": timezone.localdate() + dt.timedelta(days=15),
    }
    assert len(form.fields["pieces"].choices) == 2


def test_a_complement_under_way_is_shown(admin, submitted, registrar):
    PieceRuleFactory()
    until = timezone.now() - dt.timedelta(seconds=1)
    decisions.request_complement(
        submitted,
        pieces=load_pieces(submitted),
        until=timezone.now() + dt.timedelta(days=1),
        actor=registrar,
    )
    Reenrolment.objects.update(complement_until=until)

    text = text_of(admin.get(page_of(submitted)))

    assert "redemandée" in text
    assert "<strong>délai passé</strong>" in text
    assert "Demander un complément" not in text


def test_the_log_tells_moves_and_reviews_newest_first(admin, case, parent, registrar):
    document = DocumentFactory(type=PieceRuleFactory().document_type, family=parent.guardian.family)
    case.fill_in()
    reenrolment = case.submit(parent)
    documents.refuse(document, reason=RefusalReason.OTHER, comment="Flou.", actor=registrar)
    decisions.refuse(reenrolment, reason="En double.", actor=registrar)

    events = admin.get(page_of(reenrolment)).context["page"].events

    assert [(event.what, event.actor, event.why) for event in events] == [
        ("déposé → refusé", "secretariat", "En double."),
        (f"{document.type} ({document.name})\u00a0: refusée", "secretariat", "Autre motif. Flou."),
        ("en cours de saisie → déposé", "martin.c", ""),
    ]


def test_the_neighbours_are_the_submitted_dossiers_before_and_after(admin, case, parent, registrar):
    theory = SlotFactory(course=CourseFactory(coming=True), places=9)
    cases = [make_case(StudentFactory(family=parent.guardian.family), slot=theory) for _ in "1234"]
    for each in cases:
        each.fill_in()
        each.submit(parent)
    first, second, decided, last = [each.reenrolment for each in cases]
    decisions.refuse(decided, reason="Non.", actor=registrar)

    def neighbours(dossier):
        page = admin.get(page_of(dossier)).context["page"]
        return page.previous, page.following

    assert neighbours(first) == (None, second)
    assert neighbours(second) == (first, last)
    assert neighbours(decided) == (second, last)
    assert neighbours(last) == (second, None)


@pytest.mark.parametrize("status", [Status.VALIDATED, Status.REFUSED, Status.WITHDRAWN])
def test_once_it_is_decided_the_page_is_read_only(admin, placed, registrar, status):
    PieceRuleFactory()
    decided = {"decided_at": timezone.now(), "decided_by": registrar}
    Reenrolment.objects.update(status=status, **({} if status == Status.WITHDRAWN else decided))

    text = text_of(admin.get(page_of(placed)))

    assert "<form" not in text.split('<div class="dossier-head">')[1]


def test_a_draft_is_shown_but_not_examined(admin, case):
    case.fill_in()

    text = text_of(admin.get(page_of(case.reenrolment)))

    assert "en cours de saisie" in text
    assert "La famille n'a pas encore validé sa demande" in text
    assert "<form" not in text.split('<div class="dossier-head">')[1]


def test_who_may_only_look_has_no_form(admin, submitted, registrar):
    for group in registrar.groups.all():
        group.permissions.remove(
            *group.permissions.filter(codename__in=["decide_reenrolment", "review_document"])
        )

    text = text_of(admin.get(page_of(submitted)))

    assert "<form" not in text.split('<div class="dossier-head">')[1]


def test_a_dossier_of_another_establishment_does_not_exist(admin, submitted, registrar, director):
    registrar.establishments.set([EstablishmentFactory(name="Annexe")])
    assert admin.get(page_of(submitted)).status_code == 404

    admin.force_login(director)

    assert admin.get(page_of(submitted)).status_code == 200


@pytest.mark.parametrize("pk", ["999", "x", "1_2", "99999999999999999999", "9" * 5000])
def test_a_dossier_that_does_not_exist_is_a_404(admin, submitted, pk):
    url = reverse("admin:reenrolment_reenrolment_change", args=[submitted.pk])

    assert admin.get(url.replace(f"/{submitted.pk}/", f"/{pk}/")).status_code == 404


def test_the_regie_may_not_look(client, accountant, submitted):
    client.force_login(accountant)

    assert client.get(page_of(submitted)).status_code == 403


def test_no_posted_field_changes_anything(admin, submitted):
    before = Reenrolment.objects.values().get()

    response = admin.post(page_of(submitted), {"status": "validated", "_save": "1"})

    assert response.status_code == 405
    assert Reenrolment.objects.values().get() == before


def test_names_are_escaped(admin, submitted, case):
    FamilyFactory(name="x")
    case.student.first_name = "<b>Éva</b>"
    case.student.save()

    assert "<b>Éva</b>" not in admin.get(page_of(submitted)).content.decode()
