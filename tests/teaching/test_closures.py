"""A closed day of which the families were told: once, and again when it is no more."""

import datetime as dt

import pytest
from django.urls import reverse

from accounts import mails
from accounts.enums import MailKind
from accounts.models import Mail
from students.models import Enrolment
from teaching.enums import ClosureKind
from teaching.lessons import find
from teaching.models import Closure
from teaching.timetable import closures, services
from tests.factories import StudentFactory, TeacherFactory
from tests.races import no_deadlock, run_together
from tests.teaching.register_cases import make_home
from tests.teaching.timetable_cases import make_slot, next_lesson, next_monday, plan

DAY = dt.timedelta(days=1)
BACK = "lessons_reopened"


@pytest.fixture
def closure(establishment):
    return make_closure(establishment, "Neige")


def make_closure(establishment, name):
    """Closed next Monday."""
    return Closure.objects.create(
        establishment=establishment,
        kind=ClosureKind.CLOSED,
        name=name,
        first_on=next_monday(),
        last_on=next_monday(),
    )


def make_class_of_homes(count):
    """A class next Monday, each student of a household of his own."""
    students = StudentFactory.create_batch(count)
    make_slot(*students)
    for student in students:
        make_home(student)


def told_of_lessons():
    return list(Mail.objects.filter(kind=MailKind.LESSON_CHANGED).order_by("pk"))


class TestTellClosure:
    """« Prévenir les familles » of a closure: one mail to each, once."""

    def url(self, closure):
        return reverse("admin:teaching_closure_tell", args=[closure.pk])

    def test_one_mail_to_each_responsable_and_teacher(
        self, staff, closure, student, parent, family, teacher
    ):
        brother = StudentFactory(first_name="Paul", family=family)
        make_slot(student, brother, teacher=teacher)
        make_slot(student, starts_at=dt.time(14), ends_at=dt.time(15), teacher=teacher)
        other = make_home(student, rank=2)
        assert "2 séances à venir n'ont pas" in staff.get(self.url(closure)).text

        answer = staff.post(self.url(closure), follow=True)

        assert "3 messages à envoyer." in answer.text
        to = {mail.to: mail for mail in told_of_lessons()}
        assert set(to) == {parent.email, other.email, teacher.user.email}
        body = to[parent.email].body
        assert to[parent.email].subject.endswith(" : Neige")
        assert "- Louise et Paul – Formation musicale A, lundi" in body
        assert "- Louise – Formation musicale 2 A, lundi" in body
        assert "Paul" not in to[other.email].body
        assert "Louise" not in to[teacher.user.email].body

    def test_twice_tells_once_and_other_days_again(self, staff, closure, student, parent):
        make_slot(student)
        staff.post(self.url(closure))
        page = staff.get(self.url(closure)).text
        assert "1 message déjà écrit pour ces jours" in page

        answer = staff.post(self.url(closure), follow=True)
        assert "Personne n'est à prévenir" in answer.text.replace("&#x27;", "'")
        assert len(told_of_lessons()) == 1

        Closure.objects.update(last_on=next_monday() + dt.timedelta(days=7))
        staff.post(self.url(closure))
        assert len(told_of_lessons()) == 2

    def test_of_another_site_nobody_hears(self, staff, closure, annexe, student, parent):
        make_slot(student, course__establishment=annexe)

        staff.post(self.url(closure))

        assert told_of_lessons() == []

    def test_what_stays_is_named_and_nobody_is_told_of_it(
        self, staff, closure, student, parent, registrar
    ):
        slot = make_slot(student)
        days = {"first_on": closure.first_on, "last_on": closure.last_on}
        Closure.objects.all().delete()
        services.replace([next_lesson(slot)], substitute=TeacherFactory(), actor=registrar)
        closure = Closure.objects.create(
            establishment=slot.course.establishment, kind=ClosureKind.CLOSED, name="Neige", **days
        )

        page = staff.get(self.url(closure)).text

        assert plan(find(slot, next_monday())) in page
        Mail.objects.all().delete()
        staff.post(self.url(closure))
        assert told_of_lessons() == []

    def test_neither_one_whose_student_has_left(self, staff, closure, student, parent):
        make_slot(student)
        Enrolment.objects.update(ends_on=next_monday() - dt.timedelta(days=1))

        staff.post(self.url(closure))

        assert told_of_lessons() == []

    def test_not_of_another_site_s(self, staff, closure, annexe):
        Closure.objects.update(establishment=annexe)

        assert staff.get(self.url(closure)).status_code == 404
        assert staff.post(self.url(closure)).status_code == 404

    def test_of_the_town_by_whoever_has_all_its_sites(self, staff, closure, annexe, registrar):
        Closure.objects.update(establishment=None)
        assert staff.post(self.url(closure)).status_code == 403

        registrar.establishments.add(annexe)
        assert staff.post(self.url(closure)).status_code == 302

    def test_of_one_that_has_just_been_deleted_is_not_found(
        self, staff, closure, registrar, monkeypatch
    ):
        tell = closures.tell

        def late(found, actor):
            closures.remove(found, actor=registrar)
            return tell(found, actor=actor)

        monkeypatch.setattr(closures, "tell", late)

        assert staff.post(self.url(closure)).status_code == 404

    @pytest.mark.parametrize("count", [1, 3])
    def test_as_many_queries_whatever_the_number_of_households(
        self, closure, registrar, count, django_assert_num_queries
    ):
        make_class_of_homes(count)

        with django_assert_num_queries(16):
            assert closures.tell(closure, actor=registrar) == count


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_agents_tell_of_a_closure_once(registrar, student, parent, establishment):
    make_slot(student)
    for number in range(20):
        closure = make_closure(establishment, f"Neige {number}")

        with no_deadlock():
            written = run_together(
                lambda _, closure=closure: closures.tell(closure, actor=registrar), 2
            )

        assert sorted(written) == [0, 1]
        closure.delete()


