"""The teacher's pages of the repertoire: his own students, this year."""

import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from students.enums import EnrolmentStatus, Scheduling
from students.models import RepertoirePiece
from tests.factories import (
    CourseFactory,
    DisciplineFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    RepertoirePieceFactory,
    SchoolYearFactory,
    SlotFactory,
    TeacherFactory,
)
from tests.queries import count_queries


@pytest.fixture
def slot(teacher):
    return SlotFactory(teacher=teacher, places=5, course__name="Ensemble de guitares")


@pytest.fixture
def louise(slot):
    return seat(slot, "Louise", "Adam")


@pytest.fixture
def signed_in(client, teacher):
    client.force_login(teacher.user)
    return client


def seat(slot, first, last, **kwargs):
    return EnrolmentFactory(
        student__first_name=first,
        student__last_name=last,
        course=slot.course,
        place=slot.places.filter(enrolment=None).order_by("number").first(),
        **kwargs,
    )


def address(name, row):
    return reverse(f"teacher:{name}", args=[row.pk])


def typed(**fields):
    return {
        "composer": "Erik Satie",
        "title": "Gymnopédie",
        "movement": "n° 1",
        "occasion": "Audition",
        "played_on": timezone.localdate().isoformat(),
        "sending": str(uuid.uuid4()),
        **fields,
    }


class TestClass:
    def test_each_student_and_how_much_he_played_this_year(self, signed_in, slot, louise):
        paul = seat(slot, "Paul", "Bizet")
        seat(slot, "Zoé", "Demandée", status=EnrolmentStatus.REQUESTED)
        RepertoirePieceFactory(student=louise.student)
        RepertoirePieceFactory(student=paul.student, school_year=SchoolYearFactory(offset=-1))

        page = signed_in.get(address("repertoire_slot", slot))

        assert page.context["rows"] == [(louise, 1), (paul, 0)]
        assert address("repertoire", louise) in page.text
        assert address("add_to_slot", slot) in page.text

    def test_from_the_list_of_a_class_of_this_year_only(self, signed_in, slot, teacher):
        coming = SlotFactory(teacher=teacher, course__coming=True)

        link = address("repertoire_slot", slot)
        assert link in signed_in.get(address("slot", slot)).text
        assert "/repertoire/" not in signed_in.get(address("slot", coming)).text
        assert signed_in.get(address("repertoire_slot", coming)).status_code == 404

    def test_a_course_of_individual_lessons(self, signed_in, piano):
        enrolment = EnrolmentFactory(course=piano)

        page = signed_in.get(address("repertoire_course", piano))

        assert page.context["rows"] == [(enrolment, 0)]
        assert address("repertoire_course", piano) in signed_in.get(address("course", piano)).text

    def test_nobody(self, signed_in, slot):
        text = signed_in.get(address("repertoire_slot", slot)).text

        assert "Aucun élève n'est inscrit dans cette classe." in text.replace("&#x27;", "'")
        assert signed_in.get(address("add_to_slot", slot)).status_code == 404

    def test_as_many_queries_for_one_as_for_three(self, signed_in, slot, louise):
        RepertoirePieceFactory(student=louise.student)
        one = count_queries(signed_in, address("repertoire_slot", slot))
        for name in ("Paul", "Zoé"):
            RepertoirePieceFactory(student=seat(slot, name, "Bizet").student)

        assert count_queries(signed_in, address("repertoire_slot", slot)) == one <= 8


