import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from billing.facts import household_facts, lesson_months
from billing.models import CourseCategory
from billing.pricing.facts import Lesson, Quotient
from documents.enums import Owner, Verdict
from documents.models import Reading
from families.enums import Zone
from students.enums import Art, EnrolmentStatus, Scheduling
from tests.factories import (
    CommuneFactory,
    CourseFactory,
    CustodyFactory,
    DisciplineFactory,
    DocumentFactory,
    DocumentTypeFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    PayerShareFactory,
    PieceRuleFactory,
    SchoolYearFactory,
    SituationFactory,
    StudentFactory,
    TariffCategoryFactory,
    UserFactory,
)

CONFIRMED = [EnrolmentStatus.CONFIRMED]


@pytest.fixture
def year(db):
    return SchoolYearFactory()


@pytest.fixture
def course(establishment, year):
    return make_course(establishment, year, name="Piano")


@pytest.fixture
def enrolment(student, course):
    return EnrolmentFactory(student=student, course=course)


@pytest.fixture
def facts(establishment, year):
    """`facts(family)`: what is known of it during the year."""

    def read(*families, **kwargs):
        asked = {"statuses": CONFIRMED, "on": year.starts_on + dt.timedelta(60), **kwargs}
        found = household_facts(families, establishment=establishment, school_year=year, **asked)
        return found[families[0].pk]

    return read


def make_course(establishment, year, *, code="cursus", **kwargs):
    course = CourseFactory(establishment=establishment, school_year=year, **kwargs)
    category = TariffCategoryFactory(establishment=establishment, code=code)
    CourseCategory.objects.create(course=course, category=category)
    return course


def accept(family, quotient, month, *, sent_on=None, **kwargs):
    """A piece of the household, accepted, on which an agent read a quotient."""
    document = DocumentFactory(family=family, verdict=Verdict.ACCEPTED, **kwargs)
    if sent_on:
        moment = timezone.make_aware(dt.datetime.combine(sent_on, dt.time(12)))
        type(document).objects.filter(pk=document.pk).update(uploaded_at=moment)
    Reading.objects.create(
        document=document,
        quotient=quotient,
        quotient_month=month,
        confirmed_by=UserFactory(),
        confirmed_at=timezone.now(),
    )
    return document


def test_a_household_its_students_and_their_lessons(facts, family, enrolment, student):
    known = facts(family)

    (pupil,) = known.pupils
    assert (known.zone, known.quotient, known.lacking) == (family.commune.zone, None, ())
    assert (pupil.key, pupil.name, pupil.born_on) == (student.pk, "Louise", student.birth_date)
    assert (pupil.share, pupil.rounds_up, pupil.is_adult) == (1, True, False)
    assert pupil.lessons == (Lesson(enrolment.pk, "Piano", "cursus"),)


def test_the_zone_is_that_of_the_commune(facts, enrolment):
    family = FamilyFactory(commune=CommuneFactory(insee_code="1", zone=Zone.CONVENTIONED))

    assert facts(family).zone == Zone.CONVENTIONED
    assert facts(family).pupils == ()


def test_only_lessons_of_the_site_the_year_and_the_statuses(facts, family, student, course):
    requested = EnrolmentFactory(student=student, course=course, status=EnrolmentStatus.REQUESTED)
    EnrolmentFactory(student=student, course__establishment=EstablishmentFactory(name="Annexe"))
    EnrolmentFactory(student=student, course__school_year=SchoolYearFactory.coming())
    EnrolmentFactory(course=course)  # of another household

    assert facts(family).pupils == ()
    (pupil,) = facts(family, statuses=[*CONFIRMED, EnrolmentStatus.REQUESTED]).pupils
    assert [lesson.key for lesson in pupil.lessons] == [requested.pk]


def test_a_lesson_on_school_time_and_one_without_a_category(facts, family, student, course, year):
    EnrolmentFactory(student=student, course=course)
    cham = CourseFactory(
        establishment=course.establishment,
        school_year=year,
        name="Solfège",
        scheduling=Scheduling.SCHOOL,
    )
    EnrolmentFactory(student=student, course=cham)

    lessons = facts(family).pupils[0].lessons

    assert [(lesson.label, lesson.category, lesson.school_hours) for lesson in lessons] == [
        ("Piano", "cursus", False),
        ("Solfège", "", True),
    ]


@pytest.mark.parametrize(("days", "is_adult"), [(0, True), (1, False)])
def test_an_adult_has_the_age_at_the_end_of_december(facts, family, course, year, days, is_adult):
    born = dt.date(year.starts_on.year - 18, 12, 31) + dt.timedelta(days)
    EnrolmentFactory(student=StudentFactory(birth_date=born, family=family), course=course)

    assert facts(family).pupils[0].is_adult is is_adult
    assert facts(family, adult_age=17).pupils[0].is_adult
    assert not facts(family, adult_age=25).pupils[0].is_adult


