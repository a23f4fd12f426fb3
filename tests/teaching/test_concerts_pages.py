"""The pages of concerts: the teacher's, the families', what each may read of the others."""

import datetime as dt
import re
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from students.enums import EnrolmentStatus
from students.models import Slot
from teaching.concerts import services
from teaching.concerts.programme import OWN_PIECE, programme_of
from teaching.models import Concert, ConcertTurn
from tests.factories import (
    ConcertFactory,
    CourseFactory,
    DisciplineFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    SchoolYearFactory,
    SlotFactory,
    StudentFactory,
    TeacherFactory,
    make_turn,
)
from tests.queries import FAMILY_PAGE, count_queries


@pytest.fixture
def concert(establishment):
    return ConcertFactory(proposals_until=timezone.localdate())


@pytest.fixture
def louise(teacher, student):
    """Louise Martin, of the teacher's class, daughter of `parent`."""
    slot = SlotFactory(teacher=teacher, places=5, course__discipline__name="Piano")
    return EnrolmentFactory(
        student=student, course=slot.course, place=slot.places.order_by("number").first()
    )


@pytest.fixture
def paul(stranger):
    """Paul Bizet, of another class and another household."""
    violin = CourseFactory(discipline=DisciplineFactory(name="Violon"))
    family = stranger.guardian.family
    return EnrolmentFactory(
        student=StudentFactory(first_name="Paul", last_name="Bizet", family=family), course=violin
    )


@pytest.fixture
def signed_in(client, teacher):
    client.force_login(teacher.user)
    return client


def page(name, *keys):
    return reverse(f"teacher:{name}", args=keys)


def typed(*enrolments, **fields):
    return {
        "students": [each.pk for each in enrolments],
        "composer": "Erik Satie",
        "title": "Je te veux",
        "movement": "",
        "minutes": "4",
        "accompanist": "Jean Morel, piano",
        "sending": str(uuid.uuid4()),
        **fields,
    }


def past(concert):
    Concert.objects.filter(pk=concert.pk).update(starts_at=timezone.now() - dt.timedelta(hours=5))


class TestProgramme:
    def test_turns_by_the_same_people_that_follow_are_one(self, concert, louise, paul):
        make_turn(concert, louise, title="Un", minutes=3)
        make_turn(concert, louise, title="Deux", minutes=4)
        make_turn(concert, paul, title="Trois", minutes=60)
        make_turn(concert, louise, title="Quatre", minutes=3)

        programme = programme_of(concert)

        assert [[line.title for line in item.lines] for item in programme.items] == [
            ["Un", "Deux"],
            ["Trois"],
            ["Quatre"],
        ]
        assert [item.names for item in programme.items] == [
            ["Louise Martin"],
            ["Paul Bizet"],
            ["Louise Martin"],
        ]
        assert programme.duration == "1\u00a0h\u00a010"

    def test_two_turns_of_nobody_are_two(self, concert):
        make_turn(concert)
        make_turn(concert)

        assert len(programme_of(concert).items) == 2

    def test_of_others_a_family_reads_the_instrument_alone(self, concert, louise, paul):
        make_turn(concert, louise, accompanist="Jean Morel")
        make_turn(concert, paul, accompanist="Zoé Martin")
        make_turn(concert, louise, paul)

        items = programme_of(concert, only=[louise.student_id]).items

        assert [
            (item.names, item.disciplines, item.accompanist, item.is_own) for item in items
        ] == [
            (["Louise Martin"], "Piano", "Jean Morel", True),
            (["Un élève"], "Violon", "", False),
            (["Louise Martin", "1 autre élève"], "Violon, Piano", "", True),
        ]

    def test_nor_whom_a_work_names(self, concert, louise, paul):
        make_turn(concert, paul, composer="Paul Bizet", title="Ma valse")

        [item] = programme_of(concert, only=[louise.student_id]).items

        assert [(line.composer, line.title) for line in item.lines] == [("", OWN_PIECE)]
        assert programme_of(concert).items[0].lines[0].composer == "Paul Bizet"

    @pytest.mark.parametrize("count", [1, 3])
    def test_two_queries(self, concert, louise, paul, count, django_assert_num_queries):
        for _ in range(count):
            make_turn(concert, louise, paul)

        with django_assert_num_queries(2):
            programme_of(concert)


