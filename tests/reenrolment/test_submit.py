"""From the recap to the confirmation, and back."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from documents import services as documents
from documents.enums import RefusalReason
from documents.models import Document
from reenrolment.enums import Status
from reenrolment.models import Campaign
from reenrolment.pieces import load_pieces
from reenrolment.services import decisions, submission
from students import services as students
from students.image_consent import set_consent
from students.models import Custody, Enrolment
from tests.documents.builders import make_pdf
from tests.factories import (
    CustodyFactory,
    DocumentFactory,
    DocumentTypeFactory,
    EnrolmentFactory,
    GuardianFactory,
    PieceRuleFactory,
    StudentFactory,
    TermsFactory,
)
from tests.reenrolment.conftest import make_case


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    return client


@pytest.fixture
def ready(case):
    case.fill_in()
    return case


def url(student, name):
    return reverse(f"reenrolment:{name}", args=[student.pk])


def recap(client, case):
    """The fields of the recap as the page gives them."""
    form = client.get(url(case.student, "check")).context["form"]
    return {name: form[name].value() for name in ("terms", "fingerprint")} | {"accept": "on"}


def sentences(response):
    return [str(message) for message in response.context["messages"]]


def test_valider_submits_and_shows_the_reference(home, ready):
    response = home.post(url(ready.student, "submit"), recap(home, ready), follow=True)

    assert response.redirect_chain == [(url(ready.student, "confirmation"), 302)]
    assert ready.reenrolment.reference in response.content.decode()
    assert ready.reenrolment.status == Status.SUBMITTED


def test_without_accepting_the_terms_nothing_is_sent(home, ready):
    data = recap(home, ready)
    del data["accept"]

    response = home.post(url(ready.student, "submit"), data)

    assert list(response.context["form"].errors) == ["accept"]
    assert ready.reenrolment.status == Status.DRAFT


def test_a_double_click_lands_on_the_confirmation(home, ready):
    data = recap(home, ready)
    home.post(url(ready.student, "submit"), data)

    response = home.post(url(ready.student, "submit"), data)

    assert response.url == url(ready.student, "confirmation")
    assert ready.reenrolment.transitions.count() == 1


def test_a_slot_gone_leads_back_to_the_choice_with_its_sentence(home, ready, parent):
    data = recap(home, ready)
    ready.let_holds_end()
    family = parent.guardian.family
    rival = make_case(StudentFactory(family=family), slot=ready.slot)
    rival.fill_in()
    rival.submit(parent)

    response = home.post(url(ready.student, "submit"), data, follow=True)

    assert response.redirect_chain == [(url(ready.student, "edit") + "?verifier=1", 302)]
    assert str(ready.slot) in sentences(response)[0]
    assert ready.reenrolment.status == Status.DRAFT
    assert Enrolment.objects.filter(student=ready.student, place__isnull=False).count() == 0


@pytest.mark.parametrize(
    "posted",
    [{"fingerprint": "older"}, {"terms": "0"}, {"terms": "other"}],
)
def test_what_was_not_read_is_not_submitted(home, ready, posted):
    if posted.get("terms") == "other":
        posted = {"terms": str(TermsFactory(version="2").pk)}

    response = home.post(url(ready.student, "submit"), recap(home, ready) | posted, follow=True)

    assert response.redirect_chain == [(url(ready.student, "check"), 302)]
    assert ready.reenrolment.status == Status.DRAFT


def test_garbage_in_the_hidden_fields_is_a_form_error(home, ready):
    response = home.post(url(ready.student, "submit"), recap(home, ready) | {"terms": "\x00🎺"})

    assert response.status_code == 200
    assert ready.reenrolment.status == Status.DRAFT


def test_the_recap_warns_of_the_top_rate(home, ready):
    rule = PieceRuleFactory()

    content = home.get(url(ready.student, "check")).content.decode()

    assert "le tarif haut sera appliqué" in content
    assert str(rule.document_type) in content


def test_the_recap_warns_of_nothing_when_all_is_there(home, ready, family):
    DocumentFactory(type=PieceRuleFactory().document_type, family=family)

    assert "tarif haut" not in home.get(url(ready.student, "check")).content.decode()


def test_the_confirmation_offers_the_next_child(home, ready, parent, family):
    brother = StudentFactory(first_name="Zoé", family=family)
    EnrolmentFactory(student=brother)
    StudentFactory(first_name="Albert", family=family)  # follows no course
    ready.submit(parent)

    response = home.get(url(ready.student, "confirmation"))

    assert response.context["following"] == brother


class TestImageConsent:
    """« Droit à l'image » is asked once the dossier is sent, calmly: no answer is a no."""

    QUESTION = "Sans réponse, c'est non."

    @pytest.fixture
    def photo(self, student):
        rule = PieceRuleFactory(document_type=DocumentTypeFactory(photo=True))
        return DocumentFactory(type=rule.document_type, student=student)

    @pytest.fixture
    def sent(self, ready, photo, parent):
        ready.submit(parent)
        return url(ready.student, "confirmation")

    def test_it_leads_to_the_page_where_one_answers(self, home, ready, sent):
        text = home.get(sent).text

        assert self.QUESTION in text
        assert f'href="{reverse("students:identity", args=[ready.student.pk])}#image"' in text

    def test_the_page_itself_answers_nothing(self, home, ready, sent):
        home.get(sent)

        assert not Custody.objects.exclude(image_consent_at=None).exists()

    def test_whoever_has_agreed_is_not_asked(self, home, ready, sent, family):
        set_consent(ready.student, family, agrees=True)

        assert self.QUESTION not in home.get(sent).text

    def test_the_other_household_answers_for_itself(self, home, ready, sent):
        other = CustodyFactory(student=ready.student, rank=2)
        set_consent(ready.student, other.family, agrees=True)

        assert self.QUESTION in home.get(sent).text

    def test_without_a_photo_nothing_is_asked(self, home, ready, parent):
        ready.submit(parent)

        assert self.QUESTION not in home.get(url(ready.student, "confirmation")).text


