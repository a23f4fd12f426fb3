"""What may be done with a concert, and who is told of it."""

import datetime as dt
import uuid

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.enums import MailKind
from accounts.models import Mail
from students.models import RepertoirePiece
from teaching.concerts import services
from teaching.concerts.services import Turn
from teaching.enums import ConcertAct, ConcertState
from teaching.models import Concert, ConcertTurn
from tests.factories import (
    ConcertFactory,
    CustodyFactory,
    EnrolmentFactory,
    FamilyFactory,
    GuardianFactory,
    SchoolYearFactory,
    StudentFactory,
    TeacherFactory,
    make_turn,
)
from tests.races import no_deadlock, run_together

SATIE = Turn("Erik Satie", "Gymnopédie n° 1", 3)
IN_TWO_DAYS = dt.timedelta(days=2)


@pytest.fixture
def concert(establishment):
    return ConcertFactory(proposals_until=timezone.localdate())


@pytest.fixture
def louise(parent, student):
    """Of one household, Claire's."""
    return EnrolmentFactory(student=student)


def told(kind=MailKind.CONCERT):
    return Mail.objects.filter(kind=kind).order_by("pk")


def past(concert):
    Concert.objects.filter(pk=concert.pk).update(starts_at=timezone.now() - dt.timedelta(hours=1))
    concert.refresh_from_db()
    return concert


class TestPublish:
    def test_announced_and_each_responsable_told_once(self, concert, louise, registrar, family):
        GuardianFactory(family=family, user=None, email="paul@example.org", first_name="Paul")
        GuardianFactory(family=family, user=None, email="")
        make_turn(concert, louise)
        make_turn(concert, louise, title="Je te veux", movement="Valse")
        make_turn(concert, EnrolmentFactory())  # of a household without anybody

        services.publish(concert, actor=registrar)

        concert.refresh_from_db()
        assert concert.state == ConcertState.PUBLISHED
        assert concert.published_at is not None
        assert [mail.to for mail in told()] == ["martin.c@example.org", "paul@example.org"]
        mail = told()[0]
        assert mail.subject.startswith("Audition de printemps : Louise joue le ")
        for said in ("Gymnopédie n° 1", "Je te veux, Valse", "Salle Ravel"):
            assert said in mail.body
        assert f"/extranet/eleves/{louise.student_id}/auditions/" in mail.body
        assert [move.act for move in concert.moves.all()] == [ConcertAct.PUBLISHED]

    def test_brother_and_sister_in_one_mail(self, concert, louise, family, registrar):
        zoe = EnrolmentFactory(student=StudentFactory(first_name="Zoé", family=family))
        make_turn(concert, louise, zoe)

        services.publish(concert, actor=registrar)

        [mail] = told()
        assert "Louise et Zoé jouent" in mail.subject
        assert "- Louise : Erik Satie" in mail.body
        assert "- Zoé : Erik Satie" in mail.body

    def test_both_households_of_a_child_and_no_other(self, concert, louise, registrar, stranger):
        other = GuardianFactory(family=FamilyFactory(), user__username="durand.p")
        CustodyFactory(student=louise.student, family=other.family, rank=2)
        make_turn(concert, louise)

        services.publish(concert, actor=registrar)

        assert {mail.to for mail in told()} == {"martin.c@example.org", "durand.p@example.org"}
        assert not any("Durand" in mail.body for mail in told().exclude(to=other.email))

    def test_no_mail_names_another_child(self, concert, louise, registrar):
        other = GuardianFactory(user__username="autre.f")
        paul = StudentFactory(first_name="Paul", last_name="Bizet", family=other.family)
        make_turn(concert, louise, EnrolmentFactory(student=paul))

        services.publish(concert, actor=registrar)

        mail = told().get(to="martin.c@example.org")
        assert "Paul" not in mail.subject + mail.body
        assert "Louise" not in told().get(to=other.email).body

    def test_nor_does_the_name_of_a_work(self, concert, louise, registrar):
        paul = EnrolmentFactory(student__first_name="Paul", student__last_name="Bizet")
        make_turn(concert, louise, paul, composer="Paul Bizet", title="Ma valse")

        services.publish(concert, actor=registrar)

        [mail] = told()
        assert "- Louise : Composition d'élève" in mail.body
        assert "Bizet" not in mail.body

    def test_twice_is_refused_and_tells_nobody(self, concert, louise, registrar):
        make_turn(concert, louise)
        services.publish(concert, actor=registrar)

        with pytest.raises(ValidationError) as refused:
            services.publish(concert, actor=registrar)

        assert refused.value.code == "bad_transition"
        assert told().count() == 1

    @pytest.mark.parametrize("code", ["empty", "nobody", "past"])
    def test_refused(self, concert, louise, registrar, code):
        if code == "nobody":
            make_turn(concert)
        elif code == "past":
            make_turn(past(concert), louise)

        with pytest.raises(ValidationError) as refused:
            services.publish(concert, actor=registrar)

        assert refused.value.code == code
        concert.refresh_from_db()
        assert concert.state == ConcertState.DRAFT
        assert not told().exists()