class TestTeacher:
    def test_those_of_the_year_at_the_site(self, signed_in, concert):
        announced = ConcertFactory(title="Annoncée", published=True)
        ConcertFactory(title="D'un autre site", establishment=EstablishmentFactory(name="Annexe"))
        ConcertFactory(title="D'avant", school_year=SchoolYearFactory(offset=-1))
        gone = ConcertFactory(title="Passée", published=True)
        past(gone)

        answer = signed_in.get(page("concerts"))

        assert set(answer.context["coming"]) == {concert, announced}
        assert answer.context["past"] == [gone]
        assert answer.context["open"] == {concert.pk}
        assert "Propositions jusqu" in answer.text

    def test_none(self, signed_in, establishment):
        text = signed_in.get(page("concerts")).text

        assert "Aucune audition n'est prévue à ce site." in text.replace("&#x27;", "'")

    def test_the_programme_names_everybody(self, signed_in, concert, louise, paul, teacher):
        mine = make_turn(concert, louise, proposed_by=teacher)
        other = make_turn(concert, paul, proposed_by=TeacherFactory(), accompanist="Jean Morel")

        text = signed_in.get(page("concert", concert.pk)).text

        for said in ("Louise Martin", "Paul Bizet", "Jean Morel", "6\u00a0min", "Salle Ravel"):
            assert said in text
        assert page("turn", mine.pk) in text
        assert page("turn", other.pk) not in text
        assert page("propose_turn", concert.pk) in text

    def test_as_many_queries_for_one_turn_as_for_three(self, signed_in, concert, louise, paul):
        make_turn(concert, louise)
        one = count_queries(signed_in, page("concert", concert.pk))
        for _ in range(2):
            make_turn(concert, louise, paul)

        assert count_queries(signed_in, page("concert", concert.pk)) == one <= 10

    @pytest.mark.parametrize("published", [True, False])
    def test_as_a_pdf_whatever_is_typed(self, signed_in, concert, louise, published):
        concert.title, concert.place = 'Audition #[x] "noël"', "Salle *Ravel* $x$"
        concert.save()
        make_turn(concert, louise, title="= Titre _x_", movement="@label <a>")
        if published:
            services.publish(concert, actor=TeacherFactory().user)

        answer = signed_in.get(page("concert_pdf", concert.pk))

        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF")
        assert b"/StructTreeRoot" in answer.content
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["Cache-Control"] == "no-store"

    def test_an_empty_programme_prints_too(self, signed_in, concert):
        assert signed_in.get(page("concert_pdf", concert.pk)).content.startswith(b"%PDF")

    def test_a_turn_is_proposed(self, signed_in, concert, louise, teacher):
        answer = signed_in.post(page("propose_turn", concert.pk), typed(louise), follow=True)

        turn = ConcertTurn.objects.get()
        assert (turn.composer, turn.title, turn.minutes) == ("Erik Satie", "Je te veux", 4)
        assert (turn.accompanist, turn.proposed_by) == ("Jean Morel, piano", teacher)
        assert [each.enrolment for each in turn.performers.all()] == [louise]
        assert "Le passage est proposé" in answer.text

    def test_sent_twice_it_is_one(self, signed_in, concert, louise):
        sent = typed(louise)
        for _ in range(2):
            assert signed_in.post(page("propose_turn", concert.pk), sent).status_code == 302

        assert ConcertTurn.objects.count() == 1

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("students", [], "Choisissez au moins un élève."),
            ("composer", "", "obligatoire"),
            ("minutes", "0", "supérieure ou égale à 1"),
            ("minutes", "91", "inférieure ou égale à 90"),
            ("minutes", "trois", "nombre entier"),
        ],
    )
    def test_a_refusal_keeps_what_was_typed(
        self, signed_in, concert, louise, field, value, sentence
    ):
        sent = typed(louise) | {field: value}

        answer = signed_in.post(page("propose_turn", concert.pk), sent)

        form = answer.context["form"]
        assert list(form.errors) == [field]
        assert sentence in " ".join(form.errors[field])
        assert form["title"].value() == "Je te veux"
        assert "<title>Erreur" in answer.text
        assert not ConcertTurn.objects.exists()

    def test_a_search_keeps_who_was_ticked(self, signed_in, concert, louise):
        answer = signed_in.post(
            page("propose_turn", concert.pk), typed(louise, title="", chercher="oui")
        )

        form = answer.context["form"]
        assert form["students"].value() == [str(louise.pk)]
        assert [each["is_open"] for each in form.classes] == [True]
        assert "checked" in answer.text
        assert form["accompanist"].value() == "Jean Morel, piano"
        assert not ConcertTurn.objects.exists()

    def test_another_piece_by_the_same_people(self, signed_in, concert, louise, teacher):
        like = make_turn(concert, louise, proposed_by=teacher, accompanist="Jean Morel")

        address = page("propose_turn", concert.pk) + f"?comme={like.pk}"
        form = signed_in.get(address).context["form"]

        assert form["students"].value() == [louise.pk]
        assert form["accompanist"].value() == "Jean Morel"
        assert not form["title"].value()

    @pytest.mark.parametrize("like", ["0", "x", "²", "9" * 40, "other"])
    def test_like_nothing_of_his_is_a_blank_form(self, signed_in, concert, louise, paul, like):
        other = make_turn(concert, paul, proposed_by=TeacherFactory())
        key = other.pk if like == "other" else like

        answer = signed_in.get(page("propose_turn", concert.pk) + f"?comme={key}")

        assert answer.status_code == 200
        assert not answer.context["form"]["students"].value()

    @pytest.mark.parametrize("who", ["colleague", "requested", "nobody"])
    def test_only_his_own_students(self, signed_in, concert, louise, paul, who):
        if who == "requested":
            paul = EnrolmentFactory(course=louise.course, status=EnrolmentStatus.REQUESTED)
        sent = typed(louise) | {"students": [999_999 if who == "nobody" else paul.pk]}

        answer = signed_in.post(page("propose_turn", concert.pk), sent)

        assert list(answer.context["form"].errors) == ["students"]
        assert not ConcertTurn.objects.exists()

    def test_corrected_then_withdrawn(self, signed_in, concert, louise, teacher):
        turn = make_turn(concert, louise, proposed_by=teacher)
        form = signed_in.get(page("turn", turn.pk)).context["form"]
        assert form["title"].value() == "Gymnopédie n° 1"

        signed_in.post(page("turn", turn.pk), typed(louise, edition=1))
        turn.refresh_from_db()
        assert turn.title == "Je te veux"

        answer = signed_in.post(page("turn", turn.pk), typed(louise, edition=1))
        assert "depuis une autre page" in answer.text
        assert answer.context["form"]["edition"].value() == "2"

        signed_in.post(page("withdraw_turn", turn.pk))
        assert not ConcertTurn.objects.exists()

    @pytest.mark.parametrize("case", ["colleague's", "closed", "site", "year"])
    def test_a_turn_that_is_not_his_to_change(
        self, client, signed_in, concert, louise, teacher, case
    ):
        turn = make_turn(concert, louise, proposed_by=teacher)
        if case == "colleague's":
            client.force_login(TeacherFactory().user)
        elif case == "closed":
            Concert.objects.update(proposals_until=timezone.localdate() - dt.timedelta(days=1))
            assert signed_in.get(page("propose_turn", concert.pk)).status_code == 404
        elif case == "site":
            teacher.user.establishments.set([EstablishmentFactory(name="Annexe")])
            assert signed_in.get(page("concert", concert.pk)).status_code == 404
            assert signed_in.get(page("concert_pdf", concert.pk)).status_code == 404
        else:
            Concert.objects.update(school_year=SchoolYearFactory(offset=-1))

        for name in ("turn", "withdraw_turn"):
            assert client.post(page(name, turn.pk), typed(louise, edition=1)).status_code == 404
        assert ConcertTurn.objects.get().title == "Gymnopédie n° 1"

    def test_students_stand_by_class(self, signed_in, concert, louise, piano):
        EnrolmentFactory(course=piano)

        classes = signed_in.get(page("propose_turn", concert.pk)).context["form"].classes

        assert [len(each["boxes"]) for each in classes] == [1, 1]
        assert [each["is_open"] for each in classes] == [False, False]


