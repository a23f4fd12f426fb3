"""Of the year at another site, an agent reads nothing and changes nothing."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from teaching.announcements.files import join
from teaching.lessons import find
from teaching.models import Absence, Closure, Lesson, RegisterSettings, TimetableSettings
from teaching.timetable import services as timetable
from tests.documents.builders import make_pdf
from tests.factories import (
    ConcertFactory,
    CriterionFactory,
    EvaluationFactory,
    PeriodFactory,
    StudentFactory,
    TeacherFactory,
    make_turn,
)
from tests.teaching.announcement_cases import make_draft
from tests.teaching.register_cases import ABSENT, Case, make_home, make_notice, well_begun
from tests.teaching.timetable_cases import make_time
from tests.test_admin_pages import PAGES, RIGHTS

# The town's: every site evaluates on the same scales, and has the same pieces.
SHARED = {"teaching_scale", "teaching_portraitsource"}
MODELS = sorted(model for model in RIGHTS if model.startswith("teaching_") and model not in SHARED)


@pytest.fixture
def rows(annexe, superuser):
    """One of each, at a site that is not the agent's."""
    case = Case(TeacherFactory(), students=0, year=well_begun())
    case.slot.course.establishment = annexe
    case.slot.course.save()
    student = StudentFactory(last_name="Zyeleve")
    case.enrolments = [case.enrol("", student=student)]
    case.call(ABSENT)
    absence = Absence.objects.get()
    parent = make_home(student)
    next_week = find(case.slot, case.today + dt.timedelta(days=7))
    timetable.cancel([next_week], actor=superuser, reason="Zymotif")
    period = PeriodFactory(establishment=annexe)
    return {
        "closure": Closure.objects.create(
            kind="closed",
            name="Zypont",
            establishment=annexe,
            first_on=timezone.localdate(),
            last_on=timezone.localdate(),
        ),
        "lesson": Lesson.objects.get(planned_on=next_week.planned_on),
        "timetablesettings": TimetableSettings.objects.create(establishment=annexe),
        "lessontime": make_time(student, TeacherFactory(), establishment=annexe),
        "period": period,
        "criterion": CriterionFactory(establishment=annexe),
        "evaluation": EvaluationFactory(
            enrolment=case.enrolments[0], period=period, published=True
        ),
        "register": absence.register,
        "absence": absence,
        "absencenotice": make_notice(student, parent.guardian.family, actor=parent),
        "registersettings": RegisterSettings.objects.create(establishment=annexe),
        "concert": (concert := ConcertFactory(establishment=annexe)),
        "concertturn": make_turn(concert, case.enrolments[0]),
        "announcement": make_draft(establishment=annexe),
    }


@pytest.fixture
def desk(client, director):
    client.force_login(director)
    return client


@pytest.mark.parametrize("model", MODELS)
def test_a_row_of_another_site_answers_as_nobodys(desk, superuser, rows, model):
    row = rows[model.removeprefix("teaching_")]
    listed = reverse(f"admin:{model}_changelist")

    assert row not in desk.get(listed).context["cl"].queryset
    assert row not in desk.get(listed, {"site": "tous"}, follow=True).context["cl"].queryset
    for page in ("change", "history", "delete"):
        theirs, nobodys = (
            desk.get(reverse(f"admin:{model}_{page}", args=[pk])) for pk in (row.pk, 999_999)
        )
        assert theirs.status_code == nobodys.status_code != 200, page
        assert getattr(theirs, "url", "") == getattr(nobodys, "url", ""), page

    desk.force_login(superuser)
    assert row in desk.get(listed, {"site": "tous"}, follow=True).context["cl"].queryset


def test_nor_do_the_other_pages_hold_it(desk, rows, annexe):
    """Each with the keys of the other site's row; one more page fails until it is given its own."""
    teacher, day = rows["register"].teacher, rows["register"].held_on
    answers = {
        "teaching_register_missing": desk.get(reverse("admin:teaching_register_missing")),
        "teaching_absence_repeated": desk.get(reverse("admin:teaching_absence_repeated")),
        "teaching_lesson_rooms": desk.get(
            reverse("admin:teaching_lesson_rooms"), {"jour": day.isoformat()}
        ),
        "teaching_lesson_conflicts": desk.get(reverse("admin:teaching_lesson_conflicts")),
        "teaching_lesson_absence": desk.get(
            reverse("admin:teaching_lesson_absence"),
            {"teacher": teacher.pk, "first": day, "last": day + dt.timedelta(days=8)},
        ),
        "teaching_absence_answer": desk.post(
            reverse("admin:teaching_absence_answer", args=[rows["absence"].pk]),
            {"answer": "note", "text": "Appel"},
        ),
        "teaching_evaluation_reopen": desk.post(
            reverse("admin:teaching_evaluation_reopen", args=[rows["evaluation"].pk]),
            {"reason": "Faute de frappe"},
        ),
        "teaching_lesson_plan": desk.post(
            reverse("admin:teaching_lesson_plan", args=[rows["lesson"].key]),
            {"act": "restore", "restore-reason": ""},
        ),
        "teaching_lesson_year_rooms": desk.get(reverse("admin:teaching_lesson_year_rooms")),
        "teaching_lesson_loads": desk.get(reverse("admin:teaching_lesson_loads")),
        "teaching_closure_tell": desk.post(
            reverse("admin:teaching_closure_tell", args=[rows["closure"].pk])
        ),
        "teaching_announcement_file": desk.get(
            reverse(
                "admin:teaching_announcement_file",
                args=[
                    rows["announcement"].pk,
                    join(rows["announcement"], "programme.pdf", make_pdf()).pk,
                ],
            )
        ),
        **{
            f"teaching_announcement_{page}": desk.get(
                reverse(f"admin:teaching_announcement_{page}", args=[rows["announcement"].pk])
            )
            for page in ("preview", "report", "report_export")
        },
        **{
            f"teaching_concert_{act}": desk.post(
                reverse(f"admin:teaching_concert_{act}", args=[rows["concert"].pk]),
                {"reason": "Travaux"},
            )
            for act in ("publish", "cancel", "record")
        },
        "teaching_concert_pdf": desk.get(
            reverse("admin:teaching_concert_pdf", args=[rows["concert"].pk])
        ),
    }

    assert set(answers) == {name for name in PAGES if name.startswith("teaching_")}
    found = {name: answer.status_code for name, answer in answers.items()}
    lists = {
        *["teaching_register_missing", "teaching_absence_repeated", "teaching_lesson_rooms"],
        *["teaching_lesson_conflicts", "teaching_lesson_absence", "teaching_lesson_year_rooms"],
        "teaching_lesson_loads",
    }
    acts = set(found) - lists
    assert {name for name, status in found.items() if status == 200} == set(found) - acts
    assert {found[name] for name in acts} <= {302, 404}
    for name in set(found) - acts:
        assert "Zyeleve" not in answers[name].text, name
        assert rows["register"].course.name not in answers[name].text, name
    rows["evaluation"].refresh_from_db()
    rows["lesson"].refresh_from_db()
    rows["concert"].refresh_from_db()
    assert rows["concert"].state == "draft"
    assert (rows["evaluation"].state, rows["lesson"].state) == ("published", "cancelled")
    assert not rows["absence"].justifications.exists()
