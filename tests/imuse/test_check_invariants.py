"""Each invariant is broken behind the services' back, as far as the database allows it."""

import datetime as dt
from decimal import Decimal
from io import StringIO

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import Mail, User
from billing import services as billing
from billing.enums import PaymentMeans, PaymentNature
from billing.models import Instalment, Invoice, InvoiceLine, InvoiceSeries, Payment, PaymentAttempt
from documents.models import Document
from documents.services import hand_in
from families.models import Guardian
from imuse import invariants
from reenrolment.enums import Status
from reenrolment.models import CourseChoice, Reenrolment, Transition
from reenrolment.services import decisions, submission
from students import services as students
from students import waiting
from students.enums import EnrolmentStatus, Scheduling, WaitingState, Weekday
from students.models import Course, Enrolment, Hold, WaitingEntry, WaitingMove
from students.waiting_order import Rule
from teaching import invariants as of_the_year
from tests.documents.builders import make_pdf
from tests.factories import (
    CourseFactory,
    CustodyFactory,
    DocumentTypeFactory,
    EnrolmentFactory,
    GuardianFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    PieceRuleFactory,
    SlotFactory,
    StudentFactory,
    make_paid_attempt,
)
from tests.reenrolment.conftest import case  # noqa: F401 (a fixture)


def broken(check):
    """What the check finds, in the eyes of the terminal: with plain spaces."""
    return [sentence.replace("\u00a0", " ") for sentence in check()]


def line(choice):
    """How a line of a dossier is named."""
    return f"{choice.reenrolment}, vœu « {choice} »"


@pytest.fixture
def dossier(case, parent):  # noqa: F811
    """Submitted by Claire Martin with a proof of address: all is well."""
    rule = PieceRuleFactory(document_type=DocumentTypeFactory(name="Justificatif"))
    hand_in(
        "justificatif.pdf",
        make_pdf(),
        type=rule.document_type,
        family=parent.guardian.family,
        actor=parent,
    )
    case.fill_in()
    return case.submit(parent)


@pytest.fixture
def theory(dossier):
    """The line of the dossier whose slot the family chose."""
    return dossier.choices.get(slot__isnull=False)


@pytest.fixture
def validated(dossier, case, registrar):  # noqa: F811
    choir = dossier.choices.get(slot=None)
    slot = SlotFactory(course=case.choir_course, weekday=Weekday.WEDNESDAY)
    decisions.place(choir, course=case.choir_course, slot=slot)
    return decisions.validate(dossier, actor=registrar)


@pytest.fixture
def invoice(accountant):
    line = InvoiceLineFactory(amount=Decimal("38.00"))
    return billing.issue(line.invoice, actor=accountant)


# The command


def test_all_is_well(dossier, invoice):
    written = StringIO()

    call_command("check_invariants", stdout=written)

    assert written.getvalue() == "Tout concorde.\n"


@pytest.mark.usefixtures("db")
def test_an_empty_database_is_well():
    assert list(invariants.violations()) == []


def test_tells_each_and_ends_in_error(dossier, invoice):
    User.objects.filter(username="martin.c").update(email="autre@example.org")
    InvoiceSeries.objects.update(last_number=2)
    written = StringIO()

    with pytest.raises(CommandError, match=r"^2 anomalies\.$"):
        call_command("check_invariants", stdout=written)

    assert len(written.getvalue().splitlines()) == 2


def test_every_check_is_run():
    """All the public functions of the modules but `violations`, which runs them."""
    checks = {
        name
        for name, member in (vars(invariants) | vars(of_the_year)).items()
        if callable(member)
        and getattr(member, "__module__", "").endswith(".invariants")
        and not name.startswith("_")
    }

    assert {check.__name__ for check in invariants.CHECKS} == checks - {"violations"}


# Places


def test_a_place_of_another_course(theory):
    other = CourseFactory(coming=True, name="Solfège")
    Enrolment.objects.filter(pk=theory.granted_id).update(course=other)

    slot = f"« {theory.slot} »".replace("\u00a0", " ")
    assert broken(invariants.seats) == [
        f"Louise Martin : Solfège occupe une place d'un autre cours, {slot}."
    ]


