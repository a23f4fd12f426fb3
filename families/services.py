"""Every write on a household."""

from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.authority import may_act_on
from accounts.models import User
from accounts.services import forget_one_time_password
from families.merging import Edit, merge
from families.models import Guardian

PHONES = {"mobile_phone", "home_phone"}
EMAIL_REQUIRED = "Indiquez une adresse e-mail\u00a0: elle sert à retrouver un mot de passe perdu."


@transaction.atomic
def save_household(household: Edit, guardians: list[Edit], *, actor: User) -> None:
    """Writes what one guardian changed of the household's address and of its guardians.

    Raises ValidationError under the form's names: code `stale` (see families.merging),
    `email_required`, `phone_required`, `email_of_another_account`.
    """
    edits = [household, *sorted(guardians, key=lambda edit: edit.row.pk)]
    refusals = {}
    for edit, row in zip(edits, merge(edits), strict=True):
        try:
            if isinstance(row, Guardian):
                check_reachable(row, touched=edit.typed, actor=actor)
                _check_email_is_own(row, edit, actor)
            _save(row, edit)
        except ValidationError as error:
            refusals |= edit.renamed(error)
    if refusals:
        raise ValidationError(refusals)


def check_reachable(guardian: Guardian, *, touched: Collection[str], actor: User) -> None:
    """Raises ValidationError when the conservatoire could not reach the guardian any more.

    Codes `email_required`, `phone_required`. What was already missing about somebody else does
    not stop the actor, who may not know it.
    """
    own, refusals = guardian.user_id == actor.pk, {}
    if own and not guardian.email:
        refusals["email"] = ValidationError(EMAIL_REQUIRED, code="email_required")
    if not (guardian.mobile_phone or guardian.home_phone) and (own or PHONES & set(touched)):
        refusals["mobile_phone"] = ValidationError(
            "Indiquez au moins un numéro, portable ou fixe\u00a0: le conservatoire doit pouvoir"
            " appeler.",
            code="phone_required",
        )
    if refusals:
        raise ValidationError(refusals)


@transaction.atomic
def copy_email_to_account(guardian: Guardian) -> None:
    """The account's address follows the guardian's: « mot de passe perdu » writes to it.

    A one-time password that went to the former address dies. An empty address changes nothing.
    """
    if guardian.user_id and guardian.email:
        user = User.objects.select_for_update().get(pk=guardian.user_id)
        if user.email != guardian.email:
            user.email = guardian.email
            user.save(update_fields=["email"])
            forget_one_time_password(user)


def check_email_of_staff(guardian: Guardian, *, actor: User) -> None:
    """Raises ValidationError, code `email_of_staff`, for an account above the actor's.

    With the address of a colleague's account he could ask for its password.
    """
    user = guardian.user
    changes = user is not None and guardian.email not in ("", user.email)
    if changes and not may_act_on(user, actor=actor):
        raise ValidationError(
            "Ce compte est celui d'un agent\u00a0: la direction seule change son adresse.",
            code="email_of_staff",
        )


def _check_email_is_own(guardian, edit, actor):
    """Whoever changes the address of an account could then ask for its password."""
    if "email" in edit.typed and guardian.user_id not in (None, actor.pk):
        raise ValidationError(
            {
                "email": ValidationError(
                    "Seule la personne à qui appartient ce compte peut changer cette adresse.",
                    code="email_of_another_account",
                )
            }
        )


def _save(row, edit):
    if not edit.typed:
        return
    row.full_clean(exclude={field.name for field in row._meta.fields} - set(edit.typed))
    row.save(update_fields=[*edit.typed, "sort_name"])
    if isinstance(row, Guardian) and "email" in edit.typed:
        copy_email_to_account(row)
