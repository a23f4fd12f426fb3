"""The rules as the staff reads them: for whom, how many owe the piece, made anew for next year."""

import datetime as dt

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError

from documents import renewal
from documents.enums import Audience
from documents.models import PieceRule
from documents.owing import owing_of
from documents.pieces_admin import asked_from
from students.enums import Art, EnrolmentStatus
from tests.factories import (
    CommuneFactory,
    CourseFactory,
    CustodyFactory,
    DisciplineFactory,
    DocumentTypeFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    PieceRuleFactory,
    SchoolYearFactory,
    StudentFactory,
)

RULES = "/admin/documents/piecerule/"


@pytest.fixture
def signed_in(client, registrar):
    client.force_login(registrar)
    return client


class TestForWhom:
    def commune(self, number):
        return CommuneFactory(insee_code=f"5900{number}", name=f"Ville {number}")

    @pytest.mark.parametrize(
        ("audience", "communes", "each_home", "words"),
        [
            (Audience.ALL, 0, True, "tous les élèves"),
            (Audience.DANCE, 1, True, "élèves de danse résidant à Ville 1"),
            (Audience.ADULTS, 2, True, "élèves majeurs résidant à Ville 1 ou Ville 2"),
            (
                Audience.ALL,
                5,
                False,
                "tous les élèves résidant à Ville 1, Ville 2, Ville 3 ou 2 autres\u00a0; un seul"
                " foyer suffit",
            ),
        ],
    )
    def test_in_words(self, proof, audience, communes, each_home, words):
        rule = PieceRuleFactory(document_type=proof, audience=audience, each_home=each_home)
        rule.communes.set([self.commune(number) for number in range(1, communes + 1)])

        assert asked_from(rule) == words

    def test_a_piece_of_the_student_is_asked_once_anyway(self, photo):
        rule = PieceRuleFactory(document_type=photo, each_home=False)

        assert asked_from(rule) == "tous les élèves"


@pytest.fixture
def louise(student):
    """She dances this year; her family is a resident's."""
    course = CourseFactory(discipline=DisciplineFactory(name="Danse", art=Art.DANCE))
    EnrolmentFactory(student=student, course=course)
    return student


@pytest.fixture
def sings(louise):
    """`sings(**kwargs)` makes another student of this year, who does not dance."""
    course = CourseFactory(name="Chœur")

    def make(*, family=None, **kwargs):
        student = StudentFactory(family=family or FamilyFactory(), **kwargs)
        EnrolmentFactory(student=student, course=course)
        return student

    return make


class TestWhoOwesIt:
    def owing(self, **kwargs):
        rule = PieceRuleFactory(**kwargs)
        return owing_of([rule])[rule.pk]

    def test_of_those_of_this_year(self, louise, sings):
        sings()

        found = self.owing(audience=Audience.DANCE)

        assert (found.students, found.of) == (1, 2)
        assert str(found) == f"1 élève sur 2 ({SchoolYearFactory()})"

    def test_by_commune_whichever_household_lives_there(self, louise, sings):
        lille = CommuneFactory(insee_code="59350", name="Lille")
        CustodyFactory(student=louise, family=FamilyFactory(commune=lille), rank=2)
        sings()
        rule = PieceRuleFactory()
        rule.communes.set([lille])

        assert owing_of([rule])[rule.pk].students == 1

    def test_by_age(self, louise, sings):
        sings(birth_date=dt.date(1980, 1, 1))

        assert self.owing(audience=Audience.ADULTS).students == 1

    def test_neither_another_site_s_nor_those_who_left(self, louise, sings):
        annex = CourseFactory(establishment=EstablishmentFactory(name="Annexe"))
        EnrolmentFactory(student=StudentFactory(), course=annex)
        left = sings()
        left.enrolments.update(status=EnrolmentStatus.RELEASED)

        assert self.owing().of == 1

    def test_nobody(self, establishment):
        SchoolYearFactory()
        assert str(self.owing()) == f"aucun élève en {SchoolYearFactory()}"

    def test_before_the_first_year(self, louise):
        assert str(self.owing(school_year=SchoolYearFactory())) == "aucun élève l'année d'avant"

    @pytest.mark.parametrize("count", [1, 3])
    def test_four_queries(self, louise, sings, django_assert_num_queries, count):
        for number in range(count):
            sings(family=FamilyFactory(commune=CommuneFactory(insee_code=f"5900{number}")))
            PieceRuleFactory()
        rules = PieceRule.objects.select_related("school_year", "document_type")
        rules = list(rules.prefetch_related("communes"))

        with django_assert_num_queries(4):
            found = owing_of(rules)

        assert {owing.students for owing in found.values()} == {count + 1}

    def test_on_the_pages(self, signed_in, louise):
        rule = PieceRuleFactory()
        words = f"1 élève sur 1 ({SchoolYearFactory()})"

        assert words in signed_in.get(RULES).text
        assert words in signed_in.get(f"{RULES}{rule.pk}/change/").text