def test_the_confirmation_of_a_draft_leads_to_the_form(home, ready):
    response = home.get(url(ready.student, "confirmation"))

    assert response.url == url(ready.student, "edit")


def test_the_other_household_may_submit_too(client, ready):
    other = GuardianFactory()
    CustodyFactory(student=ready.student, family=other.family, rank=2)
    client.force_login(other.user)

    client.post(url(ready.student, "submit"), recap(client, ready))

    assert ready.reenrolment.submitted_by == other.user


@pytest.mark.parametrize(
    ("name", "to"), [("submit", "check"), ("complete", "edit"), ("take_up", "edit")]
)
def test_coming_back_by_get_leads_to_the_page_of_the_button(home, ready, name, to):
    """After signing in again one is sent to the address of the form."""
    response = home.get(url(ready.student, name))

    assert response.url == url(ready.student, to)
    assert ready.reenrolment.status == Status.DRAFT


def test_a_draft_waits_for_a_period_put_off(home, ready):
    opens, closes = (timezone.now() + dt.timedelta(days=days) for days in (1, 8))
    Campaign.objects.update(opens_at=opens, closes_at=closes)

    text = home.get(url(ready.student, "edit")).text

    assert "Les réinscriptions ouvrent le" in text
    assert "closes" not in text


def test_withdrawing_asks_first_then_gives_back(home, ready, parent):
    ready.submit(parent)
    assert home.get(url(ready.student, "withdraw")).status_code == 200
    assert ready.reenrolment.status == Status.SUBMITTED

    home.post(url(ready.student, "withdraw"))

    assert ready.reenrolment.status == Status.WITHDRAWN
    assert ready.slot.places.filter(enrolment=None).count() == 1


def test_a_withdrawn_dossier_is_taken_up_again(home, ready, parent):
    ready.submit(parent)
    home.post(url(ready.student, "withdraw"))

    home.post(url(ready.student, "take_up"))

    assert ready.reenrolment.status == Status.DRAFT


def test_a_draft_has_nothing_to_withdraw_nor_to_take_up(home, ready):
    assert home.get(url(ready.student, "withdraw")).url == url(ready.student, "edit")
    response = home.post(url(ready.student, "take_up"), follow=True)

    assert sentences(response) == [
        "Ce dossier est maintenant «\u00a0en cours de saisie\u00a0»\u00a0: "
        "l'action n'est plus possible."
    ]


# --- « Demander un complément »