class TestStudent:
    def test_over_the_years_whatever_the_discipline(self, signed_in, slot, louise):
        former = RepertoirePieceFactory(
            student=louise.student, school_year=SchoolYearFactory(offset=-1)
        )
        violin = CourseFactory(discipline=DisciplineFactory(name="Violon"))
        now = RepertoirePieceFactory(
            student=louise.student, course=violin, movement="2. Andante", occasion="Concert"
        )
        RepertoirePieceFactory(title="D'un autre élève")

        page = signed_in.get(address("repertoire", louise))

        assert page.context["pieces"] == [now, former]
        for said in ("2. Andante", "Concert", "Violon", str(former.school_year)):
            assert said in page.text
        assert "D&#x27;un autre" not in page.text

    def test_as_many_queries_for_one_as_for_three(self, signed_in, slot, louise):
        RepertoirePieceFactory(student=louise.student, course=slot.course)
        one = count_queries(signed_in, address("repertoire", louise))
        RepertoirePieceFactory.create_batch(2, student=louise.student, course=slot.course)

        assert count_queries(signed_in, address("repertoire", louise)) == one <= 8

    def test_what_he_may_change(self, signed_in, teacher, slot, louise):
        by_hand = RepertoirePieceFactory(student=louise.student, teacher=teacher)
        of_the_course = RepertoirePieceFactory(
            student=louise.student, course=slot.course, teacher=TeacherFactory()
        )
        of_a_colleague = RepertoirePieceFactory(
            student=louise.student, course=CourseFactory(), teacher=TeacherFactory()
        )
        of_the_office = RepertoirePieceFactory(student=louise.student)

        text = signed_in.get(address("repertoire", louise)).text

        for piece, may in [
            (by_hand, True),
            (of_the_course, True),
            (of_a_colleague, False),
            (of_the_office, False),
        ]:
            assert (address("piece", piece) in text) == may
            expected = 200 if may else 404
            assert signed_in.get(address("piece", piece)).status_code == expected
        assert signed_in.post(address("remove_piece", of_a_colleague)).status_code == 404
        assert signed_in.post(address("piece", of_the_office), typed(edition=1)).status_code == 404
        assert RepertoirePiece.objects.count() == 4


class TestAdd:
    def test_a_piece(self, signed_in, slot, louise, teacher):
        answer = signed_in.post(address("add_piece", louise), typed(), follow=True)

        piece = RepertoirePiece.objects.get()
        assert piece.student == louise.student
        assert (piece.course, piece.teacher) == (slot.course, teacher)
        assert (piece.movement, piece.played_on) == ("n° 1", timezone.localdate())
        assert "Le répertoire de Louise Adam compte un morceau de plus." in answer.text
        assert "Gymnopédie" in answer.text

    def test_sent_twice_it_is_written_once(self, signed_in, louise):
        sent = typed()

        signed_in.post(address("add_piece", louise), sent)
        answer = signed_in.post(address("add_piece", louise), sent)

        assert answer.status_code == 302
        assert RepertoirePiece.objects.count() == 1

    def test_two_pages_have_two_keys(self, signed_in, louise):
        keys = {
            str(signed_in.get(address("add_piece", louise)).context["form"]["sending"].value())
            for _ in range(2)
        }

        assert len(keys) == 2

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("composer", "", "obligatoire"),
            ("title", "…", "au moins une lettre"),
            ("title", "x" * 201, "200 caractères"),
            ("played_on", "hier", "date valide"),
            ("played_on", "2199-01-01", "pas encore passée"),
            ("sending", "non", "UUID"),
        ],
    )
    def test_a_refusal_keeps_what_was_typed(self, signed_in, louise, field, value, sentence):
        answer = signed_in.post(address("add_piece", louise), typed(**{field: value}))

        form = answer.context["form"]
        assert list(form.errors) == [field]
        assert sentence in " ".join(form.errors[field])
        assert form["movement"].value() == "n° 1"
        assert form[field].value() == value
        assert "<title>Erreur" in answer.text
        assert not RepertoirePiece.objects.exists()

    def test_to_several_at_once(self, signed_in, slot, louise):
        paul, zoe = seat(slot, "Paul", "Bizet"), seat(slot, "Zoé", "Caplet")

        answer = signed_in.post(
            address("add_to_slot", slot), typed(students=[louise.pk, zoe.pk]), follow=True
        )

        played = set(RepertoirePiece.objects.values_list("student", flat=True))
        assert played == {louise.student_id, zoe.student_id}
        assert paul.student_id not in played
        assert "au répertoire de 2 élèves." in answer.text

    def test_to_the_whole_class(self, signed_in, piano):
        EnrolmentFactory.create_batch(3, course=piano)

        signed_in.post(address("add_to_course", piano), typed(everybody="on"))

        assert RepertoirePiece.objects.count() == 3

    def test_to_nobody_is_refused(self, signed_in, slot, louise):
        answer = signed_in.post(address("add_to_slot", slot), typed())

        assert answer.context["form"].errors["students"] == ["Choisissez au moins un élève."]
        assert answer.context["form"]["title"].value() == "Gymnopédie"
        assert not RepertoirePiece.objects.exists()

    @pytest.mark.parametrize("who", ["a colleague's", "nobody's"])
    def test_a_student_of_another_class_is_no_choice(self, signed_in, slot, louise, who):
        other = EnrolmentFactory().pk if who == "a colleague's" else 999_999

        answer = signed_in.post(address("add_to_slot", slot), typed(students=[louise.pk, other]))

        assert list(answer.context["form"].errors) == ["students"]
        assert not RepertoirePiece.objects.exists()


