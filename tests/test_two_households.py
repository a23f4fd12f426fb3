"""Alternating custody: the two households of one child, and what neither sees of the other.

Every page of the extranet is opened in every state of the dossier, and every mail is read: of the
other household's e-mail, phones, address, documents and invoices nothing stands there.
"""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.enums import MailKind
from accounts.models import Mail
from billing import services as billing
from billing.enums import PaymentMeans
from documents.enums import Verdict
from documents.models import Document
from reenrolment.enums import Status
from reenrolment.models import Reenrolment
from reenrolment.pieces import load_pieces
from reenrolment.services import decisions, submission
from students.enums import Weekday
from teaching.absences import services as absences
from teaching.announcements import opting_out
from teaching.models import Evaluation
from tests.factories import (
    CustodyFactory,
    DocumentFactory,
    EvaluationFactory,
    FamilyFactory,
    GuardianFactory,
    InvoiceLineFactory,
    PaymentPlanFactory,
    PieceRuleFactory,
    RentalFactory,
    SlotFactory,
)
from tests.reenrolment.conftest import make_case
from tests.reenrolment.waiting_cases import wait_for
from tests.teaching.register_cases import make_absence, make_notice
from tests.test_urls import ROUTES, WHO, YEAR_PAID, address, calendar_token

# What is nobody else's in these tests.
THEIRS = {
    "e-mail": "autre.foyer@example.net",
    "portable": "07 39 98 77 66",
    "fixe": "03 99 88 77 66",
    "adresse": "99 impasse Secrète",
    "complément": "Escalier Dérobé",
    "pièce": "revenus-du-foyer-caches.pdf",
    "motif": "Ce revenu est illisible",
    "facture": "Location très discrète",
    "instrument": "Guarneri caché",
    "assurance": "Assureur secret",
    "paiement": "QUITTANCE-CACHEE",
    "motif d'absence": "Audience au tribunal",
    "justification": "Convocation chez le juge",
}


# Than a student; and the PDF of an attestation, which says what its page says.
OF_ANOTHER_ROW = [
    "documents:download",
    *[f"billing:{name}" for name in ("invoice", "invoice_pdf", "receipt", "receipt_pdf")],
    "billing:attestation_pdf",
    "teaching:withdraw_notice",
    "teaching:justify_absence",
    *[f"teaching:{name}" for name in ("announcement", "read_announcement", "announcement_file")],
    "teaching:concert",  # tests/test_household_secrets.py
    *[f"billing:{name}" for name in ("pay", "leave", "payment", "rental", "rental_contract")],
]


@pytest.fixture
def case(student):
    return make_case(student)


@pytest.fixture
def rule(case):
    """One piece, asked from each household."""
    return PieceRuleFactory()


@pytest.fixture
def other(student):
    """Samir's household: a responsable with an account, and one without."""
    household = FamilyFactory(
        name="Benali", address=THEIRS["adresse"], address_more=THEIRS["complément"]
    )
    for user in ({"user__email": THEIRS["e-mail"]}, {"user": None, "email": THEIRS["e-mail"]}):
        GuardianFactory(
            family=household,
            mobile_phone=THEIRS["portable"],
            home_phone=THEIRS["fixe"],
            **user,
        )
    CustodyFactory(student=student, family=household, rank=2)
    return household


@pytest.fixture
def their_document(rule, other):
    return DocumentFactory(
        type=rule.document_type,
        family=other,
        name=THEIRS["pièce"],
        verdict=Verdict.REFUSED,
        refusal=THEIRS["motif"],
    )


@pytest.fixture
def their_invoice(other, director):
    line = InvoiceLineFactory(invoice__family=other, label=THEIRS["facture"])
    invoice = billing.issue(line.invoice, actor=director)
    billing.record_payment(
        invoice,
        amount=Decimal(8),
        means=PaymentMeans.CASH,
        paid_on=timezone.localdate(),
        reference=THEIRS["paiement"],
        actor=director,
    )
    return invoice


@pytest.fixture
def their_rental(other, student):
    return RentalFactory(
        family=other,
        student=student,
        instrument__brand=THEIRS["instrument"],
        insured=True,
        insurer=THEIRS["assurance"],
    )


@pytest.fixture
def their_words(other, student, teacher):
    """Of an absence to come, and of one that was; in a year that has an evaluation."""
    EvaluationFactory(enrolment__student=student, published=True)
    by = other.guardians.exclude(user=None).get().user
    _, absence = make_absence(student, teacher)
    absences.justify(absence, other, text=THEIRS["justification"], actor=by)
    return make_notice(student, other, actor=by, reason=THEIRS["motif d'absence"])


@pytest.fixture
def signed_in(client, parent, their_document, their_invoice, their_rental, their_words):
    client.force_login(parent)
    return client


