"""The administration's pages of the year make as many queries for one row as for three."""

import datetime as dt

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Establishment
from teaching.absences import services as absences
from teaching.announcements.files import join
from teaching.enums import ConcertAct, EvaluationState
from teaching.lessons import find
from teaching.models import (
    Absence,
    Closure,
    Lesson,
    Mark,
    PortraitSource,
    RegisterSettings,
    TimetableSettings,
)
from teaching.timetable import services as timetable
from tests.documents.builders import make_pdf
from tests.factories import (
    ConcertFactory,
    CriterionFactory,
    DocumentTypeFactory,
    EstablishmentFactory,
    EvaluationFactory,
    PeriodFactory,
    ScaleFactory,
    StudentFactory,
    TeacherFactory,
    UserFactory,
    make_turn,
)
from tests.teaching.announcement_cases import deliver, make_draft
from tests.teaching.register_cases import ABSENT, LATE, Case, make_home, make_notice, well_begun
from tests.teaching.timetable_cases import make_time
from tests.test_admin_pages import PAGES, RIGHTS

USUAL = ["changelist", "add", "change", "history", "delete"]
MODELS = [model for model in RIGHTS if model.startswith("teaching_")]
OTHERS = [name for name in PAGES if name.startswith("teaching_")]
# Of a superuser, whom every capability tells what is to do, once a lesson of the day is over.
MOST_OF_INDEX = 20


