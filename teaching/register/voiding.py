"""A register says who was at a lesson on a day: it counts while the lesson is that day's.

Once the lesson is cancelled, or goes to another day, nobody was absent from it: the register is
void. Nothing is erased: back on that day it counts again, and called on the new one it is that
day's. The lock of the lesson's row is the caller's.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from accounts.dates import day
from teaching.enums import Presence
from teaching.lessons import Occurrence
from teaching.models import Register
from teaching.register import telling


@dataclass(frozen=True)
class Turn:
    """A register that begins to be void, or ceases to; the lesson before and after."""

    register: Register
    before: Occurrence
    after: Occurrence

    @property
    def voids(self) -> bool:
        return not self.register.void

    @property
    def held(self) -> Occurrence:
        """The lesson while it was that of the register."""
        return self.before if self.voids else self.after


def called(lessons: Iterable[Occurrence]) -> set[str]:
    """The keys of those whose register counts. One query."""
    keys = {lesson.row.pk: lesson.key for lesson in lessons if lesson.row}
    registers = Register.objects.filter(lesson__in=keys, void=False)
    return {keys[pk] for pk in registers.values_list("lesson", flat=True)}


def turns_of(acts: Iterable[tuple[Occurrence, Occurrence]]) -> list[Turn]:
    """Of the lessons before and after, those whose register turns. One query."""
    by_row = {after.row.pk: (before, after) for before, after in acts}
    registers = Register.objects.filter(lesson__in=by_row).order_by("held_on", "pk")
    turns = [Turn(register, *by_row[register.lesson_id]) for register in registers]
    return [turn for turn in turns if turn.register.void != _is_void(turn)]


def _is_void(turn):
    return turn.after.is_cancelled or turn.after.starts.date() != turn.register.held_on


def check(turns: Iterable[Turn]) -> None:
    """Raises ValidationError `called` if one of them voids a register: to be confirmed first."""
    voided = [turn for turn in turns if turn.voids]
    if len(voided) > 1:
        raise ValidationError(
            f"L'appel de {len(voided)} de ces séances est fait\u00a0: confirmez qu'il ne compte"
            " plus, ou laissez-les.",
            code="called",
        )
    if voided:
        on = day(voided[0].register.held_on)
        raise ValidationError(
            f"L'appel du {on} est fait\u00a0: confirmez qu'il ne compte plus.", code="called"
        )


def follow(turn: Turn, *, move: str) -> None:
    """The register turns, and whoever was told of an absence is told that it counts no more, or
    that it does again. `move` names the act in the keys of the mails."""
    register = turn.register
    register.void = turn.voids
    register.save(update_fields=["void"])
    absences = register.absences.filter(kind=Presence.ABSENT)
    absences = list(absences.select_related("enrolment__student"))
    for absence in absences:
        absence.register = register
    telling.tell(turn.held, absences, move=move, became=turn.after)
