"""The spaces of the extranet, and which of them somebody may enter: there is no role column."""

from dataclasses import dataclass

from django.db.models import QuerySet, TextChoices

from accounts.prepared import prepared
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
    guardian, teacher = guardian_of(user), next(iter(_teachers_of(user.pk)), None)
    found = {Space.FAMILY: guardian, Space.TEACHER: teacher, Space.STAFF: user.is_staff}
    return Person(
        name=str(guardian or teacher or user.get_full_name() or user.username),
        spaces=[space.value for space, is_his in found.items() if is_his],
    )


def guardian_of(user) -> Guardian | None:
    return next(iter(_guardians_of(user.pk)), None)


@prepared
def _guardians_of(user: int) -> QuerySet[Guardian]:
    """At most one, as of the teachers."""
    return Guardian.objects.filter(user=user).order_by()


@prepared
def _teachers_of(user: int) -> QuerySet[Teacher]:
    return Teacher.objects.filter(user=user).order_by()