@pytest.mark.parametrize(
    ("starts", "ends", "months"),
    [
        (None, None, None),
        ((0, 9, 30), None, None),
        ((0, 11, 30), None, 8),
        (None, (1, 3, 1), 7),
        ((0, 11, 15), (0, 11, 20), 1),
        ((1, 6, 30), (1, 8, 31), 1),
        ((1, 7, 1), None, 0),
        (None, (1, 8, 31), None),
    ],
)
def test_a_month_begun_counts(year, starts, ends, months):
    days = [
        dt.date(year.starts_on.year + day[0], *day[1:]) if day else None for day in (starts, ends)
    ]

    assert lesson_months(year, *days, 10) == months


def test_the_months_of_an_enrolment_are_those_of_the_grid(facts, family, enrolment, year):
    enrolment.starts_on = dt.date(year.ends_on.year, 2, 1)
    enrolment.save()

    assert facts(family).pupils[0].lessons[0].months == 5
    assert facts(family, months=12).pupils[0].lessons[0].months == 7


class TestQuotient:
    @pytest.fixture
    def months(self, year):
        return [dt.date(year.starts_on.year, month, 1) for month in (5, 6)]

    def test_is_the_latest_noted_of_an_accepted_piece(self, facts, family, enrolment, months):
        may, june = months
        accept(family, Decimal(743), june)
        accept(family, Decimal(600), may)
        accept(FamilyFactory(), Decimal(100), june)

        assert facts(family).quotient == Quotient(Decimal(743), june)

    @pytest.mark.parametrize(
        "changed",
        [
            {"verdict": Verdict.REFUSED, "refusal": "Illisible."},
            {"verdict": Verdict.PENDING},
            {"removed_at": timezone.now()},
        ],
    )
    def test_is_not_read_of_another_piece(self, facts, family, enrolment, months, changed):
        document = accept(family, Decimal(743), months[0])
        type(document).objects.filter(pk=document.pk).update(**changed)

        assert facts(family).quotient is None

    @pytest.mark.parametrize(("month", "is_known"), [(11, False), (12, True)])
    def test_of_a_piece_good_for_the_dossiers_is_good_all_the_year(
        self, facts, family, enrolment, months, year, month, is_known
    ):
        """Six months old: sent in December it counts in June, and the invoice may be of May."""
        six_months = DocumentTypeFactory(valid_months=6)
        sent_on = dt.date(year.starts_on.year - 1, month, 1)
        accept(family, Decimal(743), months[0], type=six_months, sent_on=sent_on)

        assert (facts(family, on=year.ends_on).quotient is not None) is is_known


class TestPieces:
    @pytest.fixture
    def caf(self, establishment, year):
        return self.asked(establishment, year, name="Attestation CAF")

    def asked(self, establishment, year, **kwargs):
        rule = PieceRuleFactory(
            establishment=establishment,
            school_year=year,
            document_type=DocumentTypeFactory(**kwargs),
        )
        return rule.document_type

    def test_a_missing_one_is_lacking_until_it_is_sent(self, facts, family, enrolment, caf):
        assert facts(family).lacking == ("la pièce «\u00a0Attestation CAF\u00a0»",)

        DocumentFactory(type=caf, family=family)
        assert facts(family).lacking == ()

    def test_a_refused_one_is_lacking(self, facts, family, enrolment, caf):
        DocumentFactory(type=caf, family=family, verdict=Verdict.REFUSED, refusal="Illisible.")

        assert facts(family).lacking == ("la pièce «\u00a0Attestation CAF\u00a0» (refusée)",)

    def test_one_asked_of_two_children_is_said_once(self, facts, family, enrolment, course, caf):
        EnrolmentFactory(student=StudentFactory(family=family), course=course)

        assert len(facts(family).pupils) == 2
        assert len(facts(family).lacking) == 1

    def test_that_of_a_student_is_his_own(self, facts, family, enrolment, course, year):
        photo = self.asked(course.establishment, year, name="Photo", owner=Owner.STUDENT)
        brother = StudentFactory(family=family, birth_date=dt.date(2000, 1, 1))
        EnrolmentFactory(student=brother, course=course)
        DocumentFactory(type=photo, student=brother)

        known = facts(family)

        assert known.lacking == ()
        assert [pupil.lacking for pupil in known.pupils] == [(), ("la pièce «\u00a0Photo\u00a0»",)]

    def test_that_of_the_other_household_is_not_ours(self, facts, family, enrolment, caf):
        other = CustodyFactory(student=enrolment.student, rank=2)
        for custody in enrolment.student.custodies.all():
            PayerShareFactory(custody=custody)
        caf.rules.update(each_home=True)
        DocumentFactory(type=caf, family=family)

        assert facts(family).lacking == ()
        assert facts(other.family).lacking == ("la pièce «\u00a0Attestation CAF\u00a0»",)

    def test_a_dancer_owes_the_pieces_of_dance(self, facts, family, student, establishment, year):
        type_ = self.asked(establishment, year, name="Certificat", owner=Owner.STUDENT)
        type_.rules.update(audience="dance")
        lesson = make_course(establishment, year, name="Chœur")
        EnrolmentFactory(student=student, course=lesson)
        assert facts(family).pupils[0].lacking == ()

        ballet = DisciplineFactory(name="Danse classique", art=Art.DANCE)
        dance = make_course(establishment, year, code="danse", discipline=ballet, name="Danse")
        EnrolmentFactory(student=student, course=dance)
        assert facts(family).pupils[0].lacking == ("la pièce «\u00a0Certificat\u00a0»",)