@pytest.fixture
def announced(concert, louise, registrar):
    make_turn(concert, louise)
    services.publish(concert, actor=registrar)
    told().delete()
    concert.refresh_from_db()
    return concert


class TestChange:
    def test_moved_its_families_are_told_once(self, announced, registrar):
        announced.starts_at += IN_TWO_DAYS
        services.save(announced, actor=registrar)
        services.save(announced, actor=registrar)  # saved again as it is

        [mail] = told()
        assert mail.subject == "Audition de printemps : nouvelle date ou nouveau lieu"
        assert "Auparavant : " in mail.body
        assert [move.act for move in announced.moves.all()][1:] == [ConcertAct.MOVED]

    def test_moved_back_is_told_again(self, announced, registrar):
        for days in (IN_TWO_DAYS, -IN_TWO_DAYS):
            announced.starts_at += days
            services.save(announced, actor=registrar)

        assert told().count() == 2

    def test_another_room_is_told(self, announced, registrar):
        announced.place = "Auditorium"
        services.save(announced, actor=registrar)

        assert "Auditorium" in told().get().body

    def test_another_title_is_not(self, announced, registrar):
        announced.title = "Audition d'été"
        services.save(announced, actor=registrar)

        assert not told().exists()
        announced.refresh_from_db()
        assert announced.title == "Audition d'été"

    def test_a_draft_tells_nobody(self, concert, louise, registrar):
        make_turn(concert, louise)
        concert.starts_at += IN_TWO_DAYS
        services.save(concert, actor=registrar)

        assert not told().exists()
        assert not concert.moves.exists()

    def test_not_into_the_past(self, announced, registrar):
        announced.starts_at = timezone.now() - dt.timedelta(hours=1)

        with pytest.raises(ValidationError) as refused:
            services.save(announced, actor=registrar)

        assert list(refused.value.error_dict) == ["starts_at"]

    def test_not_to_a_day_of_no_school_year(self, concert, registrar):
        concert.starts_at += dt.timedelta(days=4000)

        with pytest.raises(ValidationError, match="Aucune année scolaire"):
            services.save(concert, actor=registrar)

    def test_of_an_older_page_the_state_is_not_taken(self, concert, louise, registrar):
        older = Concert.objects.get(pk=concert.pk)
        make_turn(concert, louise)
        services.publish(concert, actor=registrar)

        services.save(older, actor=registrar)

        assert Concert.objects.get().state == ConcertState.PUBLISHED

    def test_whoever_comes_in_is_told_and_the_others_are_not(self, announced, louise):
        other = GuardianFactory(user__username="autre.f")
        paul = EnrolmentFactory(student=StudentFactory(first_name="Paul", family=other.family))
        make_turn(announced, louise, title="Encore Louise", told_at=timezone.now())
        make_turn(announced, paul)

        services.programme_changed(announced)
        services.programme_changed(announced)

        [mail] = told()
        assert mail.to == other.email

    def test_whoever_goes_out_is_told(self, announced, louise):
        turn = announced.turns.get()
        gone = list(turn.performers.select_related("turn", "enrolment__student"))
        turn.delete()

        services.programme_changed(announced, gone=gone)

        [mail] = told()
        assert mail.subject == "Audition de printemps : Louise ne joue plus"

    def test_but_not_who_still_plays_something_else(self, announced, louise):
        make_turn(announced, louise, title="Autre chose", told_at=timezone.now())
        turn = announced.turns.first()
        gone = list(turn.performers.select_related("turn", "enrolment__student"))
        turn.delete()

        services.programme_changed(announced, gone=gone)

        assert not told().exists()