def test_a_place_held_in_another_course(theory):
    until = timezone.now() + dt.timedelta(minutes=30)
    held = students.hold(StudentFactory(first_name="Inès"), SlotFactory(), until=until)
    Hold.objects.update(course=CourseFactory())

    slot = f"« {held.place.slot} »".replace("\u00a0", " ")
    assert broken(invariants.seats) == [f"Inès Martin garde une place d'un autre cours, {slot}."]


def test_a_place_in_a_course_without_slots(theory):
    Course.objects.filter(pk=theory.slot.course_id).update(scheduling=Scheduling.TEACHER)

    assert broken(invariants.seats) == [
        f"{theory.granted} occupe une place alors que ce cours n'a pas de créneau."
    ]


# Waiting lists


@pytest.fixture
def entry(dossier, case, registrar):  # noqa: F811
    """Louise is offered the one place of a slot on Friday."""
    slot = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY)
    waiting.set_wishes(case.student, slot.course, [slot], actor=None)
    rule, delay = Rule([], case.campaign.previous_year_id), dt.timedelta(hours=48)
    [entry] = case.student.waiting_entries.all()
    waiting.offer_to(entry, slot, rule, delay=delay, actor=registrar, reason="")
    assert broken(invariants.waiting_lists) == []
    return WaitingEntry.objects.get(pk=entry.pk)


def named(entry):
    """How a wish is named."""
    return str(entry).replace("\u00a0", " ")


def test_a_place_offered_and_not_kept(entry):
    Hold.objects.all().delete()

    assert broken(invariants.waiting_lists) == [
        f"{named(entry)} : une place est proposée et aucune n'est gardée."
    ]


def test_a_place_kept_and_not_offered(entry):
    WaitingEntry.objects.update(state=WaitingState.DECLINED)
    WaitingMove.objects.create(entry=entry, to_state=WaitingState.DECLINED)

    assert broken(invariants.waiting_lists) == [
        f"{named(entry)} : une place est gardée et la demande est « place refusée »."
    ]


@pytest.mark.parametrize("field", ["student", "course"])
def test_a_place_kept_for_another(entry, field):
    other = {"student": StudentFactory, "course": CourseFactory}[field]()
    Hold.objects.update(**{field: other})

    assert broken(invariants.waiting_lists) == [
        f"{named(entry)} : la place gardée est d'un autre élève ou d'un autre cours."
    ]


def test_a_place_kept_in_another_slot(entry):
    other = SlotFactory(course=entry.course, weekday=Weekday.TUESDAY)
    Hold.objects.update(place=other.places.get())

    assert broken(invariants.waiting_lists) == [
        f"{named(entry)} : la place gardée est d'un autre créneau."
    ]


def test_a_wish_for_a_slot_of_another_course(entry):
    Hold.objects.all().delete()
    other = CourseFactory(name="Solfège")
    WaitingEntry.objects.update(course=other, state=WaitingState.LEFT)
    WaitingMove.objects.create(entry=entry, to_state=WaitingState.LEFT)

    assert broken(invariants.waiting_lists) == [
        f"{named(entry)} : ce créneau n'est pas du cours « Solfège »."
    ]


@pytest.mark.parametrize("wish", ["slot", "any"])
def test_a_wait_for_the_place_that_one_has(entry, case, wish):  # noqa: F811
    WaitingEntry.objects.update(slot=case.slot if wish == "slot" else None)
    Hold.objects.all().delete()
    WaitingMove.objects.filter(to_state=WaitingState.OFFERED).delete()
    WaitingEntry.objects.update(state=WaitingState.WAITING)

    entry.refresh_from_db()
    assert broken(invariants.waiting_lists) == [
        f"{named(entry)} : l'élève attend une place qu'il a."
    ]


@pytest.mark.parametrize("status", [Status.REFUSED, Status.WITHDRAWN])
def test_a_wait_after_a_dossier_that_is_over(entry, dossier, registrar, status):
    decided = {"decided_at": timezone.now(), "decided_by": registrar}
    fields = decided if status == Status.REFUSED else {}
    Reenrolment.objects.update(status=status, **fields)

    assert broken(invariants.waiting_lists) == [
        f"{named(entry)} : l'élève attend encore, et son dossier est refusé ou retiré."
    ]


def test_a_wish_whose_log_stops_too_soon(entry):
    WaitingMove.objects.filter(to_state=WaitingState.OFFERED).delete()

    assert broken(invariants.waiting_lists) == [
        f"{named(entry)} : l'état est « place proposée » et le journal s'arrête à « en attente »."
    ]


