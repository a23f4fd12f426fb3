"""Writing the repertoire, and what is suggested of it."""

import datetime as dt
import uuid

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from students import repertoire
from students.models import RepertoirePiece, Work
from students.models.works import composer_key, title_key
from students.repertoire import Played, add, correct, find, suggest
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    RepertoirePieceFactory,
    SchoolYearFactory,
    TeacherFactory,
    this_year,
)
from tests.races import run_together

BACH = Played("J. S. Bach", "Menuet en sol")


@pytest.fixture
def louise(establishment):
    return EnrolmentFactory(student__first_name="Louise", student__last_name="Martin")


def write(played, *enrolments, teacher=None, sending=None):
    return add(played, enrolments, teacher=teacher, sending=sending or uuid.uuid4())


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("J. S. Bach", "bach j s"),
        ("J.S. BACH", "bach j s"),
        ("Bach, J. S.", "bach j s"),
        ("Antonín Dvořák", "dvorak antonin"),
        ("Camille Saint-Saëns", "saint-saens camille"),
        ("Ludwig van Beethoven", "beethoven ludwig van"),
        ("Traditionnel", "traditionnel"),
        ("…", ""),
        ("œ" * 100, "oe" * 75),
    ],
)
def test_the_key_of_a_composer_begins_by_the_surname(name, key):
    assert composer_key(name) == key


def test_the_key_of_a_title_forgets_accents_case_and_signs():
    assert title_key("Gymnopédie n° 1") == title_key("GYMNOPEDIE, n°1") == "gymnopedie n 1"


class TestAdd:
    def test_in_the_year_and_the_course_of_the_enrolment(self, louise):
        teacher = TeacherFactory()
        on = timezone.localdate()
        played = Played("Erik Satie", "Gymnopédie", "n° 1", "Audition", on)

        [piece] = write(played, louise, teacher=teacher)

        assert piece.student == louise.student
        assert piece.school_year == louise.course.school_year
        assert (piece.course, piece.teacher) == (louise.course, teacher)
        kept = (piece.composer, piece.title, piece.movement, piece.occasion, piece.played_on)
        assert kept == ("Erik Satie", "Gymnopédie", "n° 1", "Audition", on)

    def test_for_several_students_at_once(self, louise):
        others = EnrolmentFactory.create_batch(2, course=louise.course)

        written = write(BACH, louise, *others)

        assert {piece.student for piece in written} == {each.student for each in [louise, *others]}
        assert Work.objects.count() == 1

    def test_the_same_sending_twice_is_written_once(self, louise):
        key = uuid.uuid4()

        first = write(BACH, louise, sending=key)
        second = write(BACH, louise, sending=key)

        assert first == second
        assert RepertoirePiece.objects.count() == 1

    def test_another_sending_is_another_time(self, louise):
        write(BACH, louise)
        write(BACH, louise)

        assert RepertoirePiece.objects.count() == 2

    @pytest.mark.parametrize("typed", ["j.s. bach", "J. S. BACH", "Bach, J. S."])
    def test_the_same_composer_is_spelled_as_before(self, louise, typed):
        write(BACH, louise)

        [piece] = write(Played(typed, "Prélude"), louise)

        assert piece.composer == "J. S. Bach"

    def test_a_first_spelling_without_capitals_is_not_imposed(self, louise):
        write(Played("j. s. bach", "menuet"), louise)

        [piece] = write(Played("J. S. Bach", "Menuet"), louise)

        assert piece.composer == "J. S. Bach"
        assert str(Work.objects.get()) == "J. S. Bach, Menuet"

    @pytest.mark.parametrize(
        ("days", "sentence"), [(1, "pas encore passée"), (-800, "de l'année scolaire")]
    )
    def test_a_date_to_come_or_of_another_year_is_refused(self, louise, days, sentence):
        on = timezone.localdate() + dt.timedelta(days=days)

        with pytest.raises(ValidationError, match=sentence) as refused:
            write(Played("Bach", "Menuet", played_on=on), louise)

        assert list(refused.value.error_dict) == ["played_on"]
        assert not RepertoirePiece.objects.exists()

    @pytest.mark.parametrize("field", ["composer", "title"])
    def test_signs_alone_are_no_name(self, louise, field):
        typed = {"composer": "Bach", "title": "Menuet", field: "…"}

        with pytest.raises(ValidationError, match="au moins une lettre") as refused:
            write(Played(**typed), louise)

        assert list(refused.value.error_dict) == [field]

    def test_what_names_the_student_is_suggested_to_nobody(self, louise):
        write(Played("Louise MARTIN", "Ma première valse"), louise)
        write(Played("Composition", "Valse (Martin Louise)"), louise)

        assert not Work.objects.exists()
        assert RepertoirePiece.objects.count() == 2


