"""The lists of students, custody, courses and slots: in, out, and in again."""

import datetime as dt

import pytest

from accounts.spreadsheets.reading import read
from accounts.spreadsheets.writing import CSV, XLSX
from students import services
from students.enums import Cycle, Scheduling, Weekday
from students.lists import CourseList, CustodyList, EnrolmentList, SlotList, StudentList
from students.models import Course, Custody, Slot, Student
from tests.factories import (
    CourseFactory,
    CustodyFactory,
    DisciplineFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    SchoolYearFactory,
    SlotFactory,
    StudentFactory,
    TeacherFactory,
)
from tests.lists import check, import_file, import_rows, refusals, xlsx_of

MAELLE = {
    "Référence": "E-1",
    "Nom": "Le Goff",
    "Prénom": "Maëlle",
    "Date de naissance": "31/12/2015",
}
CUSTODY = {"Référence de l'élève": "E-1", "Référence de la famille": "F-1"}


class TestStudents:
    def test_created_then_unchanged(self, registrar):
        row = MAELLE | {"Téléphone": "612345678", "Classe": "CM2"}

        assert import_rows(StudentList, registrar, row) == (1, 0, 0)
        assert import_rows(StudentList, registrar, row) == (0, 0, 1)

        student = Student.objects.get()
        assert (student.sort_name, student.birth_date, student.phone, student.school_class) == (
            "le goff maelle",
            dt.date(2015, 12, 31),
            "06 12 34 56 78",
            "CM2",
        )

    @pytest.mark.parametrize(
        "typed", ["2015-12-31", "31-12-2015", "31.12.2015", "2015-12-31T00:00"]
    )
    def test_dates_as_people_write_them(self, registrar, typed):
        (line,) = check(StudentList, registrar, MAELLE | {"Date de naissance": typed}).created

        assert line.row.birth_date == dt.date(2015, 12, 31)

    def test_dates_of_excel(self, registrar):
        born = dt.datetime(2015, 12, 31)  # noqa: DTZ001
        content = xlsx_of([*MAELLE], ["E-1", "Le Goff", "Maëlle", born])

        import_file(StudentList, registrar, content)

        assert Student.objects.get().birth_date == dt.date(2015, 12, 31)

    @pytest.mark.parametrize(
        ("typed", "message"),
        [
            ("31/12/15", "Écrivez la date comme 31/12/2015, l'année en quatre chiffres."),
            ("42369", "Écrivez la date comme 31/12/2015, l'année en quatre chiffres."),
            ("31/02/2015", "Ce jour n'existe pas\u00a0: écrivez 31/12/2015."),
            ("31/12/2999", "Écrivez une date passée, après 1900."),
            ("01/01/1899", "Écrivez une date passée, après 1900."),
            ("", "Cette case est vide\u00a0: elle est obligatoire pour une nouvelle ligne."),
        ],
    )
    def test_refuses_a_date_that_is_none(self, registrar, typed, message):
        assert refusals(StudentList, registrar, MAELLE | {"Date de naissance": typed}) == [
            (2, "Date de naissance", message)
        ]

    def test_needs_a_reference_unless_it_is_known(self, registrar):
        nameless = MAELLE | {"Référence": ""}
        ((_, header, _),) = refusals(StudentList, registrar, nameless)
        assert header == "Référence"

        StudentFactory(last_name="LE GOFF", first_name="Maelle", birth_date=dt.date(2015, 12, 31))

        assert import_rows(StudentList, registrar, nameless | {"Classe": "CM2"}) == (0, 1, 0)
        assert import_rows(StudentList, registrar, MAELLE) == (0, 1, 0)
        assert Student.objects.get().reference == "E-1"

    def test_does_not_become_somebody_else(self, registrar):
        import_rows(StudentList, registrar, MAELLE)
        StudentFactory(first_name="Zoé", reference="E-2")

        ((_, _, message),) = refusals(StudentList, registrar, MAELLE | {"Référence": "E-2"})

        assert "déjà sous la référence «\u00a0E-1\u00a0»" in message


