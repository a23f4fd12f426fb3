"""A lesson whose register was called is cancelled, or moved: the register is void, or follows."""

import datetime as dt
import importlib

import pytest
from django.apps import apps
from django.core import mail as sent
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts import mails
from accounts.enums import MailKind
from teaching.absences import selectors
from teaching.absences import services as absences
from teaching.enums import AbsenceState
from teaching.models import (
    Absence,
    AbsenceMove,
    LessonChange,
    Register,
    RegisterSettings,
    TimetableSettings,
)
from teaching.register.selectors import not_called, sheet_of
from teaching.timetable import services
from teaching.timetable.services import Where
from tests.factories import FamilyFactory, TeacherFactory
from tests.teaching.register_cases import ABSENT, HERE, LATE, Case, make_home, well_begun


def day(number):
    """From today, whenever the test is played: the run may pass midnight."""
    return timezone.localdate() + dt.timedelta(days=number)


@pytest.fixture
def case(teacher):
    return Case(teacher, year=well_begun())


@pytest.fixture
def parent(case):
    return make_home(case.enrolments[0].student, first_name="Claire")


def waiting():
    return mails.waiting().filter(kind=MailKind.ABSENCE)


def send():
    return mails.send_due(timezone.now() + dt.timedelta(minutes=16))


def cancel(case, actor, **kwargs):
    return services.cancel([case.lesson], actor=actor, **{"voids": True} | kwargs)


def move(case, actor, day, hour=14, **kwargs):
    where = Where(day, dt.time(hour), dt.time(hour + 1))
    return services.move(case.lesson, where, actor=actor, **{"voids": True} | kwargs)


class TestCancelled:
    def test_it_is_refused_until_confirmed(self, case, registrar):
        case.call(ABSENT, HERE, HERE)

        with pytest.raises(ValidationError) as refusal:
            services.cancel([case.lesson], actor=registrar)

        assert refusal.value.code == "called"
        assert not case.lesson.is_cancelled
        assert not LessonChange.objects.exists()
        assert case.kinds() == {"Louise 0": "absent"}

    def test_of_several_it_says_how_many(self, case, teacher, registrar):
        other = Case(teacher, year=well_begun(), name="Chorale")
        for each in (case, other):
            each.call(HERE, HERE, HERE)

        with pytest.raises(ValidationError, match="L'appel de 2 de ces séances est fait"):
            services.cancel([case.lesson, other.lesson], actor=registrar)

    def test_one_whose_register_was_not_called_needs_no_confirming(self, case, registrar):
        cancel(case, registrar, voids=False)

        assert case.lesson.is_cancelled

    def test_nobody_was_absent(self, case, registrar):
        case.call(ABSENT, LATE, HERE)

        cancel(case, registrar)

        assert case.kinds() == {}
        assert Register.objects.get().void
        assert {each.state for each in Absence.objects.with_state()} == {None}
        assert AbsenceMove.objects.count() == 2  # what was called stays in the log

    def test_it_is_in_no_count(self, case, registrar):
        site = case.slot.course.establishment
        case.call(ABSENT, HERE, HERE)
        RegisterSettings.objects.create(establishment=site, repeated_from=2)
        last_week = case.today - dt.timedelta(weeks=1)
        Register.objects.create(
            lesson=case.slot.lessons.create(planned_on=last_week),
            course=case.slot.course,
            held_on=last_week,
            called_at=timezone.now(),
            called_by=registrar,
        ).absences.create(enrolment=case.enrolments[0], kind="absent")
        assert [each.count for each in selectors.repeated(site)] == [2]

        cancel(case, registrar)

        assert selectors.repeated(site) == []

    def test_there_is_nothing_left_to_justify(self, client, case, parent, registrar):
        student = case.enrolments[0].student
        case.call(ABSENT, HERE, HERE)
        absence = Absence.objects.get()
        cancel(case, registrar)

        with pytest.raises(ValidationError) as refusal:
            absences.justify(absence, FamilyFactory(), text="Bus.", actor=parent)

        assert refusal.value.code == "no_absence"
        client.force_login(parent)
        page = client.get(reverse("teaching:absences", args=[student.pk]))
        assert "Aucune absence cette année." in page.text
        assert client.get(reverse("imuse:home")).context["tasks"] == []
        own = reverse("teaching:justify_absence", args=[student.pk, absence.pk])
        assert client.get(own).status_code == 404

    def test_a_justification_that_waits_is_not_to_answer(self, case, parent, registrar):
        site = case.slot.course.establishment
        case.call(ABSENT, HERE, HERE)
        family = parent.guardian.family
        absences.justify(Absence.objects.get(), family, text="Bus.", actor=parent)
        assert selectors.justifications_to_answer(site).count() == 1

        cancel(case, registrar)

        assert selectors.justifications_to_answer(site).count() == 0


