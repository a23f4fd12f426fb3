"""What is noted of a student or a household, and how two households share what is due."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from billing.models import PayerShare, Situation
from students.models import Custody, Student

NOTED = ["student", "family", "school_year", "code", "seen_on", "note"]


@transaction.atomic
def note_situation(situation: Situation, *, actor: User) -> Situation:
    """Writes what an agent saw proved, new or not; `noted_by` is who noted it last.

    Raises ValidationError: of nobody or of two, twice for a year, seen in the future
    (`seen_in_future`), gone meanwhile (`gone`).
    """
    if situation.seen_on and situation.seen_on > timezone.localdate():
        message = ValidationError("Ce jour est à venir.", code="seen_in_future")
        raise ValidationError({"seen_on": message})
    if situation.pk and not Situation.objects.select_for_update().filter(pk=situation.pk).first():
        raise ValidationError("Cette situation n'est plus notée.", code="gone")
    situation.noted_by = actor
    situation.full_clean()
    situation.save(update_fields=[*NOTED, "noted_by"] if situation.pk else None)
    return situation


@transaction.atomic
def remove_situation(situation: Situation) -> None:
    """What was noted by mistake goes; amounts already issued stay as they are."""
    Situation.objects.filter(pk=situation.pk).delete()


@transaction.atomic
def set_shares(student: Student, percents: Mapping[int, int]) -> list[PayerShare]:
    """What each of the student's two households pays: `percents` by the key of the custody.

    Raises ValidationError: he has not two households, or others than these (`not_two_households`),
    the parts do not make 100 (`not_whole`).
    """
    custodies = {custody.pk: custody for custody in _lock_custodies(student)}
    if len(custodies) != 2 or set(custodies) != set(percents):
        raise ValidationError(
            f"Une répartition est entre les deux foyers de l'élève\u00a0: {student} n'en a pas"
            " deux, ou ils ont changé.",
            code="not_two_households",
        )
    if sum(percents.values()) != 100:
        raise ValidationError(
            "Les parts des deux foyers font ensemble 100\u00a0%.", code="not_whole"
        )
    known = {share.custody_id: share for share in PayerShare.objects.filter(custody__in=custodies)}
    return [
        _save_share(known.get(pk) or PayerShare(custody=custodies[pk]), percent)
        for pk, percent in percents.items()
    ]


@transaction.atomic
def remove_shares(student: Student) -> None:
    """The first household pays all again."""
    _lock_custodies(student)
    PayerShare.objects.filter(custody__student=student).delete()


def _lock_custodies(student):
    custodies = Custody.objects.filter(student=student).order_by("pk")
    return list(custodies.select_for_update(of=["self"]).select_related("student", "family"))


def _save_share(share, percent):
    share.percent = percent
    share.full_clean()
    share.save(update_fields=["percent"] if share.pk else None)
    return share
