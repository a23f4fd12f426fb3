"""Calling the register of a lesson, and correcting it.

Lock order: the lesson's row, then its register, absences, the outbox.
"""

import uuid
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from students.models import Slot
from teaching.enums import Presence
from teaching.lessons import Occurrence, find
from teaching.models import Absence, AbsenceMove, Lesson, Register, RegisterEntry
from teaching.register import telling
from teaching.register.marks import PRESENT, Mark, digest_of, mark_of
from teaching.register.selectors import sheet_of


@dataclass(frozen=True)
class Called:
    """What the register says after a sending, which may have changed nothing: sent twice, the same.

    `is_known`: this very sending had been recorded, and told, already. `unexpected` counts the
    marks that were left out: of students who are not expected there.
    """

    marks: list[Mark]
    version: int
    unexpected: int = 0
    is_known: bool = False


@transaction.atomic
def call(
    lesson: Occurrence, marks: dict[int, Mark], *, version: int, key: uuid.UUID, actor: User
) -> Called:
    """Records who is there; `marks` by enrolment, `version` of the sheet that they were made on.

    A student without a mark keeps what is known of him. `key` is the sender's: the same sending
    comes twice when an answer was lost, and counts once. Who was said absent and whose family had
    told is excused. Families are told in this transaction (teaching.register.telling).

    Raises ValidationError: "cancelled", "too_early" (before the day), "too_late" (after the school
    year), "stale" (somebody else wrote meanwhile, and not the same).
    """
    check_open(lesson)
    row = _lock(lesson)
    lesson = find(lesson.hour, lesson.planned_on)  # moved or cancelled since the page was read?
    if lesson is None:  # moved to come, and its student has left
        raise _refusal("cancelled")
    check_open(lesson)
    sheet = sheet_of(lesson)
    wanted = {
        line.enrolment.pk: _wanted(line, marks.get(line.enrolment.pk)) for line in sheet.lines
    }
    unexpected = len(_noted(marks).keys() - wanted.keys())
    digest = digest_of(marks)
    if sheet.register:
        entry = sheet.register.entries.filter(key=key).first()
        is_known = entry is not None and entry.digest == digest
        if sheet.is_called and (is_known or wanted == sheet.marks):
            return Called(list(sheet.marks.values()), sheet.version, unexpected, is_known)
        if entry or version != sheet.version:
            raise _refusal("stale")
    elif version:
        raise _refusal("stale")
    begins = not sheet.is_called
    entry = _open_entry(sheet, row, key=key, digest=digest, actor=actor)
    turned = _write(sheet, wanted, entry=entry, begins=begins)
    telling.tell(lesson, turned, move=str(entry.pk))
    return Called(list(wanted.values()), entry.version, unexpected)


def check_open(lesson: Occurrence) -> None:
    """Raises ValidationError when there is no register to call: see `call`."""
    if lesson.is_cancelled:
        raise _refusal("cancelled")
    if timezone.localdate() < lesson.starts.date():
        raise _refusal("too_early")
    if timezone.localdate() > lesson.course.school_year.ends_on:
        raise _refusal("too_late")


SENTENCES = {
    "cancelled": "Cette séance est annulée\u00a0: il n'y a pas d'appel à faire.",
    "too_early": "L'appel s'ouvre le jour du cours.",
    "too_late": "L'année scolaire est finie\u00a0: cet appel ne change plus.",
    "stale": "Cet appel a été changé entre-temps\u00a0: rien n'est enregistré de votre saisie.",
}


def _refusal(code):
    return ValidationError(SENTENCES[code], code=code)


def _lock(lesson):
    """The row of the lesson, made if it was as planned until now; held to the end."""
    kind = "slot" if isinstance(lesson.hour, Slot) else "time"
    named = {kind: lesson.hour, "planned_on": lesson.planned_on}
    row, _ = Lesson.objects.get_or_create(**named)
    return Lesson.objects.select_for_update().get(pk=row.pk)


def _noted(marks):
    return {pk: mark for pk, mark in marks.items() if mark != PRESENT}


def _wanted(line, mark):
    mark = mark or line.mark
    if mark.kind == Presence.ABSENT and line.announced:
        mark = Mark(Presence.EXCUSED, note=mark.note)
    return mark


def _open_entry(sheet, row, *, key, digest, actor):
    """The sending, and the register itself if it is the first one; a void one begins again."""
    now = timezone.now()
    register = sheet.register or Register(lesson=row, course=sheet.lesson.course, version=0)
    register.version = version = register.version + 1
    if not sheet.is_called:
        register.held_on, register.teacher = sheet.lesson.starts.date(), sheet.lesson.teacher
        register.called_at, register.called_by = now, actor
        register.void = False
    register.save()
    return RegisterEntry.objects.create(
        register=register, version=version, key=key, digest=digest, at=now, by=actor
    )


def _write(sheet, wanted, *, entry, begins):
    """Gives the absences that have begun or ceased to be ones; `begins`: there was no register, or
    a void one."""
    known = {each.enrolment_id: each for each in entry.register.absences.all()}
    absences, moves, turned = [], [], []
    for enrolment, after, announced in _to_write(sheet, wanted, known if begins else {}):
        absence = known.get(enrolment.pk)
        before = mark_of(absence) if absence else PRESENT
        absence = absence or Absence(register=entry.register)
        absence.enrolment = enrolment
        # Of a void register, families were told of no absence, or that it was none.
        was_one = before.kind == Presence.ABSENT and not begins
        if was_one != (after.kind == Presence.ABSENT):
            turned.append(absence)
        if before == after:
            continue
        absence.kind, absence.minutes, absence.note = after.kind, after.minutes, after.note
        absence.announced = after.kind == Presence.EXCUSED and announced
        absences.append(absence)
        if (before.kind, before.minutes) != (after.kind, after.minutes):
            kinds = {"from_kind": before.kind, "to_kind": after.kind, "minutes": after.minutes}
            moves.append(AbsenceMove(entry=entry, enrolment=enrolment, **kinds))
    Absence.objects.bulk_create([each for each in absences if each.pk is None])
    changed = [each for each in absences if each.enrolment_id in known]
    Absence.objects.bulk_update(changed, ["kind", "minutes", "note", "announced"])
    AbsenceMove.objects.bulk_create(moves)
    return turned


def _to_write(sheet, wanted, void):
    """(enrolment, mark, announced): of everybody expected; and who no longer is was present, in
    what is left of a void register."""
    for line in sheet.lines:
        yield line.enrolment, wanted[line.enrolment.pk], line.announced
    for absence in void.values():
        if absence.enrolment_id not in wanted:
            yield absence.enrolment, PRESENT, False
