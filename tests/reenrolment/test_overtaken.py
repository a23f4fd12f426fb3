"""A page overtaken by events: what was sent is saved, or the answer says that it was not."""

import datetime as dt
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from documents import services as documents
from documents.enums import RefusalReason
from documents.models import Document
from reenrolment import saving
from reenrolment.enums import Status
from reenrolment.models import Campaign, Reenrolment, Terms
from reenrolment.page import Mode
from reenrolment.pieces import load_pieces
from reenrolment.readiness import fingerprint_of
from reenrolment.rows import load_rows
from reenrolment.services import decisions, drafts, submission, supplies
from reenrolment.services.drafts import Edit
from students.enums import EnrolmentStatus, Scheduling
from students.models import Course, Enrolment
from tests.documents.builders import make_pdf
from tests.factories import (
    CampaignFactory,
    CourseFactory,
    EstablishmentFactory,
    SchoolYearFactory,
    SlotFactory,
)
from tests.reenrolment.conftest import BLANK

NOT_SAVED = "Ce que vous venez de saisir n'a pas été enregistré."
TYPED = {"comment": "Le mardi, si possible.", "initial-comment": ""}


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    return client


def url(case, name="edit"):
    return reverse(f"reenrolment:{name}", args=[case.student.pk])


def told(response):
    return [sentence for _, sentence in response.context["errors"]]


def code_of(caught):
    return [error.code for error in caught.value.error_list]


# --- The page was opened in time, the answer comes too late


def test_the_period_closes_while_the_family_types(home, case):
    case.fill_in()
    Campaign.objects.update(closes_at=timezone.now())

    response = home.post(url(case), TYPED)

    assert told(response) == [f"Les réinscriptions sont closes. {NOT_SAVED}"]
    assert case.reenrolment.comment == ""


def test_the_period_closes_while_the_family_reads_the_recap(home, case):
    case.fill_in()
    Campaign.objects.update(closes_at=timezone.now())

    response = home.post(url(case, "submit"), follow=True)  # « J'accepte » was forgotten too

    told_above = [str(message) for message in response.context["messages"]]
    assert told_above == ["Les réinscriptions sont closes."]


def test_the_other_parent_submits_while_the_family_types(home, submitted, case):
    response = home.post(url(case), TYPED)

    assert told(response) == [
        f"Ce dossier a déjà été déposé\u00a0: il ne se modifie plus. {NOT_SAVED}"
    ]
    assert case.reenrolment.comment == ""


def test_the_date_of_the_complement_passes_while_the_family_chooses_a_file(
    home, case, document, submitted, registrar
):
    _ask_again(submitted, document, registrar)
    Reenrolment.objects.update(complement_until=timezone.now())

    response = home.post(url(case), {"send": load_pieces(case.reenrolment)[0].key})

    [sentence] = told(response)
    assert sentence.startswith("Le délai pour compléter ce dossier est passé")
    assert sentence.endswith(NOT_SAVED)


def test_a_double_click_on_send_again_lands_on_the_confirmation(
    home, case, document, submitted, registrar, parent
):
    _ask_again(submitted, document, registrar)
    new = {"type": document.type, "family": document.family, "actor": parent}
    documents.hand_in("a.pdf", make_pdf(), **new)

    answers = [home.post(url(case, "complete")) for _ in range(2)]

    assert [answer.url for answer in answers] == [url(case, "confirmation")] * 2
    assert case.reenrolment.transitions.count() == 3


def test_without_a_course_nothing_is_saved_nor_said_to_be(home, student):
    CampaignFactory()

    response = home.post(reverse("reenrolment:edit", args=[student.pk]), TYPED)

    assert response.status_code == 200
    assert not Reenrolment.objects.exists()


def test_a_course_left_since_the_page_was_read_is_passed_over(home, case, monkeypatch):
    """The secretariat ends the enrolment between the reading and the saving."""
    save_draft = drafts.save_draft

    def after_leaving(*args, **keys):
        Enrolment.objects.filter(pk=case.choir.pk).update(status=EnrolmentStatus.RELEASED)
        return save_draft(*args, **keys)

    monkeypatch.setattr(saving.drafts, "save_draft", after_leaving)

    response = home.post(url(case), TYPED | {f"course-{case.choir.pk}-wanted": "on"})

    assert response.status_code == 302
    assert case.reenrolment.comment == "Le mardi, si possible."
    assert [choice.enrolment for choice in case.reenrolment.choices.all()] == [case.theory]


def test_a_section_that_the_dossier_never_had_changes_nothing(case):
    foreign = {"course-999999": Edit(BLANK, BLANK | {"wanted": True})}

    assert drafts.save_draft(case.campaign, case.student, foreign) == []
    assert not case.reenrolment.choices.filter(wanted=True).exists()


# --- What was read is what is sent


def test_a_course_proposed_anew_since_the_recap_is_to_be_read_again(case, parent):
    submit = _recap(case, parent)
    other = CourseFactory(coming=True, scheduling=Scheduling.TEACHER)
    Course.objects.filter(pk=case.choir.course_id).update(next_course=other)

    _refused_as_changed(submit, case)


def test_a_piece_refused_since_the_recap_is_told_before_the_top_rate(
    case, parent, document, registrar
):
    submit = _recap(case, parent)
    documents.refuse(document, reason=RefusalReason.TOO_OLD, actor=registrar)

    _refused_as_changed(submit, case)


def test_terms_corrected_since_the_recap_are_to_be_read_again(case, parent):
    """Nobody has accepted this version yet, so the administration may still correct it."""
    submit = _recap(case, parent)
    Terms.objects.update(text="Les droits sont dus par trimestre.")

    _refused_as_changed(submit, case)