@pytest.mark.parametrize("gone", [WaitingState.WAITING, None])
def test_a_wish_whose_log_has_a_gap(entry, gone):
    moves = WaitingMove.objects.filter(to_state=gone) if gone else WaitingMove.objects.all()
    moves.delete()

    assert broken(invariants.waiting_lists) == [
        f"{named(entry)} : le journal ne suit pas les états d'une demande."
    ]


# Dossiers


@pytest.mark.postgres  # SQLite rebuilds the whole table to drop a constraint
@pytest.mark.usefixtures("db")
def test_two_dossiers_of_a_student(student, request):
    name = "reenrolment_one_per_student_and_campaign"
    constraint = next(c for c in Reenrolment._meta.constraints if c.name == name)
    with connection.schema_editor() as editor:
        editor.remove_constraint(Reenrolment, constraint)
    campaign = request.getfixturevalue("case").campaign
    Reenrolment.objects.create(campaign=campaign, student=student)
    Reenrolment.objects.create(campaign=campaign, student=student)

    assert broken(invariants.one_dossier) == ["Louise Martin a 2 dossiers dans la même campagne."]


def test_a_draft_holds_an_enrolment(dossier):
    Reenrolment.objects.filter(pk=dossier.pk).update(
        status=Status.DRAFT, submitted_at=None, submitted_by=None, terms=None
    )

    assert broken(invariants.choices) == [
        f"{line(choice)} : un brouillon ne tient aucune inscription."
        for choice in dossier.choices.order_by("pk")
    ]


def test_a_submitted_dossier_lacks_a_known_course(dossier):
    choir = dossier.choices.get(slot=None)
    CourseChoice.objects.filter(pk=choir.pk).update(granted=None)

    assert broken(invariants.choices) == [f"{line(choir)} : aucune inscription n'a été prise."]


def test_a_course_unknown_at_submission_is_awaited(dossier):
    """The administration will say; a jury may have since: that is no half dossier."""
    choir = dossier.choices.get(slot=None)
    CourseChoice.objects.filter(pk=choir.pk).update(granted=None)
    following = choir.enrolment.course.next_course
    Course.objects.filter(pk=choir.enrolment.course_id).update(next_course=None)
    Enrolment.objects.filter(pk=choir.enrolment_id).update(next_course=following)

    assert broken(invariants.choices) == []


def test_a_slot_picked_is_not_held(theory):
    Enrolment.objects.filter(pk=theory.granted_id).update(place=None)

    assert broken(invariants.choices) == [
        f"{line(theory)} : aucune place n'est tenue alors qu'un créneau a été choisi."
    ]


@pytest.mark.parametrize("decide", [students.confirm, students.release])
def test_an_agent_decides_by_hand_before_the_dossier_is_examined(theory, decide):
    decide(theory.granted)

    assert broken(invariants.choices) == []


def test_a_student_leaves_a_course_once_the_dossier_is_validated(validated):
    students.release(validated.choices.exclude(slot=None).get().granted)

    assert broken(invariants.choices) == []


def test_a_validated_dossier_is_confirmed_and_placed(validated):
    assert broken(invariants.choices) == []


def test_a_validated_dossier_lacks_an_enrolment(validated):
    choir = validated.choices.get(slot=None)
    CourseChoice.objects.filter(pk=choir.pk).update(granted=None)

    assert broken(invariants.choices) == [
        f"{line(choir)} : le dossier est validé sans inscription."
    ]


def test_a_validated_dossier_is_not_confirmed(validated):
    choir = validated.choices.get(slot=None)
    Enrolment.objects.filter(pk=choir.granted_id).update(status=EnrolmentStatus.REQUESTED)

    assert broken(invariants.choices) == [
        f"{line(choir)} : le dossier est validé et l'inscription seulement demandée."
    ]


def test_a_validated_dossier_is_not_placed(validated):
    choir = validated.choices.get(slot=None)
    Enrolment.objects.filter(pk=choir.granted_id).update(place=None)

    assert broken(invariants.choices) == [
        f"{line(choir)} : le dossier est validé et l'élève n'est pas placé."
    ]