@pytest.fixture
def child(db):
    return StudentFactory(reference="E-1")


@pytest.fixture
def homes(child):
    return [FamilyFactory(reference=f"F-{number}") for number in (1, 2, 3)]


def ranks():
    return list(Custody.objects.order_by("rank").values_list("family__reference", "rank"))


@pytest.mark.usefixtures("homes")
class TestCustody:
    def test_two_households_then_unchanged(self, registrar):
        two = [CUSTODY, CUSTODY | {"Référence de la famille": "F-2", "Foyer": "Second foyer"}]

        assert import_rows(CustodyList, registrar, *two) == (2, 0, 0)
        assert import_rows(CustodyList, registrar, *two) == (0, 0, 2)
        assert ranks() == [("F-1", 1), ("F-2", 2)]

    def test_two_households_change_places(self, registrar, child, homes):
        held = {
            CustodyFactory(student=child, family=home, rank=rank).pk
            for rank, home in enumerate(homes[:2], start=1)
        }
        two = [
            CUSTODY | {"Foyer": "2"},
            CUSTODY | {"Référence de la famille": "F-2", "Foyer": "premier foyer"},
        ]

        assert import_rows(CustodyList, registrar, *two) == (0, 2, 0)

        assert ranks() == [("F-2", 1), ("F-1", 2)]
        assert set(Custody.objects.values_list("pk", flat=True)) == held

    @pytest.mark.parametrize(
        ("typed", "header", "message"),
        [
            ({"Foyer": "1"}, "Foyer", "Cet élève a un autre foyer de ce rang."),
            ({}, "Foyer", "Cet élève a un autre foyer de ce rang."),
            ({"Foyer": "3"}, "Foyer", "Écrivez «\u00a0premier foyer\u00a0» ou «\u00a0second foy"),
            ({"Référence de l'élève": "E-9"}, "Référence de l'élève", "Cette référence n'est"),
            ({"Référence de la famille": ""}, "Référence de la famille", "Cette case est vide"),
        ],
    )
    def test_refuses(self, registrar, child, homes, typed, header, message):
        CustodyFactory(student=child, family=homes[0], rank=1)
        row = CUSTODY | {"Référence de la famille": "F-2", "Foyer": ""} | typed

        ((number, where, why),) = refusals(CustodyList, registrar, row)

        assert (number, where) == (2, header)
        assert why.startswith(message)

    def test_refuses_a_third_household(self, registrar, child, homes):
        for rank, home in enumerate(homes[:2], start=1):
            CustodyFactory(student=child, family=home, rank=rank)

        assert refusals(
            CustodyList, registrar, CUSTODY | {"Référence de la famille": "F-3", "Foyer": "2"}
        ) == [(2, "Foyer", "Cet élève aurait plus de deux foyers.")]


@pytest.fixture
def year(establishment):
    DisciplineFactory()
    return str(SchoolYearFactory())


@pytest.fixture
def course(year):
    return {
        "Établissement": "conservatoire",
        "Année scolaire": year,
        "Cours": "Formation musicale 1",
        "Discipline": "formation musicale",
        "Cycle": "cycle 1",
    }


