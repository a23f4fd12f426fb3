"""« Mode guichet »: an agent fills in the re-enrolment of a family that has no computer."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from accounts.models import User
from documents.models import Document
from reenrolment.models import AssistedSession, Reenrolment, Transition
from reenrolment.services import assisting
from tests.accounts.session_clock import idle
from tests.documents.builders import make_pdf
from tests.factories import (
    PASSWORD,
    CourseFactory,
    CustodyFactory,
    DocumentFactory,
    DocumentTypeFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    PieceRuleFactory,
    StudentFactory,
)
from tests.reenrolment.conftest import make_case

STOP = "/extranet/guichet/terminer/"
PAGES = ["edit", "check", "confirmation", "withdraw"]


def url(name, student):
    return reverse(f"reenrolment:{name}", args=[student.pk])


def start(client, student, family):
    return client.post(url("assist", student), {"family": family.pk})


@pytest.fixture
def assisted(admin, case, family) -> AssistedSession:
    """The registrar fills in Louise's dossier for the Martins; `admin` is her browser."""
    assertRedirects(start(admin, case.student, family), url("edit", case.student))
    return AssistedSession.objects.get()


def opens(client, student) -> int:
    return client.get(url("edit", student)).status_code


# --- Opening ----------------------------------------------------------------------------------


def test_the_agent_stays_himself_and_the_opening_is_logged(admin, assisted, registrar, family):
    response = admin.get(url("edit", assisted.student))

    assert response.wsgi_request.user == registrar
    assert (assisted.agent, assisted.family) == (registrar, family)
    assert assisted.ends_at - assisted.started_at == dt.timedelta(minutes=60)
    banner = "Mode guichet\u00a0: vous remplissez pour Louise"
    assert banner in response.content.decode().replace("&nbsp;", "\u00a0")


def test_the_students_page_of_the_administration_leads_there(admin, case):
    page = admin.get(reverse("admin:students_student_change", args=[case.student.pk]))

    assert f'href="{url("assist", case.student)}"' in page.content.decode()


def test_looking_opens_nothing(admin, case, family):
    form = admin.get(url("assist", case.student)).context["form"]

    assert form.initial.get("family") or form.fields["family"].initial == family
    assert not AssistedSession.objects.exists()
    assert opens(admin, case.student) == 404


@pytest.mark.parametrize("who", ["parent", "stranger", "accountant", "teacher"])
def test_nobody_but_the_secretariat_opens_it(client, request, case, family, who):
    person = request.getfixturevalue(who)
    client.force_login(getattr(person, "user", person))

    assert client.get(url("assist", case.student)).status_code == 404
    assert start(client, case.student, family).status_code == 404
    assert not AssistedSession.objects.exists()


def test_the_direction_opens_it(client, director, case, family):
    client.force_login(director)
    start(client, case.student, family)

    assert opens(client, case.student) == 200


def test_a_student_of_another_establishment_is_not_assisted(admin, registrar, student, family):
    elsewhere = CourseFactory(establishment=EstablishmentFactory(name="École de danse"))
    EnrolmentFactory(student=student, course=elsewhere)

    assert start(admin, student, family).status_code == 404
    with pytest.raises(ValidationError) as caught:
        assisting.start(student, family, actor=registrar)
    assert caught.value.code == "not_ours"


def test_a_household_where_the_student_does_not_live_is_refused(admin, case, registrar):
    other = FamilyFactory(name="Autre")

    response = start(admin, case.student, other)

    assert list(response.context["form"].errors) == ["family"]
    with pytest.raises(ValidationError) as caught:
        assisting.start(case.student, other, actor=registrar)
    assert caught.value.code == "not_ours"
    assert not AssistedSession.objects.exists()


# --- What it opens, and what not --------------------------------------------------------------


def test_only_this_students_re_enrolment_opens(admin, assisted, case, family):
    sister = StudentFactory(first_name="Jeanne", family=family)
    make_case(sister, slot=case.slot)
    document = DocumentFactory(family=family)

    answers = {
        address: admin.get(address).status_code
        for address in [
            *[url("edit", sister), url("assist", sister)],
            *[reverse(f"students:{tab}", args=[case.student.pk])
              for tab in ("identity", "courses", "history", "repertoire")],
            reverse("documents:supplied", args=[case.student.pk]),
            reverse("documents:download", args=[document.pk]),
            reverse("families:identity"),
            reverse("imuse:home"),
        ]
    }  # fmt: skip

    assert answers.pop(url("assist", sister)) == 200  # the agent may go on with her
    assert set(answers.values()) == {404}
    assert admin.post(url("edit", sister), {"administrative": "on"}).status_code == 404
    students = admin.get(url("edit", case.student)).context["page"].selection.students
    assert students == [case.student]


def test_of_two_households_only_the_one_at_the_counter_shows(admin, case, family):
    other = CustodyFactory(student=case.student, family=FamilyFactory(name="Autre"), rank=2).family
    PieceRuleFactory()
    start(admin, case.student, other)

    page = admin.get(url("edit", case.student)).context["page"]

    assert page.selection.own_family == other
    assert {piece.family for piece in page.own_pieces} == {other}
    assert {piece.family for piece in page.other_pieces} == {family}


