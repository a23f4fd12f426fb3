"""Every write on evaluations (teaching/evaluations/services.py)."""

import datetime as dt
from threading import Barrier, Thread

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from accounts.enums import MailKind
from accounts.models import Mail
from students.enums import EnrolmentStatus
from teaching.enums import EvaluationState
from teaching.evaluations import services
from teaching.evaluations.services import Said
from teaching.models import Evaluation, Mark
from tests.factories import (
    CourseFactory,
    CriterionFactory,
    CustodyFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    EvaluationFactory,
    GuardianFactory,
    PeriodFactory,
    SchoolYearFactory,
)


@pytest.fixture
def enrolment(student, parent):
    return EnrolmentFactory(student=student)


@pytest.fixture
def period(enrolment):
    return PeriodFactory(name="1er semestre")


def write(enrolment, period, teacher, said=None, finished=False):
    said = said or Said(edition=0, comment="Bien.")
    return services.write(enrolment, period, said, teacher=teacher, finished=finished)


def due(period):
    period.publish_at = timezone.now() - dt.timedelta(minutes=1)
    period.save()


class TestWrite:
    def test_a_draft(self, enrolment, period, teacher):
        criterion = CriterionFactory()
        said = Said(edition=0, comment="Bien.", marks={criterion: "acquis"})

        evaluation = write(enrolment, period, teacher, said)

        assert evaluation.state == EvaluationState.DRAFT
        assert (evaluation.comment, evaluation.teacher_name) == ("Bien.", "Cécile Vasseur")
        assert evaluation.edition == 1
        assert [(m.name, m.value) for m in evaluation.marks.all()] == [(criterion.name, "acquis")]
        assert not evaluation.moves.exists()

    def test_a_criterion_renamed_later_rewrites_nothing(self, enrolment, period, teacher):
        criterion = CriterionFactory(name="Rythme")
        write(enrolment, period, teacher, Said(edition=0, marks={criterion: "acquis"}))

        criterion.name = "Pulsation"
        criterion.save()

        assert Mark.objects.get().name == "Rythme"

    def test_finished_then_a_draft_again(self, enrolment, period, teacher):
        write(enrolment, period, teacher, finished=True)
        write(enrolment, period, teacher, Said(edition=1, comment="Très bien."))

        evaluation = Evaluation.objects.get()
        assert evaluation.state == EvaluationState.DRAFT
        assert [str(move) for move in evaluation.moves.all()] == [
            "brouillon → terminée",
            "terminée → brouillon",
        ]
        assert evaluation.moves.first().actor == teacher.user

    def test_nothing_to_finish(self, enrolment, period, teacher):
        with pytest.raises(ValidationError) as refusal:
            write(enrolment, period, teacher, Said(edition=0), finished=True)

        assert refusal.value.code == "empty"
        assert not Evaluation.objects.exists()

    def test_a_stale_page_destroys_nothing(self, enrolment, period, teacher):
        write(enrolment, period, teacher)

        with pytest.raises(ValidationError) as refusal:
            write(enrolment, period, teacher, Said(edition=0, comment="Autre."))

        assert refusal.value.code == "stale"
        assert refusal.value.params["current"] == 1
        assert "Cécile Vasseur a modifié" in refusal.value.messages[0]
        assert Evaluation.objects.get().comment == "Bien."

    def test_a_published_one_is_not_written_over(self, enrolment, period, teacher):
        EvaluationFactory(enrolment=enrolment, period=period, published=True)

        with pytest.raises(ValidationError) as refusal:
            write(enrolment, period, teacher, Said(edition=1, comment="Autre."))

        assert refusal.value.code == "published"

    def test_an_enrolment_given_back(self, enrolment, period, teacher):
        enrolment.status = EnrolmentStatus.RELEASED
        enrolment.save()

        with pytest.raises(ValidationError) as refusal:
            write(enrolment, period, teacher)

        assert refusal.value.code == "not_enrolled"

    @pytest.mark.parametrize(
        "other",
        [
            lambda: {"school_year": SchoolYearFactory.coming()},
            lambda: {"establishment": EstablishmentFactory(name="Annexe")},
        ],
        ids=["another year's period", "another site's"],
    )
    def test_a_period_that_is_not_the_course_s(self, enrolment, teacher, other):
        with pytest.raises(ValidationError) as refusal:
            write(enrolment, PeriodFactory(**other()), teacher)

        assert refusal.value.code == "other_year"

    @pytest.mark.postgres
    @pytest.mark.django_db(transaction=True)
    def test_two_pages_at_once_one_is_told(self, enrolment, period, teacher):
        """Twenty rounds: the second is « stale », never lost nor doubled."""
        for _ in range(20):
            Evaluation.objects.all().delete()
            answers, start = [], Barrier(2)

            def save(text, answers=answers, start=start):
                start.wait()
                try:
                    write(enrolment, period, teacher, Said(edition=0, comment=text))
                except ValidationError as error:
                    answers.append(error.code)
                else:
                    answers.append(text)
                finally:
                    connection.close()

            threads = [Thread(target=save, args=[text]) for text in ("un", "deux")]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

            [kept] = [answer for answer in answers if answer != "stale"]
            assert sorted(answers) == sorted([kept, "stale"])
            assert Evaluation.objects.get().comment == kept


