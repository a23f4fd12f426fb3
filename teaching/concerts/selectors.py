"""The concerts that each may read."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from accounts.dates import moment
from accounts.models import Establishment, User
from accounts.prepared import prepared
from students.models import Enrolment, Student, Teacher
from teaching.concerts.programme import Line, line_of
from teaching.enums import ConcertState
from teaching.evaluations.selectors import pupils_of
from teaching.models import Concert, ConcertPerformer, ConcertTurn
from teaching.repertoire.selectors import pupils_now

AFTER = dt.timedelta(hours=3)  # an evening's: it stands among those to come until it is over
SOON = dt.timedelta(days=14)
AN_HOUR = dt.timedelta(hours=1)


def concerts_at(sites: Collection[Establishment]) -> QuerySet[Concert]:
    """What teachers read: those of the year under way, drafts too."""
    today = timezone.localdate()
    return Concert.objects.filter(
        establishment__in=sites,
        school_year__starts_on__lte=today,
        school_year__ends_on__gte=today,
    ).select_related("establishment", "school_year")


def turns_by(teacher: Teacher) -> QuerySet[ConcertTurn]:
    """Those that he proposed, while they may be changed."""
    return ConcertTurn.objects.filter(
        proposed_by=teacher, concert__in=Concert.objects.open_to_proposals().order_by()
    )


def pupils_for(teacher: Teacher, concert: Concert) -> QuerySet[Enrolment]:
    """The students whom he may propose: his own, at the concert's site, in its year."""
    ours = pupils_now(teacher, [concert.establishment_id]).select_related("place__slot__course")
    return ours.filter(course__school_year=concert.school_year_id)


def concerts_to_propose_for(
    teacher: Teacher, sites: Collection[Establishment], today: dt.date
) -> QuerySet[Concert]:
    """Where he has students and has proposed none, when the proposals end soon; the next first."""
    ours = pupils_of(teacher, sites).filter(
        course__establishment=OuterRef("establishment"), course__school_year=OuterRef("school_year")
    )
    proposed = ConcertTurn.objects.filter(concert=OuterRef("pk"), proposed_by=teacher)
    return (
        concerts_at(sites)
        .open_to_proposals(today)
        .filter(Exists(ours.order_by()), ~Exists(proposed), proposals_until__lt=today + SOON)
        .order_by("proposals_until", "starts_at")
    )


@dataclass(frozen=True)
class Date:
    """A concert, and what the household's students play there."""

    concert: Concert
    lines: list[Line]


def concerts_of_student(user: User, student: Student, own: Collection[int]) -> list[Date]:
    """Those that were announced where he plays, the latest first. Four queries.

    `own`: the keys of the household's students.
    """
    turns = ConcertTurn.objects.filter(performers__enrolment__student=student).distinct()
    turns = turns.prefetch_related("performers__enrolment__student")
    concerts = (
        Concert.objects.visible_to(user)
        .filter(turns__performers__enrolment__student=student)
        .distinct()
        .prefetch_related(Prefetch("turns", turns, to_attr="theirs"))
    )
    return [Date(each, [line_of(turn, own) for turn in each.theirs]) for each in concerts]


@dataclass(frozen=True)
class Appearance:
    """A concert that was announced, and the reader's students who play there, by name."""

    concert: Concert
    lasts: dt.timedelta  # what to keep free: the whole programme, an hour at least
    students: list[Student]

    @property
    def starts(self) -> dt.datetime:
        """In Paris time, as a lesson's."""
        return timezone.localtime(self.concert.starts_at)

    @property
    def ends(self) -> dt.datetime:
        return timezone.localtime(self.concert.starts_at + self.lasts)


def appearances_of(
    students: Collection[Student], first: dt.date, last: dt.date
) -> list[Appearance]:
    """Of a household's students from one day to another, cancelled ones too. One query."""
    return _appearances(Q(enrolment__student__in=students), first, last)


def appearances_of_pupils(
    teacher: Teacher, sites: Collection[Establishment], first: dt.date, last: dt.date
) -> list[Appearance]:
    """The same of the students of his classes at these sites."""
    return _appearances(
        Q(enrolment__in=pupils_of(teacher, sites).order_by().values("pk")), first, last
    )


def _appearances(who, first, last):
    programme = ConcertTurn.objects.filter(concert=OuterRef("turn__concert")).order_by()
    performers = (
        _announced(ConcertPerformer.objects.filter(who))
        .filter(turn__concert__starts_at__date__range=(first, last))
        .select_related("turn__concert__establishment", "turn__concert__school_year")
        .annotate(
            minutes=Subquery(programme.values("concert").annotate(all=Sum("minutes")).values("all"))
        )
    )
    found: dict[Concert, tuple[dt.timedelta, dict[int, Student]]] = {}
    for each in performers:
        lasts = max(dt.timedelta(minutes=each.minutes), AN_HOUR)
        _, students = found.setdefault(each.turn.concert, (lasts, {}))
        students[each.enrolment.student_id] = each.enrolment.student
    return [
        Appearance(concert, lasts, list(students.values()))
        for concert, (lasts, students) in found.items()
    ]


@dataclass(frozen=True)
class Notice:
    """« Audition de Noël, 12 décembre 2026 à 18 h », and for whom, where."""

    title: str
    hint: str
    student: int


def concerts_to_come(user: User) -> list[Notice]:
    """« Accueil »: the household's concerts to come, the next first. One query."""
    since = timezone.now() - AFTER
    names: dict[Concert, dict[int, str]] = {}
    for performer in _performers_to_come(user.pk, since):
        student = performer.enrolment.student
        names.setdefault(performer.turn.concert, {})[student.pk] = student.first_name
    return [
        Notice(
            f"{concert.title}, {moment(concert.starts_at)}",
            f"{' et '.join(who.values())} · {_where(concert)}",
            next(iter(who)),
        )
        for concert, who in names.items()
    ]


@prepared
def _performers_to_come(user: int, since: dt.datetime) -> QuerySet[ConcertPerformer]:
    students = Student.objects.visible_to(User(pk=user)).order_by().values("pk")
    return _announced(
        ConcertPerformer.objects.filter(
            enrolment__student__in=students, turn__concert__starts_at__gte=since
        )
    )


def _announced(performers):
    """Those of concerts that were announced, the next first, then by name."""
    return (
        performers.exclude(turn__concert__state=ConcertState.DRAFT)
        .select_related("turn__concert", "enrolment__student")
        .order_by("turn__concert__starts_at", "turn__concert", "enrolment__student__sort_name")
    )


def _where(concert):
    if concert.is_cancelled:
        return f"annulée\u00a0: {concert.cancel_reason}"
    return concert.place
