"""Every write on announcements, and their sending (teaching/announcements)."""

import datetime as dt
import uuid

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError
from django.utils import timezone

from accounts import mails
from accounts.enums import MailKind
from accounts.models import Mail
from imuse.invariants import violations
from students.enums import Cycle, EnrolmentStatus, Scheduling
from students.models import Enrolment
from teaching.announcements import emails, opting_out, sending, services
from teaching.announcements.aiming import families_of, in_words, reach_of
from teaching.announcements.selectors import readers_of
from teaching.enums import AnnouncementState, Delivery
from teaching.models import Announcement, AnnouncementRecipient, NewsRefusal
from tests.factories import (
    CourseFactory,
    CustodyFactory,
    DisciplineFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    GuardianFactory,
    SchoolYearFactory,
    SlotFactory,
    StudentFactory,
    TeacherFactory,
)
from tests.teaching.announcement_cases import (
    LIFE,
    deliver,
    make_class,
    make_draft,
    make_pupil,
    plan,
    write,
)


class refused:  # noqa: N801 -- read as a sentence
    """`with refused("stale"):` as pytest.raises, by the code."""

    def __init__(self, code):
        self.code = code

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        assert isinstance(error, ValidationError), "Nothing was refused."
        assert error.code == self.code
        return True


def sent_mails():
    return Mail.objects.filter(kind=MailKind.ANNOUNCEMENT).order_by("pk")


def enrol(course):
    student = make_pupil()
    EnrolmentFactory(student=student, course=course)
    return student.families.get()


def away(**kwargs):
    return EnrolmentFactory(student=make_pupil(), **kwargs)


class TestWriting:
    def test_the_same_page_sent_twice_writes_one(self, teacher):
        slot, key = make_class(teacher, make_pupil()), uuid.uuid4()

        for subject in ("Un", "Deux"):
            services.write_to_class(slot, teacher=teacher, key=key, typed={"subject": subject})

        [announcement] = Announcement.objects.all()
        assert (announcement.subject, announcement.text) == ("Deux", "")
        assert announcement.signed == "Cécile Vasseur"
        assert list(announcement.slots.all()) == [slot]

    def test_the_key_of_another_teacher_is_nobody_s(self, teacher):
        draft = write(make_class(teacher), teacher)
        other = TeacherFactory()

        with refused("not_yours"):
            services.write_to_class(make_class(other), teacher=other, key=draft.key, typed={})

    def test_what_is_sent_changes_no_more(self, teacher):
        announcement = write(make_class(teacher, make_pupil()), teacher)
        plan(announcement)

        with refused("already"):
            services.rewrite(announcement, {"text": "Autre chose."})
        with refused("already"):
            services.discard(announcement)

    def test_a_draft_goes(self, teacher):
        services.discard(write(make_class(teacher), teacher))

        assert not Announcement.objects.exists()


class TestPlanning:
    @pytest.fixture
    def draft(self, teacher):
        return write(make_class(teacher, make_pupil()), teacher)

    def test_now(self, draft, teacher):
        plan(draft)

        draft.refresh_from_db()
        assert draft.state == AnnouncementState.PLANNED
        assert draft.addressed_to.startswith("aux familles de\u00a0: Formation musicale")
        assert [str(move) for move in draft.moves.all()] == ["brouillon → envoi prévu"]
        assert draft.moves.get().actor == teacher.user

    def test_sent_twice_is_sent_once(self, draft, teacher):
        plan(draft)

        with refused("already"):
            services.plan(draft, edition=draft.edition, actor=teacher.user)

        deliver()
        assert sent_mails().count() == 1

    def test_what_was_not_read_again_is_not_sent(self, draft, teacher):
        services.rewrite(draft, {"text": "Changé ailleurs."})

        with refused("stale"):
            services.plan(draft, edition=draft.edition, actor=teacher.user)

    @pytest.mark.parametrize("missing", ["kind", "subject", "text"])
    def test_an_unfinished_one_is_not_sent(self, teacher, missing):
        draft = write(make_class(teacher, make_pupil()), teacher, **{missing: ""})

        with refused("unfinished"):
            plan(draft)

    def test_to_nobody(self, teacher):
        with refused("nobody"):
            plan(write(make_class(teacher), teacher))

    @pytest.mark.parametrize(("days", "code"), [(-1, "past"), (400, "too_far")])
    def test_at_a_moment_that_is_none(self, draft, days, code):
        with refused(code):
            plan(draft, planned_for=timezone.now() + dt.timedelta(days=days))

    def test_later_then_taken_up_again(self, draft, teacher):
        plan(draft, planned_for=timezone.now() + dt.timedelta(days=1))
        deliver()
        assert not AnnouncementRecipient.objects.exists()

        services.take_up(draft, actor=teacher.user)

        draft.refresh_from_db()
        assert (draft.state, draft.planned_for) == (AnnouncementState.DRAFT, None)
        services.discard(draft)

    def test_what_has_begun_is_not_taken_up(self, draft, teacher):
        deliver(draft)

        with refused("bad_transition"):
            services.take_up(draft, actor=teacher.user)