class TestCourses:
    def test_created_then_unchanged(self, registrar, course):
        TeacherFactory(first_name="Cécile", last_name="Vasseur")
        row = course | {"Horaire": "Fixé par l'enseignant", "Enseignant": "vasseur cecile"}

        assert import_rows(CourseList, registrar, row) == (1, 0, 0)
        assert import_rows(CourseList, registrar, row) == (0, 0, 1)

        made = Course.objects.get()
        assert (made.cycle, made.scheduling, made.sort_name, str(made.teacher)) == (
            Cycle.FIRST,
            Scheduling.TEACHER,
            "formation musicale 1",
            "Cécile Vasseur",
        )

    def test_codes_do_as_well_as_words(self, registrar, course):
        row = course | {"Cycle": "c2", "Horaire": "school"}

        (line,) = check(CourseList, registrar, row).created

        assert (line.row.cycle, line.row.scheduling) == (Cycle.SECOND, Scheduling.SCHOOL)

    def test_what_follows_is_a_course_of_the_next_year(self, registrar, course):
        following = CourseFactory(coming=True, name="Formation musicale 2")
        row = course | {"Cours de l'année suivante": "formation musicale 2"}

        import_rows(CourseList, registrar, row)

        assert Course.objects.get(name="Formation musicale 1").next_course == following

    @pytest.mark.parametrize(
        ("typed", "header", "message"),
        [
            (
                {"Établissement": "Ailleurs"},
                "Établissement",
                "Ce nom est inconnu\u00a0: choisissez",
            ),
            ({"Année scolaire": "1999-2000"}, "Année scolaire", "Ce nom est inconnu"),
            ({"Discipline": "Biniou"}, "Discipline", "Ce nom est inconnu"),
            ({"Discipline": ""}, "Discipline", "Cette case est vide"),
            ({"Cycle": "cycle 9"}, "Cycle", "Écrivez «\u00a0Éveil\u00a0», «\u00a0Initiation"),
            ({"Horaire": "le soir"}, "Horaire", "Écrivez «\u00a0choisi par la famille\u00a0»"),
            ({"Enseignant": "Personne"}, "Enseignant", "Ce nom est inconnu"),
            ({"Cours": ""}, "Cours", "Cette case est vide"),
            ({"Âge minimal": "121"}, "Âge minimal", "Écrivez un nombre entier, de 0 à 120."),
            ({"Âge maximal": "huit"}, "Âge maximal", "Écrivez un nombre entier, de 0 à 120."),
            (
                {"Âge minimal": "8", "Âge maximal": "7"},
                "Âge maximal",
                "Le maximum doit être au moins égal au minimum.",
            ),
            (
                {"Année du cycle minimale": "0"},
                "Année du cycle minimale",
                "Écrivez un nombre entier, de 1 à 9.",
            ),
            (
                {"Cours de l'année suivante": "Harpe"},
                "Cours de l'année suivante",
                "Aucun cours de ce nom dans cet établissement l'année suivante",
            ),
        ],
    )
    def test_refuses(self, registrar, course, typed, header, message):
        EstablishmentFactory(name="Ailleurs")  # it is there, and not the agent's
        ((number, where, why),) = refusals(CourseList, registrar, course | typed)

        assert (number, where) == (2, header)
        assert why.startswith(message)
        assert "Ailleurs" not in why

    def test_two_teachers_of_one_name_are_not_guessed(self, registrar, course):
        TeacherFactory.create_batch(2)

        ((_, header, message),) = refusals(
            CourseList, registrar, course | {"Enseignant": "Cécile Vasseur"}
        )

        assert (header, message[:26]) == ("Enseignant", "Plusieurs fiches portent c")


@pytest.fixture
def slot(establishment):
    made = CourseFactory(name="Formation musicale 1", discipline__name="Formation musicale")
    return {
        "Établissement": "Conservatoire",
        "Année scolaire": str(made.school_year),
        "Cours": "Formation musicale 1",
        "Groupe": "A",
        "Jour": "Lundi",
        "De": "18:30",
        "À": "19 h 30",
        "Capacité": "3",
    }