class TestCancel:
    def test_the_reason_is_told_once(self, announced, registrar):
        services.cancel(announced, reason="Salle inondée", actor=registrar)
        with pytest.raises(ValidationError) as refused:
            services.cancel(announced, reason="Encore", actor=registrar)

        assert refused.value.code == "bad_transition"
        [mail] = told()
        assert mail.subject == "Audition de printemps est annulée"
        assert "Motif : Salle inondée" in mail.body
        announced.refresh_from_db()
        assert announced.state == ConcertState.CANCELLED

    def test_a_draft_is_not_cancelled(self, concert, registrar):
        with pytest.raises(ValidationError) as refused:
            services.cancel(concert, reason="Motif", actor=registrar)

        assert refused.value.code == "bad_transition"

    def test_nor_what_took_place(self, announced, registrar):
        with pytest.raises(ValidationError) as refused:
            services.cancel(past(announced), reason="Motif", actor=registrar)

        assert refused.value.code == "past"

    def test_cancelled_nothing_is_saved(self, announced, registrar):
        services.cancel(announced, reason="Motif", actor=registrar)

        with pytest.raises(ValidationError) as refused:
            services.save(announced, actor=registrar)

        assert refused.value.code == "cancelled"

    @pytest.mark.parametrize(
        "fields",
        [
            {"state": "elsewhere"},
            {"state": ConcertState.PUBLISHED},
            {"state": ConcertState.CANCELLED, "published_at": timezone.now()},
            {"cancel_reason": "Motif"},
        ],
    )
    def test_the_database_refuses_what_makes_no_sense(self, concert, fields):
        with pytest.raises(IntegrityError), transaction.atomic():
            Concert.objects.filter(pk=concert.pk).update(**fields)


class TestRecord:
    def test_to_each_performers_repertoire_once(self, announced, louise, registrar):
        teacher = TeacherFactory()
        paul = EnrolmentFactory(course=louise.course)
        make_turn(
            announced, louise, paul, title="Sonate", movement="2. Andante", proposed_by=teacher
        )
        past(announced)

        assert services.record(announced, actor=registrar) == 3
        assert services.record(announced, actor=registrar) == 3  # all there already

        assert RepertoirePiece.objects.count() == 3
        piece = RepertoirePiece.objects.get(student=paul.student)
        assert (piece.composer, piece.title, piece.movement) == (
            *("Erik Satie", "Sonate"),
            "2. Andante",
        )
        assert piece.occasion == "Audition de printemps"
        assert piece.played_on == timezone.localdate(announced.starts_at)
        assert (piece.course, piece.teacher) == (paul.course, teacher)
        announced.refresh_from_db()
        assert announced.recorded_at is not None
        acts = [move.act for move in announced.moves.all()]
        assert acts.count(ConcertAct.RECORDED) == 1

    def test_again_after_a_turn_was_added_writes_that_one(self, announced, louise, registrar):
        past(announced)
        services.record(announced, actor=registrar)
        make_turn(announced, louise, title="Bis")

        services.record(announced, actor=registrar)

        assert RepertoirePiece.objects.filter(student=louise.student).count() == 2

    @pytest.mark.parametrize("case", ["to come", "draft", "cancelled"])
    def test_not_before_it_took_place(self, announced, louise, registrar, case):
        concert = announced
        if case == "draft":
            concert = past(ConcertFactory())
            make_turn(concert, louise)
        elif case == "cancelled":
            services.cancel(announced, reason="Motif", actor=registrar)
            past(concert)

        with pytest.raises(ValidationError) as refused:
            services.record(concert, actor=registrar)

        assert refused.value.code == "not_played"
        assert not RepertoirePiece.objects.exists()