@pytest.mark.parametrize("given_up", ["withdrawn", "refused"])
def test_a_dossier_given_up_keeps_an_enrolment(dossier, theory, parent, registrar, given_up):
    if given_up == "withdrawn":
        submission.withdraw(dossier, actor=parent)
    else:
        decisions.refuse(dossier, reason="Âge.", actor=registrar)
    Enrolment.objects.filter(pk=theory.granted_id).update(status=EnrolmentStatus.REQUESTED)

    assert broken(invariants.choices) == [f"{line(theory)} : l'inscription n'a pas été rendue."]


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        ("enrolment", "le cours suivi est celui d'un autre élève"),
        ("granted", "l'inscription de l'année préparée est celle d'un autre élève"),
    ],
)
def test_a_line_is_about_somebody_else(theory, end, sentence):
    enrolment = getattr(theory, end)
    Enrolment.objects.filter(pk=enrolment.pk).update(student=StudentFactory())

    assert broken(invariants.choices) == [f"{line(theory)} : {sentence}."]


def test_an_enrolment_of_another_year(theory):
    Course.objects.filter(pk=theory.slot.course_id).update(
        school_year=theory.reenrolment.campaign.previous_year
    )

    assert broken(invariants.choices) == [
        f"{line(theory)} : l'inscription n'est pas de l'année préparée."
    ]


# Files


def test_a_file_is_lost(dossier):
    document = Document.objects.get()
    storages["private"].delete(document.file.name)

    assert broken(invariants.files) == [
        f"{document} ({document.pk}) : le fichier ne se lit pas (FileNotFoundError)."
    ]


def test_a_file_is_not_the_one_received(dossier):
    document = Document.objects.get()
    with storages["private"].open(document.file.name, "wb") as file:
        file.write(b"%PDF-1.4 other")

    assert broken(invariants.files) == [
        f"{document} ({document.pk}) : le fichier gardé n'est plus le même."
    ]


# Mails


def test_an_acknowledgement_is_missing(dossier):
    Mail.objects.all().delete()

    assert broken(invariants.acknowledgements) == [
        f"{dossier} : pas d'accusé de réception pour Claire Martin."
    ]


def test_nobody_awaits_a_mail_without_an_account_or_an_address_then(dossier, family):
    """The address may have been given since, and the account opened."""
    GuardianFactory(family=family, user=None, email="paul@example.org")
    GuardianFactory(family=family, email="")
    GuardianFactory(family=family)
    transition = dossier.transitions.get()
    Transition.objects.filter(pk=transition.pk).update(at=timezone.now() - dt.timedelta(days=1))
    User.objects.filter(username="martin.c").update(
        date_joined=timezone.now() - dt.timedelta(days=2)
    )

    assert broken(invariants.acknowledgements) == []


def test_a_household_added_since_was_sent_nothing(dossier):
    older = GuardianFactory(user__date_joined=timezone.now() - dt.timedelta(days=9))
    CustodyFactory(student=dossier.student, family=older.family, rank=2)

    assert broken(invariants.acknowledgements) == []


def test_an_acknowledgement_of_no_submission(dossier):
    mail = Mail.objects.get()
    Mail.objects.filter(pk=mail.pk).update(key="acknowledgement:7:8:9")

    assert broken(invariants.acknowledgements) == [
        f"{dossier} : pas d'accusé de réception pour Claire Martin.",
        "L'accusé de réception acknowledgement:7:8:9 n'a pas de dépôt.",
    ]


# The log of moves


def test_a_move_is_lost(validated):
    validated.transitions.order_by("pk").first().delete()

    assert broken(invariants.moves) == [
        f"{validated} : le mouvement « déposé → validé » ne suit pas « en cours de saisie »."
    ]


def test_the_last_move_is_lost(validated):
    validated.transitions.order_by("pk").last().delete()

    assert broken(invariants.moves) == [
        f"{validated} : l'état est « validé » et le journal s'arrête à « déposé »."
    ]


def test_a_move_that_is_not_allowed(dossier):
    Transition.objects.update(to_status=Status.VALIDATED)

    assert broken(invariants.moves) == [
        f"{dossier} : le mouvement « en cours de saisie → validé » ne suit pas"
        " « en cours de saisie »."
    ]


# Invoices


def test_an_invoice_number_is_missing(invoice):
    InvoiceSeries.objects.update(last_number=3)

    assert broken(invariants.invoice_numbers) == [
        f"Factures {invoice.year} (Conservatoire) : il manque n° 2, 3."
    ]