class TestRenew:
    @pytest.fixture
    def later(self, db):
        return SchoolYearFactory(offset=2)

    @pytest.fixture
    def rule(self, proof):
        rule = PieceRuleFactory(
            document_type=proof, audience=Audience.DANCE, each_home=False, position=3
        )
        rule.communes.set([CommuneFactory(), CommuneFactory(insee_code="59350", name="Lille")])
        return rule

    def code_of(self, rules, expected):
        with pytest.raises(ValidationError) as caught:
            renewal.renew(rules, expected=expected)
        return caught.value.code

    def test_everything_but_the_year(self, rule, later):
        [made] = renewal.renew([rule], expected=1)

        made = PieceRule.objects.get(pk=made.pk)
        assert made.school_year == later
        kept = ["establishment", "document_type", "audience", "each_home", "position"]
        assert [getattr(made, f) for f in kept] == [getattr(rule, f) for f in kept]
        assert set(made.communes.all()) == set(rule.communes.all())
        assert PieceRule.objects.count() == 2

    def test_twice_changes_nothing(self, rule, later):
        renewal.renew([rule], expected=1)

        assert self.code_of([rule], 1) == "changed"
        assert self.code_of([rule], 0) == "nothing"
        assert PieceRule.objects.count() == 2

    def test_what_the_next_year_asks_for_stays(self, rule, later, photo):
        theirs = PieceRuleFactory(document_type=rule.document_type, school_year=later)
        other = PieceRuleFactory(document_type=photo)

        plan = renewal.plan_of([rule, other])

        assert [r.rule for r in plan.existing] == [rule]
        assert [r.rule for r in plan.to_make] == [other]
        renewal.renew([rule, other], expected=1)
        theirs.refresh_from_db()
        assert theirs.audience == Audience.ALL

    def test_without_a_next_year(self, rule):
        assert renewal.plan_of([rule]).without_year == [rule]
        assert self.code_of([rule], 0) == "nothing"

    @pytest.mark.parametrize("count", [1, 4])
    def test_as_many_queries_whatever_the_count(self, later, django_assert_num_queries, count):
        rules = [PieceRuleFactory(document_type=DocumentTypeFactory()) for _ in range(count)]

        with django_assert_num_queries(2):
            renewal.plan_of(rules)


class TestRenewAction:
    @pytest.fixture
    def later(self, db):
        return SchoolYearFactory(offset=2)

    def post(self, client, rules, **data):
        chosen = [rule.pk for rule in rules]
        return client.post(RULES, {"action": "renew", "_selected_action": chosen, **data})

    def test_the_page_writes_nothing(self, signed_in, proof, later):
        rule = PieceRuleFactory(document_type=proof)

        text = self.post(signed_in, [rule]).text

        assert "Rien n'est encore écrit." in text
        assert "Reconduire 1 pièce" in text
        assert str(later) in text
        assert PieceRule.objects.count() == 1

    def test_the_button_makes_them_and_logs_each(self, signed_in, proof, later, registrar):
        rule = PieceRuleFactory(document_type=proof)

        response = self.post(signed_in, [rule], expected="1")

        assert response.status_code == 302
        made = PieceRule.objects.get(school_year=later)
        entry = LogEntry.objects.get()
        assert (entry.object_id, entry.user) == (str(made.pk), registrar)
        assert "1 pièce reconduite." in signed_in.get(RULES).text

    @pytest.mark.parametrize("expected", ["2", "-1", "beaucoup"])
    def test_another_number_than_announced(self, signed_in, proof, later, expected):
        self.post(signed_in, [PieceRuleFactory(document_type=proof)], expected=expected)

        assert PieceRule.objects.count() == 1
        assert "recommencez" in signed_in.get(RULES).text

    def test_never_another_site_s(self, signed_in, proof, later):
        theirs = PieceRuleFactory(
            document_type=proof, establishment=EstablishmentFactory(name="Annexe")
        )

        self.post(signed_in, [theirs], expected="1")

        assert PieceRule.objects.get() == theirs

    def test_nothing_to_make_says_so(self, signed_in, proof):
        rule = PieceRuleFactory(document_type=proof)

        text = self.post(signed_in, [rule]).text

        assert "Il n'y a rien à reconduire." in text
        assert f"l'année qui suit {rule.school_year} n'existe pas encore" in text
        assert "Reconduire 0" not in text
