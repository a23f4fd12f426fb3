"""Every write on who a student is; seats and enrolments are students.services."""

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.authority import MANAGE_AGENTS
from accounts.models import User
from families.merging import Edit, merge
from students.models import Teacher


@transaction.atomic
def save_identity(edit: Edit) -> None:
    """Writes what a household changed of a student's identity; either household may.

    Raises ValidationError under the form's names, code `stale` (see families.merging).
    """
    (student,) = merge([edit])
    student.clean_fields(exclude={field.name for field in student._meta.fields} - set(edit.typed))
    student.save(update_fields=list(edit.typed))


def check_account_closes(user: User, *, actor: User) -> None:
    """Raises ValidationError `teacher`: he would lose his class lists (settings.ACCOUNT_CLOSINGS).

    The direction alone closes it.
    """
    if Teacher.objects.filter(user=user).exists() and not actor.has_perm(MANAGE_AGENTS):
        raise ValidationError(
            "Ce compte est aussi celui d'un enseignant\u00a0: seule la direction le ferme.",
            code="teacher",
        )