class TestSearch:
    @pytest.fixture(autouse=True)
    def _known(self, signed_in, slot, louise):
        signed_in.post(address("add_piece", louise), typed())
        self.paul = seat(slot, "Paul", "Bizet")

    def test_it_writes_nothing_and_keeps_all(self, signed_in, slot):
        sent = typed(composer="satie", title="", chercher="oui", students=[self.paul.pk])

        answer = signed_in.post(address("add_to_slot", slot), sent)

        form = answer.context["form"]
        assert [(each.composer, each.title) for each in form.suggestions] == [
            ("Erik Satie", ""),
            ("Erik Satie", "Gymnopédie"),
        ]
        assert form["occasion"].value() == "Audition"
        assert form["sending"].value() == sent["sending"]
        assert form["students"].value() == [str(self.paul.pk)]
        assert f'value="{self.paul.pk}" aria-describedby' in answer.text or "checked" in answer.text
        assert RepertoirePiece.objects.count() == 1

    def test_a_suggestion_fills_the_form(self, signed_in):
        sent = typed(composer="satie", title="")
        work = (
            signed_in.post(address("add_piece", self.paul), sent | {"chercher": "oui"})
            .context["form"]
            .suggestions[-1]
        )

        answer = signed_in.post(address("add_piece", self.paul), sent | {"choisir": work.key})

        form = answer.context["form"]
        assert (form["composer"].value(), form["title"].value()) == ("Erik Satie", "Gymnopédie")
        assert form["movement"].value() == "n° 1"
        assert RepertoirePiece.objects.count() == 1

    def test_a_composer_chosen_shows_his_works(self, signed_in):
        sent = typed(composer="satie", title="")
        alone = (
            signed_in.post(address("add_piece", self.paul), sent | {"chercher": "oui"})
            .context["form"]
            .suggestions[0]
        )

        form = signed_in.post(
            address("add_piece", self.paul), sent | {"choisir": alone.key}
        ).context["form"]

        assert form["composer"].value() == "Erik Satie"
        assert "Gymnopédie" in {each.title for each in form.suggestions}

    def test_nothing_known_is_said(self, signed_in):
        answer = signed_in.post(
            address("add_piece", self.paul), typed(composer="zz", title="", chercher="oui")
        )

        assert "Rien de connu ne commence ainsi" in answer.text

    def test_while_one_types(self, signed_in):
        answer = signed_in.get(reverse("teacher:works"), {"compositeur": "SATIE"})

        assert [(each["composer"], each["title"]) for each in answer.json()["suggestions"]] == [
            ("Erik Satie", ""),
            ("Erik Satie", "Gymnopédie"),
        ]

    def test_it_names_no_student(self, signed_in, slot, louise):
        signed_in.post(
            address("add_piece", louise), typed(composer="Louise Adam", title="Valse à moi")
        )

        for asked in ({"compositeur": "adam"}, {"compositeur": "louise"}, {"oeuvre": "valse"}):
            assert signed_in.get(reverse("teacher:works"), asked).json() == {"suggestions": []}

    def test_the_composers_of_the_discipline_are_listed(self, signed_in):
        text = signed_in.get(address("add_piece", self.paul)).text

        assert '<option value="Erik Satie"></option>' in text