# --- Pieces


def test_a_file_on_its_way_while_the_other_parent_submits(case, parent, document, monkeypatch):
    """The dossier goes without it: it is refused, and does not become the current piece."""
    case.fill_in()
    piece = load_pieces(case.reenrolment)[0]
    store = documents._store

    def slowly(*args):
        store(*args)
        case.submit(parent)

    monkeypatch.setattr(documents, "_store", slowly)

    with pytest.raises(ValidationError) as caught:
        _send(case, piece, parent)

    assert code_of(caught) == ["not_draft"]
    assert list(Document.objects.all()) == [document]


def test_taking_back_a_piece_does_not_take_the_one_sent_meanwhile(home, case, parent, document):
    case.fill_in()
    piece = load_pieces(case.reenrolment)[0]
    new = _send(case, piece, parent)

    response = home.post(url(case), {"remove": piece.key, f"shown-{piece.key}": str(document.pk)})

    [sentence] = told(response)
    assert sentence.startswith("Cette pièce vient d'être remplacée par une autre personne")
    assert list(Document.objects.current()) == [new]


def test_the_page_says_which_document_its_button_takes_back(home, case, document):
    case.fill_in()
    piece = load_pieces(case.reenrolment)[0]

    content = home.get(url(case)).content.decode()

    field = content.split(f'name="shown-{piece.key}"')[1].split("value=")[1]
    assert field.startswith(f'"{document.pk}"')


def test_a_piece_taken_back_for_a_brother_at_the_instant_of_submitting(
    case, parent, document, registrar, monkeypatch
):
    """The row stays, for the staff opened it: but it is no longer the family's piece."""
    documents.log_access(document, actor=registrar)
    case.fill_in()
    hold = submission._hold

    def too_late(kept):
        documents.remove(document)
        hold(kept)

    monkeypatch.setattr(submission, "_hold", too_late)

    with pytest.raises(ValidationError) as caught:
        case.submit(parent)

    assert code_of(caught) == ["changed"]


def test_a_piece_taken_back_while_an_agent_examines_it(document, registrar):
    documents.remove(document)

    with pytest.raises(ValidationError) as caught:
        documents.accept(document, actor=registrar)

    assert code_of(caught) == ["bad_transition"]


# --- Which campaign, which establishment


def test_a_campaign_prepared_early_does_not_hide_the_one_that_is_open(home, case):
    CampaignFactory(
        to_come=True,
        previous_year=SchoolYearFactory.coming(),
        school_year=SchoolYearFactory(offset=2),
    )

    page = home.get(url(case)).context["page"]
    tasks = home.get(reverse("imuse:home")).context["tasks"]

    assert (page.campaign, page.mode) == (case.campaign, Mode.EDIT)
    assert [task.title for task in tasks] == [
        f"Réinscription de Louise pour {case.campaign.school_year}"
    ]


def test_a_course_of_another_establishment_is_not_proposed(case):
    """Its dossier could not be placed there (decisions.place): the administration will say."""
    elsewhere = CourseFactory(coming=True, establishment=EstablishmentFactory(name="Annexe"))
    SlotFactory(course=elsewhere)
    Enrolment.objects.filter(pk=case.choir.pk).update(next_course=elsewhere)
    case.fill_in()

    rows = {row.enrolment: row for row in load_rows(case.reenrolment)}

    assert (rows[case.choir].course, rows[case.choir].slots) == (None, [])


# --- The period, to the instant


@pytest.fixture
def night(case, monkeypatch):
    """A period of three hours, in the night when two o'clock is three: `night("03:59:59+02:00")`"""
    case.campaign.opens_at = dt.datetime.fromisoformat("2027-03-28T00:00:00+01:00")
    case.campaign.closes_at = dt.datetime.fromisoformat("2027-03-28T04:00:00+02:00")

    def check_at(hour):
        now = dt.datetime.fromisoformat(f"2027-03-28T{hour}")
        monkeypatch.setattr(timezone, "now", lambda: now)
        drafts.check_open(case.campaign, case.student)

    return check_at


@pytest.mark.parametrize("hour", ["00:00:00+01:00", "01:59:59+01:00", "03:59:59+02:00"])
def test_the_period_is_open_from_its_first_instant_to_before_its_last(night, hour):
    night(hour)


@pytest.mark.parametrize(
    ("hour", "code"), [("00:30:00+02:00", "not_open"), ("04:00:00+02:00", "closed")]
)
def test_the_period_is_closed_before_its_first_instant_and_from_its_last(night, hour, code):
    with pytest.raises(ValidationError) as caught:
        night(hour)

    assert caught.value.code == code


def _ask_again(reenrolment, document, registrar):
    documents.refuse(document, reason=RefusalReason.TOO_OLD, actor=registrar)
    decisions.request_complement(
        reenrolment,
        pieces=load_pieces(reenrolment),
        until=timezone.now() + dt.timedelta(days=10),
        actor=registrar,
    )


def _recap(case, parent):
    """What « Valider » sends of the recap as it is read now."""
    case.fill_in()
    dossier = case.reenrolment
    fingerprint = fingerprint_of(dossier, load_rows(dossier), load_pieces(dossier))
    return partial(
        submission.submit,
        dossier,
        actor=parent,
        terms=case.campaign.terms,
        fingerprint=fingerprint,
    )


def _refused_as_changed(submit, case):
    with pytest.raises(ValidationError) as caught:
        submit()

    assert code_of(caught) == ["changed"]
    assert case.reenrolment.status == Status.DRAFT


def _send(case, piece, actor):
    return supplies.hand_in(
        case.campaign, case.student, piece, name="a.pdf", content=make_pdf(), actor=actor
    )