class TestSlots:
    def test_created_with_its_places_then_unchanged(self, registrar, slot):
        assert import_rows(SlotList, registrar, slot) == (1, 0, 0)
        assert import_rows(SlotList, registrar, slot) == (0, 0, 1)

        made = Slot.objects.with_places().get()
        assert (made.weekday, made.starts_at, made.ends_at, made.capacity) == (
            Weekday.MONDAY,
            dt.time(18, 30),
            dt.time(19, 30),
            3,
        )

    @pytest.mark.parametrize("typed", ["18h30", "18 h 30", "18:30:00", dt.time(18, 30)])
    def test_hours_as_people_write_them(self, registrar, slot, typed):
        titles, cells = [*slot], [*(slot | {"De": typed}).values()]

        import_file(SlotList, registrar, xlsx_of(titles, cells))

        assert Slot.objects.get().starts_at == dt.time(18, 30)

    def test_a_capacity_keeps_the_places_that_are_taken(self, registrar, slot):
        import_rows(SlotList, registrar, slot)
        made = Slot.objects.get()
        for student in StudentFactory.create_batch(2):
            services.claim(student, made, cycle=Cycle.FIRST)

        assert refusals(SlotList, registrar, slot | {"Capacité": "1"}) == [
            (
                2,
                "Capacité",
                "2 places sont déjà prises ou réservées dans ce créneau\u00a0: sa capacité ne"
                " peut pas descendre à 1.",
            )
        ]
        assert import_rows(SlotList, registrar, slot | {"Capacité": "2"}) == (0, 1, 0)
        assert import_rows(SlotList, registrar, slot | {"Capacité": "5", "Salle": "12"}) == (
            0,
            1,
            0,
        )
        assert (made.places.count(), Slot.objects.get().room) == (5, "12")

    def test_refuses_a_course_without_slots(self, registrar, slot):
        Course.objects.update(scheduling=Scheduling.TEACHER)

        assert refusals(SlotList, registrar, slot) == [
            (
                2,
                "Cours",
                "Ce cours n'a pas de créneau\u00a0: son horaire est fixé par l'enseignant.",
            )
        ]

    @pytest.mark.parametrize(
        ("typed", "header", "message"),
        [
            ({"Cours": "Harpe"}, "Cours", "Aucun cours de ce nom dans cet établissement cette"),
            (
                {"Établissement": "Ailleurs"},
                "Établissement",
                "Ce nom est inconnu\u00a0: choisissez un éta",
            ),
            ({"Jour": "lundy"}, "Jour", "Écrivez «\u00a0lundi\u00a0», «\u00a0mardi\u00a0»"),
            ({"De": "0,77"}, "De", "Écrivez l'heure comme 18:30 ou 18 h 30."),
            ({"De": "25:00"}, "De", "Écrivez l'heure comme 18:30 ou 18 h 30."),
            ({"À": "18:00"}, "", "Le cours doit finir après avoir commencé."),
            ({"Capacité": "201"}, "Capacité", "Écrivez un nombre entier, de 0 à 200."),
            ({"Âge maximal": "-1"}, "Âge maximal", "Écrivez un nombre entier, de 0 à 120."),
            (
                {"Année du cycle minimale": "3", "Année du cycle maximale": "2"},
                "Année du cycle maximale",
                "Le maximum doit être au moins égal au minimum.",
            ),
            ({"Capacité": ""}, "Capacité", "Donnez le nombre de places."),
        ],
    )
    def test_refuses(self, registrar, slot, typed, header, message):
        other = EstablishmentFactory(name="Ailleurs")
        CourseFactory(establishment=other, name="Formation musicale 1")

        ((number, where, why),) = refusals(SlotList, registrar, slot | typed)

        assert (number, where) == (2, header)
        assert why.startswith(message)

    def test_for_whom_it_is_and_an_empty_cell_changes_nothing(self, registrar, slot):
        bounds = {
            "Âge minimal": "0",
            "Âge maximal": "8",
            "Année du cycle minimale": "1",
            "Année du cycle maximale": "2",
        }

        assert import_rows(SlotList, registrar, slot | bounds) == (1, 0, 0)
        assert import_rows(SlotList, registrar, slot | dict.fromkeys(bounds, "")) == (0, 0, 1)

        made = Slot.objects.get()
        assert (made.ages, made.cycle_years) == ((0, 8), (1, 2))

    def test_bounds_are_judged_with_those_that_the_file_leaves_alone(self, registrar, slot):
        import_rows(SlotList, registrar, slot | {"Âge maximal": "8"})

        ((_, header, _),) = refusals(SlotList, registrar, slot | {"Âge minimal": "9"})

        assert header == "Âge maximal"

    def test_one_more_group_at_the_same_hour_is_another_slot(self, registrar, slot):
        two = [slot, slot | {"Groupe": "B"}, slot | {"Groupe": "", "Jour": "2"}]

        assert import_rows(SlotList, registrar, *two) == (3, 0, 0)
        assert import_rows(SlotList, registrar, *two) == (0, 0, 3)


