"""A teacher of two hundred students reads his pages as fast as one of six; the staff too.

Every page of the teacher's space and of the administration of the year is here: one more fails the
suite until it says which row it is opened with.
"""

from django.urls import get_resolver, reverse
from django.utils import timezone

from accounts.models import Establishment
from students.enums import ClassMove, Scheduling
from students.models import ClassChange, Course, Enrolment, Slot
from teaching.absences import services as absences
from teaching.announcements.files import join
from teaching.enums import Space
from teaching.lessons import find
from teaching.models import (
    Absence,
    Portrait,
    TimetableSettings,
)
from teaching.timetable import feeds
from tests.documents.builders import make_pdf
from tests.factories import (
    ConcertFactory,
    CourseFactory,
    CriterionFactory,
    DisciplineFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    EvaluationFactory,
    PeriodFactory,
    RepertoirePieceFactory,
    make_portrait,
    make_time,
    make_turn,
)
from tests.queries import count_queries
from tests.teaching.announcement_cases import deliver, make_draft, write
from tests.teaching.register_cases import ABSENT, Case, make_home, make_notice, well_begun

MOST = 17  # of any page of a teacher, the session and the account included: « Ma semaine »


class School:
    """The classes of one teacher, half of slots, half of individual lessons."""

    def __init__(self, teacher):
        self.teacher, self.year = teacher, well_begun()
        self.discipline = DisciplineFactory()
        self.today = timezone.localdate()
        Establishment.objects.update(shows_emergency_phone=True)
        site = EstablishmentFactory()
        TimetableSettings.objects.create(establishment=site, teachers_change_lessons=True)
        self.period = PeriodFactory(school_year=self.year, due_on=self.today)
        self.criteria = [CriterionFactory() for _ in range(2)]
        self.concert = ConcertFactory(school_year=self.year, proposals_until=self.today)
        self.slots, self.courses, self.enrolments = [], [], []
        self.add(students=3)
        self.first = self.slots[0], self.courses[0], self.enrolments[0], self.enrolments[-1]

    def add(self, students):
        """A slot called today and an individual course, with what may befall their students."""
        case = Case(self.teacher, students=students, year=self.year, name=self._name("Solfège"))
        case.call(*[ABSENT] * students)
        course = CourseFactory(
            name=self._name("Piano"),
            school_year=self.year,
            teacher=self.teacher,
            scheduling=Scheduling.TEACHER,
        )
        alone = [EnrolmentFactory(course=course) for _ in range(students)]
        for enrolment in alone:
            make_time(course, enrolment, weekday=self.today.isoweekday())
        for enrolment in [*case.enrolments, *alone]:
            self._befall(enrolment, case.slot)
        self.written, self.received = self._messages(case.slot)
        self.slots.append(case.slot)
        self.courses.append(course)
        self.enrolments += [*case.enrolments, *alone]

    def _name(self, name):
        return f"{name} {Course.objects.count()}"

    def _befall(self, enrolment, slot):
        student = enrolment.student
        parent = make_home(student, user__username=f"parent.{student.pk}")
        make_portrait(student)
        make_notice(student, parent.guardian.family, actor=parent, reason="Fête")
        EvaluationFactory(enrolment=enrolment, period=self.period)
        RepertoirePieceFactory(
            student=student,
            school_year=self.year,
            course=enrolment.course,
            teacher=self.teacher,
            title=f"Pièce {student.pk}",
        )
        make_turn(self.concert, enrolment, proposed_by=self.teacher)
        make_turn(ConcertFactory(school_year=self.year), enrolment, proposed_by=self.teacher)
        ClassChange.objects.create(
            enrolment=enrolment,
            slot=slot if enrolment.place_id else None,
            kind=ClassMove.ARRIVED,
        )
        for absence in Absence.objects.filter(enrolment=enrolment):
            absences.justify(absence, parent.guardian.family, text="Bus.", actor=parent)

    def _messages(self, slot):
        """One that he sent to the class, one that he got from the staff, each with its file."""
        written, received = (
            write(slot, self.teacher),
            make_draft(to_teachers=True, school_year=self.year),
        )
        for each in (written, received):
            join(each, "programme.pdf", make_pdf())
            deliver(each)
        return written, received

    def addresses(self):
        """Every GET of the teacher's space, about the first classes."""
        slot, course, seated, alone = self.first
        lesson = find(slot, self.today)
        rows = {
            "slot": [slot.pk],
            "slot_file": [slot.pk],
            "course": [course.pk],
            "course_file": [course.pk],
            "all_lists": [self.year.pk],
            "all_files": [self.year.pk],
            "hour": [alone.pk],
            "end_hour": None,
            "portrait": [Portrait.objects.get(student=seated.student).pk],
            "evaluation_slot": [self.period.pk, slot.pk],
            "evaluation_course": [self.period.pk, course.pk],
            "evaluation": [self.period.pk, seated.pk],
            **dict.fromkeys(["repertoire_slot", "add_to_slot"], [slot.pk]),
            **dict.fromkeys(["repertoire_course", "add_to_course"], [course.pk]),
            **dict.fromkeys(["repertoire", "add_piece"], [seated.pk]),
            "piece": [seated.student.repertoire.get().pk],
            "remove_piece": None,
            **dict.fromkeys(["concert", "concert_pdf", "propose_turn"], [self.concert.pk]),
            "turn": [self.concert.turns.first().pk],
            "withdraw_turn": None,
            "write_to_slot": [slot.pk],
            "write_to_course": [course.pk],
            "announcement": [self.written.pk],
            "rewrite_announcement": [write(slot, self.teacher).pk],
            **dict.fromkeys(["send_announcement", "withdraw_announcement"]),
            **dict.fromkeys(["discard_announcement", "read_announcement"]),
            "received_announcement": [self.received.pk],
            "announcement_file": [self.received.files.get().pk],
            "register": [lesson.key],
            "change_lesson": [lesson.key],
            "make_feed": None,
            "revoke_feed": None,
        }
        [space] = [
            each
            for each in get_resolver().url_patterns
            if getattr(each, "namespace", "") == "teacher"
        ]
        found = {
            each.name: reverse(f"teacher:{each.name}", args=rows.get(each.name))
            for each in space.url_patterns
            if rows.get(each.name, ()) is not None
        }
        for name in ("slot", "course", "all_lists"):
            found[f"{name}, faces"] = found[name] + "?vue=trombinoscope"
        feed = feeds.make(self.teacher.user, Space.TEACHER)
        found["calendar"] = reverse("teaching:calendar", args=[feeds.SIGNER.sign(feed.key)])
        return found


def counts(client, addresses):
    """The least of two readings: the session notes now and then that it still serves."""
    return {
        name: min(count_queries(client, address) for _ in range(2))
        for name, address in addresses.items()
    }


def test_a_teacher_of_two_hundred_reads_every_page_in_as_many_queries(client, teacher):
    school = School(teacher)
    client.force_login(teacher.user)
    addresses = school.addresses()
    few = counts(client, addresses)

    for _ in range(9):
        school.add(students=10)
    for _ in range(7):  # the first class grows too
        enrolment = EnrolmentFactory(course=school.first[1])
        make_time(school.first[1], enrolment, weekday=school.today.isoweekday())

    assert Slot.objects.count() + Course.objects.filter(scheduling=Scheduling.TEACHER).count() == 20
    assert Enrolment.objects.count() >= 190
    assert counts(client, addresses) == few
    assert max(few.values()) <= MOST, few
