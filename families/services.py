"""Every write on a household."""

from collections.abc import Collection, Iterable

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import email_changes
from accounts.authority import may_act_on
from accounts.models import User
from accounts.spreadsheets.saving import save_rows
from families.merging import Edit, merge
from families.models import Family, Guardian

PHONES = {"mobile_phone", "home_phone"}
HOUSEHOLD_GONE = "La fiche de votre foyer vient de changer\u00a0: rechargez la page."


@transaction.atomic
def save_household(household: Edit, guardians: list[Edit], *, actor: User) -> None:
    """Writes what one guardian changed of the household's address and of its guardians.

    Raises ValidationError under the form's names: code `stale` (see families.merging),
    `phone_required`, `email_of_an_account`.
    """
    edits = [household, *sorted(guardians, key=lambda edit: edit.row.pk)]
    refusals = {}
    for edit, row in zip(edits, merge(edits), strict=True):
        try:
            if isinstance(row, Guardian):
                check_reachable(row, touched=edit.typed, actor=actor)
                _check_email_is_of_no_account(row, edit)
            _save(row, edit)
        except ValidationError as error:
            refusals |= edit.renamed(error)
    if refusals:
        raise ValidationError(refusals)


def check_reachable(guardian: Guardian, *, touched: Collection[str], actor: User) -> None:
    """Raises ValidationError when the conservatoire could not reach the guardian any more.

    Code `phone_required`. What was already missing about somebody else does not stop the actor,
    who may not know it.
    """
    own = guardian.user_id == actor.pk
    if not (guardian.mobile_phone or guardian.home_phone) and (own or PHONES & set(touched)):
        error = ValidationError(
            "Indiquez au moins un numéro, portable ou fixe\u00a0: le conservatoire doit pouvoir"
            " appeler.",
            code="phone_required",
        )
        raise ValidationError({"mobile_phone": error})


def copy_email_to_account(guardian: Guardian) -> None:
    """The staff changed a guardian's address: his account's is the same, and its owner is told.

    An empty address changes nothing.
    """
    if guardian.user_id and guardian.email:
        email_changes.set_email(guardian.user, guardian.email)


def follow_account(user: User, email: str) -> None:
    """The account's address changes: its guardian's too (settings.EMAIL_FOLLOWERS)."""
    Guardian.objects.filter(user=user).exclude(email=email).update(email=email)


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


def lock_families(keys: Iterable[int]) -> list[Family]:
    """Those that are there, until the end of the transaction; before dossiers and guardians.

    NO KEY: a row that merely points at a household need not wait for us.
    """
    families = Family.objects.filter(pk__in=set(keys)).order_by("pk")
    return list(families.select_for_update(of=["self"], no_key=True))


def lock_known(keys: Iterable[int]) -> None:
    """As `lock_families`, for who writes something about one of these households.

    Raises ValidationError, code `household_gone`, when all of them were absorbed by their doubles,
    or erased, while he waited: what he writes would be nobody's, or would outlive an erasure.
    """
    locked = [family.pk for family in lock_families(keys)]
    if not Family.objects.filter(pk__in=locked).not_erased().exists():
        raise ValidationError(HOUSEHOLD_GONE, code="household_gone")


def save_families(created: list[Family], changed: list[tuple[Family, list[str]]]) -> None:
    """Writes the rows of a checked list; `changed` names the attributes of each row."""
    save_rows(created, changed)


def save_guardians(
    created: list[Guardian], changed: list[tuple[Guardian, list[str]]], *, actor: User
) -> None:
    """Writes the rows of a checked list; the account's address follows, and its owner is told.

    Raises ValidationError, code `email_of_staff`.
    """
    for guardian, names in changed:
        if "email" in names:
            check_email_of_staff(guardian, actor=actor)
    save_rows(created, changed)
    for guardian, names in changed:
        if "email" in names:
            copy_email_to_account(guardian)


def _check_email_is_of_no_account(guardian, edit):
    """Whoever changes the address of an account could then ask for its password."""
    if "email" in edit.typed and guardian.user_id is not None:
        error = ValidationError(
            "L'adresse d'un compte se change par la personne à qui il appartient, qui la confirme.",
            code="email_of_an_account",
        )
        raise ValidationError({"email": error})


def _save(row, edit):
    if not edit.typed:
        return
    row.full_clean(exclude={field.name for field in row._meta.fields} - set(edit.typed))
    row.save(update_fields=[*edit.typed, "sort_name"])