class TestPublish:
    def test_not_before_its_time(self, enrolment, period, teacher):
        write(enrolment, period, teacher, finished=True)

        assert services.publish_next() is None  # no date
        period.publish_at = timezone.now() + dt.timedelta(minutes=1)
        period.save()
        assert services.publish_next() is None

    def test_a_draft_waits(self, enrolment, period, teacher):
        write(enrolment, period, teacher)
        due(period)

        assert services.publish_next() is None

    def test_all_that_is_ready_of_a_student_with_one_mail(
        self, enrolment, period, teacher, student, parent
    ):
        other = EnrolmentFactory(student=student, course__name="Piano")
        for each in (enrolment, other):
            write(each, period, teacher, finished=True)
        due(period)

        assert services.publish_next()
        assert services.publish_next() is None

        states = Evaluation.objects.values_list("state", flat=True)
        assert set(states) == {EvaluationState.PUBLISHED}
        mail = Mail.objects.get(kind=MailKind.EVALUATIONS)
        assert mail.to == parent.email
        assert mail.subject == "Les évaluations de Louise Martin sont publiées (1er semestre)"
        assert "- Piano" in mail.body

    def test_both_households_are_told(self, enrolment, period, teacher, student):
        other = GuardianFactory(last_name="Durand")
        CustodyFactory(student=student, family=other.family, rank=2)
        write(enrolment, period, teacher, finished=True)
        due(period)

        services.publish_next()

        assert Mail.objects.filter(kind=MailKind.EVALUATIONS).count() == 2

    def test_what_comes_late_is_published_when_it_is_ready(self, enrolment, period, teacher):
        due(period)
        write(enrolment, period, teacher, finished=True)

        assert services.publish_next()

    def test_the_passage_is_proposed_at_that_moment_only(self, enrolment, period, teacher):
        following = CourseFactory(discipline=enrolment.course.discipline, coming=True)
        write(enrolment, period, teacher, Said(edition=0, next_course=following), finished=True)
        enrolment.refresh_from_db()
        assert enrolment.next_course is None

        due(period)
        services.publish_next()

        enrolment.refresh_from_db()
        assert enrolment.next_course == following

    def test_without_a_passage_what_the_staff_decided_stays(self, enrolment, period, teacher):
        enrolment.next_course = CourseFactory(coming=True)
        enrolment.save()
        write(enrolment, period, teacher, finished=True)
        due(period)

        services.publish_next()

        before = enrolment.next_course
        enrolment.refresh_from_db()
        assert enrolment.next_course == before

    def test_killed_in_between_nothing_is_half_done(self, enrolment, period, teacher, monkeypatch):
        write(enrolment, period, teacher, finished=True)
        due(period)

        def die(evaluations):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(services, "tell_published", die)
            with pytest.raises(KeyboardInterrupt):
                services.publish_next()
        assert Evaluation.objects.get().state == EvaluationState.READY

        services.publish_next()
        assert Mail.objects.filter(kind=MailKind.EVALUATIONS).count() == 1

    @pytest.mark.postgres
    @pytest.mark.django_db(transaction=True)
    def test_four_workers_publish_each_once(self, period, teacher, parent, family):
        from_family = {"student__family": family}
        for _ in range(10):
            write(EnrolmentFactory(**from_family), period, teacher, finished=True)
        due(period)
        start = Barrier(4)

        def work():
            start.wait()
            while services.publish_next():
                pass
            connection.close()

        threads = [Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        published = Evaluation.objects.filter(state=EvaluationState.PUBLISHED)
        assert published.count() == 10
        assert [evaluation.moves.count() for evaluation in published] == [2] * 10
        assert Mail.objects.filter(kind=MailKind.EVALUATIONS).count() == 10


class TestReopen:
    def test_families_no_longer_read_it_until_it_is_published_again(
        self, enrolment, period, teacher, parent, registrar
    ):
        write(enrolment, period, teacher, finished=True)
        due(period)
        services.publish_next()

        services.reopen(Evaluation.objects.get(), actor=registrar, reason="Erreur de nom")
        assert not Evaluation.objects.visible_to(parent).exists()
        assert services.publish_next() is None
        move = Evaluation.objects.get().moves.last()
        assert (move.actor, move.reason) == (registrar, "Erreur de nom")

        edition = Evaluation.objects.get().edition
        write(enrolment, period, teacher, Said(edition=edition, comment="Mieux."), finished=True)
        services.publish_next()
        assert Evaluation.objects.visible_to(parent).get().comment == "Mieux."
        assert Mail.objects.filter(kind=MailKind.EVALUATIONS).count() == 2

    def test_only_a_published_one(self, enrolment, period, teacher, registrar):
        evaluation = write(enrolment, period, teacher, finished=True)

        with pytest.raises(ValidationError) as refusal:
            services.reopen(evaluation, actor=registrar, reason="Motif")

        assert refusal.value.code == "bad_transition"
