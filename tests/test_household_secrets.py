"""The two households of one child don't see each other's affairs, on any page (security.md)."""

import pytest

from billing.models import Payment
from documents.models import Document
from families import data_exports
from students.enums import Weekday
from teaching.absences import services as absences
from teaching.announcements import opting_out
from teaching.announcements.files import join
from tests.documents.builders import make_pdf
from tests.factories import (
    ConcertFactory,
    DocumentTypeFactory,
    EvaluationFactory,
    PaymentPlanFactory,
    PeriodFactory,
    PieceRuleFactory,
    SlotFactory,
    StudentFactory,
    TeacherFactory,
    make_turn,
)
from tests.households import found_in, make_household
from tests.pdfs import texts_of
from tests.reenrolment.conftest import make_case
from tests.reenrolment.waiting_cases import fill, offer, wait_for
from tests.teaching.announcement_cases import deliver, make_class, write
from tests.teaching.register_cases import make_absence, make_notice
from tests.test_urls import ROUTES, WHO, YEAR_PAID, address, calendar_token


@pytest.fixture
def homes(db, director, student_of_two_homes):
    """The two families, each with what the other must not read."""
    return [make_household(student_of_two_homes, rank, actor=director) for rank in (1, 2)]


@pytest.fixture
def student_of_two_homes(establishment):
    return StudentFactory(first_name="Inès")


@pytest.mark.parametrize("state", ["draft", "submitted"])
@pytest.mark.parametrize("reader", [0, 1])
def test_no_page_of_a_household_holds_a_secret_of_the_other(
    client, student_of_two_homes, homes, reader, state
):
    student, (family, own) = student_of_two_homes, homes[reader]
    other, secrets = homes[1 - reader]
    for document in Document.objects.all():
        PieceRuleFactory(document_type=document.type)
    case = make_case(student)
    case.fill_in()
    other_day = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY)
    fill(other_day)
    wait_for(case, other_day, actor=other.guardians.get().user)
    wish = offer(case, other_day)
    if state == "submitted":  # by the other parent, who stays unnamed too
        case.submit(other.guardians.get().user)
    parent = family.guardians.get().user
    client.force_login(parent)
    export = data_exports.ask(family, actor=parent)
    data_exports.prepare_next()
    payment = Payment.objects.get(invoice__family=family)
    period = PeriodFactory()
    EvaluationFactory(enrolment=case.theory, period=period, published=True)
    announced = ConcertFactory(published=True)
    make_turn(announced, case.theory)
    _, absence = make_absence(student, TeacherFactory())
    by = other.guardians.get().user
    make_notice(student, other, actor=by, reason="Motif-tu-de-lautre")
    absences.justify(absence, other, text="Excuse-tue-de-lautre", actor=by)
    secrets = [*secrets, "Motif-tu-de-lautre", "Excuse-tue-de-lautre"]
    notice = make_notice(student, family, actor=parent, reason="Le nôtre")
    teacher = TeacherFactory()
    announcement = write(make_class(teacher, student), teacher)
    file = join(announcement, "programme.pdf", make_pdf())
    deliver(announcement)
    rows = {
        **{f"teaching:{name}": announcement.pk for name in ("announcement", "read_announcement")},
        "teaching:announcement_file": file.pk,
        "teaching:unsubscribe": opting_out.SIGNER.sign(str(parent.guardian.pk)),
        "families": export.pk,
        "students": student.pk,
        "teaching": student.pk,
        **dict.fromkeys(["teaching:bulletin", "teaching:bulletin_pdf"], (student.pk, period.pk)),
        "teaching:concert": (student.pk, announced.pk),
        "reenrolment": student.pk,
        "reenrolment:waiting": (student.pk, wish.course_id),
        "reenrolment:offer": (student.pk, wish.pk),
        "teaching:student_week": student.pk,
        "teaching:calendar": calendar_token(parent),
        "documents:supplied": student.pk,
        "documents:download": family.documents.get().pk,
        "documents:example": DocumentTypeFactory(shown=True).pk,
        "teaching:withdraw_notice": (student.pk, notice.pk),
        "teaching:justify_absence": (student.pk, absence.pk),
        "billing": family.invoices.get().pk,
        "billing:rental": family.rentals.get().pk,
        "billing:rental_contract": family.rentals.get().pk,
        "billing:receipt": payment.pk,
        "billing:receipt_pdf": payment.pk,
        "billing:payment_plan": PaymentPlanFactory().pk,
        "billing:attestation": YEAR_PAID,
        "billing:attestation_pdf": YEAR_PAID,
    }

    answers = {
        name: client.get(address(name, rows)) for name in ROUTES if not name.startswith("teacher:")
    }

    # A page that is not found holds no secret: each of the year is to be given its row above.
    year = {name: due for name, due in ROUTES.items() if name.startswith("teaching:")}
    assert {name: answers[name].status_code for name in year} == {
        name: due[WHO.index("parent")] for name, due in year.items()
    }
    texts = {
        name: answer.text
        for name, answer in answers.items()
        if answer.status_code == 200
        and not answer.streaming
        and answer["Content-Type"] != "application/pdf"
    }
    bulletin = "".join(texts_of(answers["teaching:bulletin_pdf"].content))
    assert "Inès" in bulletin
    assert [word for word in secrets if "".join(word.split()) in bulletin] == []
    assert {name: found_in(text, secrets) for name, text in texts.items()} == {
        name: [] for name in texts
    }
    assert found_in(texts["families:identity"], own)  # the words are the right ones
    assert {
        "documents:supplied",
        "reenrolment:edit",
        "billing:invoice",
        "billing:receipt",
        "billing:attestation",
        "billing:rental",
        "teaching:bulletin",
        "teaching:concert",
        "teaching:absences",
        "teaching:announcement",
    } <= set(texts)
    assert "annoncée par l'autre foyer" in texts["teaching:absences"]
    assert "Le nôtre" in texts["teaching:absences"]
