"""Which pieces are due: from whom, by which household, and until when one counts."""

import datetime as dt

import pytest
from django.utils import timezone

from documents.enums import Audience, RefusalReason, Verdict
from documents.models import Document
from documents.pieces import pieces_due
from documents.services import accept, refuse
from students.models import Custody
from tests.factories import (
    CommuneFactory,
    DocumentFactory,
    DocumentTypeFactory,
    EstablishmentFactory,
    PieceRuleFactory,
    SchoolYearFactory,
    StudentFactory,
)

PARIS = timezone.get_default_timezone()


@pytest.fixture
def coming(db):
    return SchoolYearFactory.coming()


@pytest.fixture
def due(student, establishment, coming):
    """The pieces due for the coming year: `due()`, or in another situation."""

    def pieces(student=student, dances=False, **kwargs):
        custodies = list(student.custodies.select_related("family__commune"))
        facts = {"establishment": establishment, "school_year": coming} | kwargs
        return pieces_due(student, custodies, dances=dances, **facts)

    return pieces


def whose(pieces):
    return [(piece.type, piece.family) for piece in pieces]


class TestWhoOwes:
    def test_nothing_without_a_rule(self, due):
        assert due() == []

    def test_pieces_come_in_the_order_of_the_rules(self, due, proof, photo, family, student):
        PieceRuleFactory(document_type=photo, position=2)
        PieceRuleFactory(document_type=proof, position=1)

        pieces = due()

        assert whose(pieces) == [(proof, family), (photo, None)]
        assert [piece.student for piece in pieces] == [student, student]
        assert [piece.key for piece in pieces] == [f"{proof.pk}-f{family.pk}", f"{photo.pk}-s"]

    def test_rules_of_another_site_or_year_do_not_count(self, due, proof):
        PieceRuleFactory(document_type=proof, establishment=EstablishmentFactory(name="Annexe"))
        PieceRuleFactory(document_type=proof, school_year=SchoolYearFactory())

        assert due() == []

    @pytest.mark.parametrize(("dances", "asked"), [(True, 1), (False, 0)])
    def test_dancers(self, due, proof, dances, asked):
        PieceRuleFactory(document_type=proof, audience=Audience.DANCE)

        assert len(due(dances=dances)) == asked

    @pytest.mark.parametrize(
        ("audience", "asked"),
        [(Audience.ADULTS, [True, False]), (Audience.MINORS, [False, True])],
    )
    def test_adults_are_18_on_the_first_day_of_the_year(
        self, due, proof, family, coming, audience, asked
    ):
        PieceRuleFactory(document_type=proof, audience=audience)
        first_day = coming.starts_on
        birthday = first_day.replace(year=first_day.year - 18)
        adult = StudentFactory(family=family, birth_date=birthday)
        minor = StudentFactory(family=family, birth_date=birthday + dt.timedelta(days=1))

        assert [bool(due(adult)), bool(due(minor))] == asked

    def test_everybody(self, due, proof, family):
        PieceRuleFactory(document_type=proof, audience=Audience.ALL)

        assert whose(due()) == [(proof, family)]

    def test_residents_of_the_communes_listed(self, due, proof, photo, family):
        neighbour = CommuneFactory(insee_code="59426", name="Neuville-en-Ferrain")
        elsewhere = CommuneFactory(insee_code="59350", name="Lille")
        PieceRuleFactory(document_type=proof).communes.set([family.commune, neighbour])
        PieceRuleFactory(document_type=photo).communes.set([elsewhere])

        assert whose(due()) == [(proof, family)]


class TestAlternatingCustody:
    def test_each_household_owes_its_own(self, due, proof, photo, family, other_family):
        PieceRuleFactory(document_type=proof, position=1)
        PieceRuleFactory(document_type=photo, position=2)

        assert whose(due()) == [(proof, family), (proof, other_family), (photo, None)]

    def test_only_the_household_of_the_communes_listed(
        self, due, proof, photo, family, other_family
    ):
        other_family.commune = CommuneFactory(insee_code="59350", name="Lille")
        other_family.save()
        PieceRuleFactory(document_type=proof, position=1).communes.set([other_family.commune])
        PieceRuleFactory(document_type=photo, position=2).communes.set([other_family.commune])

        assert whose(due()) == [(proof, other_family), (photo, None)]

    def test_the_document_of_one_household_is_not_the_other_s(
        self, due, proof, family, other_family
    ):
        PieceRuleFactory(document_type=proof)
        document = DocumentFactory(type=proof, family=other_family)

        assert [(p.family, p.document) for p in due()] == [(family, None), (other_family, document)]