class TestAiming:
    @pytest.mark.parametrize(
        "other",
        [
            lambda: away(course__school_year=SchoolYearFactory.coming()),
            lambda: away(course__establishment=EstablishmentFactory(name="Annexe")),
            lambda: away(status=EnrolmentStatus.REQUESTED),
            lambda: away(ends_on=timezone.localdate() - dt.timedelta(days=1)),
        ],
        ids=["another year's", "another site's", "only asked for", "over"],
    )
    def test_everyone_is_who_follows_a_course_here_this_year(self, parent, student, other):
        EnrolmentFactory(student=student)
        other()

        assert list(families_of(make_draft())) == [parent.guardian.family]

    def test_each_choice_adds_families_disciplines_and_cycles_narrow(self, teacher):
        piano, violin = DisciplineFactory(name="Piano"), DisciplineFactory(name="Violon")

        def home(**course):
            return enrol(CourseFactory(**course))

        beginner = home(discipline=piano, cycle=Cycle.FIRST)
        advanced = home(discipline=piano, cycle=Cycle.SECOND)
        fiddler = home(discipline=violin, cycle=Cycle.FIRST)
        course = CourseFactory(discipline=violin, cycle=Cycle.SECOND)
        quartet = enrol(course)
        pupil = make_pupil()
        make_class(teacher, pupil, course__discipline=violin, course__cycle=Cycle.SECOND)
        hers = pupil.families.get()
        solo = CourseFactory(teacher=teacher, scheduling=Scheduling.TEACHER, discipline=violin)
        alone = enrol(solo)

        def aimed(**aims):
            return set(families_of(make_draft(**aims)))

        first = Cycle.FIRST.value
        assert aimed(disciplines=[piano]) == {beginner, advanced}
        assert beginner in aimed(cycles=[first])
        assert advanced not in aimed(cycles=[first])
        assert aimed(disciplines=[piano], cycles=[first]) == {beginner}
        assert aimed(disciplines=[piano], cycles=[first], courses=[course]) == {beginner, quartet}
        assert aimed(classes_of=[teacher]) == {hers, alone}
        assert aimed(to_teachers=True) == set()
        assert fiddler not in aimed(disciplines=[piano])

    def test_how_many(self, parent, student):
        family = parent.guardian.family
        EnrolmentFactory(student=student)
        GuardianFactory(family=family, user=None, email="")
        refusing = GuardianFactory(family=family)
        services.want_news(refusing, False)
        TeacherFactory(user__is_active=False)
        TeacherFactory()

        reach = reach_of(make_draft(kind=LIFE, everyone=True, to_teachers=True))

        assert (reach.households, reach.guardians, reach.without_address) == (1, 3, 1)
        assert (reach.refusing, reach.mails, reach.teachers) == (1, 1, 1)
        assert reach_of(make_draft()).refusing == 0  # of service: nobody refuses it

    def test_in_words(self, teacher):
        piano = DisciplineFactory(name="Piano")
        draft = make_draft(
            disciplines=[piano], cycles=[Cycle.FIRST.value], classes_of=[teacher], to_teachers=True
        )

        assert in_words(draft) == (
            "aux familles de\u00a0: classes de Cécile Vasseur, Piano (Cycle 1) et aux enseignants"
        )

    def test_a_long_list_is_cut(self, db):
        courses = [CourseFactory(name=f"Cours de musique de chambre n° {n}") for n in range(20)]

        text = in_words(make_draft(courses=courses))

        assert len(text) == 300
        assert text.endswith("…")


