"""What importing a file would do, line by line."""

from dataclasses import dataclass, field
from hashlib import sha256

from django.db import models


@dataclass(frozen=True)
class Change:
    header: str
    before: str
    after: str


@dataclass(frozen=True)
class Refusal:
    """Why, and of which cell; both are empty when it is the row as a whole."""

    header: str
    cell: str
    message: str


@dataclass
class Line:
    """What one row of the file would do; `number` is its number in the spreadsheet.

    `row` is the row as it would be; `seen` is what the attributes to write held when it was read.
    """

    number: int
    title: str
    row: models.Model | None = None
    is_new: bool = False
    seen: dict[str, object] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    lines: list[Line]
    unread: list[str]  # headers of columns that the list does not know
    zeros: dict[str, int]  # leading zeros put back, by header

    @property
    def refused(self) -> list[Line]:
        return [line for line in self.lines if line.refusals]

    @property
    def created(self) -> list[Line]:
        return [line for line in self.lines if line.is_new and not line.refusals]

    @property
    def changed(self) -> list[Line]:
        return [x for x in self.lines if x.seen and not x.is_new and not x.refusals]

    @property
    def unchanged(self) -> list[Line]:
        return [x for x in self.lines if not (x.is_new or x.seen or x.refusals)]

    @property
    def to_write(self) -> int:
        return len(self.created) + len(self.changed)

    @property
    def fingerprint(self) -> str:
        """The same as long as importing would do the same."""
        told = [(x.number, x.row and x.row.pk, x.changes, x.refusals) for x in self.lines]
        return sha256(repr(told).encode()).hexdigest()