def open_all(client, student, reader):
    """What each page of the extranet shows of theirs, by route."""
    found = {}
    wish = student.waiting_entries.get()
    apps = ("students", "reenrolment", "documents", "families", "teaching")
    keys = dict.fromkeys(apps, student.pk)
    keys["reenrolment:waiting"] = student.pk, wish.course_id
    keys["billing:attestation"] = YEAR_PAID
    keys["billing:payment_plan"] = PaymentPlanFactory().pk
    keys["reenrolment:offer"] = student.pk, wish.pk
    keys["teaching"] = student.pk
    keys["teaching:student_week"] = student.pk
    keys["teaching:calendar"] = calendar_token(reader)
    period = Evaluation.objects.get().period_id
    for name in ("bulletin", "bulletin_pdf"):
        keys[f"teaching:{name}"] = student.pk, period
    keys["teaching:unsubscribe"] = opting_out.SIGNER.sign(str(reader.guardian.pk))
    for name in ROUTES:
        if name.startswith("teacher:") or name in OF_ANOTHER_ROW:
            continue
        response = client.get(address(name, keys), follow=True)
        if name.startswith("teaching:"):  # one that is not found would hold nothing
            assert response.status_code == ROUTES[name][WHO.index("parent")], name
        if response["Content-Type"] == "application/pdf":
            continue  # tests/test_household_secrets.py reads it
        if seen := [what for what, value in THEIRS.items() if value in response.text]:
            found[name] = seen
    return found


def reach(state, case, parent, registrar):
    """Takes Louise's dossier to this state, by the services."""
    case.fill_in()
    wait_for(case, SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY, places=0))
    if state == Status.DRAFT:
        return
    case.submit(parent)
    if state == Status.INCOMPLETE:
        dossier = Reenrolment.objects.get()
        asked = [piece for piece in load_pieces(dossier) if piece.family]
        until = timezone.now() + dt.timedelta(days=5)
        decisions.request_complement(dossier, pieces=asked, until=until, actor=registrar)
    elif state == Status.VALIDATED:
        choir = case.choice(case.choir)
        slot = SlotFactory(course=case.choir_course, weekday=Weekday.WEDNESDAY)
        decisions.place(choir, course=case.choir_course, slot=slot)
        decisions.validate(Reenrolment.objects.get(), actor=registrar)
    elif state == Status.REFUSED:
        decisions.refuse(Reenrolment.objects.get(), actor=registrar, reason="Motif.")
    elif state == Status.WITHDRAWN:
        submission.withdraw(Reenrolment.objects.get(), actor=parent)


@pytest.mark.parametrize("state", Status)
def test_no_page_shows_what_is_theirs(signed_in, student, case, parent, registrar, state):
    reach(state, case, parent, registrar)
    assert Reenrolment.objects.get().status == state

    assert open_all(signed_in, student, parent) == {}


@pytest.mark.parametrize("state", [state for state in Status if state != Status.DRAFT])
def test_no_mail_to_one_tells_what_is_the_others(
    signed_in, student, case, parent, registrar, state
):
    reach(state, case, parent, registrar)

    # Each household has its own invoice.
    mails = Mail.objects.exclude(kind=MailKind.INVOICE)
    ours, theirs = mails.filter(to=parent.email), mails.filter(to=THEIRS["e-mail"])
    assert ours.count() == theirs.count() / 2 > 0  # each responsable of either is told
    for mail in ours:
        assert [what for what, value in THEIRS.items() if value in mail.body] == []
    for mail in theirs:
        assert parent.email not in mail.body
        assert parent.guardian.family.address not in mail.body


def test_their_rows_are_not_found(signed_in, their_document, their_invoice, their_rental, other):
    for url in (
        reverse("documents:download", args=[their_document.pk]),
        reverse("billing:invoice", args=[their_invoice.pk]),
        reverse("billing:rental", args=[their_rental.pk]),
        reverse("billing:rental_contract", args=[their_rental.pk]),
        reverse("billing:receipt", args=[their_invoice.payments.get().pk]),
        reverse("billing:receipt_pdf", args=[their_invoice.payments.get().pk]),
    ):
        assert signed_in.get(url).status_code == 404
        assert signed_in.post(url).status_code in {404, 405}


def test_of_their_piece_one_sees_only_that_it_came_or_not(
    signed_in, student, family, rule, their_document
):
    DocumentFactory(type=rule.document_type, family=family)  # ours is there
    page = reverse("reenrolment:edit", args=[student.pk])

    assert "manquante" not in signed_in.get(page).text
    Document.objects.filter(pk=their_document.pk).update(removed_at=timezone.now())
    assert "manquante" in signed_in.get(page).text


def test_neither_writes_what_is_the_others(signed_in, parent, other):
    """Whatever is added to what the page posts."""
    theirs = other.guardians.get(user=None)
    page = reverse("families:identity")
    form = signed_in.get(page).context["form"]
    data = {field.html_name: field.value() or "" for field in form if not field.field.disabled}
    stolen = {f"guardian-{theirs.pk}-email": "voleur@example.org", "family": other.pk}

    signed_in.post(page, data | stolen | {"address": "12 rue des Anges"})

    theirs.refresh_from_db()
    other.refresh_from_db()
    assert (theirs.email, other.address) == (THEIRS["e-mail"], THEIRS["adresse"])


def test_the_test_sees_what_is_shown(
    client, student, case, other, their_document, their_invoice, their_rental, their_words
):
    """Signed in as the other household, the same walk finds all of it."""
    wait_for(case, SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY, places=0))
    reader = other.guardians.exclude(user=None).get().user
    client.force_login(reader)

    found = open_all(client, student, reader)

    shown = {what for each in found.values() for what in each}
    assert shown == set(THEIRS)
    assert "families:identity" in found
    assert "documents:supplied" in found