@pytest.fixture
def incomplete(ready, parent, family, registrar):
    """Two pieces were sent; one is refused and asked for again."""
    refused, kept = PieceRuleFactory.create_batch(2)
    for rule in (refused, kept):
        DocumentFactory(type=rule.document_type, family=family)
    reenrolment = ready.submit(parent)
    bad = Document.objects.get(type=refused.document_type)
    documents.refuse(bad, reason=RefusalReason.TOO_OLD, actor=registrar)
    decisions.request_complement(
        reenrolment,
        pieces=[piece for piece in load_pieces(reenrolment) if piece.is_refused],
        until=timezone.now() + dt.timedelta(days=10),
        message="Une facture récente, s'il vous plaît.",
        actor=registrar,
    )
    ready.bad = bad
    ready.kept = Document.objects.get(type=kept.document_type)
    return ready


def piece_name(document):
    return f"piece-{document.type_id}-f{document.family_id}"


def pdf():
    return SimpleUploadedFile("facture.pdf", make_pdf(), "application/pdf")


def test_the_page_shows_why_and_takes_exactly_the_piece_asked_for(home, incomplete):
    content = home.get(url(incomplete.student, "edit")).content.decode()

    assert "Une facture récente, s&#x27;il vous plaît." in content
    assert "Le document est trop ancien." in content
    assert piece_name(incomplete.bad) in content
    assert f'name="{piece_name(incomplete.kept)}"' not in content


def test_another_piece_sent_with_it_is_ignored(home, incomplete):
    home.post(url(incomplete.student, "edit"), {piece_name(incomplete.kept): pdf()})

    assert Document.objects.count() == 2


def test_the_courses_stay_frozen(home, incomplete):
    choice = incomplete.reenrolment.choices.get(enrolment=incomplete.theory)

    home.post(url(incomplete.student, "edit"), {f"course-{incomplete.theory.pk}-slot_id": ""})

    choice.refresh_from_db()
    assert choice.slot == incomplete.slot


def test_an_old_recap_does_not_send_it_again_without_the_piece(home, incomplete, parent):
    """Even where claiming would find a place: an agent has given the enrolments back."""
    for choice in incomplete.reenrolment.choices.exclude(granted=None):
        students.release(choice.granted)
    old = incomplete.recap(parent)
    terms = incomplete.campaign.terms_id

    response = home.post(
        url(incomplete.student, "submit"),
        {"accept": "on", "terms": terms, "fingerprint": old.keywords["fingerprint"]},
    )

    assert response.url == url(incomplete.student, "confirmation")
    assert incomplete.reenrolment.status == Status.INCOMPLETE


def test_completing_takes_the_file_and_sends_the_dossier_again(home, incomplete):
    response = home.post(url(incomplete.student, "complete"), {piece_name(incomplete.bad): pdf()})

    assert response.url == url(incomplete.student, "confirmation")
    assert incomplete.reenrolment.status == Status.SUBMITTED


def test_completing_without_the_piece_says_which_lacks(home, incomplete):
    response = home.post(url(incomplete.student, "complete"))

    [(_, sentence)] = response.context["errors"]
    assert str(incomplete.bad.type) in sentence
    assert incomplete.reenrolment.status == Status.INCOMPLETE


def test_after_the_date_nothing_is_taken(home, incomplete):
    reenrolment = incomplete.reenrolment
    reenrolment.complement_until = timezone.now()
    reenrolment.save(update_fields=["complement_until"])

    home.post(url(incomplete.student, "complete"), {piece_name(incomplete.bad): pdf()})

    assert Document.objects.count() == 2
    assert incomplete.reenrolment.status == Status.INCOMPLETE


@pytest.mark.parametrize("name", ["check", "confirmation", "edit"])
def test_the_other_pages_make_ten_queries_at_most(
    home, ready, parent, name, django_assert_max_num_queries
):
    PieceRuleFactory.create_batch(3)
    if name != "check":
        ready.submit(parent)

    # The recap asks one more: is a tariff published? Tests of its amounts: test_costs.py.
    with django_assert_max_num_queries(11 if name == "check" else 10):
        assert home.get(url(ready.student, name)).status_code == 200


def test_an_incomplete_dossier_makes_ten_queries(home, incomplete, django_assert_max_num_queries):
    with django_assert_max_num_queries(10):
        home.get(url(incomplete.student, "edit"))


def test_a_withdrawn_dossier_shows_what_had_been_asked_for(home, ready, parent):
    submission.withdraw(ready.submit(parent), actor=parent)

    content = home.get(url(ready.student, "edit")).content.decode()

    assert str(ready.slot) in content
    assert "Horaire attribué par l'administration." not in content
