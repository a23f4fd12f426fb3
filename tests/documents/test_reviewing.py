"""What is read and noted of a piece: the database's own refusals, and two agents at once."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from documents import reviewing
from documents.enums import RefusalReason, Verdict
from documents.models import Document, PageImage, Reading
from documents.personal_data import DocumentsPart
from documents.pieces import is_older
from documents.reviewing import Noted, seen_of
from families.models import FileToDelete
from tests.factories import DocumentFactory, DocumentTypeFactory, UserFactory
from tests.races import run_together

DAY, MAY = dt.date(2026, 5, 12), dt.date(2026, 5, 1)


@pytest.fixture
def document(family):
    return DocumentFactory(family=family)


def confirmed(**fields):
    return {"confirmed_by": UserFactory(), "confirmed_at": timezone.now()} | fields


class TestConstraints:
    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"issued_on": DAY}, "Seul un agent"),
            ({"quotient": 743, "quotient_month": MAY}, "Seul un agent"),
            ({"confirmed_at": timezone.now()}, "par qui et quand"),
            ({"quotient_read": -1}, "lu est un nombre d'euros"),
            ({"quotient_read": 100_000}, "lu est un nombre d'euros"),
        ],
    )
    def test_without_an_agent(self, document, fields, said):
        self.refused(Reading(document=document, **fields), said)

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"quotient": 743}, "avec son mois"),
            ({"quotient_month": MAY}, "avec son mois"),
            ({"quotient": Decimal("-0.01"), "quotient_month": MAY}, "négatif"),
            ({"quotient": 100_000, "quotient_month": MAY}, "de 0 à 99 999"),
        ],
    )
    def test_with_one(self, document, fields, said):
        self.refused(Reading(document=document, **confirmed(**fields)), said)

    def refused(self, row, said):
        with pytest.raises(ValidationError, match=said):
            row.full_clean()
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()

    def test_a_page_has_one_image(self, document):
        size = {"width": 1, "height": 1}
        PageImage.objects.create(document=document, number=1, **size)

        for number in (0, 1):
            with pytest.raises(IntegrityError), transaction.atomic():
                PageImage.objects.create(document=document, number=number, **size)


class TestNoting:
    def test_what_was_read_stays_beside_what_is_noted(self, document, registrar):
        Reading.objects.create(document=document, date_read=DAY, quotient_read=743)

        noted = Noted(DAY, Decimal("743.50"), MAY)
        reviewing.note(document, seen=seen_of(document), noted=noted, actor=registrar)

        reading = Reading.objects.get()
        assert (reading.quotient_read, reading.quotient) == (743, Decimal("743.50"))
        assert reading.confirmed_by == registrar

    def test_a_document_that_was_never_read(self, document, registrar):
        reviewing.accept(
            document, seen=seen_of(document), noted=Noted(DAY, None, None), actor=registrar
        )

        assert Reading.objects.get().issued_on == DAY

    def test_a_verdict_that_is_refused_notes_nothing(self, document, registrar):
        Document.objects.update(verdict=Verdict.ACCEPTED)

        with pytest.raises(ValidationError, match="déjà été examinée"):
            reviewing.accept(
                document, seen=seen_of(document), noted=Noted(DAY, None, None), actor=registrar
            )
        assert not Reading.objects.exists()

    def test_a_piece_taken_back(self, document, registrar):
        seen = seen_of(document)
        Document.objects.all().delete()

        with pytest.raises(ValidationError, match="vient de retirer"):
            reviewing.accept(document, seen=seen, actor=registrar)

    def test_an_erased_household_leaves_no_reading_and_no_image(self, document, family, registrar):
        reviewing.note(
            document, seen=seen_of(document), noted=Noted(DAY, 743, MAY), actor=registrar
        )
        PageImage.objects.create(document=document, number=1, width=1, height=1, file="ab/page")

        DocumentsPart().erase(family)

        assert not Reading.objects.exists()
        assert not PageImage.objects.exists()
        assert FileToDelete.objects.filter(name="ab/page").exists()


def test_a_document_is_older_than_its_type_allows_on_the_day_it_was_sent():
    kind = DocumentTypeFactory.build(valid_months=6)
    sent = dt.datetime(2026, 11, 11, 23, 30, tzinfo=dt.UTC)  # the 12th in Paris
    document = DocumentFactory.build(type=kind, family=None, uploaded_by=None, uploaded_at=sent)

    assert not is_older(DAY, document)
    assert is_older(DAY - dt.timedelta(days=1), document)
    kind.valid_months = None
    assert not is_older(dt.date(2000, 1, 1), document)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_verdicts_at_once_the_second_is_told_of_the_first(family):
    agents = [UserFactory(first_name="Anne"), UserFactory(first_name="Jean")]

    for _ in range(20):
        document = DocumentFactory(family=family)
        seen = seen_of(document)

        def decide(number, document=document, seen=seen):
            how = {"seen": seen, "actor": agents[number]}
            if number:
                return reviewing.accept(document, **how)
            return reviewing.refuse(document, reason=RefusalReason.TOO_OLD, **how)

        errors = [each for each in run_together(decide, 2) if each is not None]

        (error,) = errors
        assert error.code == "stale"
        assert document.reviews.count() == 1
