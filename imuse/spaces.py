"""The spaces of the extranet, and which of them somebody may enter: there is no role column."""

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


def spaces_of(user) -> list[str]:
    """The user's spaces, the one he lands in first: Guardian.user, Teacher.user, staff."""
    return [
        space.value
        for space, is_his in [
            (Space.FAMILY, Guardian.objects.filter(user=user).exists()),
            (Space.TEACHER, Teacher.objects.filter(user=user).exists()),
            (Space.STAFF, user.is_staff),
        ]
        if is_his
    ]
