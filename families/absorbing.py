"""Two rows that are one and the same household, or person: one absorbs the other.

Each app moves its own rows: a `Follower` named in settings.FAMILY_FOLLOWERS or
GUARDIAN_FOLLOWERS. Lock order: households, what a follower locks, responsables, accounts; then
the rows that move.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError
from django.utils.module_loading import import_string

from accounts import services as accounts
from accounts.models import User
from families.enums import ErasureState, MergeKind
from families.models import ErasureRequest, Family, Guardian, Invitation, Merge
from families.services import check_email_of_staff, copy_email_to_account

FAMILY_FIELDS = ["name", "reference", "address", "address_more", "commune"]
GUARDIAN_FIELDS = [
    *["last_name", "first_name", "reference", "email", "mobile_phone", "home_phone"],
]
# From the double, where the kept one is empty.
FILLED_IN = {
    Family: ["reference"],
    Guardian: ["reference", "email", "mobile_phone", "home_phone"],
}


@dataclass(frozen=True)
class Line:
    """What the agent reads before he confirms; `warns` when something does not simply follow."""

    text: str
    warns: bool = False


class Follower:
    """What one app does of its rows that point at the absorbed row. All but `relations` optional.

    `relations` names them, « students.Custody.family »: a test checks that none is forgotten.
    """

    relations: list[str] = []

    def kept_apart(self, families: Collection[int]) -> set[frozenset[int]]:
        """The pairs of households, among these keys, that must never become one."""
        return set()

    def check(self, kept: models.Model, absorbed: models.Model) -> None:
        """Raises ValidationError when these two must never become one."""

    def lock(self, keys: list[int]) -> None:
        """Locks the rows that others lock before those of these keys."""

    def facts(self, row: models.Model) -> list[tuple[str, str]]:
        """What helps to tell whether two rows are one, by label: the same labels for both."""
        return []

    def lines(self, kept: models.Model, absorbed: models.Model) -> list[Line]:
        """What moves, and what conflicts."""
        return []

    def absorb(self, kept: models.Model, absorbed: models.Model) -> None:
        raise NotImplementedError


class Guardians(Follower):
    relations = ["families.Guardian.family"]

    def facts(self, row):
        return [("responsables", " ; ".join(map(_reached, row.guardians.all())))]

    def lines(self, kept, absorbed):
        moving, here = list(absorbed.guardians.all()), list(kept.guardians.all())
        known = {guardian.sort_name for guardian in here}
        lines = [Line(f"{guardian} rejoint les responsables du foyer.") for guardian in moving]
        lines += [
            Line(f"{guardian} est dans les deux foyers\u00a0: fusionnez ensuite ses fiches.", True)
            for guardian in moving
            if guardian.sort_name in known
        ]
        return lines

    def absorb(self, kept, absorbed):
        absorbed.guardians.update(family=kept)


class PersonalData(Follower):
    """The copies stay with whoever asked for them; a request of erasure is answered first."""

    relations = ["families.DataExport.family", "families.ErasureRequest.family"]

    def check(self, kept, absorbed):
        asked = ErasureRequest.objects.filter(family__in=[kept, absorbed])
        if asked.filter(state=ErasureState.OPEN).exists():
            raise ValidationError(
                "Une demande d'effacement attend une réponse pour l'un de ces foyers\u00a0:"
                " traitez-la d'abord.",
                code="erasure_open",
            )

    def absorb(self, kept, absorbed):
        absorbed.data_exports.update(family=kept)
        absorbed.erasure_requests.update(family=kept)


class Merges(Follower):
    relations = ["families.Merge.family"]

    def absorb(self, kept, absorbed):
        absorbed.merges.update(family=kept)


class Invitations(Follower):
    relations = ["families.Invitation.guardian"]

    def absorb(self, kept, absorbed):
        Invitation.objects.filter(guardian=absorbed).update(guardian=kept)


@dataclass(frozen=True)
class Comparison:
    """The two rows side by side. `fields`: label, kept value, the double's, what becomes of it."""

    kept: models.Model
    absorbed: models.Model
    fields: list[tuple[str, str, str, str]]
    lines: list[Line]

    @property
    def fingerprint(self) -> str:
        """Of what was read: nobody merges something else."""
        return hashlib.sha256(repr((self.fields, self.lines)).encode()).hexdigest()