class TestPropose:
    def test_at_the_end_of_the_programme(self, concert, louise, teacher):
        make_turn(concert, EnrolmentFactory())

        turn = services.propose(concert, SATIE, [louise], teacher=teacher, sending=uuid.uuid4())

        assert turn.position == 2
        assert turn.proposed_by == teacher
        assert [each.enrolment for each in turn.performers.all()] == [louise]

    def test_sent_twice_it_is_one_turn(self, concert, louise, teacher):
        key = uuid.uuid4()
        for _ in range(2):
            services.propose(concert, SATIE, [louise], teacher=teacher, sending=key)

        assert ConcertTurn.objects.count() == 1

    @pytest.mark.parametrize("case", ["over", "never", "announced"])
    def test_closed(self, concert, louise, teacher, registrar, case):
        turn = make_turn(concert, louise, proposed_by=teacher)
        if case == "over":
            concert.proposals_until -= dt.timedelta(days=1)
        elif case == "never":
            concert.proposals_until = None
        concert.save()
        if case == "announced":
            services.publish(concert, actor=registrar)

        for act in (
            lambda: services.propose(
                concert, SATIE, [louise], teacher=teacher, sending=uuid.uuid4()
            ),
            lambda: services.correct(turn, SATIE, [louise], edition=1),
            lambda: services.withdraw(turn),
        ):
            with pytest.raises(ValidationError) as refused:
                act()
            assert refused.value.code == "closed"
        assert ConcertTurn.objects.count() == 1

    def test_corrected_with_other_people(self, concert, louise, teacher):
        paul, zoe = EnrolmentFactory.create_batch(2)
        turn = make_turn(concert, louise, paul, proposed_by=teacher)

        services.correct(turn, Turn("Bach", "Menuet", 2), [paul, zoe], edition=1)

        turn.refresh_from_db()
        assert (str(turn), turn.minutes, turn.edition) == ("Bach, Menuet", 2, 2)
        assert {each.enrolment for each in turn.performers.all()} == {paul, zoe}

    @pytest.mark.parametrize(("edition", "code"), [(2, "stale"), (1, "gone")])
    def test_corrected_elsewhere_meanwhile(self, concert, louise, teacher, edition, code):
        turn = make_turn(concert, louise, proposed_by=teacher)
        if code == "gone":
            services.withdraw(turn)

        with pytest.raises(ValidationError) as refused:
            services.correct(turn, SATIE, [louise], edition=edition)

        assert refused.value.code == code


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestRaces:
    def make(self):
        home = GuardianFactory(user__username="martin.c").family
        louise = EnrolmentFactory(student=StudentFactory(family=home))
        concert = ConcertFactory(proposals_until=timezone.localdate())
        return concert, louise, TeacherFactory()

    def test_the_same_proposal_from_everywhere_is_one_turn(self):
        concert, louise, teacher = self.make()
        for _ in range(20):
            key = uuid.uuid4()

            with no_deadlock():
                answers = run_together(
                    lambda _, key=key: services.propose(
                        concert, SATIE, [louise], teacher=teacher, sending=key
                    ),
                    4,
                )

            assert len({turn.pk for turn in answers}) == 1
        assert ConcertTurn.objects.count() == 20
        assert len(set(ConcertTurn.objects.values_list("position", flat=True))) == 20

    def test_announced_by_two_agents_families_are_told_once(self):
        _, louise, teacher = self.make()
        for number in range(20):
            concert = ConcertFactory(title=f"Audition {number}")
            make_turn(concert, louise)

            answers = run_together(
                lambda _, concert=concert: services.publish(concert, actor=teacher.user), 2
            )

            refused = [each for each in answers if isinstance(each, ValidationError)]
            assert [error.code for error in refused] == ["bad_transition"]
            assert told().count() == number + 1

    def test_a_proposal_and_the_announcement_no_turn_is_left_untold(self):
        _, louise, teacher = self.make()
        for number in range(20):
            concert = ConcertFactory(proposals_until=timezone.localdate())
            make_turn(concert, louise)
            acts = [
                lambda concert=concert: services.publish(concert, actor=teacher.user),
                lambda concert=concert: services.propose(
                    concert, SATIE, [louise], teacher=teacher, sending=uuid.uuid4()
                ),
            ]

            run_together(lambda which, acts=acts: acts[which](), 2)

            untold = concert.turns.filter(performers__told_at=None)
            assert not untold.exists(), number

    def test_recorded_from_everywhere_is_written_once(self):
        _, louise, teacher = self.make()
        for number in range(20):
            concert = ConcertFactory(published=True, title=f"Audition {number}")
            make_turn(concert, louise, told_at=timezone.now())
            past(concert)

            answers = run_together(
                lambda _, concert=concert: services.record(concert, actor=teacher.user), 4
            )

            assert answers == [1] * 4
        assert RepertoirePiece.objects.count() == 20


def test_the_year_is_that_of_its_day(registrar, establishment):
    coming = SchoolYearFactory.coming()
    concert = ConcertFactory.build(
        establishment=establishment,
        school_year=None,
        starts_at=timezone.make_aware(
            dt.datetime.combine(coming.starts_on + dt.timedelta(days=60), dt.time(18))
        ),
    )

    services.save(concert, actor=registrar)

    assert Concert.objects.get().school_year == coming