class TestCorrect:
    def test_what_was_typed_and_one_edition_more(self, louise):
        [piece] = write(BACH, louise)

        correct(piece, Played("J. S. Bach", "Menuet en ré", "1"), edition=1)

        piece.refresh_from_db()
        assert (piece.title, piece.movement, piece.edition) == ("Menuet en ré", "1", 2)
        assert piece.work.title == "Menuet en ré"

    def test_a_stale_page_is_refused(self, louise):
        [piece] = write(BACH, louise)
        correct(piece, Played("J. S. Bach", "Menuet en ré"), edition=1)

        with pytest.raises(ValidationError) as refused:
            correct(piece, Played("J. S. Bach", "Menuet en la"), edition=1)

        assert refused.value.code == "stale"
        assert refused.value.params["current"] == 2
        piece.refresh_from_db()
        assert piece.title == "Menuet en ré"

    def test_one_that_is_gone_is_said(self, louise):
        [piece] = write(BACH, louise)
        repertoire.remove(piece)

        with pytest.raises(ValidationError) as refused:
            correct(piece, BACH, edition=1)

        assert refused.value.code == "gone"

    def test_the_date_is_of_its_own_year(self, louise):
        piece = RepertoirePieceFactory(
            student=louise.student, school_year=SchoolYearFactory(offset=-1)
        )

        correct(piece, Played("Bach", "Menuet", played_on=dt.date(this_year(), 3, 1)), edition=1)
        with pytest.raises(ValidationError, match="de l'année scolaire"):
            correct(piece, Played("Bach", "Menuet", played_on=timezone.localdate()), edition=2)


def test_removed_twice_is_removed_once(louise):
    [piece] = write(BACH, louise)

    repertoire.remove(piece)
    repertoire.remove(piece)

    assert not RepertoirePiece.objects.exists()


class TestSuggest:
    @pytest.fixture(autouse=True)
    def _played(self, louise):
        for composer, title in [
            ("J. S. Bach", "Menuet en sol"),
            ("J. S. Bach", "Prélude en do"),
            ("C. P. E. Bach", "Solfeggietto"),
            ("Antonín Dvořák", "Humoresque"),
            ("Béla Bartók", "Mikrokosmos"),
        ]:
            write(Played(composer, title), louise)

    @pytest.mark.parametrize("typed", ["bach", "BACH", "Jean-Sébastien Bach", "bach j"])
    def test_the_composer_as_he_is_spelled_here(self, typed):
        found = suggest(typed)

        assert "J. S. Bach" in {each.composer for each in found if not each.title}
        assert ("J. S. Bach", "Menuet en sol") in {(each.composer, each.title) for each in found}

    @pytest.mark.parametrize("typed", ["dvorak", "Dvořák", "DVOŘ"])
    def test_accents_count_for_nothing(self, typed):
        assert {each.composer for each in suggest(typed)} == {"Antonín Dvořák"}

    def test_the_works_of_the_composer_typed(self):
        found = suggest("J. S. Bach", "pre")

        assert [(each.composer, each.title) for each in found] == [("J. S. Bach", "Prélude en do")]

    def test_a_title_alone(self):
        assert [each.title for each in suggest("", "mikro")] == ["Mikrokosmos"]

    @pytest.mark.parametrize("typed", ["", "b", " . ", "zz"])
    def test_nothing_of_too_little_or_unknown(self, typed):
        assert suggest(typed) == []

    def test_a_slip_corrected_since_is_not_suggested(self, louise):
        [piece] = write(Played("Mozzart", "Marche"), louise)
        correct(piece, Played("Mozart", "Marche"), edition=1)

        assert {each.composer for each in suggest("moz")} == {"Mozart"}

    def test_a_key_finds_it_again(self):
        alone, *_, work = suggest("dvorak")

        assert find(alone.key) == alone
        assert find(work.key) == work

    @pytest.mark.parametrize("key", ["", "c", "x1", "w-1", "w²", "w" + "9" * 40, "w999999"])
    def test_a_key_of_nothing_is_nothing(self, key):
        assert find(key) is None

    @pytest.mark.parametrize("count", [1, 300])
    def test_as_many_queries_and_rows_whatever_was_typed(
        self, louise, count, django_assert_num_queries
    ):
        Work.objects.bulk_create(
            Work(
                composer="Bach",
                title=f"Choral {n}",
                composer_key="bach",
                title_key=f"choral {n}",
            )
            for n in range(count)
        )
        RepertoirePiece.objects.bulk_create(
            RepertoirePiece(
                student=louise.student,
                school_year=louise.course.school_year,
                composer="Bach",
                title=work.title,
                work=work,
            )
            for work in Work.objects.filter(composer_key="bach")
        )

        with django_assert_num_queries(1):
            assert len(suggest("bach")) <= repertoire.COMPOSERS + repertoire.WORKS


def test_the_composers_of_a_discipline_by_surname(louise):
    write(Played("J. S. Bach", "Menuet"), louise)
    write(Played("Béla Bartók", "Mikrokosmos"), louise)
    write(Played("Antonio Vivaldi", "Gloria"), louise)
    elsewhere = EnrolmentFactory(course=CourseFactory(discipline__name="Danse"))
    write(Played("Piotr Tchaïkovski", "Le Lac des cygnes"), elsewhere)

    assert repertoire.composers([louise.course.discipline_id]) == [
        "J. S. Bach",
        "Béla Bartók",
        "Antonio Vivaldi",
    ]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_same_sending_from_everywhere_counts_once():
    louise = EnrolmentFactory(student__first_name="Louise", student__last_name="Martin")
    for number in range(20):
        key, played = uuid.uuid4(), Played("J. S. Bach", f"Menuet {number}")

        answers = run_together(
            lambda _, key=key, played=played: write(played, louise, sending=key), 4
        )

        assert [len(answer) for answer in answers] == [1] * 4, answers
    assert RepertoirePiece.objects.count() == 20
    assert Work.objects.count() == 20
