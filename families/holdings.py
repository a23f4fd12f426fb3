"""What the apps hold about a household, to tell it or to erase it, without importing any of them.

Each app has a `Part` in its `personal_data.py`; settings.PERSONAL_DATA lists them from left to
right. tests/test_personal_data.py fails for a field that no part exports, nor says why it does not.
"""

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256

from django.conf import settings
from django.core.files import File
from django.db import models
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string

from accounts.models import Mail, User
from families.enums import Fate, MergeKind
from families.models import Family, Guardian, Merge

NOT_A_GUARDIAN = "Vous n'êtes plus responsable de ce foyer."


class Copy:
    """Whom a copy of « Mes données » is for, and how it names those who did something."""

    def __init__(self, guardian: Guardian):
        self.guardian = guardian
        self.user: User = guardian.user
        self.family: Family = guardian.family

    def signature(self, user: User | None) -> str | None:
        """« vous », a guardian of this household, « l'administration »: never another name."""
        if user is None:
            return None
        if user == self.user:
            return "vous"
        if user.pk in self._names:
            return self._names[user.pk]
        # The other household's, or a closed account: which one is not ours to tell.
        return "l'administration" if user.is_staff else "une autre personne"

    @cached_property
    def _names(self):
        return {guardian.user_id: str(guardian) for guardian in self.family.guardians.all()}


@dataclass(frozen=True)
class Addressee:
    """A guardian as the keys of his mails name him: he, and the doubles that he absorbed."""

    keys: list[int]
    accounts: list[int]  # his own, if he has one; then those closed as doubles of it

    def ends(self) -> Q:
        """Of the mails whose key ends with his."""
        return Q(*[("key__endswith", f":{key}") for key in self.keys], _connector=Q.OR)


def addressee(guardian: Guardian) -> Addressee:
    """One query for each time that one of his doubles had absorbed others, one for accounts."""
    keys, accounts, found = [], [], [guardian.pk]
    while found:
        keys += found
        merges = list(
            Merge.objects.filter(kind=MergeKind.GUARDIAN, kept_key__in=found).order_by("pk")
        )
        accounts += [account for merge in merges for account in merge.closed_accounts]
        found = [merge.absorbed_key for merge in merges]
    if accounts:  # but one that somebody else has since
        free = User.objects.filter(pk__in=accounts, guardian=None)
        accounts = list(free.order_by("pk").values_list("pk", flat=True))
    own = [guardian.user_id] if guardian.user_id else []
    return Addressee(keys, own + accounts)


@dataclass(frozen=True)
class Attachment:
    """A private file to put in the copy, under names that any system can write."""

    file: File
    folder: str
    name: str


@dataclass(frozen=True)
class Holding:
    """Rows of one kind, how many, and what an erasure makes of them; `why` when they are kept."""

    what: str
    count: int
    fate: Fate
    why: str = ""

    @property
    def fate_label(self) -> str:
        return Fate(self.fate).label


class Part:
    """What one app holds; each overrides what it has.

    `exported` names the fields of each table, `not_exported` why another table or field is not;
    `sections` are the keys that `export` adds to the copy, and what its reader is told of each;
    `mail_kinds` are the kinds of mails that `mails` finds.
    """

    exported: dict[type[models.Model], list[str]] = {}
    not_exported: dict[str, str] = {}
    sections: dict[str, str] = {}
    mail_kinds: list[str] = []

    def export(self, copy: Copy) -> dict:
        """What goes in the copy, ready for JSON but for its Attachments."""
        return {}

    def mails(self, person: Addressee) -> QuerySet[Mail]:
        """Those that this app wrote to this person, whatever his address was or is.

        Never found by address: anybody may write somebody else's on his own page.
        """
        return Mail.objects.none()

    def needs_account(self, user: User) -> bool:
        """Does somebody need his account for more than his household?"""
        return False

    def holdings(self, family: Family) -> list[Holding]:
        return []

    def obstacles(self, family: Family) -> list[str]:
        """Why nothing may be erased yet: a French sentence each."""
        return []

    def erase(self, family: Family) -> None:
        """Inside `atomic`. Raises ValidationError `obstacle`, one message for each."""


def parts() -> list[Part]:
    return [import_string(path)() for path in settings.PERSONAL_DATA]


def holdings(family: Family) -> list[Holding]:
    """What all the apps hold; a kind of which there is nothing is left out."""
    found = [holding for part in parts() for holding in part.holdings(family)]
    return [holding for holding in found if holding.count]


def obstacles(family: Family) -> list[str]:
    return [sentence for part in parts() for sentence in part.obstacles(family)]


def mails_to(guardian: Guardian) -> list[Mail]:
    """In the order in which they were written."""
    person = addressee(guardian)
    found = [mail for part in parts() for mail in part.mails(person)]
    return sorted(found, key=lambda mail: (mail.created_at, mail.pk))


def fingerprint_of(found: list[Holding]) -> str:
    """Two previews with the same one say the same thing."""
    return sha256(json.dumps(counts_of(found)).encode()).hexdigest()


def counts_of(found: list[Holding]) -> list[dict]:
    """For the trace of an erasure: figures alone."""
    return [asdict(holding) for holding in found]