class TestTwoHouseholds:
    @pytest.fixture
    def custodies(self, student, enrolment):
        return [student.custodies.get(), CustodyFactory(student=student, rank=2)]

    def test_the_first_pays_all_without_shares(self, facts, custodies):
        first, second = (custody.family for custody in custodies)

        assert [pupil.share for pupil in facts(first).pupils] == [1]
        assert facts(second).pupils == ()

    def test_they_share_as_the_regie_says(self, facts, custodies):
        for custody, percent in zip(custodies, [70, 30], strict=True):
            PayerShareFactory(custody=custody, percent=percent)

        (ours,), (theirs,) = (facts(custody.family).pupils for custody in custodies)

        assert (ours.share, ours.rounds_up) == (Decimal("0.7"), True)
        assert (theirs.share, theirs.rounds_up) == (Decimal("0.3"), False)

    def test_nobody_pays_a_part_of_nothing(self, facts, custodies):
        for custody, percent in zip(custodies, [0, 100], strict=True):
            PayerShareFactory(custody=custody, percent=percent)

        assert facts(custodies[0].family).pupils == ()
        assert [pupil.share for pupil in facts(custodies[1].family).pupils] == [1]

    def test_the_share_of_a_household_that_left_is_forgotten(self, facts, custodies):
        for custody in custodies:
            PayerShareFactory(custody=custody)
        custodies[0].delete()

        assert [pupil.share for pupil in facts(custodies[1].family).pupils] == [1]

    def test_both_are_read_at_once(self, custodies, establishment, year):
        families = [custody.family for custody in custodies]
        for custody in custodies:
            PayerShareFactory(custody=custody)

        found = household_facts(
            families,
            establishment=establishment,
            school_year=year,
            statuses=CONFIRMED,
            on=year.starts_on,
        )

        assert [len(found[family.pk].pupils) for family in families] == [1, 1]


def test_the_situations_of_the_student_and_of_the_household(facts, family, enrolment, course):
    brother = StudentFactory(family=family, birth_date=dt.date(2000, 1, 1))
    EnrolmentFactory(student=brother, course=course)
    SituationFactory(family=family, code="minima")
    SituationFactory(student=brother, code="student")
    SituationFactory(family=FamilyFactory(), code="jobseeker")
    SituationFactory(family=family, code="disability", school_year=SchoolYearFactory.coming())

    assert [pupil.situations for pupil in facts(family).pupils] == [
        {"minima", "student"},
        {"minima"},
    ]


@pytest.mark.parametrize("count", [2, 30])
def test_the_queries_do_not_grow_with_the_households(
    establishment, year, course, count, django_assert_num_queries
):
    caf = PieceRuleFactory(establishment=establishment, school_year=year).document_type
    families = FamilyFactory.create_batch(count)
    for family in families:
        student = StudentFactory(family=family)
        PayerShareFactory(custody=CustodyFactory(student=student, rank=2))
        PayerShareFactory(custody=student.custodies.get(rank=1))
        EnrolmentFactory(student=student, course=course)
        SituationFactory(family=family)
        accept(family, Decimal(743), year.starts_on, type=caf)

    with django_assert_num_queries(8):
        found = household_facts(
            families,
            establishment=establishment,
            school_year=year,
            statuses=CONFIRMED,
            on=year.starts_on,
        )

    assert [len(found[family.pk].pupils) for family in families] == [1] * count


def test_a_course_wished_counts_as_if_enrolled_and_once(facts, family, student, course, year):
    other = make_course(course.establishment, year, code="chorale", name="Chœur")
    EnrolmentFactory(student=student, course=course)

    (pupil,) = facts(family, wishes={student.pk: [course, other]}).pupils

    assert [(lesson.label, lesson.category) for lesson in pupil.lessons] == [
        ("Piano", "cursus"),
        ("Chœur", "chorale"),
    ]
    assert pupil.lessons[1] == Lesson(f"wish-{other.pk}", "Chœur", "chorale")


def test_a_wish_alone_makes_a_pupil_of_the_household_that_pays(facts, family, student, course):
    (pupil,) = facts(family, wishes={student.pk: [course]}).pupils

    assert (pupil.key, pupil.share) == (student.pk, 1)
