"""What a register says of one student, as it travels between a page and the tables."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from teaching.enums import Presence
from teaching.models import Absence


@dataclass(frozen=True)
class Mark:
    """`minutes` of who is late, if they are known; `note` is the teacher's, for the staff."""

    kind: Presence = Presence.PRESENT
    minutes: int | None = None
    note: str = ""

    @property
    def words(self) -> str:
        """« en retard de 10 minutes », « absent (parti plus tôt) »."""
        said = self.kind.label
        if self.minutes:
            said += f" de {self.minutes}\u00a0minute{'s' if self.minutes > 1 else ''}"
        return f"{said} ({self.note})" if self.note else said

    def written(self) -> str:
        """As a hidden field keeps it; `read` gives it back."""
        return json.dumps([self.kind.value, self.minutes, self.note], ensure_ascii=False)


PRESENT = Mark()


def mark_of(absence: Absence) -> Mark:
    return Mark(Presence(absence.kind), absence.minutes, absence.note)


def read(written: str) -> Mark | None:
    """None of what `Mark.written` did not write."""
    try:
        kind, minutes, note = json.loads(written)
        if not (minutes is None or isinstance(minutes, int)) or not isinstance(note, str):
            return None
        return Mark(Presence(kind), minutes, note)
    except (ValueError, TypeError):
        return None


def digest_of(marks: dict[int, Mark]) -> str:
    """The same for the same marks: what tells one sending, sent again, from another."""
    said = [[pk, mark.written()] for pk, mark in sorted(marks.items())]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


_COUNTED = {
    Presence.PRESENT: ("présent", "présents"),
    Presence.ABSENT: ("absent", "absents"),
    Presence.LATE: ("en retard", "en retard"),
    Presence.EXCUSED: ("excusé", "excusés"),
}


def summary_of(marks: Iterable[Mark]) -> str:
    """« 10 présents, 1 absent, 1 en retard »."""
    kinds = [mark.kind for mark in marks]
    counts = {kind: kinds.count(kind) for kind in Presence}
    return ", ".join(
        f"{count}\u00a0{_COUNTED[kind][count > 1]}" for kind, count in counts.items() if count
    )