class TestTold:
    def test_what_has_not_left_does_not_leave(self, case, parent, registrar):
        case.call(ABSENT, HERE, HERE)

        cancel(case, registrar)

        assert not waiting().exists()

    def test_whoever_was_told_is_told_that_it_counts_no_more(self, case, parent, registrar):
        case.call(ABSENT, HERE, HERE)
        send()
        sent.outbox.clear()

        cancel(case, registrar)

        send()
        [written] = [mail for mail in sent.outbox if "absence" in mail.subject]
        assert written.to == [parent.email]
        assert "ne compte plus" in written.subject
        assert "est annulé : personne n'en était absent" in written.body

    def test_of_one_who_was_late_nobody_hears(self, case, parent, registrar):
        case.call(LATE, HERE, HERE)
        send()

        cancel(case, registrar)

        assert not waiting().exists()

    def test_moved_the_mail_says_where(self, case, parent, registrar):
        case.call(ABSENT, HERE, HERE)
        send()
        sent.outbox.clear()

        move(case, registrar, day(1))

        send()
        [written] = [mail for mail in sent.outbox if "absence" in mail.subject]
        assert "est déplacé au" in written.body

    def test_restored_the_absence_is_told_again(self, case, parent, registrar):
        case.call(ABSENT, HERE, HERE)
        send()
        cancel(case, registrar)
        send()
        sent.outbox.clear()

        services.restore([case.lesson], actor=registrar)

        send()
        assert sum("n'était pas au cours" in mail.body for mail in sent.outbox) == 1

    def test_restored_before_anything_left_nothing_leaves(self, case, parent, registrar):
        case.call(ABSENT, HERE, HERE)
        send()
        cancel(case, registrar)

        services.restore([case.lesson], actor=registrar)

        assert not waiting().exists()


class TestRestored:
    def test_it_counts_again(self, case, parent, registrar):
        case.call(ABSENT, LATE, HERE)
        cancel(case, registrar)

        services.restore([case.lesson], actor=registrar)

        assert case.kinds() == {"Louise 0": "absent", "Louise 1": "late"}
        assert Absence.objects.with_state().get(kind="absent").state == AbsenceState.TO_JUSTIFY
        assert sheet_of(case.lesson).is_called


class TestMoved:
    def test_of_room_or_hour_it_is_the_same_lesson(self, case, registrar):
        case.call(ABSENT, HERE, HERE)

        move(case, registrar, case.today, hour=10, voids=False, despite="Salle")

        assert case.lesson.is_moved
        assert case.kinds() == {"Louise 0": "absent"}

    def test_to_another_day_it_is_refused_until_confirmed(self, case, registrar):
        case.call(ABSENT, HERE, HERE)

        with pytest.raises(ValidationError) as refusal:
            move(case, registrar, day(1), voids=False)

        assert refusal.value.code == "called"
        assert not case.lesson.is_moved

    def test_to_another_day_it_is_void_and_to_be_called_that_day(self, case, registrar):
        case.call(ABSENT, HERE, HERE)

        move(case, registrar, day(-1))

        assert case.kinds() == {}
        assert not_called([case.lesson]) == [case.lesson]
        sheet = sheet_of(case.lesson)
        assert (sheet.is_called, sheet.version, sheet.last) == (False, 1, None)
        assert {line.mark for line in sheet.lines} == {HERE}

    def test_called_there_it_is_the_register_of_that_day(self, case, teacher, parent, registrar):
        case.call(ABSENT, HERE, HERE)
        send()
        move(case, registrar, day(-1))
        send()
        sent.outbox.clear()

        case.call(ABSENT, LATE, HERE)

        register = Register.objects.get()
        assert (register.void, register.held_on, register.version) == (False, day(-1), 2)
        assert case.kinds() == {"Louise 0": "absent", "Louise 1": "late"}
        send()
        assert sum("n'était pas au cours" in mail.body for mail in sent.outbox) == 1

    def test_everybody_present_there_is_a_register_too(self, case, registrar):
        case.call(ABSENT, HERE, HERE)
        move(case, registrar, day(-1))

        case.call(HERE, HERE, HERE)

        assert sheet_of(case.lesson).is_called
        assert case.kinds() == {}

    def test_whoever_has_left_meanwhile_is_absent_from_nothing(self, case, registrar):
        case.call(ABSENT, HERE, HERE)
        move(case, registrar, day(-1))
        case.enrolments[0].ends_on = case.today - dt.timedelta(days=8)
        case.enrolments[0].save()

        case.enrolments = case.enrolments[1:]
        case.call(HERE, HERE)

        assert case.kinds() == {}

    def test_a_sending_of_before_is_stale(self, case, registrar):
        case.call(ABSENT, HERE, HERE)
        move(case, registrar, day(-1))

        with pytest.raises(ValidationError) as refusal:
            case.call(ABSENT, HERE, HERE, version=0)

        assert refusal.value.code == "stale"

    def test_called_elsewhere_then_restored_is_to_be_confirmed(self, case, registrar):
        move(case, registrar, day(-1))
        case.call(ABSENT, HERE, HERE)

        with pytest.raises(ValidationError) as refusal:
            services.restore([case.lesson], actor=registrar)

        assert refusal.value.code == "called"
        services.restore([case.lesson], actor=registrar, voids=True)
        assert case.kinds() == {}

    def test_replaced_it_stays_that_of_whoever_gave_it(self, case, teacher, registrar):
        case.call(ABSENT, HERE, HERE)

        services.replace([case.lesson], substitute=TeacherFactory(), actor=registrar)

        assert Register.objects.get().teacher == teacher
        assert case.kinds() == {"Louise 0": "absent"}