@pytest.fixture
def school(registrar):
    """One of each, and the same at an establishment that is not the agent's."""
    teacher = TeacherFactory(user=None)
    student = StudentFactory(last_name="O'Brien", first_name="=Nguyễn", phone="+32 470 12 34 56")
    CustodyFactory(student=student, family__reference="F-1")
    CustodyFactory(student=student, rank=2)
    following = CourseFactory(coming=True, name="Formation musicale")
    course = CourseFactory(name="Formation musicale", next_course=following)
    SlotFactory(course=course, teacher=teacher, places=4, group="", age_from=7, cycle_year_to=2)
    CourseFactory(name="Piano", scheduling=Scheduling.TEACHER, teacher=teacher)
    EnrolmentFactory(student=student, course=course)
    elsewhere = CourseFactory(establishment__name="Ailleurs", name="Ailleurs")
    SlotFactory(course=elsewhere)
    EnrolmentFactory(student=student, course=elsewhere)


COUNTS = {StudentList: 1, CustodyList: 2, CourseList: 3, SlotList: 1}


@pytest.mark.usefixtures("school")
@pytest.mark.parametrize("format_", [CSV, XLSX])
@pytest.mark.parametrize("list_", COUNTS)
def test_what_goes_out_comes_back_unchanged(registrar, list_, format_):
    content, count = list_(registrar).file_of(list_(registrar).rows(), format_)
    report = list_(registrar).check(read(content))

    assert (count, len(report.unchanged), report.refused, report.changed) == (
        COUNTS[list_],
        COUNTS[list_],
        [],
        [],
    )


@pytest.mark.usefixtures("school")
def test_enrolments_go_out_only(registrar):
    content, count = EnrolmentList(registrar).file_of(EnrolmentList(registrar).rows(), CSV)

    assert count == 1
    text = content.decode("utf-8-sig")
    assert "'=Nguyễn O'Brien;#" in text
    assert "Ailleurs" not in text
    assert not EnrolmentList.can_import


@pytest.mark.parametrize(
    ("list_", "factory", "at_most"),
    [
        (StudentList, lambda: StudentFactory(), 3),
        (CustodyList, lambda: CustodyFactory(), 8),
        (CourseList, lambda: CourseFactory(), 12),
        (SlotList, lambda: SlotFactory(), 10),
        (EnrolmentList, lambda: EnrolmentFactory(), 1),
    ],
)
def test_the_queries_do_not_grow_with_the_rows(
    registrar, list_, factory, at_most, django_assert_max_num_queries
):
    factory()
    for _ in range(2):
        with django_assert_max_num_queries(at_most):
            content, _ = list_(registrar).file_of(list_(registrar).rows(), CSV)
            if list_.can_import:
                assert not list_(registrar).check(read(content)).changed
        for _ in range(4):
            factory()


@pytest.mark.parametrize("list_", [StudentList, CustodyList, CourseList, SlotList])
def test_the_template_says_what_can_be_imported(registrar, list_, course):
    child = StudentFactory(reference="E-3077") if list_ is CustodyList else None
    if child:
        FamilyFactory(reference="F-1024")
    SchoolYearFactory(starts_on=dt.date(2026, 9, 1), ends_on=dt.date(2027, 8, 31))
    if list_ is SlotList:
        CourseFactory(name="Formation musicale 1", school_year__starts_on=dt.date(2026, 9, 1))

    report = list_(registrar).check(read(list_.template(XLSX)))

    assert [line.refusals for line in report.lines] == [[]]