class TestSending:
    def test_both_households_each_responsable_once(self, teacher):
        """Three children in the class, two homes each."""
        mother, father = GuardianFactory(), GuardianFactory()
        second = GuardianFactory(family=mother.family)
        children = []
        for _ in range(3):
            child = StudentFactory(family=mother.family)
            CustodyFactory(student=child, family=father.family, rank=2)
            children.append(child)
        announcement = deliver(write(make_class(teacher, *children), teacher))

        assert announcement.state == AnnouncementState.SENT
        recipients = AnnouncementRecipient.objects.filter(announcement=announcement)
        assert {each.guardian for each in recipients} == {mother, father, second}
        assert sorted(mail.to for mail in sent_mails()) == sorted(
            each.email for each in (mother, father, second)
        )
        assert list(violations()) == []

    def test_without_an_address_it_is_read_on_the_site(self, teacher):
        student = make_pupil(email="")
        announcement = deliver(write(make_class(teacher, student), teacher))

        recipient = announcement.recipients.get()
        assert (recipient.delivery, recipient.mail) == (Delivery.NO_ADDRESS, None)
        assert not sent_mails().exists()
        user = recipient.guardian.user
        assert list(Announcement.objects.visible_to(user)) == [announcement]

    def test_who_refuses_news_gets_no_mail_of_them_and_all_the_others(self, teacher):
        student = make_pupil()
        guardian = student.families.get().guardians.get()
        services.want_news(guardian, False)
        slot = make_class(teacher, student)

        news = deliver(write(slot, teacher, kind=LIFE))
        service = deliver(write(slot, teacher))

        assert news.recipients.get().delivery == Delivery.REFUSED
        assert service.recipients.get().delivery == Delivery.MAILED
        assert sent_mails().count() == 1
        assert set(Announcement.objects.visible_to(guardian.user)) == {news, service}

    def test_teachers_with_an_open_account_at_the_site(self, teacher, establishment):
        TeacherFactory(user__is_active=False)
        TeacherFactory(user=None)
        TeacherFactory(user__establishments=[EstablishmentFactory(name="Annexe")])
        make_class(teacher)

        announcement = deliver(make_draft(to_teachers=True))

        assert announcement.recipients.get().teacher == teacher
        assert sent_mails().get().to == teacher.user.email

    def test_nothing_to_do_is_one_query(self, django_assert_num_queries, db):
        with django_assert_num_queries(1):
            assert sending.send_next() is None

    @pytest.mark.parametrize("count", [1, 3])
    def test_a_batch_makes_as_many_queries(self, teacher, count, django_assert_num_queries):
        plan(write(make_class(teacher, *[make_pupil() for _ in range(count)]), teacher))

        with django_assert_num_queries(BATCH_QUERIES):
            sending.send_next()

    def test_by_batches_to_the_end(self, teacher, monkeypatch):
        monkeypatch.setattr(sending, "AT_ONCE", 2)
        announcement = write(make_class(teacher, *[make_pupil() for _ in range(5)]), teacher)
        plan(announcement)

        states = []
        while sending.send_next():
            announcement.refresh_from_db()
            states.append((announcement.state, announcement.recipients.count()))

        assert states == [("sending", 2), ("sending", 4), ("sending", 5), ("sent", 5)]
        assert sent_mails().count() == 5

    def test_the_fault_of_one_household_is_its_own(self, teacher, monkeypatch):
        students = [make_pupil() for _ in range(3)]
        broken = students[1].families.get().guardians.get()
        compose = emails.to_guardian

        def fail(announcement, files, guardian):
            if guardian == broken:
                raise ValueError
            return compose(announcement, files, guardian)

        monkeypatch.setattr(emails, "to_guardian", fail)
        announcement = deliver(write(make_class(teacher, *students), teacher))

        assert announcement.state == AnnouncementState.SENT
        assert announcement.recipients.get(guardian=broken).delivery == Delivery.FAILED
        assert sent_mails().count() == 2
        assert list(violations()) == []

    def test_killed_in_the_middle_of_a_batch_nothing_is_lost_nor_doubled(
        self, teacher, monkeypatch
    ):
        monkeypatch.setattr(sending, "AT_ONCE", 2)
        announcement = write(make_class(teacher, *[make_pupil() for _ in range(5)]), teacher)
        plan(announcement)
        sending.send_next()
        keep = sending._keep

        def die(recipients):
            keep(recipients)
            raise OperationalError("server closed the connection unexpectedly")

        monkeypatch.setattr(sending, "_keep", die)
        with pytest.raises(OperationalError):
            sending.send_next()
        assert announcement.recipients.count() == sent_mails().count() == 2
        monkeypatch.setattr(sending, "_keep", keep)

        deliver()

        announcement.refresh_from_db()
        assert announcement.state == AnnouncementState.SENT
        assert announcement.recipients.count() == sent_mails().count() == 5

    def test_who_moves_to_a_household_that_comes_later_gets_it_once(self, teacher, monkeypatch):
        monkeypatch.setattr(sending, "AT_ONCE", 1)
        first, second = make_pupil(), make_pupil()
        announcement = write(make_class(teacher, first, second), teacher)
        plan(announcement)
        sending.send_next()
        guardian = first.families.get().guardians.get()
        guardian.family = second.families.get()
        guardian.save()

        deliver()

        assert announcement.recipients.filter(guardian=guardian).count() == 1
        assert sent_mails().filter(to=guardian.email).count() == 1

    def test_who_joins_the_class_later_does_not_have_it(self, teacher):
        slot = make_class(teacher, make_pupil(), places=2)
        announcement = deliver(write(slot, teacher))
        late = make_pupil()
        place = slot.places.get(enrolment=None)
        EnrolmentFactory(student=late, course=slot.course, place=place)

        user = late.families.get().guardians.get().user
        assert not Announcement.objects.visible_to(user).exists()
        assert late not in [*readers_of(announcement).have, *readers_of(announcement).have_not]