def kept_apart(families: Collection[int]) -> set[frozenset[int]]:
    """The pairs of households, among these keys, that must never become one."""
    return set().union(*(follower.kept_apart(families) for follower in _followers(Family)))


def compare(kept: Family | Guardian, absorbed: Family | Guardian) -> Comparison:
    """What would move and what would be lost. Raises ValidationError when it may never be done."""
    if type(kept) is Guardian and kept.family_id != absorbed.family_id:
        raise ValidationError(
            "Ces deux responsables sont de deux foyers\u00a0: fusionnez d'abord les foyers.",
            code="two_families",
        )
    if kept.pk == absorbed.pk:
        raise ValidationError("C'est la même fiche.", code="same")
    followers = _followers(type(kept))
    for follower in followers:
        follower.check(kept, absorbed)
    return Comparison(
        kept,
        absorbed,
        fields=[
            *(_compared(kept, absorbed, name) for name in _names(kept)),
            *(
                (label, here, there, "")
                for follower in followers
                for (label, here), (_, there) in zip(
                    follower.facts(kept), follower.facts(absorbed), strict=True
                )
            ),
        ],
        lines=[line for follower in followers for line in follower.lines(kept, absorbed)],
    )


def relations_to(model: type[models.Model]) -> dict[str, models.Field]:
    """The fields that point at the model, by their names: those without a way back (« + ») too."""
    fields = [
        relation.field
        for relation in model._meta.get_fields(include_hidden=True)
        if relation.auto_created and relation.is_relation and not relation.concrete
    ]
    return {f"{field.model._meta.label}.{field.name}": field for field in fields}


def done(kind: MergeKind, kept: int, absorbed: int) -> Merge | None:
    """The row of this very merge, if it is done already."""
    return Merge.objects.filter(kind=kind, kept_key=kept, absorbed_key=absorbed).first()


@transaction.atomic
def absorb_family(*, kept: int, absorbed: int, actor: User, seen: str) -> Merge:
    """The household `absorbed` becomes `kept`, with all that points at it; both by their keys.

    `seen` is the fingerprint of the comparison that was read. Done already: gives the row of then.
    Raises ValidationError `gone`, `changed`, `held`, and what `compare` raises.
    """
    if before := done(MergeKind.FAMILY, kept, absorbed):
        return before
    families = _lock(Family.objects.filter(pk__in=[kept, absorbed]))
    if len(families) < 2:  # a colleague was faster
        return _done_or_gone(MergeKind.FAMILY, kept, absorbed)
    kept, absorbed = families[kept], families[absorbed]
    for follower in _followers(Family):
        follower.lock([kept.pk, absorbed.pk])
    _lock(Guardian.objects.filter(family__in=[kept, absorbed]))
    comparison = _check_seen(compare(kept, absorbed), seen)
    moved = _absorb(comparison)
    _fill_in(comparison)
    kept.save(update_fields=FILLED_IN[Family])
    return _record(MergeKind.FAMILY, kept, comparison, moved, actor)


@transaction.atomic
def absorb_guardian(
    *, kept: int, absorbed: int, actor: User, seen: str, account: int | None = None
) -> Merge:
    """The responsable `absorbed` becomes `kept`; `account` chooses which of two accounts stays.

    The other account is closed and keeps its history; what the kept row lacks is filled in from
    its double. As `absorb_family`; raises also `account_required`, `email_of_staff`, and what
    accounts.services.close_account raises.
    """
    if before := done(MergeKind.GUARDIAN, kept, absorbed):
        return before
    homes = Guardian.objects.filter(pk__in=[kept, absorbed]).values("family")
    _lock(Family.objects.filter(pk__in=homes))
    for follower in _followers(Guardian):
        follower.lock([kept, absorbed])
    guardians = _lock(Guardian.objects.filter(pk__in=[kept, absorbed]))
    if len(guardians) < 2:
        return _done_or_gone(MergeKind.GUARDIAN, kept, absorbed)
    kept, absorbed = guardians[kept], guardians[absorbed]
    comparison = _check_seen(compare(kept, absorbed), seen)
    users = _lock(User.objects.filter(pk__in=[kept.user_id, absorbed.user_id]))
    user = _account_kept(users, account)
    closed = [other for other in users.values() if other != user]
    for other in closed:
        if other.is_active:
            reason = f"doublon de {user.username} (fusion des fiches de {kept})"
            accounts.close_account(other, actor=actor, reason=reason)
    moved = _absorb(comparison)
    _fill_in(comparison)
    kept.user = user
    if user and user.email:
        kept.email = user.email
    check_email_of_staff(kept, actor=actor)
    kept.save(update_fields=[*FILLED_IN[Guardian], "user"])
    copy_email_to_account(kept)
    return _record(MergeKind.GUARDIAN, kept.family, comparison, moved, actor, closed=closed)