class TestWeek:
    """« Ma semaine » reminds a teacher of the proposals that end soon."""

    SENTENCE = "Audition de printemps\u00a0: proposer ses élèves jusqu'au"

    def reads(self, signed_in):
        others = signed_in.get(reverse("teacher:index")).context["others"]
        return [each for each in others if each.label.startswith(self.SENTENCE)]

    def test_until_he_has_proposed_one(self, signed_in, concert, louise, paul, teacher):
        make_turn(concert, paul, proposed_by=TeacherFactory())
        [told] = self.reads(signed_in)
        assert told.url == page("concert", concert.pk)
        assert page("propose_turn", concert.pk) in signed_in.get(told.url).text

        make_turn(concert, louise, proposed_by=teacher)
        assert self.reads(signed_in) == []

    @pytest.mark.parametrize(("days", "count"), [(-1, 0), (0, 1), (13, 1), (14, 0)])
    def test_in_the_last_two_weeks(self, signed_in, concert, louise, days, count):
        Concert.objects.update(proposals_until=timezone.localdate() + dt.timedelta(days=days))

        assert len(self.reads(signed_in)) == count

    @pytest.mark.parametrize("case", ["published", "site", "class", "year", "closed"])
    def test_of_what_is_not_for_him_nothing(self, signed_in, concert, louise, teacher, case):
        if case == "published":
            make_turn(concert, louise)
            services.publish(concert, actor=TeacherFactory().user)
        elif case == "site":
            teacher.user.establishments.set([EstablishmentFactory(name="Annexe")])
        elif case == "class":
            Slot.objects.update(teacher=TeacherFactory())
        elif case == "year":
            Concert.objects.update(school_year=SchoolYearFactory(offset=1))
        else:
            Concert.objects.update(proposals_until=None)

        assert self.reads(signed_in) == []