class TestDeleted:
    """Who was told that there is no lesson would stay at home."""

    def delete(self, staff, closure):
        address = reverse("admin:teaching_closure_delete", args=[closure.pk])
        page = staff.get(address).text
        return page, staff.post(address, {"post": "yes"}, follow=True).text

    def test_whoever_was_told_learns_that_the_lessons_take_place(
        self, staff, closure, registrar, student, parent, teacher
    ):
        make_slot(student, teacher=teacher)
        closures.tell(closure, actor=registrar)
        former = {mail.pk for mail in told_of_lessons()}
        late = StudentFactory(first_name="Paul")
        make_home(late)
        make_slot(late, starts_at=dt.time(14), ends_at=dt.time(15))  # enrolled since: never told

        confirmation, answer = self.delete(staff, closure)

        assert "que les 2 séances à venir ont lieu" in " ".join(
            confirmation.replace("\n", " ").split()
        )
        assert "2 messages à envoyer\u00a0: les cours ont lieu." in answer
        assert not Closure.objects.exists()
        new = {mail.to: mail for mail in told_of_lessons() if mail.pk not in former}
        assert set(new) == {parent.email, teacher.user.email}
        mail = new[parent.email]
        assert mail.subject.startswith("Finalement, les cours ont lieu le lundi")
        assert "(Neige). Ce n'est plus vrai. Ont lieu :" in mail.body
        assert "- Louise – Formation musicale A, lundi" in mail.body

    def test_what_has_not_left_of_the_former_message_stays(
        self, staff, closure, registrar, student, parent
    ):
        make_slot(student)
        closures.tell(closure, actor=registrar)

        self.delete(staff, closure)

        former, new = told_of_lessons()
        assert former.last_error == closures.TAKES_PLACE
        assert list(mails.waiting().filter(kind=MailKind.LESSON_CHANGED)) == [new]

    def test_nobody_is_written_to_where_nobody_was(self, staff, closure, student, parent):
        make_slot(student)

        confirmation, answer = self.delete(staff, closure)

        assert "prévenues" not in confirmation
        assert "à envoyer" not in answer
        assert told_of_lessons() == []

    def test_nor_of_lessons_that_another_closure_still_takes(
        self, staff, closure, registrar, student, parent
    ):
        make_slot(student)
        closures.tell(closure, actor=registrar)
        Closure.objects.create(
            name="Pont", kind=ClosureKind.CLOSED, first_on=next_monday(), last_on=next_monday()
        )

        confirmation, _ = self.delete(staff, closure)

        assert "personne n'est à prévenir" in confirmation
        assert len(told_of_lessons()) == 1

    def test_nor_whoever_deletes_it(self, closure, registrar, student, parent, teacher):
        make_slot(student, teacher=teacher)
        closures.tell(closure, actor=registrar)

        assert closures.remove(closure, actor=teacher.user) == 1

    @pytest.mark.parametrize("count", [1, 3])
    def test_as_many_queries_whatever_the_number_of_households(
        self, closure, registrar, count, django_assert_num_queries
    ):
        make_class_of_homes(count)
        closures.tell(closure, actor=registrar)

        with django_assert_num_queries(17):
            assert closures.remove(closure, actor=registrar) == count