BATCH_QUERIES = 20


class TestWithdrawing:
    def test_off_the_site_and_the_mails_that_wait_are_given_up(self, teacher):
        students = [make_pupil() for _ in range(2)]
        announcement = deliver(write(make_class(teacher, *students), teacher))
        gone, waiting = sent_mails()
        Mail.objects.filter(pk=gone.pk).update(sent_at=timezone.now())

        assert services.withdraw(announcement, actor=teacher.user) == 1

        waiting.refresh_from_db()
        assert waiting.attempts == mails.MAX_ATTEMPTS
        assert waiting.last_error == services.WITHDRAWN
        user = students[0].families.get().guardians.get().user
        assert not Announcement.objects.visible_to(user).exists()
        assert not AnnouncementRecipient.objects.visible_to(user).exists()

    def test_in_the_middle_of_the_sending_it_stops(self, teacher, monkeypatch):
        monkeypatch.setattr(sending, "AT_ONCE", 1)
        announcement = write(make_class(teacher, make_pupil(), make_pupil()), teacher)
        plan(announcement)
        sending.send_next()

        services.withdraw(announcement, actor=teacher.user)

        assert sending.send_next() is None
        assert announcement.recipients.count() == 1
        assert list(violations()) == []

    def test_a_draft_is_not_withdrawn(self, teacher):
        with refused("bad_transition"):
            services.withdraw(write(make_class(teacher), teacher), actor=teacher.user)


