"""What the administration does with a submitted dossier, and what it is refused."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import Mail
from documents import services as documents
from documents.enums import RefusalReason
from reenrolment.enums import Status
from reenrolment.models import CourseChoice, Reenrolment, RequestedPiece
from reenrolment.pieces import load_pieces
from reenrolment.services import decisions, submission
from students.enums import EnrolmentStatus, Weekday
from students.models import Enrolment
from tests.factories import (
    CourseFactory,
    CustodyFactory,
    DocumentFactory,
    GuardianFactory,
    PieceRuleFactory,
    SlotFactory,
    StudentFactory,
)
from tests.races import run_together
from tests.reenrolment.conftest import make_case

ROUNDS = 20
TOMORROW = dt.timedelta(days=1)


def codes(caught):
    return sorted({error.code for error in caught.value.error_list})


def free_places(slot) -> int:
    return slot.places.filter(enrolment=None).count()


# --- Asking for a complement --------------------------------------------------------------------


@pytest.fixture
def lacking(case, parent):
    """One piece missing, one refused, one accepted."""
    missing, refused, accepted = [rule.document_type for rule in PieceRuleFactory.create_batch(3)]
    for type_ in (refused, accepted):
        DocumentFactory(type=type_, family=parent.guardian.family)
    return missing, refused, accepted


@pytest.fixture
def to_complete(case, parent, registrar, lacking):
    """Submitted with the pieces of `lacking`, and examined; a second household exists."""
    other = GuardianFactory(user__username="autre.p", first_name="Karim")
    CustodyFactory(student=case.student, family=other.family, rank=2)
    missing, refused, accepted = lacking
    for type_ in lacking:
        DocumentFactory(type=type_, family=other.family)
    case.fill_in()
    reenrolment = case.submit(parent)
    for piece in load_pieces(reenrolment):
        if piece.type == refused and piece.family == parent.guardian.family:
            documents.refuse(piece.document, reason=RefusalReason.TOO_OLD, actor=registrar)
        elif not piece.is_missing:
            documents.accept(piece.document, actor=registrar)
    Mail.objects.all().delete()
    return case.reenrolment


def ask(reenrolment, actor, **changes):
    lacking = [piece for piece in load_pieces(reenrolment) if piece.sets_top_rate]
    arguments = {"pieces": lacking, "until": timezone.now() + TOMORROW, "actor": actor}
    return decisions.request_complement(reenrolment, **arguments | changes)


def test_asking_notes_the_pieces_the_date_and_who(to_complete, registrar, parent, lacking):
    until = timezone.now() + TOMORROW

    reenrolment = ask(to_complete, registrar, until=until, message="  Merci.  ")

    assert (reenrolment.status, reenrolment.complement_until) == (Status.INCOMPLETE, until)
    transition = reenrolment.transitions.first()
    assert (transition.actor, transition.reason) == (registrar, "Merci.")
    family = parent.guardian.family
    assert list(RequestedPiece.objects.values_list("document_type", "family").order_by("pk")) == [
        (lacking[0].pk, family.pk),
        (lacking[1].pk, family.pk),
    ]


def test_asking_tells_each_household_of_its_own_pieces_only(
    to_complete, registrar, parent, lacking
):
    missing, refused, accepted = lacking

    ask(to_complete, registrar, message="Merci d'envoyer une facture récente.")

    told = {mail.to: mail.body for mail in Mail.objects.all()}
    assert sorted(told) == sorted([parent.email, "autre.p@example.org"])
    assert f"{missing}\u00a0: pièce manquante" in told[parent.email]
    assert f"{refused}\u00a0: {RefusalReason.TOO_OLD.label}" in told[parent.email]
    assert str(accepted) not in told[parent.email]
    assert "Merci d'envoyer une facture récente." in told[parent.email]
    assert "Vous n'avez rien à faire" in told["autre.p@example.org"]
    assert str(refused) not in told["autre.p@example.org"]


def test_asking_for_nothing_is_refused(to_complete, registrar):
    with pytest.raises(ValidationError) as caught:
        ask(to_complete, registrar, pieces=[])

    assert codes(caught) == ["no_piece"]


def test_asking_for_an_accepted_piece_is_refused(to_complete, registrar):
    with pytest.raises(ValidationError) as caught:
        ask(to_complete, registrar, pieces=load_pieces(to_complete))

    assert codes(caught) == ["not_lacking"]
    assert not RequestedPiece.objects.exists()


def test_asking_for_a_piece_that_is_yet_to_examine_is_refused(case, registrar, parent):
    DocumentFactory(type=PieceRuleFactory().document_type, family=parent.guardian.family)
    case.fill_in()
    reenrolment = case.submit(parent)

    with pytest.raises(ValidationError) as caught:
        ask(reenrolment, registrar, pieces=load_pieces(reenrolment))

    assert codes(caught) == ["not_lacking"]


def test_asking_about_a_draft_is_refused(case, registrar):
    PieceRuleFactory()
    case.fill_in()

    with pytest.raises(ValidationError) as caught:
        ask(case.reenrolment, registrar)

    assert codes(caught) == ["bad_transition"]


def test_asking_for_yesterday_is_refused(to_complete, registrar):
    with pytest.raises(ValidationError) as caught:
        ask(to_complete, registrar, until=timezone.now())

    assert codes(caught) == ["past"]


def test_asking_twice_is_refused(to_complete, registrar):
    ask(to_complete, registrar)
    Mail.objects.all().delete()

    with pytest.raises(ValidationError) as caught:
        ask(to_complete, registrar)

    assert codes(caught) == ["bad_transition"]
    assert not Mail.objects.exists()


# --- Validating ---------------------------------------------------------------------------------


def test_validating_confirms_the_enrolments_and_tells_the_family(case, placed, registrar, parent):
    reenrolment = decisions.validate(placed, actor=registrar)

    assert (reenrolment.status, reenrolment.decided_by) == (Status.VALIDATED, registrar)
    assert reenrolment.decided_at is not None
    coming = Enrolment.objects.filter(course__school_year=case.campaign.school_year)
    assert set(coming.values_list("status", flat=True)) == {EnrolmentStatus.CONFIRMED}
    mail = Mail.objects.get()
    assert (mail.kind, mail.to) == ("validated", parent.email)
    assert str(case.slot) in mail.body
    assert "tarif haut" not in mail.body


def test_validating_needs_every_wanted_course_placed(case, submitted, registrar):
    with pytest.raises(ValidationError) as caught:
        decisions.validate(submitted, actor=registrar)

    assert codes(caught) == ["not_placed"]
    assert case.reenrolment.status == Status.SUBMITTED
    assert not Enrolment.objects.filter(
        course__school_year=case.campaign.school_year, status=EnrolmentStatus.CONFIRMED
    ).exists()
    assert not Mail.objects.exists()


def test_validating_does_not_wait_for_a_course_that_stops(case, submitted, registrar):
    choice = case.choice(case.choir)
    CourseChoice.objects.filter(pk=choice.pk).update(wanted=False, granted=None)

    assert decisions.validate(submitted, actor=registrar).status == Status.VALIDATED


@pytest.mark.parametrize(
    ("verdict", "top_rate"),
    [("missing", True), ("refused", True), ("pending", False), ("accepted", False)],
)
def test_a_missing_or_refused_piece_sets_the_top_rate(
    case, parent, registrar, choir_slot, verdict, top_rate
):
    rule = PieceRuleFactory()
    if verdict != "missing":
        document = DocumentFactory(type=rule.document_type, family=parent.guardian.family)
    case.fill_in()
    case.submit(parent)
    decisions.place(case.choice(case.choir), course=case.choir_course, slot=choir_slot)
    if verdict == "refused":
        documents.refuse(document, reason=RefusalReason.UNREADABLE, actor=registrar)
    elif verdict == "accepted":
        documents.accept(document, actor=registrar)
    Mail.objects.all().delete()

    reenrolment = decisions.validate(case.reenrolment, actor=registrar)

    assert reenrolment.top_rate is top_rate
    assert ("tarif haut" in Mail.objects.get().body) is top_rate


def test_a_piece_sent_for_the_complement_counts_though_not_sent_back(
    case, to_complete, registrar, parent, lacking, choir_slot
):
    """The agent who saw the new files does not wait for « Renvoyer », and keeps what he saw."""
    ask(to_complete, registrar)
    decisions.place(case.choice(case.choir), course=case.choir_course, slot=choir_slot)
    family = parent.guardian.family
    sent = []
    for type_ in lacking[:2]:
        new = DocumentFactory.build(type=type_, family=family, uploaded_by=parent)
        type_.documents.filter(family=family).update(replaced_by=new.pk)
        new.save(force_insert=True)
        sent.append(new)

    reenrolment = decisions.validate(case.reenrolment, actor=registrar)

    assert reenrolment.top_rate is False
    shown = {piece.document for piece in load_pieces(reenrolment)}
    assert shown >= set(sent)


# --- Refusing and withdrawing -------------------------------------------------------------------


def test_refusing_gives_the_places_back_and_says_why(case, placed, choir_slot, registrar):
    reenrolment = decisions.refuse(placed, reason=" Dossier en double. ", actor=registrar)

    assert (reenrolment.status, reenrolment.decided_by) == (Status.REFUSED, registrar)
    assert reenrolment.transitions.first().reason == "Dossier en double."
    assert (free_places(case.slot), free_places(choir_slot)) == (1, 1)
    coming = Enrolment.objects.filter(course__school_year=case.campaign.school_year)
    assert set(coming.values_list("status", flat=True)) == {EnrolmentStatus.RELEASED}
    mail = Mail.objects.get()
    assert mail.kind == "refused"
    assert "Motif\u00a0: Dossier en double." in mail.body


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_refusing_without_a_reason_is_refused(case, submitted, registrar, reason):
    with pytest.raises(ValidationError) as caught:
        decisions.refuse(submitted, reason=reason, actor=registrar)

    assert codes(caught) == ["reason_required"]
    assert case.reenrolment.status == Status.SUBMITTED


def test_staff_withdraw_for_the_family_and_the_mail_says_so(case, submitted, registrar):
    reenrolment = submission.withdraw(submitted, actor=registrar, reason="Déménagement.")

    assert reenrolment.status == Status.WITHDRAWN
    assert free_places(case.slot) == 1
    assert "Déménagement." in Mail.objects.get().body


DECISIONS = {
    "validate": lambda reenrolment, actor: decisions.validate(reenrolment, actor=actor),
    "refuse": lambda reenrolment, actor: decisions.refuse(reenrolment, reason="Non.", actor=actor),
    "withdraw": lambda reenrolment, actor: submission.withdraw(reenrolment, actor=actor),
}


@pytest.mark.parametrize("first", DECISIONS)
@pytest.mark.parametrize("second", DECISIONS)
def test_what_is_decided_stays_decided(case, placed, registrar, first, second):
    DECISIONS[first](placed, registrar)
    state = Reenrolment.objects.values().get()
    Mail.objects.all().delete()

    with pytest.raises(ValidationError) as caught:
        DECISIONS[second](placed, registrar)

    assert codes(caught) == ["bad_transition"]
    assert Reenrolment.objects.values().get() == state
    assert not Mail.objects.exists()


@pytest.mark.parametrize("decision", DECISIONS)
def test_a_draft_is_not_decided(case, registrar, decision):
    case.fill_in()

    with pytest.raises(ValidationError) as caught:
        DECISIONS[decision](case.reenrolment, registrar)

    assert codes(caught) == ["bad_transition"]


# --- Two agents at once, on PostgreSQL ----------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_agents_validate_once_and_one_mail_leaves(parent, registrar):
    theory = SlotFactory(course=CourseFactory(coming=True), places=ROUNDS)
    for _ in range(ROUNDS):
        case = make_case(StudentFactory(family=parent.guardian.family), slot=theory)
        case.fill_in()
        case.submit(parent)
        choir_slot = SlotFactory(course=case.choir_course, weekday=Weekday.WEDNESDAY)
        decisions.place(case.choice(case.choir), course=case.choir_course, slot=choir_slot)
        Mail.objects.all().delete()

        results = run_together(
            lambda _, dossier=case.reenrolment: decisions.validate(dossier, actor=registrar), 2
        )

        refused = [result for result in results if isinstance(result, Exception)]
        assert [type(error) for error in refused] == [ValidationError]
        # The dossier's own refusal: the lock held, the enrolments had nothing to catch.
        assert refused[0].message.startswith("Ce dossier est maintenant")
        assert Mail.objects.count() == 1
