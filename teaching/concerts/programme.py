"""The programme of a concert: one reading for the page and the PDF, another one for families.

On paper, by custom, it names the performers: staff and teachers print it. On the extranet a family
reads every work and the names of its own children; of the others it reads the instrument alone
(docs/decisions.md).
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from itertools import groupby

from django.db.models import Prefetch

from accounts.dates import moment
from accounts.pdfs import render_pdf
from students.repertoire import names_one_of
from teaching.enums import ConcertState
from teaching.models import Concert, ConcertPerformer, ConcertTurn

OWN_PIECE = "Composition d'élève"


@dataclass(frozen=True)
class Line:
    """One work, as it is read."""

    composer: str
    title: str
    movement: str
    turn: ConcertTurn


@dataclass(frozen=True)
class Item:
    """What the same people play, one work after the other."""

    names: list[str]
    disciplines: str
    accompanist: str
    minutes: int
    lines: list[Line]
    is_own: bool = False  # of the reader's children, or students


@dataclass(frozen=True)
class Programme:
    concert: Concert
    items: list[Item] = field(default_factory=list)

    @property
    def minutes(self) -> int:
        return sum(item.minutes for item in self.items)

    @property
    def duration(self) -> str:
        """« 45 min », « 1 h 05 »."""
        hours, minutes = divmod(self.minutes, 60)
        return f"{hours}\u00a0h\u00a0{minutes:02}" if hours else f"{minutes}\u00a0min"


def programme_of(concert: Concert, *, only: Collection[int] | None = None) -> Programme:
    """In its order; `only`: the keys of the students whom the reader may see named, None for all.

    Two queries.
    """
    turns = list(turns_of(concert))
    return Programme(concert, [_item(list(group), only) for _, group in groupby(turns, _who)])


def turns_of(concert: Concert):
    performers = ConcertPerformer.objects.select_related(
        "enrolment__student", "enrolment__course__discipline"
    ).order_by("enrolment__student__sort_name", "pk")
    return concert.turns.prefetch_related(Prefetch("performers", performers))


def line_of(turn: ConcertTurn, only: Collection[int] | None) -> Line:
    """The work as the reader may read it: one that names a child who is not his is « composition
    d'élève ». `turn` with its performers."""
    hidden = [
        each.enrolment.student
        for each in turn.performers.all()
        if only is not None and each.enrolment.student_id not in only
    ]
    if names_one_of(hidden, turn.composer, turn.title, turn.movement):
        return Line("", OWN_PIECE, "", turn)
    return Line(turn.composer, turn.title, turn.movement, turn)


def print_programme(programme: Programme) -> bytes:
    """The PDF, with every name: for staff and teachers. Raises ValidationError `pdf`."""
    concert = programme.concert
    office = concert.establishment
    data = {
        "title": concert.title,
        "office": office.name,
        "when": moment(concert.starts_at),
        "place": concert.place,
        "note": _note(concert),
        "duration": f"Durée\u00a0: {programme.duration}",
        "items": [
            asdict(item)
            | {"lines": [[line.composer, line.title, line.movement] for line in item.lines]}
            for item in _without_turns(programme.items)
        ],
    }
    return render_pdf("letters/programme.typ", data)


def _without_turns(items: Iterable[Item]):
    """`asdict` copies what it goes through: not the rows of the database."""
    for item in items:
        yield Item(
            **vars(item) | {"lines": [Line(**vars(line) | {"turn": None}) for line in item.lines]}
        )


def _note(concert):
    match concert.state:
        case ConcertState.DRAFT:
            return "Projet de programme"
        case ConcertState.CANCELLED:
            return f"Annulée\u00a0: {concert.cancel_reason}"
    return ""


def _who(turn):
    people = tuple(performer.enrolment_id for performer in turn.performers.all())
    return people or (f"turn {turn.pk}",), turn.accompanist


def _item(turns, only):
    performers = list(turns[0].performers.all())
    named = [each for each in performers if only is None or each.enrolment.student_id in only]
    others = len(performers) - len(named)
    names = [str(each.enrolment.student) for each in named]
    if others and named:
        names.append(f"{others} autre{'s' if others > 1 else ''} élève{'s' if others > 1 else ''}")
    elif others:
        names.append(f"{others} élèves" if others > 1 else "Un élève")
    disciplines = dict.fromkeys(str(each.enrolment.course.discipline) for each in performers)
    return Item(
        names=names,
        disciplines=", ".join(disciplines),
        # Whoever accompanies may be somebody's child.
        accompanist=turns[0].accompanist if only is None or named else "",
        minutes=sum(turn.minutes for turn in turns),
        lines=[line_of(turn, only) for turn in turns],
        is_own=only is not None and bool(named),
    )
