"""The teacher's pages of evaluations."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from students.enums import Cycle, EnrolmentStatus, Scheduling
from teaching.enums import EvaluationState
from teaching.models import Evaluation, Lesson
from tests.factories import (
    CourseFactory,
    CriterionFactory,
    DisciplineFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    EvaluationFactory,
    PeriodFactory,
    ScaleFactory,
    SchoolYearFactory,
    SlotFactory,
    TeacherFactory,
)

URL = "/extranet/enseignant/evaluations/"


@pytest.fixture
def slot(teacher):
    return SlotFactory(teacher=teacher, places=4, course__name="Formation musicale")


@pytest.fixture
def period(slot):
    return PeriodFactory(name="1er semestre")


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


def page(period, enrolment):
    return reverse("teacher:evaluation", args=[period.pk, enrolment.pk])


def typed(**fields):
    return {"edition": "0", "comment": "", "exam_result": "", **fields}


class TestIndex:
    def test_what_is_left_in_each_class(self, signed_in, slot, period, louise, teacher):
        seat(slot, "Paul", "Bizet")
        EvaluationFactory(enrolment=louise, period=period, state=EvaluationState.READY)
        piano = CourseFactory(name="Piano", scheduling=Scheduling.TEACHER, teacher=teacher)
        EnrolmentFactory(course=piano)
        seat(SlotFactory(teacher=TeacherFactory()), "Autre", "Classe")

        page = signed_in.get(URL)

        [(shown, classes)] = page.context["classes"].items()
        assert shown == period
        assert [(each.group, len(each.rows), each.left) for each in classes] == [
            (slot, 2, 1),
            (piano, 1, 1),
        ]

    def test_ma_semaine_recalls_it_from_a_month_before(self, signed_in, slot, period, louise):
        today = timezone.localdate()
        words = "1er semestre\u00a0: 1 évaluation à rendre"
        for due_on, shown, late in [
            (today + dt.timedelta(days=32), False, False),
            (today + dt.timedelta(days=31), True, False),
            (today - dt.timedelta(days=1), True, True),
        ]:
            period.due_on = due_on
            period.save()
            others = signed_in.get(reverse("teacher:index")).context["others"]
            found = [each for each in others if each.label == words]
            assert bool(found) == shown
            assert [each.is_late for each in found] == ([late] if shown else [])

    def test_no_period_no_table(self, signed_in, louise):
        assert "Aucune période d'évaluation n'est en cours" in signed_in.get(URL).text.replace(
            "&#x27;", "'"
        )

    @pytest.mark.parametrize(
        "other",
        [
            lambda: {"school_year": SchoolYearFactory(offset=-1)},
            lambda: {"starts_on": timezone.localdate() + dt.timedelta(days=1)},
            lambda: {"establishment": EstablishmentFactory(name="Annexe")},
        ],
        ids=["of a year that is over", "not begun", "of another site"],
    )
    def test_periods_that_are_not_shown(self, signed_in, louise, other):
        PeriodFactory(**other())

        assert signed_in.get(URL).context["classes"] == {}

    def test_200_students_cost_no_more_queries(
        self, signed_in, teacher, period, django_assert_num_queries, django_assert_max_num_queries
    ):
        small = SlotFactory(teacher=teacher, places=2)
        seat(small, "Un", "Seul")
        signed_in.get(URL)
        with django_assert_max_num_queries(12) as few:
            signed_in.get(URL)
        for _ in range(20):
            big = SlotFactory(teacher=teacher, places=10)
            for number in range(10):
                seat(big, "Élève", str(number))

        with django_assert_num_queries(len(few)):
            signed_in.get(URL)
        address = reverse("teacher:evaluation_slot", args=[period.pk, small.pk])
        with django_assert_max_num_queries(12) as few:
            signed_in.get(address)
        seat(small, "Deux", "Maintenant")
        with django_assert_num_queries(len(few)):
            signed_in.get(address)


class TestClass:
    def test_each_student_and_where_he_stands(self, signed_in, slot, period, louise):
        paul = seat(slot, "Paul", "Bizet")
        EvaluationFactory(enrolment=louise, period=period)
        seat(slot, "Zoé", "Demandée", status=EnrolmentStatus.REQUESTED)

        text = signed_in.get(reverse("teacher:evaluation_slot", args=[period.pk, slot.pk])).text

        assert page(period, louise) in text
        assert page(period, paul) in text
        assert "Brouillon" in text
        assert "À faire" in text
        assert "Demandée" not in text

    def test_not_another_teacher_s(self, signed_in, period):
        other = SlotFactory(teacher=TeacherFactory())
        seat(other, "Autre", "Classe")

        address = reverse("teacher:evaluation_slot", args=[period.pk, other.pk])
        assert signed_in.get(address).status_code == 404


class TestEvaluation:
    def test_criteria_are_those_of_the_discipline_and_cycle(self, signed_in, period, louise):
        course = louise.course
        asked = [
            CriterionFactory(),
            CriterionFactory(discipline=course.discipline, cycle=course.cycle),
        ]
        CriterionFactory(discipline=DisciplineFactory(name="Danse"))
        CriterionFactory(cycle=Cycle.THIRD)
        CriterionFactory(retired=True)
        CriterionFactory(establishment=EstablishmentFactory(name="Annexe"))

        form = signed_in.get(page(period, louise)).context["form"]

        assert form.criteria == asked

    def test_a_draft_is_kept_and_shown_again(self, signed_in, period, louise):
        levels, mark = CriterionFactory(), CriterionFactory(scale=ScaleFactory(maximum=20))
        fields = {f"critere-{levels.pk}": "acquis", f"critere-{mark.pk}": "14,5"}

        answer = signed_in.post(page(period, louise), typed(comment="Bien.", **fields))

        assert answer.status_code == 302
        assert answer.url == page(period, louise)
        evaluation = Evaluation.objects.get()
        assert [m.value for m in evaluation.marks.all()] == ["acquis", "14,5\u00a0/\u00a020"]
        form = signed_in.get(page(period, louise)).context["form"]
        assert form[f"critere-{mark.pk}"].value() == "14,5"
        assert form[f"critere-{levels.pk}"].value() == "acquis"
        assert form["comment"].value() == "Bien."

    def test_finished_leads_to_the_next_student_then_to_the_class(
        self, signed_in, slot, period, louise
    ):
        paul = seat(slot, "Paul", "Bizet")
        finished = typed(comment="Bien.", terminer="oui")

        assert signed_in.post(page(period, louise), finished).url == page(period, paul)
        assert signed_in.post(page(period, paul), finished).url == reverse(
            "teacher:evaluation_slot", args=[period.pk, slot.pk]
        )
        assert set(Evaluation.objects.values_list("state", flat=True)) == {EvaluationState.READY}

    @pytest.mark.parametrize("mark", ["21", "-1", "quinze", "1,234"])
    def test_a_mark_that_is_none_is_said_beside_it_and_kept(self, signed_in, period, louise, mark):
        criterion = CriterionFactory(scale=ScaleFactory(maximum=20))

        answer = signed_in.post(
            page(period, louise), typed(comment="Bien.", **{f"critere-{criterion.pk}": mark})
        )

        form = answer.context["form"]
        assert form.errors[f"critere-{criterion.pk}"]
        assert form[f"critere-{criterion.pk}"].value() == mark
        assert form["comment"].value() == "Bien."
        assert "<title>Erreur" in answer.text
        assert not Evaluation.objects.exists()

    def test_a_comment_too_long(self, signed_in, period, louise):
        answer = signed_in.post(page(period, louise), typed(comment="é" * 1001))

        assert "comment" in answer.context["form"].errors

    def test_nothing_to_finish_is_said(self, signed_in, period, louise):
        answer = signed_in.post(page(period, louise), typed(terminer="oui"))

        assert "Rien n&#x27;est encore écrit" in answer.text

    def test_a_stale_page_keeps_what_was_typed_then_takes_over(self, signed_in, period, louise):
        signed_in.post(page(period, louise), typed(comment="De l'autre téléphone."))

        answer = signed_in.post(page(period, louise), typed(comment="D'ici."))
        assert "depuis une autre page" in answer.text
        form = answer.context["form"]
        assert form["comment"].value() == "D'ici."

        signed_in.post(
            page(period, louise), typed(comment="D'ici.", edition=form["edition"].value())
        )
        assert Evaluation.objects.get().comment == "D'ici."

    def test_a_published_one_is_only_read(self, signed_in, period, louise):
        EvaluationFactory(enrolment=louise, period=period, published=True, comment="Publié.")

        text = signed_in.get(page(period, louise)).text
        assert "Publié." in text
        assert "<textarea" not in text
        answer = signed_in.post(page(period, louise), typed(edition=1, comment="Autre."))
        assert "demandez à l&#x27;administration" in answer.text
        assert Evaluation.objects.get().comment == "Publié."

    def test_the_passage_offers_the_courses_to_come_of_the_discipline(
        self, signed_in, period, louise
    ):
        same = {"discipline": louise.course.discipline, "coming": True}
        following = CourseFactory(**same)
        CourseFactory(coming=True, discipline=DisciplineFactory(name="Piano"))
        CourseFactory(discipline=louise.course.discipline)
        CourseFactory(**same, establishment=EstablishmentFactory(name="Annexe"))

        form = signed_in.get(page(period, louise)).context["form"]
        assert list(form.fields["next_course"].queryset) == [following]

        signed_in.post(page(period, louise), typed(next_course=following.pk))
        assert Evaluation.objects.get().next_course == following

    def test_a_course_that_is_not_offered_is_refused(self, signed_in, period, louise):
        CourseFactory(discipline=louise.course.discipline, coming=True)
        other = CourseFactory(coming=True, discipline=DisciplineFactory(name="Piano"))

        answer = signed_in.post(page(period, louise), typed(next_course=other.pk))

        assert "next_course" in answer.context["form"].errors

    @pytest.mark.parametrize("case", ["colleague", "substitute", "site", "year", "released"])
    def test_not_found(self, client, signed_in, slot, period, louise, teacher, case):
        if case == "colleague":
            client.force_login(TeacherFactory().user)
        elif case == "substitute":  # he gives the lesson, and judges nobody
            other = TeacherFactory()
            Lesson.objects.create(slot=slot, planned_on=timezone.localdate(), substitute=other)
            client.force_login(other.user)
        elif case == "site":
            teacher.user.establishments.set([EstablishmentFactory(name="Annexe")])
        elif case == "year":
            period = PeriodFactory(school_year=SchoolYearFactory(offset=-1))
        else:
            louise.status, louise.place = EnrolmentStatus.RELEASED, None
            louise.save()

        assert client.get(page(period, louise)).status_code == 404
        assert client.post(page(period, louise), typed(comment="x")).status_code == 404
        assert not Evaluation.objects.exists()
