"""Which pieces are due: from whom, by which household, and until when one counts."""

import datetime as dt

import pytest
from django.utils import timezone

from documents.enums import Audience, RefusalReason, Verdict
from documents.models import Document, DocumentType, Review
from documents.pieces import lacking, pieces_due, valid_until
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


class TestOneHomeIsEnough:
    """A rule that asks for the piece of either household, in alternating custody."""

    @pytest.fixture
    def rule(self, proof):
        return PieceRuleFactory(document_type=proof, each_home=False)

    def states(self, pieces):
        return [(p.is_missing, p.is_refused, p.is_covered, p.sets_top_rate) for p in pieces]

    def test_missing_for_both_and_lacking_once(self, due, rule, family, other_family):
        pieces = due()

        assert [piece.family for piece in pieces] == [family, other_family]
        assert self.states(pieces) == [(True, False, False, True)] * 2
        assert lacking(pieces) == pieces[:1]

    @pytest.mark.parametrize("verdict", [Verdict.PENDING, Verdict.ACCEPTED])
    def test_that_of_one_covers_the_other(self, due, rule, proof, other_family, verdict):
        theirs = DocumentFactory(type=proof, family=other_family, verdict=verdict)

        ours, other = due()

        assert other.document == theirs
        assert self.states([ours, other]) == [
            (False, False, True, False),
            (False, False, False, False),
        ]
        assert not ours.concerns_home
        assert lacking([ours, other]) == []

    def test_a_refused_one_covers_nobody(self, due, rule, proof, other_family):
        DocumentFactory(
            type=proof, family=other_family, verdict=Verdict.REFUSED, refusal="Illisible."
        )

        ours, other = due()

        assert self.states([ours, other]) == [
            (True, False, False, True),
            (False, True, False, True),
        ]
        assert lacking([ours, other]) == [other]

    def test_nor_one_too_old(self, due, rule, proof, other_family):
        proof.valid_months = 1
        proof.save()
        DocumentFactory(type=proof, family=other_family)
        Document.objects.update(uploaded_at=timezone.now() - dt.timedelta(days=40))

        assert [piece.is_covered for piece in due()] == [False, False]

    def test_a_refused_one_sets_nothing_once_the_other_s_is_there(
        self, due, rule, proof, family, other_family
    ):
        ours = DocumentFactory(
            type=proof, family=family, verdict=Verdict.REFUSED, refusal="Illisible."
        )
        DocumentFactory(type=proof, family=other_family)

        mine, _ = pieces = due()

        assert (mine.document, mine.is_covered, mine.sets_top_rate) == (ours, True, False)
        assert mine.concerns_home  # it may be taken back
        assert lacking(pieces) == []

    def test_two_are_two(self, due, rule, proof, family, other_family):
        DocumentFactory(type=proof, family=family)
        DocumentFactory(type=proof, family=other_family)

        assert self.states(due()) == [(False, False, False, False)] * 2

    def test_where_the_rule_asks_one_of_them_alone(self, due, rule, other_family):
        other_family.commune = CommuneFactory(insee_code="59350", name="Lille")
        other_family.save()
        rule.communes.set([other_family.commune])

        [piece] = due()

        assert (piece.family, piece.either_home) == (other_family, False)

    def test_each_child_by_himself(self, due, rule, proof, family, other_family):
        """A brother who lives in one household alone: that household owes it for him."""
        DocumentFactory(type=proof, family=other_family)

        [piece] = due(StudentFactory(family=family))

        assert (piece.family, piece.is_missing) == (family, True)


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
            (dt.datetime(2027, 2, 28, 0, 0, tzinfo=PARIS), True),
            (dt.datetime(2027, 2, 27, 23, 59, tzinfo=PARIS), False),
        ],
    )
    def test_valid_for_so_many_months(self, due, family, sent, counts):
        recent = DocumentTypeFactory(valid_months=6)
        PieceRuleFactory(document_type=recent)
        document = DocumentFactory(type=recent, family=family)
        Document.objects.update(uploaded_at=sent)

        # Six months after the last day of February is the 31 of August, until its last minute.
        [piece] = due(at=dt.datetime(2027, 8, 31, 23, 59, tzinfo=PARIS))

        assert piece.document == (document if counts else None)
        assert piece.expired == (None if counts else document)
        assert piece.sent_on == sent.date()

    @pytest.mark.parametrize(
        ("sent", "months", "until"),
        [
            (dt.date(2026, 8, 31), 6, dt.date(2027, 2, 28)),
            (dt.date(2026, 8, 29), 6, dt.date(2027, 2, 28)),
            (dt.date(2026, 5, 12), 6, dt.date(2026, 11, 12)),
            (dt.date(2026, 12, 1), 1, dt.date(2027, 1, 1)),
            (dt.date(2028, 2, 29), 12, dt.date(2029, 2, 28)),
            (dt.date(2026, 5, 12), None, None),
        ],
    )
    def test_until_when_it_counts(self, sent, months, until):
        document = Document(uploaded_at=dt.datetime.combine(sent, dt.time(23, 30), PARIS))

        assert valid_until(document, DocumentType(valid_months=months)) == until

    @pytest.mark.usefixtures("rule")
    def test_when_it_was_accepted_last(self, due, proof, family, registrar):
        document = DocumentFactory(type=proof, family=family)
        assert due()[0].accepted_on is None

        accept(document, actor=registrar)
        Review.objects.update(at=dt.datetime(2026, 5, 11, 22, 30, tzinfo=dt.UTC))
        assert due()[0].accepted_on == dt.date(2026, 5, 12)

        refuse(document, reason=RefusalReason.TOO_OLD, actor=registrar)
        assert due()[0].accepted_on is None

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
        rule = PieceRuleFactory(document_type=piece_type, position=number, each_home=False)
        rule.communes.set([other_family.commune, CommuneFactory(insee_code=f"5900{number}")])
        DocumentFactory(type=piece_type, family=other_family)
    custodies = list(Custody.objects.filter(student=student).select_related("family__commune"))

    with django_assert_num_queries(2):
        pieces = pieces_due(
            student, custodies, establishment=establishment, school_year=coming, dances=True
        )
        [(str(piece.type), piece.is_missing, piece.key) for piece in pieces]

    assert len(pieces) == 2 * count