def test_an_invoice_number_is_beyond_the_counter(invoice):
    InvoiceSeries.objects.update(last_number=0)

    assert broken(invariants.invoice_numbers) == [
        f"Factures {invoice.year} (Conservatoire) : n° 1 au-delà du compteur (0)."
    ]


def test_a_counter_is_missing(invoice):
    InvoiceSeries.objects.all().delete()

    assert broken(invariants.invoice_numbers) == [f"Factures {invoice.year} : n° 1 sans compteur."]


def test_an_invoice_has_no_line(invoice):
    InvoiceLine.objects.all().delete()

    assert broken(invariants.invoice_amounts) == [f"La facture {invoice} n'a aucune ligne."]


def test_an_invoice_comes_to_less_than_nothing(invoice):
    InvoiceLine.objects.update(amount=Decimal("-1.00"))

    assert broken(invariants.invoice_amounts) == [
        f"Le total de la facture {invoice} est négatif : \u22121,00 €."
    ]


def test_the_instalments_of_an_invoice_do_not_add_up(invoice):
    Instalment.objects.update(amount=Decimal("37.00"))

    assert broken(invariants.invoice_amounts) == [
        f"La facture {invoice} n'est pas répartie : 37,00 € d'échéances pour 38,00 €."
    ]


def test_credit_notes_go_beyond_their_invoice(invoice, accountant):
    billing.cancel(invoice, reason="Erreur", actor=accountant)
    InvoiceLine.objects.filter(amount__lt=0).update(amount=Decimal("-38.01"))

    assert broken(invariants.invoice_amounts) == [
        f"Les avoirs de la facture {invoice} la dépassent : 38,01 € pour 38,00 €."
    ]


def test_a_credit_note_takes_nothing_off(invoice, accountant):
    note = billing.cancel(invoice, reason="Erreur", actor=accountant)
    note.lines.update(amount=Decimal("0.00"))

    assert broken(invariants.invoice_amounts) == [f"L'avoir {note} n'est pas négatif : 0,00 €."]


def test_a_payment_is_not_undone_whole(invoice, accountant):
    about = {"paid_on": timezone.localdate(), "actor": accountant}
    paid = billing.record_payment(
        invoice, amount=Decimal(38), means=PaymentMeans.CHEQUE, reference="CHQ 1", **about
    )
    [bounce] = billing.bounce(paid, reference="REJET 1", **about)
    assert broken(invariants.payments_undone) == []
    Payment.objects.filter(pk=bounce.pk).update(amount=Decimal("-37.00"))

    [said] = broken(invariants.payments_undone)
    assert said == "Le rejet REJET 1 : \u221237,00 € n'annule pas CHQ 1 : 38,00 €."


def test_what_is_carried_over_comes_from_nowhere(invoice, accountant):
    Payment.objects.create(
        invoice=invoice,
        nature=PaymentNature.CARRIED,
        amount=Decimal("5.00"),
        means=PaymentMeans.CARRIED,
        paid_on=timezone.localdate(),
        reference="REPORT",
        recorded_by=accountant,
    )

    assert broken(invariants.payments_undone) == [
        "Le report REPORT : 5,00 € n'a pas sa contrepartie."
    ]


def test_what_payfip_paid_is_not_what_was_received(invoice):
    attempt = make_paid_attempt(invoice)
    assert broken(invariants.payments_online) == []
    PaymentAttempt.objects.update(amount=200)

    [said] = broken(invariants.payments_online)
    assert said.startswith(f"Le paiement en ligne {attempt} n'est pas l'encaissement")


def test_a_draft_is_nobodys_business(db):
    InvoiceFactory()

    assert Invoice.objects.count() == 1
    assert broken(invariants.invoice_amounts) == []


# Accounts


def test_an_account_has_another_address(parent):
    Guardian.objects.update(email="claire@example.org")

    assert broken(invariants.addresses) == [
        "Claire Martin et son compte n'ont pas la même adresse :"
        " claire@example.org et martin.c@example.org."
    ]


def test_a_guardian_without_an_address_is_no_other(parent):
    Guardian.objects.update(email="")

    assert broken(invariants.addresses) == []


def test_an_enrolment_of_this_year_is_no_dossiers_business(db):
    EnrolmentFactory()

    assert list(invariants.violations()) == []