class TestPages:
    """The tick is asked of a lesson that was called, and of no other."""

    def url(self, case):
        return reverse("admin:teaching_lesson_plan", args=[case.lesson.key])

    def test_staff_are_asked(self, staff, case):
        assert 'name="cancel-voids"' not in staff.get(self.url(case)).text

        case.call(ABSENT, HERE, HERE)

        assert 'name="cancel-voids"' in staff.get(self.url(case)).text

    def test_unticked_it_is_said_and_nothing_is_done(self, staff, case):
        case.call(ABSENT, HERE, HERE)

        answer = staff.post(self.url(case), {"act": "cancel", "cancel-reason": "Grève"})

        assert "confirmez qu'il ne compte plus" in answer.text.replace("&#x27;", "'")
        assert "Grève" in answer.text
        assert not case.lesson.is_cancelled

    def test_ticked_it_is_done(self, staff, case):
        case.call(ABSENT, HERE, HERE)

        staff.post(self.url(case), {"act": "cancel", "cancel-voids": "on"})

        assert case.lesson.is_cancelled
        assert case.kinds() == {}

    def test_called_since_the_page_was_opened_it_is_asked_then(self, staff, case, monkeypatch):
        case.call(ABSENT, HERE, HERE)
        monkeypatch.setattr("teaching.register.voiding.called", lambda lessons: set())

        answer = staff.post(self.url(case), {"act": "cancel"})

        assert 'name="cancel-voids"' in answer.text

    def test_a_whole_absence_says_which_were_called(self, staff, case, teacher):
        case.call(ABSENT, HERE, HERE)
        url = reverse("admin:teaching_lesson_absence")
        days = {"first": case.today.isoformat(), "last": case.today.isoformat()}
        url += f"?teacher={teacher.pk}&first={days['first']}&last={days['last']}"
        assert "L'appel est fait</span>" in staff.get(url).text.replace("&#x27;", "'")

        lesson = {"lesson": case.lesson.key, "act": "cancel"}
        staff.post(url, lesson)
        assert not case.lesson.is_cancelled

        staff.post(url, lesson | {"cancel-voids": "on"})
        assert case.lesson.is_cancelled

    @pytest.mark.parametrize("act", ["cancel", "move", "restore"])
    def test_teachers_too_where_they_may(self, client, case, teacher, registrar, act):
        site = case.slot.course.establishment
        TimetableSettings.objects.create(establishment=site, teachers_change_lessons=True)
        if act == "restore":
            move(case, registrar, day(-1))
        case.call(ABSENT, HERE, HERE)
        client.force_login(teacher.user)
        url = reverse("teacher:change_lesson", args=[case.lesson.key])
        body = {"act": act}
        if act == "move":
            body |= {"move-day": day(1).isoformat(), "move-starts_at": "14:00"}
            body |= {"move-ends_at": "15:00"}

        answer = client.post(url, body)
        assert f'name="{act}-voids"' in answer.text
        assert case.kinds() == {"Louise 0": "absent"}

        client.post(url, body | {f"{act}-voids": "on"})
        assert case.kinds() == {}


def test_those_of_before_are_void_from_the_migration_on(case, registrar):
    """A lesson cancelled, or moved to another day, while nothing followed it."""
    migration = importlib.import_module("teaching.migrations.0009_void_register")
    case.call(ABSENT, HERE, HERE)
    cancel(case, registrar)
    Register.objects.update(void=False)

    migration.void_those_of_lessons_that_were_not(apps, None)

    assert Register.objects.get().void
    services.restore([case.lesson], actor=registrar)
    Register.objects.update(void=False)
    migration.void_those_of_lessons_that_were_not(apps, None)
    assert not Register.objects.get().void