def _followers(model) -> list[Follower]:
    names = settings.FAMILY_FOLLOWERS if model is Family else settings.GUARDIAN_FOLLOWERS
    return [import_string(name)() for name in names]


def _lock(rows):
    """By ascending key; NO KEY: who merely points at them need not wait for us."""
    return {row.pk: row for row in rows.order_by("pk").select_for_update(no_key=True)}


def _done_or_gone(kind, kept, absorbed):
    if before := done(kind, kept, absorbed):
        return before
    raise ValidationError("L'une de ces fiches n'existe plus.", code="gone")


def _check_seen(comparison, seen):
    if comparison.fingerprint != seen:
        raise _changed()
    return comparison


def _absorb(comparison):
    """The double is gone; gives the keys of what pointed at it, by relation."""
    absorbed = comparison.absorbed
    moved = _pointing_at(absorbed)
    try:
        with transaction.atomic():
            for follower in _followers(type(absorbed)):
                follower.absorb(comparison.kept, absorbed)
            type(absorbed).objects.filter(pk=absorbed.pk).delete()
    except ProtectedError as error:
        raise ValidationError(
            "Des données restent attachées au doublon\u00a0: il ne peut pas disparaître.",
            code="held",
        ) from error
    except IntegrityError as error:  # somebody added a row between what was read and now
        raise _changed() from error
    return moved


def _fill_in(comparison):
    """Once the double is gone: its reference is free."""
    kept, absorbed = comparison.kept, comparison.absorbed
    for name in FILLED_IN[type(kept)]:
        setattr(kept, name, getattr(kept, name) or getattr(absorbed, name))


def _pointing_at(row):
    found = {}
    for name, field in relations_to(type(row)).items():
        if not field.many_to_many:
            rows = field.model.objects.filter(**{field.name: row}).order_by("pk")
            if keys := list(rows.values_list("pk", flat=True)):
                found[name] = keys
    return found


def _record(kind, family, comparison, moved, actor, *, closed=()):
    kept, absorbed = comparison.kept, comparison.absorbed
    return Merge.objects.create(
        kind=kind,
        family=family,
        kept_key=kept.pk,
        kept_name=str(kept),
        absorbed_key=absorbed.pk,
        absorbed_name=str(absorbed),
        details={
            "fields": [[label, here, there] for label, here, there, _ in comparison.fields],
            "lines": [line.text for line in comparison.lines],
            "moved": {name: [str(key) for key in keys] for name, keys in moved.items()},
            "reference": absorbed.reference or "",
            "closed_accounts": [user.pk for user in closed],
        },
        actor=actor,
    )


def _account_kept(users, account):
    if len(users) < 2:
        return next(iter(users.values()), None)
    if account not in users:
        raise ValidationError("Choisissez le compte à garder.", code="account_required")
    if not users[account].is_active and any(user.is_active for user in users.values()):
        raise ValidationError("Le compte à garder est fermé.", code="account_closed")
    return users[account]


def _names(row):
    return FAMILY_FIELDS if isinstance(row, Family) else [*GUARDIAN_FIELDS, "user"]


def _compared(kept, absorbed, name):
    label = type(kept)._meta.get_field(name).verbose_name
    here, there = str(getattr(kept, name) or ""), str(getattr(absorbed, name) or "")
    note = ""
    if there and here != there:
        if not here and name in [*FILLED_IN[type(kept)], "user"]:
            note = "repris"
        elif name == "email" and absorbed.user_id:
            note = "suit le compte gardé"
        else:
            note = "à choisir" if name == "user" else "n'est pas repris"
    return label, here, there, note


def _reached(guardian):
    ways = [guardian.email, guardian.mobile_phone, guardian.home_phone]
    known = ", ".join(way for way in ways if way)
    return f"{guardian} ({known})" if known else str(guardian)


def _changed():
    return ValidationError(
        "Ces fiches viennent de changer\u00a0: relisez la comparaison avant de confirmer.",
        code="changed",
    )