class TestReading:
    def test_the_first_time_counts(self, teacher):
        announcement = deliver(write(make_class(teacher, make_pupil()), teacher))
        recipient = announcement.recipients.get()
        services.mark_read(recipient)
        recipient.refresh_from_db()
        first = recipient.read_at

        services.mark_read(recipient)

        recipient.refresh_from_db()
        assert recipient.read_at == first

    def test_a_student_s_family_has_read_it_once_each_household_has(self, teacher):
        two_homes, one_home = make_pupil(homes=2), make_pupil()
        announcement = deliver(write(make_class(teacher, two_homes, one_home), teacher))
        read = [*two_homes.families.order_by("custodies__rank")]

        def mark(family):
            for each in announcement.recipients.filter(guardian__family=family):
                services.mark_read(each)

        mark(read[0])
        assert set(readers_of(announcement).have_not) == {two_homes, one_home}
        mark(read[1])
        assert readers_of(announcement).have == [two_homes]
        assert readers_of(announcement).have_not == [one_home]

    @pytest.mark.parametrize("count", [1, 3])
    def test_the_readers_are_as_many_queries(self, teacher, count, django_assert_num_queries):
        students = [make_pupil(homes=2) for _ in range(count)]
        announcement = deliver(write(make_class(teacher, *students), teacher))

        with django_assert_num_queries(READERS_QUERIES):
            readers_of(announcement)


READERS_QUERIES = 7


class TestMails:
    def test_subject_text_who_and_files(self, teacher):
        student = make_pupil(first_name="Claire", last_name="Martin")
        deliver(write(make_class(teacher, student), teacher))

        mail = sent_mails().get()

        assert mail.subject == "Répétition samedi"
        assert mail.body.startswith("Bonjour Claire Martin,\n\nCécile Vasseur vous écrit (")
        assert "Rendez-vous à 10 h." in mail.body
        assert f"/extranet/messages/{Announcement.objects.get().pk}/" in mail.body
        assert "information de service" in mail.body
        assert (mail.way_out, "messages/arreter" in mail.body) == ("", False)

    def test_news_say_how_to_refuse_them_in_the_text_and_the_header(
        self, teacher, mailoutbox, settings
    ):
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        deliver(write(make_class(teacher, make_pupil()), teacher, kind=LIFE))
        mail = sent_mails().get()
        assert mail.way_out.startswith(settings.SITE_URL)
        assert mail.way_out in mail.body

        mails.send_due()

        [message] = mailoutbox
        assert message.extra_headers["List-Unsubscribe"] == f"<{mail.way_out}>"
        assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    def test_a_mail_of_service_has_no_such_header(self, teacher, mailoutbox, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        deliver(write(make_class(teacher, make_pupil()), teacher))
        mails.send_due()

        assert "List-Unsubscribe" not in mailoutbox[0].extra_headers


class TestRefusing:
    def test_twice_is_once_and_back(self, parent):
        guardian = parent.guardian
        for _ in range(2):
            services.want_news(guardian, False)
        assert NewsRefusal.objects.get().guardian == guardian
        for _ in range(2):
            services.want_news(guardian, True)
        assert not NewsRefusal.objects.exists()

    @pytest.mark.parametrize("token", ["", "1", "1.faux", "x.y.z", "²", "1.é"])
    def test_a_link_that_we_did_not_write_is_nobody_s(self, db, token):
        assert opting_out.guardian_of(token) is None

    def test_the_link_is_its_own(self, parent):
        address = opting_out.address_of(parent.guardian)

        assert opting_out.guardian_of(address.rstrip("/").rpartition("/")[2]) == parent.guardian


def test_the_database_refuses_a_second_time(teacher):
    announcement = deliver(write(make_class(teacher, make_pupil()), teacher))
    again = announcement.recipients.get()
    again.pk, again.mail, again.delivery = None, None, Delivery.NO_ADDRESS

    with pytest.raises(IntegrityError):
        again.save()


def test_slot_and_enrolment_stay_as_they_were(teacher):
    """Writing to a class changes nothing of it."""
    slot = make_class(teacher, make_pupil())
    before = list(Enrolment.objects.values())
    deliver(write(slot, teacher))

    assert list(Enrolment.objects.values()) == before
    assert SlotFactory._meta.model.objects.filter(pk=slot.pk).exists()
