"""« Valider » and what the family may do afterwards."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import Mail
from documents import services as documents
from documents.enums import RefusalReason
from reenrolment.enums import Status
from reenrolment.models import Campaign, SuppliedPiece, Transition
from reenrolment.pieces import load_pieces
from reenrolment.services import decisions, drafts, submission
from reenrolment.services.drafts import Edit
from students.enums import EnrolmentStatus
from students.models import Enrolment
from tests.factories import (
    CourseFactory,
    CustodyFactory,
    DocumentFactory,
    GuardianFactory,
    PieceRuleFactory,
    SlotFactory,
    StudentFactory,
    TermsFactory,
)
from tests.reenrolment.conftest import BLANK, make_case


def codes(caught):
    return sorted({error.code for error in caught.value.error_list})


def test_submit_claims_the_place_and_asks_for_the_other_course(case, parent):
    case.fill_in()

    reenrolment = case.submit(parent)

    assert (reenrolment.status, reenrolment.submitted_by) == (Status.SUBMITTED, parent)
    coming = Enrolment.objects.filter(course__school_year=case.campaign.school_year)
    assert list(coming.values_list("course__name", "place__slot", "status")) == [
        ("Chœur, an prochain", None, EnrolmentStatus.REQUESTED),
        ("Formation musicale C1-3", case.slot.pk, EnrolmentStatus.REQUESTED),
    ]
    transition = Transition.objects.get()
    assert (transition.from_status, transition.to_status) == (Status.DRAFT, Status.SUBMITTED)


def test_submit_writes_one_acknowledgement_for_each_guardian_of_both_households(case, parent):
    other = GuardianFactory(user__username="autre.p")
    CustodyFactory(student=case.student, family=other.family, rank=2)
    case.fill_in()

    case.submit(parent)

    assert sorted(Mail.objects.values_list("to", flat=True)) == sorted([parent.email, other.email])


def test_the_acknowledgement_says_nothing_of_the_other_households_pieces(case, parent):
    other = GuardianFactory(user__username="autre.p")
    CustodyFactory(student=case.student, family=other.family, rank=2)
    piece = PieceRuleFactory().document_type
    DocumentFactory(type=piece, family=parent.guardian.family)
    case.fill_in()

    case.submit(parent)

    told = {mail.to: mail.body for mail in Mail.objects.all()}
    assert f"{piece}\u00a0: reçue" in told[parent.email]
    assert f"{piece}\u00a0: manquante" in told[other.email]


def test_a_second_submission_is_refused_and_writes_no_second_mail(case, parent):
    case.fill_in()
    case.submit(parent)

    with pytest.raises(ValidationError) as caught:
        case.submit(parent)

    assert codes(caught) == ["bad_transition"]
    assert Mail.objects.count() == 1


def test_a_full_slot_leaves_a_draft_and_claims_nothing(case, parent):
    case.fill_in()
    case.let_holds_end()
    rival = make_case(StudentFactory(family=parent.guardian.family), slot=case.slot)
    rival.fill_in()
    rival.submit(parent)

    with pytest.raises(ValidationError) as caught:
        case.submit(parent)

    assert codes(caught) == ["slot_full"]
    assert str(case.slot) in caught.value.messages[0]
    assert case.reenrolment.status == Status.DRAFT
    assert not Enrolment.objects.filter(
        student=case.student, course__school_year=case.campaign.school_year
    ).exists()
    assert Transition.objects.filter(reenrolment=case.reenrolment).count() == 0


def test_a_slot_of_a_course_no_longer_proposed_is_not_claimed(case, parent):
    case.fill_in()
    case.theory.course.next_course = CourseFactory(coming=True)
    case.theory.course.save(update_fields=["next_course"])

    with pytest.raises(ValidationError) as caught:
        case.submit(parent)

    assert codes(caught) == ["slot_full"]


@pytest.mark.parametrize(
    ("opens", "closes", "code"),
    [(1, 2, "not_open"), (-2, 0, "closed"), (-2, -1, "closed")],
)
def test_outside_the_period_nothing_is_saved_nor_submitted(case, parent, opens, closes, code):
    case.fill_in()
    now = timezone.now()
    Campaign.objects.update(
        opens_at=now + dt.timedelta(hours=opens), closes_at=now + dt.timedelta(hours=closes)
    )
    case.campaign.refresh_from_db()

    with pytest.raises(ValidationError) as caught:
        case.submit(parent)
    assert codes(caught) == [code]
    with pytest.raises(ValidationError) as caught:
        case.fill_in()
    assert codes(caught) == [code]


def test_terms_that_changed_are_to_be_read_again(case, parent):
    case.fill_in()
    old = case.campaign.terms
    Campaign.objects.update(terms=TermsFactory(version="2"))

    with pytest.raises(ValidationError) as caught:
        submission.submit(case.reenrolment, actor=parent, terms=old, fingerprint="")

    assert codes(caught) == ["terms_changed"]


def test_a_dossier_changed_since_the_recap_is_to_be_read_again(case, parent):
    case.fill_in()

    with pytest.raises(ValidationError) as caught:
        submission.submit(
            case.reenrolment, actor=parent, terms=case.campaign.terms, fingerprint="before"
        )

    assert codes(caught) == ["changed"]


def test_a_dossier_without_slot_or_course_is_not_ready(case, parent):
    drafts.save_draft(case.campaign, case.student, {})

    with pytest.raises(ValidationError) as caught:
        case.submit(parent)

    assert codes(caught) == ["not_ready"]
    assert len(caught.value.messages) == 2


def test_a_slot_must_be_chosen_while_one_is_left(case, parent):
    case.fill_in()
    section = f"course-{case.theory.pk}"
    stored = BLANK | {"wanted": True, "slot_id": case.slot.pk}
    drafts.save_draft(
        case.campaign, case.student, {section: Edit(stored, stored | {"slot_id": None})}
    )

    with pytest.raises(ValidationError) as caught:
        case.submit(parent)

    assert caught.value.messages == [
        "Choisissez un horaire pour «\u00a0Formation musicale C1-3, cette année\u00a0»."
    ]


def test_a_course_with_no_slot_left_may_still_be_asked_for(student, parent):
    full = SlotFactory(course=CourseFactory(coming=True), places=0)
    case = make_case(student, slot=full)
    case.fill_in()
    section = f"course-{case.theory.pk}"
    drafts.save_draft(case.campaign, case.student, {section: Edit(BLANK, BLANK | {"wanted": True})})

    case.submit(parent)

    granted = Enrolment.objects.get(course=full.course)
    assert (granted.place, granted.status) == (None, EnrolmentStatus.REQUESTED)


def test_the_pieces_are_frozen_and_the_missing_ones_counted(case, parent):
    sent, missing = PieceRuleFactory.create_batch(2)
    document = DocumentFactory(type=sent.document_type, family=parent.guardian.family)
    case.fill_in()

    reenrolment = case.submit(parent)

    assert list(reenrolment.supplied_pieces.values_list("document", flat=True)) == [document.pk]
    assert reenrolment.missing_pieces == 1


def test_withdrawing_gives_the_place_back_and_taking_up_makes_a_draft(case, parent):
    case.fill_in()
    reenrolment = submission.withdraw(case.submit(parent), actor=parent)
    assert reenrolment.status == Status.WITHDRAWN
    assert case.slot.places.filter(enrolment=None).count() == 1

    reenrolment = submission.take_up(reenrolment, actor=parent)

    assert (reenrolment.status, reenrolment.submitted_at) == (Status.DRAFT, None)
    assert case.submit(parent).status == Status.SUBMITTED


def test_a_withdrawn_dossier_stays_so_after_the_closing(case, parent):
    case.fill_in()
    reenrolment = submission.withdraw(case.submit(parent), actor=parent)
    Campaign.objects.update(closes_at=timezone.now())

    with pytest.raises(ValidationError) as caught:
        submission.take_up(reenrolment, actor=parent)

    assert codes(caught) == ["closed"]


def test_a_draft_is_not_withdrawn(case, parent):
    case.fill_in()

    with pytest.raises(ValidationError) as caught:
        submission.withdraw(case.reenrolment, actor=parent)

    assert codes(caught) == ["bad_transition"]


@pytest.fixture
def incomplete(case, parent, registrar):
    """A complement is asked for: the proof of address was refused."""
    PieceRuleFactory()
    piece = load_first_piece(case, parent)
    case.fill_in()
    reenrolment = case.submit(parent)
    documents.refuse(piece.document, reason=RefusalReason.TOO_OLD, actor=registrar)
    return decisions.request_complement(
        reenrolment,
        pieces=[p for p in load_pieces(reenrolment) if p.is_refused],
        until=timezone.now() + dt.timedelta(days=10),
        message="Merci d'envoyer une facture récente.",
        actor=registrar,
    )


def load_first_piece(case, parent):
    drafts.save_draft(case.campaign, case.student, {})
    type_ = load_pieces(case.reenrolment)[0].type
    DocumentFactory(type=type_, family=parent.guardian.family)
    return load_pieces(case.reenrolment)[0]


def test_completing_needs_the_pieces_asked_for(incomplete, parent):
    with pytest.raises(ValidationError) as caught:
        submission.complete(incomplete, actor=parent)

    assert codes(caught) == ["not_ready"]


def test_completing_sends_the_dossier_again_with_the_new_piece(incomplete, parent):
    old = SuppliedPiece.objects.get().document
    new = _replace(old, parent)

    reenrolment = submission.complete(incomplete, actor=parent)

    assert (reenrolment.status, reenrolment.complement_until) == (Status.SUBMITTED, None)
    in_force = reenrolment.supplied_pieces.values_list("document", "in_force")
    assert sorted(in_force, key=str) == sorted([(old.pk, False), (new.pk, True)], key=str)
    assert Mail.objects.filter(kind="acknowledgement").count() == 2


def test_a_piece_replaced_for_a_brother_does_not_change_a_submitted_dossier(case, parent):
    PieceRuleFactory()
    piece = load_first_piece(case, parent)
    case.fill_in()
    reenrolment = case.submit(parent)

    _replace(piece.document, parent)

    assert [p.document for p in load_pieces(reenrolment)] == [piece.document]


def test_the_complement_ends_at_its_date(incomplete, parent):
    incomplete.complement_until = timezone.now()
    incomplete.save(update_fields=["complement_until"])

    with pytest.raises(ValidationError) as caught:
        submission.complete(incomplete, actor=parent)

    assert codes(caught) == ["too_late"]


def _replace(old, parent):
    new = DocumentFactory.build(
        type=old.type, family=old.family, uploaded_by=parent, verdict="pending"
    )
    old.replaced_by_id = new.pk
    old.save(update_fields=["replaced_by"])
    new.save(force_insert=True)
    return new
