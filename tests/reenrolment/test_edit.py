"""« Réinscription »: one form, saved section by section, with its files."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from documents.models import Document
from reenrolment.enums import Status
from reenrolment.models import Campaign, Reenrolment
from reenrolment.services import decisions
from students.enums import Scheduling
from tests.documents.builders import make_jpeg, make_pdf
from tests.factories import (
    CampaignFactory,
    CourseFactory,
    CustodyFactory,
    DocumentFactory,
    DocumentTypeFactory,
    EnrolmentFactory,
    GuardianFactory,
    PieceRuleFactory,
    SlotFactory,
    StudentFactory,
)
from tests.reenrolment.conftest import make_case


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    return client


def url(student, name="edit"):
    return reverse(f"reenrolment:{name}", args=[student.pk])


def page_data(response):
    """What a browser would send back of the form as it stands: every field of each section."""
    forms = response.context["forms"]
    data = {}
    for form in (forms.dossier, *forms.choices):
        for field in form:
            value = field.value()
            data[field.html_initial_name] = "" if value is None else str(value)
            if value not in (False, None, "False"):
                data[field.html_name] = str(value)
    return data


def test_saving_creates_the_draft_and_keeps_each_section(home, case):
    theory, choir = f"course-{case.theory.pk}", f"course-{case.choir.pk}"
    data = page_data(home.get(url(case.student))) | {
        "administrative": "on",
        "comment": "Pas le mardi.\r\nMerci.",
        f"{theory}-wanted": "on",
        f"{theory}-slot_id": str(case.slot.pk),
        f"{choir}-stop_reason": "Plus le temps",
    }

    response = home.post(url(case.student), data)

    assert response.url == url(case.student)
    reenrolment = case.reenrolment
    assert (reenrolment.administrative, reenrolment.comment) == (True, "Pas le mardi.\nMerci.")
    assert list(reenrolment.choices.values_list("enrolment", "wanted", "slot", "stop_reason")) == [
        (case.choir.pk, False, None, "Plus le temps"),
        (case.theory.pk, True, case.slot.pk, ""),
    ]


def test_looking_at_the_page_writes_nothing(home, case):
    home.get(url(case.student))

    assert not Reenrolment.objects.exists()


def test_check_saves_then_leads_to_the_recap(home, case):
    case.fill_in()

    response = home.post(url(case.student), page_data(home.get(url(case.student))) | {"check": ""})

    assert response.url == url(case.student, "check")


def test_an_incomplete_draft_comes_back_with_what_is_to_mend(home, case):
    home.post(url(case.student), page_data(home.get(url(case.student))))

    response = home.get(url(case.student, "check"), follow=True)

    assert [field for field, _ in response.context["errors"]] == [
        "id_administrative",
        f"id_course-{case.choir.pk}-wanted",
    ]


def test_what_the_other_parent_saved_meanwhile_is_not_overwritten(home, case):
    stale = page_data(home.get(url(case.student)))
    home.post(url(case.student), stale | {"comment": "Le mien."})

    response = home.post(url(case.student), stale | {"comment": "Le tien.", "administrative": "on"})

    assert [field for field, _ in response.context["errors"]] == ["id_comment"]
    assert "«\u00a0Le mien.\u00a0»" in response.context["errors"][0][1]
    assert case.reenrolment.comment == "Le mien."
    assert case.reenrolment.administrative is True, "the other sections are saved"
    assert page_data(response)["comment"] == "Le tien.", "what was typed is kept"


def test_saving_again_after_a_conflict_means_mine(home, case):
    stale = page_data(home.get(url(case.student)))
    home.post(url(case.student), stale | {"comment": "Le mien."})
    response = home.post(url(case.student), stale | {"comment": "Le tien."})
    shown = " ".join(response.content.decode().split())
    assert 'name="initial-comment" value="Le mien."' in shown

    home.post(url(case.student), stale | {"initial-comment": "Le mien.", "comment": "Le tien."})

    assert case.reenrolment.comment == "Le tien."


def test_a_section_left_alone_keeps_what_somebody_else_saved(home, case):
    stale = page_data(home.get(url(case.student)))
    home.post(url(case.student), stale | {"comment": "Le mien."})

    response = home.post(url(case.student), stale | {"administrative": "on"})

    assert response.status_code == 302
    assert case.reenrolment.comment == "Le mien."


def test_a_course_in_conflict_says_what_the_other_chose(home, case):
    stale = page_data(home.get(url(case.student)))
    section = f"course-{case.choir.pk}"
    home.post(url(case.student), stale | {f"{section}-wanted": "on"})

    response = home.post(url(case.student), stale | {f"{section}-stop_reason": "Fini"})

    [(field, sentence)] = response.context["errors"]
    assert field == f"id_{section}-wanted"
    assert "«\u00a0réinscription\u00a0»" in sentence


def test_a_slot_that_has_just_been_filled_is_refused_beside_its_field(home, case):
    data = page_data(home.get(url(case.student)))
    rival = make_case(StudentFactory(family=CustodyFactory().family), slot=case.slot)
    rival.fill_in()
    rival.submit(GuardianFactory(family=rival.student.families.get()).user)
    section = f"course-{case.theory.pk}"

    response = home.post(
        url(case.student),
        data | {f"{section}-wanted": "on", f"{section}-slot_id": str(case.slot.pk)},
    )

    assert [field for field, _ in response.context["errors"]] == [f"id_{section}-slot_id"]


def test_a_slot_of_another_course_is_refused(home, case):
    foreign = SlotFactory(course=CourseFactory(coming=True))
    section = f"course-{case.theory.pk}"
    data = page_data(home.get(url(case.student)))

    response = home.post(
        url(case.student),
        data | {f"{section}-wanted": "on", f"{section}-slot_id": str(foreign.pk)},
    )

    assert response.status_code == 200
    assert not case.reenrolment.choices.filter(slot=foreign).exists()


def test_a_slot_filled_since_the_draft_is_said_on_the_page(home, case):
    case.fill_in()
    case.let_holds_end()
    rival = make_case(StudentFactory(family=CustodyFactory().family), slot=case.slot)
    rival.fill_in()
    rival.submit(GuardianFactory(family=rival.student.families.get()).user)

    response = home.get(url(case.student, "check"), follow=True)

    [(field, sentence)] = response.context["errors"]
    assert field == f"id_course-{case.theory.pk}-slot_id"
    assert "maintenant complet" in sentence


@pytest.mark.parametrize(
    ("scheduling", "sentence"),
    [
        (Scheduling.FAMILY, "Complet&nbsp;: tous les horaires sont pris. "),
        (Scheduling.ADMINISTRATION, "Attribué par l'administration"),
        (Scheduling.TEACHER, "Horaire fixé par l'enseignant"),
        (Scheduling.SCHOOL, "Sur le temps scolaire (CHAM)"),
    ],
)
def test_no_course_left_says_which_case_it_is(home, student, scheduling, sentence):
    CampaignFactory()
    coming = CourseFactory(coming=True, scheduling=scheduling)
    EnrolmentFactory(student=student, course=CourseFactory(next_course=coming))

    content = home.get(url(student)).content.decode()

    assert "plus de cours disponible" in content
    assert sentence in content


def test_the_places_left_are_shown(home, case):
    content = home.get(url(case.student)).content.decode()

    assert (
        "Formation musicale C1-3 A – LUNDI – 18\u00a0h\u00a030 à 19\u00a0h\u00a030 (1 place)"
        in content
    )


# --- Pieces


@pytest.fixture
def rule(case):
    return PieceRuleFactory()


def key(rule, family):
    return f"{rule.document_type.pk}-f{family.pk}"


def pdf(name="facture.pdf"):
    return SimpleUploadedFile(name, make_pdf(), "application/pdf")


def test_a_file_is_kept_with_the_rest_of_the_page(home, case, rule, family):
    data = page_data(home.get(url(case.student))) | {"comment": "Bonjour"}

    home.post(url(case.student), data | {f"piece-{key(rule, family)}": pdf()})

    document = Document.objects.get()
    assert (document.family, document.type) == (family, rule.document_type)
    assert case.reenrolment.comment == "Bonjour"


def test_a_refused_file_leaves_the_rest_saved_and_its_sentence_beside(home, case, rule, family):
    data = page_data(home.get(url(case.student))) | {"comment": "Bonjour"}

    response = home.post(
        url(case.student), data | {f"piece-{key(rule, family)}": pdf("reçu été.pdf")}
    )

    [(field, sentence)] = response.context["errors"]
    assert field == f"id_piece-{key(rule, family)}"
    assert "recu ete.pdf" in sentence
    assert case.reenrolment.comment == "Bonjour"
    assert not Document.objects.exists()


def test_one_refused_file_does_not_keep_the_others_out(home, case, rule, family):
    photo = PieceRuleFactory(document_type__photo=True)
    data = page_data(home.get(url(case.student)))

    home.post(
        url(case.student),
        data
        | {
            f"piece-{key(rule, family)}": SimpleUploadedFile("photo.jpg", make_jpeg()),
            f"piece-{photo.document_type.pk}-s": SimpleUploadedFile("photo.jpg", make_jpeg()),
        },
    )

    assert [document.type for document in Document.objects.all()] == [photo.document_type]


def test_send_without_a_file_says_so(home, case, rule, family):
    data = page_data(home.get(url(case.student))) | {"send": key(rule, family)}

    [(field, _)] = home.post(url(case.student), data).context["errors"]

    assert field == f"id_piece-{key(rule, family)}"


def test_a_piece_can_be_taken_back_while_it_is_a_draft(home, case, rule, family):
    DocumentFactory(type=rule.document_type, family=family)
    data = page_data(home.get(url(case.student))) | {"remove": key(rule, family)}

    home.post(url(case.student), data)

    assert not Document.objects.exists()


def test_nothing_can_be_sent_for_the_other_household(home, case, rule):
    other = GuardianFactory().family
    CustodyFactory(student=case.student, family=other, rank=2)
    DocumentFactory(type=rule.document_type, family=other, name="secret.pdf")
    response = home.get(url(case.student))
    assert "secret.pdf" not in response.content.decode()

    home.post(
        url(case.student),
        page_data(response) | {f"piece-{key(rule, other)}": pdf(), "remove": key(rule, other)},
    )

    assert [document.name for document in Document.objects.all()] == ["secret.pdf"]


# --- Who, when, how much


def test_another_households_student_is_not_found(home, stranger):
    student = StudentFactory(family=stranger.guardian.family)
    CampaignFactory()

    for name in ("edit", "check", "confirmation", "withdraw"):
        assert home.get(url(student, name)).status_code == 404
    for name in ("edit", "submit", "complete", "withdraw", "take_up"):
        assert home.post(url(student, name)).status_code == 404


@pytest.mark.parametrize(
    ("opens", "closes", "sentence"),
    [(1, 2, "Les réinscriptions ouvrent le"), (-2, -1, "Les réinscriptions sont closes")],
)
def test_outside_the_period_the_page_says_so_and_saves_nothing(home, case, opens, closes, sentence):
    data = page_data(home.get(url(case.student)))
    now = timezone.now()
    Campaign.objects.update(
        opens_at=now + dt.timedelta(hours=opens), closes_at=now + dt.timedelta(hours=closes)
    )

    assert sentence in home.get(url(case.student)).content.decode()
    home.post(url(case.student), data | {"administrative": "on"})

    assert not Reenrolment.objects.exists()


def test_a_submitted_dossier_is_read_only(home, case, parent):
    case.fill_in()
    case.submit(parent)
    stale = {"comment": "Trop tard", "initial-comment": ""}

    home.post(url(case.student), stale)

    assert case.reenrolment.comment == ""
    assert "<textarea" not in home.get(url(case.student)).content.decode()


def test_a_student_without_course_is_told_where_to_ask(home, student, establishment):
    CampaignFactory()

    assert establishment.phone in home.get(url(student)).content.decode()


def test_without_a_campaign_the_page_says_so(home, student):
    assert "Aucune réinscription n'est prévue" in home.get(url(student)).content.decode()


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("status", [None, Status.DRAFT, Status.SUBMITTED])
def test_edit_makes_ten_queries_whatever_the_count(
    home, case, parent, family, status, count, django_assert_max_num_queries
):
    for _ in range(count):
        StudentFactory(family=family)
        coming = CourseFactory(coming=True)
        SlotFactory.create_batch(count, course=coming, places=5)
        EnrolmentFactory(student=case.student, course=CourseFactory(next_course=coming))
        DocumentFactory(
            type=PieceRuleFactory(document_type=DocumentTypeFactory()).document_type, family=family
        )
    if status:
        case.fill_in()
    if status == Status.SUBMITTED:
        case.submit(parent)

    with django_assert_max_num_queries(10):
        assert home.get(url(case.student)).status_code == 200


def test_what_is_to_mend_stands_beside_its_field(home, case):
    home.post(url(case.student), page_data(home.get(url(case.student))))

    content = home.get(url(case.student) + "?verifier=1").content.decode()

    assert 'id="id_administrative-errors"' in content
    assert f'id="id_course-{case.choir.pk}-wanted-errors"' in content


def test_a_refused_dossier_says_why(home, case, parent, registrar):
    case.fill_in()
    decisions.refuse(case.submit(parent), reason="Dossier hors délai.", actor=registrar)

    assert "Dossier hors délai." in home.get(url(case.student)).content.decode()


def test_the_slots_stand_in_the_order_of_the_week(home, case):
    course = case.slot.course
    friday = SlotFactory(course=course, weekday=5, starts_at=dt.time(9), ends_at=dt.time(10))
    monday_morning = SlotFactory(
        course=course, weekday=1, starts_at=dt.time(9), ends_at=dt.time(10)
    )

    rows = home.get(url(case.student)).context["page"].rows

    [row] = [row for row in rows if row.offers_slots]
    assert row.slots == [monday_morning, case.slot, friday]