class TestWhatWasHandedIn:
    @pytest.fixture
    def rule(self, proof):
        return PieceRuleFactory(document_type=proof)

    def states(self, piece):
        return (piece.is_missing, piece.is_refused, piece.is_accepted, piece.sets_top_rate)

    @pytest.mark.usefixtures("rule")
    def test_missing(self, due):
        [piece] = due()

        assert self.states(piece) == (True, False, False, True)

    @pytest.mark.usefixtures("rule")
    def test_pending_accepted_then_refused(self, due, proof, family, registrar):
        document = DocumentFactory(type=proof, family=family)
        assert [self.states(piece) for piece in due()] == [(False, False, False, False)]

        accept(document, actor=registrar)
        assert [self.states(piece) for piece in due()] == [(False, False, True, False)]

        refuse(document, reason=RefusalReason.TOO_OLD, actor=registrar)
        assert [self.states(piece) for piece in due()] == [(False, True, False, True)]

    @pytest.mark.usefixtures("rule")
    def test_one_proof_serves_every_child_and_a_photo_one_child(
        self, due, proof, photo, family, student
    ):
        PieceRuleFactory(document_type=photo, position=2)
        brother = StudentFactory(family=family)
        address = DocumentFactory(type=proof, family=family)
        face = DocumentFactory(type=photo, student=student)

        assert [piece.document for piece in due()] == [address, face]
        assert [piece.document for piece in due(brother)] == [address, None]

    @pytest.mark.usefixtures("rule")
    def test_only_the_current_one_counts(self, due, proof, family):
        DocumentFactory(type=proof, family=family, removed_at=timezone.now())
        old = DocumentFactory(type=proof, family=family, removed_at=timezone.now())
        current = DocumentFactory(type=proof, family=family)
        Document.objects.filter(pk=old.pk).update(removed_at=None, replaced_by=current)

        assert [piece.document for piece in due()] == [current]

    @pytest.mark.parametrize(
        ("sent", "counts"),
        [
            (dt.datetime(2027, 2, 28, 10, 0, tzinfo=PARIS), True),
            (dt.datetime(2027, 2, 28, 9, 59, tzinfo=PARIS), False),
        ],
    )
    def test_valid_for_so_many_months(self, due, family, sent, counts):
        recent = DocumentTypeFactory(valid_months=6)
        PieceRuleFactory(document_type=recent)
        document = DocumentFactory(type=recent, family=family)
        Document.objects.update(uploaded_at=sent)

        # Six months before a 31 August is the last day of February.
        [piece] = due(at=dt.datetime(2027, 8, 31, 10, 0, tzinfo=PARIS))

        assert piece.document == (document if counts else None)

    def test_valid_today_when_no_moment_is_given(self, due, family):
        recent = DocumentTypeFactory(valid_months=1)
        PieceRuleFactory(document_type=recent)
        DocumentFactory(type=recent, family=family, verdict=Verdict.ACCEPTED)
        assert [piece.is_missing for piece in due()] == [False]

        Document.objects.update(uploaded_at=timezone.now() - dt.timedelta(days=32))
        assert [piece.is_missing for piece in due()] == [True]


@pytest.mark.parametrize("count", [1, 3])
def test_two_queries_whatever_the_count(
    student, establishment, coming, other_family, django_assert_num_queries, count
):
    for number in range(count):
        piece_type = DocumentTypeFactory(valid_months=6)
        rule = PieceRuleFactory(document_type=piece_type, position=number)
        rule.communes.set([other_family.commune, CommuneFactory(insee_code=f"5900{number}")])
        DocumentFactory(type=piece_type, family=other_family)
    custodies = list(Custody.objects.filter(student=student).select_related("family__commune"))

    with django_assert_num_queries(2):
        pieces = pieces_due(
            student, custodies, establishment=establishment, school_year=coming, dances=True
        )
        [(str(piece.type), piece.is_missing, piece.key) for piece in pieces]

    assert len(pieces) == 2 * count
