"""A lesson and what became of it, in words: the same on the pages, in the mails, in the log."""

import datetime as dt

from django.utils.formats import date_format

from accounts.dates import NBSP, french_time
from teaching.enums import LessonAct
from teaching.lessons import Occurrence


def weekday(date: dt.date) -> str:
    """« mercredi 14 octobre 2026 », « jeudi 1er octobre 2026 »."""
    number = "1er" if date.day == 1 else date.day
    return f"{date_format(date, 'l')} {number}{NBSP}{date_format(date, 'F Y')}"


def where_and_when(lesson: Occurrence) -> str:
    """« mercredi 14 octobre 2026, 17 h à 17 h 30, Studio 3, Cécile Vasseur »."""
    when = f"{weekday(lesson.starts.date())}, {lesson.hours}"
    if lesson.is_cancelled:
        return f"annulé ({when})"
    who = str(lesson.teacher) if lesson.teacher else ""
    return ", ".join(filter(None, [when, lesson.room, who]))


def what_became(lesson: Occurrence) -> list[str]:
    """What a page says beside a lesson that is not as planned; nothing for the others."""
    if lesson.is_cancelled:
        return ["Annulé\u00a0: le cours n'a pas lieu"]
    said = []
    if lesson.is_moved:
        said.append(f"Déplacé\u00a0: il était prévu {planned(lesson)}")
    if lesson.is_substituted:
        instead = f", à la place de {lesson.usual_teacher}" if lesson.usual_teacher else ""
        said.append(f"Remplacé\u00a0: par {lesson.row.substitute}{instead}")
    return said


def planned(lesson: Occurrence) -> str:
    """« le mercredi 14 octobre 2026 à 17 h »: when a lesson was to be."""
    return f"le {weekday(lesson.planned_on)} à {french_time(lesson.hour.starts_at)}"


def moved_to(lesson: Occurrence) -> str:
    """What the day says that a lesson has left."""
    return f"Déplacé au {weekday(lesson.starts.date())}, {lesson.hours}"


def told(act: LessonAct, before: Occurrence, after: Occurrence) -> str:
    """One sentence of a mail, after the student's name."""
    was = f"{before.name} du {weekday(before.starts.date())}, {before.hours}"
    place = f", {after.room}" if after.room else ""
    match act:
        case LessonAct.CANCELLED:
            return f"{was}, n'a pas lieu."
        case LessonAct.MOVED:
            return f"{was}, est déplacé au {weekday(after.starts.date())}, {after.hours}{place}."
        case LessonAct.REPLACED:
            return f"{was}, est donné par {after.teacher}{place}."
    teacher = f", avec {after.teacher}" if after.teacher else ""
    when = f"{weekday(after.starts.date())}, {after.hours}"
    return f"{after.name} du {when}, a lieu comme prévu{place}{teacher}."
