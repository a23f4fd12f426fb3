"""The bulletin of a student: what his teachers say of a period. One text, a page and a PDF."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.utils import timezone

from accounts.dates import day
from accounts.pdfs import render_pdf
from teaching.models import Evaluation, Period


@dataclass(frozen=True)
class Entry:
    """What is said in one course."""

    course: str
    details: str  # the student's level, and who teaches him
    marks: list[tuple[str, str]]
    comment: str
    decisions: list[tuple[str, str]]


@dataclass(frozen=True)
class Bulletin:
    """Everything that is read on it, in French."""

    title: str
    period: str
    sender: list[str]
    recipient: list[str]
    entries: list[Entry]
    date: str


def entry_of(evaluation: Evaluation) -> Entry:
    """`evaluation` with its marks, its enrolment and the courses."""
    decisions = []
    if evaluation.exam_result:
        decisions.append(("Examen de fin de cycle", evaluation.get_exam_result_display()))
    if evaluation.next_course:
        decisions.append(("Proposé l'an prochain", str(evaluation.next_course)))
    enrolment = evaluation.enrolment
    return Entry(
        course=str(enrolment.course),
        details=", ".join(filter(None, [enrolment.level, evaluation.teacher_name])),
        marks=[(mark.name, mark.value) for mark in evaluation.marks.all()],
        comment=evaluation.comment,
        decisions=decisions,
    )


def bulletin_of(period: Period, evaluations: Iterable[Evaluation]) -> Bulletin:
    """Of one student; `evaluations`: his of that period, published, at least one."""
    evaluations = list(evaluations)
    office, student = period.establishment, evaluations[0].enrolment.student
    latest = max(evaluation.published_at for evaluation in evaluations)
    return Bulletin(
        title="Bulletin",
        period=f"{period.name}, année scolaire {period.school_year}",
        sender=[office.name, *office.address.splitlines(), office.phone, office.email],
        recipient=[str(student)],
        entries=[entry_of(evaluation) for evaluation in evaluations],
        date=f"Publié le {day(timezone.localdate(latest))}.",
    )


def print_bulletin(bulletin: Bulletin) -> bytes:
    """The PDF. Raises ValidationError `pdf`."""
    return render_pdf("letters/bulletin.typ", asdict(bulletin))