class TestFamily:
    @pytest.fixture
    def announced(self, concert, louise, paul, registrar):
        make_turn(concert, louise)
        make_turn(concert, paul, title="Sonate", composer="Wolfgang Amadeus Mozart")
        return services.publish(concert, actor=registrar)

    def address(self, louise, concert=None):
        keys = [louise.student_id, *([concert.pk] if concert else [])]
        return reverse(f"teaching:concert{'' if concert else 's'}", args=keys)

    def test_when_where_and_what_he_plays(self, client, parent, announced, louise):
        client.force_login(parent)

        answer = client.get(self.address(louise))

        [date] = answer.context["coming"]
        assert date.concert == announced
        assert [line.title for line in date.lines] == ["Gymnopédie n° 1"]
        assert self.address(louise, announced) in answer.text
        assert "Salle Ravel" in answer.text
        assert "Sonate" not in answer.text

    def test_the_tab_is_that_of_the_repertoire(self, client, parent, announced, louise):
        client.force_login(parent)

        tabs = client.get(self.address(louise)).context["navigation"].written_student_tabs

        assert re.findall(r'aria-current="page">(.*?)<', tabs) == ["répertoire"]
        repertoire = reverse("students:repertoire", args=[louise.student_id])
        assert self.address(louise) in client.get(repertoire).text

    def test_the_programme_names_no_other_child(self, client, parent, announced, louise):
        client.force_login(parent)

        text = client.get(self.address(louise, announced)).text

        assert "Louise Martin" in text
        assert "Sonate" in text
        assert "Violon" in text
        assert "Paul" not in text
        assert "Bizet" not in text

    def test_nor_does_that_of_the_other_household_name_louise(
        self, client, stranger, announced, paul
    ):
        client.force_login(stranger)

        text = client.get(self.address(paul, announced)).text

        assert "Paul Bizet" in text
        assert "Louise" not in text

    @pytest.mark.parametrize("case", ["draft", "stranger", "does not play"])
    def test_not_found(self, client, parent, stranger, concert, louise, paul, registrar, case):
        make_turn(concert, louise)
        student = louise
        if case != "draft":
            services.publish(concert, actor=registrar)
        if case == "does not play":
            student = EnrolmentFactory(
                student=StudentFactory(first_name="Zoé", family=parent.guardian.family)
            )
        client.force_login(stranger if case == "stranger" else parent)

        assert client.get(self.address(student, concert)).status_code == 404
        if case != "stranger":
            assert not client.get(self.address(student)).context["coming"]

    def test_cancelled_and_why(self, client, parent, announced, louise, registrar):
        services.cancel(announced, reason="Salle inondée", actor=registrar)
        client.force_login(parent)

        for address in (self.address(louise), self.address(louise, announced)):
            text = client.get(address).text
            assert "Annulée" in text
            assert "Salle inondée" in text
        assert "annulée" in client.get(reverse("imuse:home")).text

    def test_past_ones_are_apart(self, client, parent, announced, louise):
        past(announced)
        client.force_login(parent)

        answer = client.get(self.address(louise))

        assert answer.context["coming"] == []
        assert [date.concert for date in answer.context["past"]] == [announced]
        assert client.get(reverse("imuse:home")).context["concerts"] == []

    def test_home_says_the_next_ones(self, client, parent, announced, louise, registrar):
        zoe = EnrolmentFactory(
            student=StudentFactory(first_name="Zoé", family=parent.guardian.family)
        )
        soon = ConcertFactory(
            title="Concert de midi", starts_at=timezone.now() + dt.timedelta(days=1)
        )
        make_turn(soon, louise, zoe)
        make_turn(soon, louise)
        services.publish(soon, actor=registrar)
        draft = ConcertFactory(title="En préparation")
        make_turn(draft, louise)
        client.force_login(parent)

        answer = client.get(reverse("imuse:home"))

        first, second = answer.context["concerts"]
        assert first.title.startswith("Concert de midi, ")
        assert first.hint == "Louise et Zoé · Salle Ravel"
        assert second.title.startswith("Audition de printemps")
        assert "Auditions à venir" in answer.text

    def test_as_many_queries_for_one_as_for_three(
        self, client, parent, announced, louise, paul, registrar
    ):
        client.force_login(parent)
        pages = [
            self.address(louise),
            self.address(louise, announced),
            reverse("imuse:home"),
        ]
        before = [count_queries(client, each) for each in pages]
        for _ in range(2):
            other = ConcertFactory()
            make_turn(other, louise, paul)
            services.publish(other, actor=registrar)
            make_turn(announced, louise, paul)

        assert [count_queries(client, each) for each in pages] == before
        assert max(before[:2]) <= FAMILY_PAGE
