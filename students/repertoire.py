"""Every write on the repertoire, and what is suggested of what was typed before.

A form comes with a key (`sending`): sent twice, it is written once.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.dates import day
from students.models import Enrolment, RepertoirePiece, SchoolYear, Student, Teacher, Work
from students.models.works import composer_key, title_key

SHORTEST = 2  # letters, before anything is suggested
READ = 60  # rows of one search: what is shown is found among them
COMPOSERS, WORKS = 3, 8  # suggested at most
COMPOSER, WORK = "c", "w"  # how the key of a suggestion begins


@dataclass(frozen=True)
class Played:
    """What somebody types of a piece."""

    composer: str
    title: str
    movement: str = ""
    occasion: str = ""
    played_on: dt.date | None = None


@dataclass(frozen=True)
class Suggestion:
    """A work, or a composer alone when `title` is empty; `key` finds it again (`find`)."""

    composer: str
    title: str
    key: str


@transaction.atomic
def add(
    played: Played,
    enrolments: Iterable[Enrolment],
    *,
    teacher: Teacher | None,
    sending: uuid.UUID,
) -> list[RepertoirePiece]:
    """One piece for each student, in the year of his course; what the same sending wrote, as it is.

    `enrolments`: of one school year, with their students and courses. Raises ValidationError on
    the fields `composer`, `title` or `played_on`.
    """
    enrolments = list(enrolments)
    year = enrolments[0].course.school_year
    _check_date(played, year)
    composer, work = _known(played, [each.student for each in enrolments])
    typed = vars(played) | {"composer": composer, "work": work}
    pieces = [
        RepertoirePiece(
            student=each.student,
            school_year=year,
            course=each.course,
            teacher=teacher,
            sending=sending,
            **typed,
        )
        for each in enrolments
    ]
    for piece in pieces:
        piece.clean_fields(exclude=["student", "school_year", "course", "teacher", "work"])
    RepertoirePiece.objects.bulk_create(pieces, ignore_conflicts=True)
    students = [each.student_id for each in enrolments]
    return list(RepertoirePiece.objects.filter(sending=sending, student__in=students))


@transaction.atomic
def correct(piece: RepertoirePiece, played: Played, *, edition: int) -> RepertoirePiece:
    """Writes what was typed on the page that showed this `edition`.

    Raises ValidationError: `gone`, `stale` (another page wrote meanwhile; `params` has `current`),
    or on a field, as `add`.
    """
    row = RepertoirePiece.objects.select_for_update().filter(pk=piece.pk).first()
    if row is None:
        raise ValidationError("Ce morceau a été retiré du répertoire entre-temps.", code="gone")
    if row.edition != edition:
        raise ValidationError(
            "Ce morceau a été modifié entre-temps, depuis une autre page\u00a0:"
            " «\u00a0%(other)s\u00a0». Votre saisie est gardée ci-dessous\u00a0; enregistrer de"
            " nouveau remplacera l'autre version.",
            code="stale",
            params={"other": str(row), "current": row.edition},
        )
    _check_date(played, row.school_year)
    composer, row.work = _known(played, [row.student])
    for name, value in (vars(played) | {"composer": composer}).items():
        setattr(row, name, value)
    row.edition += 1
    row.clean_fields()
    row.save()
    return row


def save(piece: RepertoirePiece) -> None:
    """What an agent typed, new or changed: it is suggested like the rest."""
    played = Played(piece.composer, piece.title)
    piece.composer, piece.work = _known(played, [piece.student])
    piece.edition += piece.pk is not None
    piece.save()


def remove(piece: RepertoirePiece) -> None:
    """Sent twice, it is removed once."""
    RepertoirePiece.objects.filter(pk=piece.pk).delete()


def suggest(composer: str = "", title: str = "") -> list[Suggestion]:
    """Composers, then works, of what the conservatoire plays; accents and case count for nothing.

    « bach » finds « J. S. Bach », and so does « Jean-Sébastien Bach ». Of the composer typed, the
    works whose title begins like `title`. Two queries at most, on an index, of READ rows each.
    """
    by, begins = composer_key(composer), title_key(title)
    if len(begins) >= SHORTEST:
        works = Work.objects.filter(title_key__startswith=begins)
        if by:
            works = works.filter(composer_key__startswith=by.split()[0])
        return _works(_played(works))
    if len(by) < SHORTEST:
        return []
    as_typed = Q(composer_key__startswith=title_key(composer))  # « bach j », the surname first
    found = _played(Work.objects.filter(Q(composer_key__startswith=by) | as_typed))
    if not found and " " in by:
        found = _played(Work.objects.filter(composer_key__startswith=by.split()[0]))
    by_name = {work.composer: work.pk for work in reversed(found)}
    names = sorted(by_name, key=composer_key)[:COMPOSERS]
    alone = [Suggestion(name, "", f"{COMPOSER}{by_name[name]}") for name in names]
    return [*alone, *_works(found)]


def find(key: str) -> Suggestion | None:
    """The suggestion that had this key."""
    kind, pk = key[:1], key[1:]
    if kind not in (COMPOSER, WORK) or not (pk.isascii() and pk.isdecimal()):
        return None
    work = Work.objects.filter(pk=int(pk[:15])).first()
    return work and Suggestion(work.composer, work.title if kind == WORK else "", key)


def composers(disciplines: Collection[int], limit: int = 100) -> list[str]:
    """Those that the students of these disciplines played lately, by name: a list to pick from."""
    lately = (
        RepertoirePiece.objects.filter(course__discipline__in=disciplines, work__isnull=False)
        .order_by("-pk")
        .values_list("work__composer_key", "work__composer")[: 3 * limit]
    )
    return [name for _, name in sorted(set(lately))][:limit]


def names_one_of(students: Iterable[Student], *texts: str) -> bool:
    """Does the text hold the whole name of one of them? He plays what he composed."""
    said = set(title_key(" ".join(texts)).split())
    return any(set(title_key(str(student)).split()) <= said for student in students)


def _played(works: QuerySet[Work]) -> list[Work]:
    """One that is in no repertoire any more, a slip corrected since, is suggested to nobody."""
    used = Exists(RepertoirePiece.objects.filter(work=OuterRef("pk")))
    return list(works.filter(used)[:READ])


def _works(found):
    return [Suggestion(work.composer, work.title, f"{WORK}{work.pk}") for work in found[:WORKS]]


def _check_date(played, year: SchoolYear):
    on = played.played_on
    if on is None:
        return
    if on > timezone.localdate():
        raise ValidationError({"played_on": "Cette date n'est pas encore passée."})
    if not year.holds(on):
        raise ValidationError(
            {
                "played_on": f"Ce morceau est de l'année scolaire {year}\u00a0: du"
                f" {day(year.starts_on)} au {day(year.ends_on)}."
            }
        )


def _known(played: Played, students: list[Student]) -> tuple[str, Work | None]:
    """The composer as he is already spelled, and the work's row; made if it is a new one.

    None for what names one of the students, who plays what he composed: it would be suggested to
    others.
    """
    keys = {"composer_key": composer_key(played.composer), "title_key": title_key(played.title)}
    for name, field in (("composer", "composer_key"), ("title", "title_key")):
        if not keys[field]:
            raise ValidationError({name: "Écrivez au moins une lettre ou un chiffre."})
    if names_one_of(students, played.composer, played.title):
        return played.composer, None
    same = Work.objects.filter(composer_key=keys["composer_key"])
    other = next((work for work in _played(same) if _is_well_spelled(work.composer)), None)
    composer = other.composer if other else played.composer
    work, is_new = Work.objects.get_or_create(
        **keys, defaults={"composer": composer, "title": played.title}
    )
    if not is_new and (work.composer != composer or not _is_well_spelled(work.title)):
        Work.objects.filter(pk=work.pk).update(composer=composer, title=played.title)
    return composer, work


def _is_well_spelled(name):
    return name not in (name.lower(), name.upper())