class TestCorrect:
    @pytest.fixture
    def piece(self, louise, slot, teacher):
        return RepertoirePieceFactory(student=louise.student, course=slot.course, teacher=teacher)

    def test_what_stands_there_then_what_is_typed(self, signed_in, piece, louise):
        form = signed_in.get(address("piece", piece)).context["form"]
        assert form["composer"].value() == "Claude Debussy"

        answer = signed_in.post(address("piece", piece), typed(edition=1))

        assert answer.url == address("repertoire", louise)
        piece.refresh_from_db()
        assert (piece.composer, piece.title) == ("Erik Satie", "Gymnopédie")

    def test_a_stale_page_keeps_what_was_typed_then_takes_over(self, signed_in, piece):
        signed_in.post(address("piece", piece), typed(edition=1, title="De l'autre téléphone"))

        answer = signed_in.post(address("piece", piece), typed(edition=1, title="D'ici"))
        assert "depuis une autre page" in answer.text
        form = answer.context["form"]
        assert form["title"].value() == "D'ici"

        signed_in.post(address("piece", piece), typed(edition=form["edition"].value(), title="Ici"))
        piece.refresh_from_db()
        assert piece.title == "Ici"

    def test_removed(self, signed_in, piece, louise):
        answer = signed_in.post(address("remove_piece", piece), follow=True)

        assert answer.redirect_chain[0][0] == address("repertoire", louise)
        assert "est retiré du répertoire de Louise Adam" in answer.text
        assert not RepertoirePiece.objects.exists()

    def test_not_by_a_link(self, signed_in, piece):
        assert signed_in.get(address("remove_piece", piece)).status_code == 405
        assert RepertoirePiece.objects.exists()


class TestOthers:
    @pytest.mark.parametrize("case", ["colleague", "site", "year", "released", "parent"])
    def test_not_found(self, client, signed_in, parent, slot, louise, teacher, case):
        piece = RepertoirePieceFactory(student=louise.student, course=slot.course, teacher=teacher)
        if case == "colleague":
            client.force_login(TeacherFactory().user)
        elif case == "parent":
            client.force_login(parent)
        elif case == "site":
            teacher.user.establishments.set([EstablishmentFactory(name="Annexe")])
        elif case == "year":
            slot.course.school_year = SchoolYearFactory(offset=-1)
            slot.course.save()
        else:
            louise.status, louise.place = EnrolmentStatus.RELEASED, None
            louise.save()

        pages = [("add_piece", louise), ("repertoire", louise), ("piece", piece)]
        pages += [("remove_piece", piece), ("add_to_slot", slot)]
        statuses = {
            (name, method): getattr(client, method)(
                address(name, row), typed(edition=1)
            ).status_code
            for name, row in pages
            for method in ("get", "post")
        }

        assert set(statuses.values()) <= {404, 405}, statuses
        assert RepertoirePiece.objects.get().title == piece.title

    def test_suggestions_are_the_teachers(self, client, parent):
        client.force_login(parent)

        assert client.get(reverse("teacher:works"), {"compositeur": "bach"}).status_code == 404

    def test_the_family_reads_it_at_once(self, client, signed_in, parent, student, slot):
        enrolment = EnrolmentFactory(
            student=student, course=slot.course, place=slot.places.order_by("number").last()
        )
        signed_in.post(address("add_piece", enrolment), typed())
        client.force_login(parent)

        text = client.get(reverse("students:repertoire", args=[student.pk])).text

        for said in ("Gymnopédie", "Erik Satie", "n° 1", "Audition", "Formation musicale"):
            assert said in text


def test_a_whole_number_too_big_is_no_500(signed_in, slot, louise):
    answer = signed_in.post(address("add_to_slot", slot), typed(students=["9" * 40]))

    assert list(answer.context["form"].errors) == ["students"]


def test_teacher_s_own_scheduling_is_not_needed(signed_in, teacher):
    """A course whose hour the school fixes has a repertoire too."""
    choir = CourseFactory(scheduling=Scheduling.SCHOOL, teacher=teacher, name="CHAM chant")
    enrolment = EnrolmentFactory(course=choir)

    assert signed_in.get(address("repertoire", enrolment)).status_code == 200