class Desk:
    """A row of each kind; `add` makes one more of each, and one more line in each log."""

    def __init__(self, site):
        self.site, self.rows = site, {}
        self.add()
        self.first, self.first_sent = dict(self.rows), self.sent
        self.case = self.first_case

    def add(self):
        site = EstablishmentFactory(name=f"Annexe {Establishment.objects.count()}")
        teacher, student = TeacherFactory(), StudentFactory()
        case = self._class(teacher, student)
        parent = make_home(student)
        absence = Absence.objects.get(enrolment__student=student)
        evaluation = EvaluationFactory(
            enrolment=case.enrolments[0], period=PeriodFactory(), published=True
        )
        self.rows = {
            "closure": Closure.objects.create(
                kind="closed",
                name="Pont",
                establishment=site,
                first_on=case.today + dt.timedelta(days=1),
                last_on=case.today + dt.timedelta(days=1),
            ),
            "lesson": Lesson.objects.get(slot=case.slot),
            "timetablesettings": TimetableSettings.objects.create(establishment=site),
            "lessontime": make_time(student, teacher, room="Studio 3"),
            "portraitsource": PortraitSource.objects.create(
                type=DocumentTypeFactory(photo=True, name=f"Photo {student.pk}")
            ),
            "period": evaluation.period,
            "scale": ScaleFactory(),
            "criterion": CriterionFactory(),
            "evaluation": evaluation,
            "register": absence.register,
            "absence": absence,
            "absencenotice": make_notice(student, parent.guardian.family, actor=parent),
            "registersettings": RegisterSettings.objects.create(establishment=site),
            "concert": (concert := ConcertFactory(title=f"Audition {student.pk}")),
            "concertturn": make_turn(concert, case.enrolments[0]),
            "announcement": make_draft(UserFactory()),
        }
        course = case.slot.course
        self.sent = make_draft(
            UserFactory(), establishment=course.establishment, school_year=course.school_year
        )
        join(self.sent, "programme.pdf", make_pdf())
        deliver(self.sent)
        if not hasattr(self, "first_case"):
            self.first_case = case
        self._write_in_logs(getattr(self, "first", self.rows))

    def _class(self, teacher, student):
        case = Case(teacher, students=0, year=well_begun(), name=f"Solfège {student.pk}")
        case.slot.room = "Salle Ravel"  # everybody's: conflicts to read
        case.slot.save()
        case.enrolments = [case.enrol("", student=student)]
        case.call(ABSENT)
        return case

    def _write_in_logs(self, rows):
        """By somebody else each time."""
        case = self.first_case
        case.call(LATE, by=UserFactory())
        case.call(ABSENT, by=UserFactory())
        actor, absence = UserFactory(), rows["absence"]
        family = absence.enrolment.student.families.get()
        absences.justify(absence, family, text="Bus.", actor=family.guardians.get().user)
        absences.refuse(absence, reason="Il faut un mot.", actor=actor)
        lesson = find(case.slot, case.today + dt.timedelta(days=7))
        for act in (timetable.cancel, timetable.restore):
            act([find(lesson.hour, lesson.planned_on)], actor=UserFactory())
        substitute = TeacherFactory()
        timetable.replace(
            [find(lesson.hour, lesson.planned_on)], substitute=substitute, actor=UserFactory()
        )
        Mark.objects.create(
            evaluation=rows["evaluation"],
            criterion=CriterionFactory(),
            name="Rythme",
            value="acquis",
            position=rows["evaluation"].marks.count() + 1,
        )
        rows["evaluation"].moves.create(
            actor=UserFactory(),
            from_state=EvaluationState.READY,
            to_state=EvaluationState.DRAFT,
            reason="Faute de frappe",
        )
        make_turn(rows["concert"], case.enrolments[0])
        rows["concert"].moves.create(act=ConcertAct.MOVED, actor=UserFactory(), said="→ Salle 2")
        join(rows["announcement"], f"plan {rows['announcement'].files.count()}.pdf", make_pdf())
        self.changed = Lesson.objects.get(slot=case.slot, planned_on=lesson.planned_on)

    def addresses(self):
        found = {"index": reverse("admin:index")}
        for model in MODELS:
            row = self.first[model.removeprefix("teaching_")]
            row = self.changed if model == "teaching_lesson" else row
            for page in USUAL:
                keys = [row.pk] if page in ("change", "history", "delete") else []
                found[f"{model}_{page}"] = reverse(f"admin:{model}_{page}", args=keys)
        keys = {
            "teaching_absence_answer": [self.first["absence"].pk],
            "teaching_evaluation_reopen": [self.first["evaluation"].pk],
            "teaching_lesson_plan": [self.changed.key],
            "teaching_closure_tell": [self.first["closure"].pk],
            "teaching_announcement_preview": [self.first["announcement"].pk],
            "teaching_announcement_report": [self.first_sent.pk],
            "teaching_announcement_report_export": [self.first_sent.pk],
            "teaching_announcement_file": [
                self.first_sent.pk,
                self.first_sent.files.get().pk,
            ],
            **{
                f"teaching_concert_{act}": [self.first["concert"].pk]
                for act in ("publish", "cancel", "record", "pdf")
            },
        }
        for name in OTHERS:
            found[name] = reverse(f"admin:{name}", args=keys.get(name, []))
        teacher, day = self.first_case.teacher, self.first_case.today
        found["teaching_lesson_absence"] += f"?teacher={teacher.pk}&first={day}&last={day}"
        found["teaching_lesson_rooms"] += f"?jour={day}"
        for model in ("absence", "register", "evaluation", "lessontime", "period", "criterion"):
            found[f"{model}, of all the sites"] = (
                found[f"teaching_{model}_changelist"] + "?site=tous"
            )
        return found


def counts(client, addresses):
    """{page: its queries}; of a page that the model has not (no adding by hand), its status."""
    found = {}
    for name, address in addresses.items():
        least = []
        for _ in range(2):  # the session notes now and then that it still serves
            with CaptureQueriesContext(connection) as queries:
                response = client.get(address)
            least.append(len(queries))
        found[name] = min(least) if response.status_code == 200 else str(response.status_code)
    return found


def test_the_same_number_of_queries_for_one_row_and_for_three(client, superuser, establishment):
    RegisterSettings.objects.create(establishment=establishment, repeated_from=2)
    desk = Desk(establishment)
    client.force_login(superuser)
    addresses = desk.addresses()
    few = counts(client, addresses)

    desk.add()
    desk.add()

    many = counts(client, addresses)
    assert {name: (few[name], many[name]) for name in few if few[name] != many[name]} == {}
    assert {name for name, count in few.items() if count in ("404", "302")} == set()
    assert few["index"] <= MOST_OF_INDEX