class TestTakenBack:
    """Days that families were told of are not taken back by changing them: nobody would know."""

    def change(self, staff, closure, **fields):
        data = {
            "establishment": closure.establishment_id,
            "kind": closure.kind,
            "name": closure.name,
            "first_on": closure.first_on,
            "last_on": closure.last_on,
        } | fields
        return staff.post(reverse("admin:teaching_closure_change", args=[closure.pk]), data)

    @pytest.fixture
    def told(self, closure, registrar, student, parent):
        make_slot(student)
        closures.tell(closure, actor=registrar)
        return closure

    def test_refused_and_what_was_typed_stays(self, staff, told):
        later = told.first_on + DAY

        answer = self.change(staff, told, first_on=later, last_on=later, name="Verglas")

        assert answer.status_code == 200
        assert "ajoutez-en, n'en retirez pas" in answer.text.replace("&#x27;", "'")
        assert "Verglas" in answer.text
        told.refresh_from_db()
        assert (told.first_on, told.name) == (next_monday(), "Neige")

    def test_of_a_site_of_which_it_was_told(self, staff, told, registrar, annexe):
        registrar.establishments.add(annexe)

        assert self.change(staff, told, establishment=annexe.pk).status_code == 200
        assert self.change(staff, told, establishment="").status_code == 302  # all of them

    def test_of_former_days_too(self, staff, told):
        """The key of a mail names the days that it told of."""
        assert self.change(staff, told, last_on=told.last_on + DAY).status_code == 302
        told.refresh_from_db()

        assert self.change(staff, told, last_on=told.first_on).status_code == 200

    def test_its_name_and_more_days_are_free(self, staff, told):
        more = {"first_on": told.first_on - DAY, "last_on": told.last_on + DAY}

        self.change(staff, told, name="Verglas")
        assert "ne sont pas prévenues" not in staff.get("/admin/teaching/closure/").text

        assert self.change(staff, told, **more).status_code == 302
        assert "ne sont pas prévenues" in staff.get("/admin/teaching/closure/").text

    def test_as_long_as_nobody_was_told_all_is(self, staff, closure):
        later = closure.first_on + DAY

        assert self.change(staff, closure, first_on=later, last_on=later).status_code == 302


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_told_and_deleted_at_once(registrar, student, parent, establishment):
    """Told before, they learn both; deleted before, neither."""
    make_slot(student)
    for number in range(20):
        Mail.objects.all().delete()
        closure = make_closure(establishment, f"Neige {number}")
        acts = [closures.tell, closures.remove, closures.remove]

        with no_deadlock():
            told, *removed = run_together(
                lambda turn, closure=closure, acts=acts: acts[turn](closure, actor=registrar), 3
            )

        assert not Closure.objects.exists()
        if isinstance(told, Closure.DoesNotExist):
            assert (removed, told_of_lessons()) == ([0, 0], [])
        else:
            assert (told, sorted(removed)) == (1, [0, 1])
            assert [BACK in mail.key for mail in told_of_lessons()] == [False, True]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_told_while_its_days_change(client, registrar, student, parent, establishment):
    """One of the two is first: nobody is told of days that are then taken back."""
    make_slot(student)
    client.force_login(registrar)
    seen = set()
    for number in range(20):
        Mail.objects.all().delete()
        closure = make_closure(establishment, f"Neige {number}")
        later = next_monday() + DAY
        acts = [
            lambda closure=closure: closures.tell(closure, actor=registrar),
            lambda closure=closure, later=later: TestTakenBack().change(
                client, closure, first_on=later, last_on=later
            ),
        ]

        with no_deadlock():
            told, answer = run_together(lambda turn, acts=acts: acts[turn](), 2)

        seen.add((told, answer.status_code))
        closure.delete()
    assert seen <= {(1, 200), (0, 302)}
