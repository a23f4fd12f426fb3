"""What is done with lessons: cancel, move, replace, restore; one at a time or a whole absence.

Every act leaves a line in the log of the lesson and tells those concerned, in one transaction. The
school year is locked first: two agents cannot give one room to two lessons at the same instant.
A lesson whose register was called is cancelled, or goes to another day, only by whoever confirms
it (`voids`, else ValidationError `called`): the register is then void (teaching/register/voiding).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.dates import NBSP, day
from accounts.models import User
from students.models import SchoolYear, Slot, Teacher
from teaching.enums import LessonAct, LessonState
from teaching.lessons import Occurrence, occurrence
from teaching.models import Lesson, LessonChange
from teaching.register import voiding
from teaching.timetable import conflicts, emails
from teaching.timetable.words import where_and_when

UNMOVED = {"moved_on": None, "starts_at": None, "ends_at": None, "room": ""}


@dataclass(frozen=True)
class Where:
    """Where a lesson goes; an empty `room` is the usual one."""

    day: dt.date
    starts_at: dt.time
    ends_at: dt.time
    room: str = ""


@transaction.atomic
def cancel(
    lessons: Iterable[Occurrence], *, actor: User, reason: str = "", voids: bool = False
) -> list[LessonChange]:
    """They do not take place; those cancelled already stay so. ValidationError `already`: all;
    `called`."""
    acts = [
        _Act(lesson, LessonAct.CANCELLED, reason, {"state": LessonState.CANCELLED, **UNMOVED})
        for lesson in _held(lessons)
        if not lesson.is_cancelled
    ]
    return _write(acts, actor, voids=voids)


@transaction.atomic
def replace(
    lessons: Iterable[Occurrence],
    *,
    substitute: Teacher,
    actor: User,
    reason: str = "",
    despite: str = "",
) -> list[LessonChange]:
    """Another teacher gives them; those cancelled, or his already, stay as they are.

    ValidationError `already`; `usual` for the teacher whose lessons they are; `conflict` when he
    gives another lesson then, unless `despite` says why an agent passes over it.
    """
    acts = []
    for lesson in _held(lessons):
        if lesson.usual_teacher == substitute:
            raise ValidationError(
                "C'est l'enseignant de ce cours\u00a0: rétablissez la séance.", code="usual"
            )
        if not lesson.is_cancelled and lesson.teacher != substitute:
            changes = {"substitute": substitute}
            acts.append(_Act(lesson, LessonAct.REPLACED, reason, changes, despite))
    return _write(acts, actor, checks=True)


@transaction.atomic
def move(
    lesson: Occurrence,
    where: Where,
    *,
    actor: User,
    reason: str = "",
    despite: str = "",
    voids: bool = False,
) -> LessonChange:
    """It takes place then and there; a cancelled one too.

    ValidationError `out_of_year`, `already`, `conflict` (see `replace`), `called`.
    """
    [lesson] = _held([lesson])
    if not lesson.course.school_year.holds(where.day):
        raise ValidationError("Une séance se déplace dans son année scolaire.", code="out_of_year")
    changes = {
        "state": LessonState.MOVED,
        "moved_on": where.day,
        "starts_at": where.starts_at,
        "ends_at": where.ends_at,
        "room": "" if where.room == lesson.hour.room else where.room,
    }
    act = _Act(lesson, LessonAct.MOVED, reason, changes, despite)
    if where_and_when(act.after) == where_and_when(lesson) and not lesson.is_cancelled:
        raise ValidationError("La séance est déjà là.", code="already")
    [change] = _write([act], actor, checks=True, voids=voids)
    return change


@transaction.atomic
def restore(
    lessons: Iterable[Occurrence], *, actor: User, reason: str = "", voids: bool = False
) -> list[LessonChange]:
    """They take place as planned, by their own teacher. ValidationError `already`, `called`."""
    back = {"state": LessonState.PLANNED, "substitute": None, **UNMOVED}
    acts = [
        _Act(lesson, LessonAct.RESTORED, reason, back)
        for lesson in _held(lessons)
        if not lesson.is_as_planned
    ]
    return _write(acts, actor, voids=voids)


class _Act:
    """One lesson before and after; nothing is saved until `save`."""

    def __init__(self, lesson, act, reason, changes, despite=""):
        self.before, self.act, self.despite = lesson, act, despite
        self.reason = reason.strip()
        row = Lesson(**{field.attname: getattr(lesson.row, field.attname) for field in _FIELDS})
        row._state.adding = False
        for name, value in {**changes, "reason": self.reason}.items():
            setattr(row, name, value)
        if row.substitute_id and "substitute" not in changes:
            row.substitute = lesson.row.substitute
        self.changes = [*changes, "reason"]
        self.after = occurrence(lesson.hour, lesson.planned_on, row)

    def save(self, actor):
        row = self.after.row
        row.full_clean()
        row.save(update_fields=self.changes)
        return LessonChange.objects.create(
            lesson=row,
            act=self.act,
            actor=actor,
            before=where_and_when(self.before),
            after=where_and_when(self.after),
            reason=self.reason,
            despite=self.despite,
        )


_FIELDS = Lesson._meta.concrete_fields


def _write(acts, actor, *, checks=False, voids=False):
    if not acts:
        raise ValidationError("C'est déjà fait\u00a0: rien n'est changé.", code="already")
    if checks:
        _check(acts)
    turns = voiding.turns_of((act.before, act.after) for act in acts)
    if not voids:
        voiding.check(turns)
    changes = [act.save(actor) for act in acts]
    for turn in turns:
        change = next(each for each in changes if each.lesson_id == turn.register.lesson_id)
        voiding.follow(turn, move=f"seance-{change.pk}")
    emails.tell(
        [
            emails.Told(change, act.before, act.after)
            for change, act in zip(changes, acts, strict=True)
        ],
        actor=actor,
    )
    return changes


def _check(acts):
    """No two things at once; an agent may pass over it, with his reason, which the log keeps."""
    days = [act.after.starts.date() for act in acts]
    agenda = conflicts.Agenda(min(days), max(days))
    refused = []
    for act in acts:
        found = agenda.conflicts(act.after)
        if act.act == LessonAct.MOVED:
            found += conflicts.closed_on(act.after)
        elif act.act == LessonAct.REPLACED:  # neither its room nor its students change
            found = [each for each in found if each.kind == conflicts.Clash.TEACHER]
        if found and not act.despite:
            when = day(act.after.starts.date())
            refused += [
                ValidationError(f"{when}{NBSP}: {conflict.text}", code="conflict")
                for conflict in found
            ]
        kinds = ", ".join(dict.fromkeys(conflict.kind.label for conflict in found))
        act.despite = f"{kinds}{NBSP}: {act.despite}"[:300] if found else ""
    if refused:
        raise ValidationError(refused)


def _held(lessons):
    """The lessons as they are now, their rows locked; the year first, then by key."""
    lessons = sorted(lessons, key=lambda lesson: lesson.key)
    years = {lesson.course.school_year_id for lesson in lessons}
    list(SchoolYear.objects.select_for_update(no_key=True).filter(pk__in=years).order_by("pk"))
    for lesson in lessons:
        name = "slot" if isinstance(lesson.hour, Slot) else "time"
        named = {name: lesson.hour, "planned_on": lesson.planned_on}
        row, _ = Lesson.objects.get_or_create(**named)
        row = (
            Lesson.objects.select_for_update(of=["self"])
            .select_related("substitute")
            .get(pk=row.pk)
        )
        yield occurrence(lesson.hour, lesson.planned_on, row)
