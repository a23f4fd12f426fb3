"""The spaces of the extranet, and which of them somebody may enter: there is no role column."""

from dataclasses import dataclass

from django.db.models import TextChoices

from families.models import Guardian
from students.models import Teacher


class Space(TextChoices):
    FAMILY = "family", "Espace famille"
    TEACHER = "teacher", "Espace enseignant"
    STAFF = "staff", "Administration"


HOME = {
    Space.FAMILY: "imuse:home",
    Space.TEACHER: "teacher:index",
    Space.STAFF: "admin:index",
}


@dataclass(frozen=True)
class Person:
    """Who has signed in: the name that the header shows, and the spaces, the first one first."""

    name: str
    spaces: list[str]


def recognise(user) -> Person:
    """Guardian.user, Teacher.user and the staff flag say it. Two queries."""
    guardian = Guardian.objects.filter(user=user).first()
    teacher = Teacher.objects.filter(user=user).first()
    found = {Space.FAMILY: guardian, Space.TEACHER: teacher, Space.STAFF: user.is_staff}
    return Person(
        name=str(guardian or teacher or user.get_full_name() or user.username),
        spaces=[space.value for space, is_his in found.items() if is_his],
    )