def test_a_household_that_the_student_leaves_is_not_acted_for_any_more(admin, assisted):
    assisted.student.custodies.all().delete()

    assert opens(admin, assisted.student) == 404


# --- Everything is signed by the agent --------------------------------------------------------


def test_the_whole_dossier_is_signed_by_the_agent(admin, assisted, case, registrar, parent):
    rule = PieceRuleFactory()
    page = admin.get(url("edit", case.student)).context["page"]
    key = page.own_pieces[0].key
    case.fill_in()
    before = User.objects.get(pk=parent.pk).last_login

    data = {
        "send": key,
        f"piece-{key}": SimpleUploadedFile("facture.pdf", make_pdf(), "application/pdf"),
    }
    admin.post(url("edit", case.student), data)
    form = admin.get(url("check", case.student)).context["form"]
    response = admin.post(url("submit", case.student), form.initial | {"accept": "on"})

    assertRedirects(response, url("confirmation", case.student))
    document = Document.objects.get(type=rule.document_type)
    assert (document.uploaded_by, document.family) == (registrar, assisted.family)
    assert case.reenrolment.submitted_by == registrar
    assert Transition.objects.get().actor == registrar
    assert User.objects.get(pk=parent.pk).last_login == before


def test_the_image_of_a_student_is_not_the_agents_to_give(admin, assisted, case, registrar):
    rule = PieceRuleFactory(document_type=DocumentTypeFactory(photo=True))
    DocumentFactory(type=rule.document_type, student=case.student)
    case.fill_in()
    case.submit(registrar)

    assert "Sans réponse, c'est non." not in admin.get(url("confirmation", case.student)).text


# --- The end ----------------------------------------------------------------------------------


def test_terminer_ends_it(admin, assisted):
    response = admin.post(STOP)

    back = reverse("admin:students_student_change", args=[assisted.student_id])
    assertRedirects(response, back)
    assisted.refresh_from_db()
    assert assisted.ends_at <= timezone.now()
    assert opens(admin, assisted.student) == 404


def test_nothing_to_end_is_no_error(admin):
    assertRedirects(admin.post(STOP), reverse("imuse:enter"), fetch_redirect_response=False)


def test_signing_out_ends_it(admin, assisted, registrar):
    admin.post(reverse("accounts:sign_out"))

    assisted.refresh_from_db()
    assert assisted.ends_at <= timezone.now()
    admin.force_login(registrar)
    assert opens(admin, assisted.student) == 404


def test_sixty_minutes_end_it(admin, assisted):
    past = dt.timedelta(minutes=60)
    AssistedSession.objects.update(
        started_at=assisted.started_at - past, ends_at=assisted.ends_at - past
    )

    assert opens(admin, assisted.student) == 404
    assert admin.post(url("edit", assisted.student)).status_code == 404


def test_what_an_agent_typed_is_not_written_once_the_counter_is_closed(
    admin, assisted, case, registrar, establishment
):
    """His session ends, he signs in again and takes back what he had typed: not without opening."""
    idle(admin, minutes=60)
    typed = {"administrative": "on", "comment": "Tapé au guichet"}
    admin.post(url("edit", case.student), typed)
    door = {"establishment": establishment.pk, "username": registrar.username}
    page = admin.post(reverse("accounts:sign_in"), door | {"password": PASSWORD}, follow=True)
    kept = page.context["typed"]
    assert (kept.path, dict(kept.fields)) == (url("edit", case.student), typed)

    assert admin.post(kept.path, dict(kept.fields)).status_code == 404
    assert not Reenrolment.objects.exists()

    start(admin, case.student, assisted.family)
    admin.post(kept.path, dict(kept.fields))
    assert case.reenrolment.comment == "Tapé au guichet"


def test_ending_twice_lengthens_nothing(assisted):
    assisting.end(assisted)
    first = AssistedSession.objects.get().ends_at

    assisting.end(assisted)

    assert AssistedSession.objects.get().ends_at == first


def test_opening_another_ends_the_one_before(admin, assisted, case, family):
    sister = StudentFactory(first_name="Jeanne", family=family)
    make_case(sister, slot=case.slot)

    start(admin, sister, family)

    assert (opens(admin, sister), opens(admin, assisted.student)) == (200, 404)
    assert AssistedSession.objects.filter(ends_at__gt=timezone.now()).count() == 1


def test_another_agents_session_is_not_borrowed(client, director, assisted):
    client.force_login(director)
    session = client.session
    session["assisting"] = assisted.pk
    session.save()

    assert opens(client, assisted.student) == 404


def test_an_agent_who_loses_the_permission_is_out(admin, assisted, registrar):
    registrar.groups.clear()

    assert opens(admin, assisted.student) == 404


def test_the_log_is_read_and_never_written(admin, assisted):
    log = reverse("admin:reenrolment_assistedsession_changelist")
    one = reverse("admin:reenrolment_assistedsession_change", args=[assisted.pk])

    assert [admin.get(log).status_code, admin.get(one).status_code] == [200, 200]
    assert admin.post(one, {"ends_at_0": "2030-01-01"}).status_code == 403
    assert admin.post(one.replace("change", "delete")).status_code == 403
