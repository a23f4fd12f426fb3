"""How often a password may be tried: the brake of the sign-in page and of « mot de passe perdu ».

An attempt is counted before its password is looked at, and uncounted if it is right: attempts made
at the same instant cannot slip past the limit. What is tried while access is suspended is neither
looked at nor counted, so nobody prolongs a suspension. The identifiant typed is kept as a keyed
hash: it may be no account, or a password typed in the wrong field. docs/decisions.md says why this
is ours and not django-axes.
"""

import datetime as dt
import logging
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import PasswordRequest, SignInAttempt, User
from accounts.prepared import Text, prepared

security = logging.getLogger("accounts.security")

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)

# CNIL 2022-100: growing delays, at most ten failures in a row, twenty-five a day.
DELAYS = {
    rank: dt.timedelta(minutes=minutes)
    for rank, minutes in {5: 1, 6: 2, 7: 4, 8: 8, 9: 16, 10: 60}.items()
}
PER_DAY = 25

# An address may be a school's or a whole town's: it is judged on how many accounts fail from it
# without ever getting in, never on one person's errors.
ACCOUNTS_PER_ADDRESS_AND_HOUR = 100
ACCOUNTS_PER_ADDRESS_AND_DAY = 300

REQUESTS_PER_HOUR = 3
REQUESTS_PER_DAY = 10


@dataclass(frozen=True)
class Attempt:
    account: str
    address: str
    counted: SignInAttempt | None

    @property
    def suspended(self) -> bool:
        return self.counted is None


def fingerprint(*typed: str) -> str:
    """What was typed, as it is kept: 64 hexadecimal digits that only SECRET_KEY can make."""
    text = "\n".join(User.normalize_username(part) for part in typed)
    return salted_hmac("accounts.throttling", text, algorithm="sha256").hexdigest()


def begin(username: str, address: str) -> Attempt:
    """Counts an attempt, to be called before the password is checked.

    `suspended` on the answer: whatever the password is, it must be answered as a wrong one.
    """
    account = fingerprint(username)
    # Whoever loses a rank to another attempt takes the next one; past the last there is none.
    for _ in range(max(DELAYS) + 1):
        try:
            return Attempt(account, address, _count(account, address, timezone.now()))
        except IntegrityError:
            continue
    return Attempt(account, address, None)


@transaction.atomic
def succeeded(attempt: Attempt) -> None:
    """The person is who he says: his failures in a row are forgotten, those of the day are not."""
    others = [one for one in _locked(Text(attempt.account)) if one != attempt.counted]
    if attempt.counted:
        SignInAttempt.objects.filter(pk=attempt.counted.pk).delete()
    _end_row(others)


@transaction.atomic
def unlock(user: User) -> None:
    """All is forgotten: by the staff, or because a new password makes the guesses worthless."""
    account = fingerprint(user.username)
    _locked(Text(account))
    SignInAttempt.objects.filter(account=account).delete()


def suspended_until(user: User) -> dt.datetime | None:
    """When the account's password will be looked at again; None if it is now."""
    now = timezone.now()
    attempts = SignInAttempt.objects.filter(account=fingerprint(user.username), at__gt=now - DAY)
    end = _end_of_suspension(list(attempts.order_by("at", "pk")))
    return end if end and now < end else None


def refused_lately(user: User) -> int:
    """How many attempts to sign in to the account failed or were refused in the last day."""
    rows = SignInAttempt.objects.filter(
        account=fingerprint(user.username), at__gt=timezone.now() - DAY
    )
    counted = rows.aggregate(failed=Count("pk"), refused=Sum("refused"))
    return counted["failed"] + (counted["refused"] or 0)


def may_ask(pair: str, address: str) -> bool:
    """Whether « mot de passe perdu » is still heard, for these two things typed, from there."""
    now = timezone.now()
    asked = PasswordRequest.objects.filter(at__gt=now - DAY)
    of_pair = asked.filter(pair=pair).aggregate(
        day=Count("pk"), hour=Count("pk", filter=Q(at__gt=now - HOUR))
    )
    return (
        of_pair["hour"] < REQUESTS_PER_HOUR
        and of_pair["day"] < REQUESTS_PER_DAY
        and not _too_many(asked, "pair", address, now)
    )


def purge() -> int:
    """Deletes what counts no more and gives how many rows that was."""
    before = timezone.now() - DAY
    attempts, _ = SignInAttempt.objects.filter(at__lte=before).delete()
    requests, _ = PasswordRequest.objects.filter(at__lte=before, answered=True).delete()
    return attempts + requests


@prepared
def _locked(account: Text) -> QuerySet[SignInAttempt]:
    """The attempts of an account, by ascending key: two clicks do not wait for each other."""
    return SignInAttempt.objects.filter(account=account).order_by("pk").select_for_update()


@prepared
def _attempts_of(account: Text) -> QuerySet[SignInAttempt]:
    return SignInAttempt.objects.filter(account=account).order_by("at", "pk")


def _end_row(attempts: list[SignInAttempt]):
    """These failures, which are locked, are in a row with the next ones no more."""
    if in_row := [attempt.pk for attempt in attempts if attempt.rank]:
        SignInAttempt.objects.filter(pk__in=in_row).update(rank=None)


@transaction.atomic
def _count(account, address, now):
    """The row of this attempt, None while access is suspended.

    Raises IntegrityError if another attempt takes the same rank at the same instant.
    """
    mine = SignInAttempt.objects.filter(account=account)
    attempts = _attempts_of(Text(account))
    if attempts and attempts[0].at <= now - DAY:
        mine.filter(at__lte=now - DAY).delete()
        attempts = [attempt for attempt in attempts if now - DAY < attempt.at]
    end = _end_of_suspension(attempts)
    if (end and now < end) or _too_many(SignInAttempt.objects.failed(), "account", address, now):
        # The refusal writes one row too: the time it takes tells nothing.
        mine.filter(pk__in=[attempt.pk for attempt in attempts[-1:]]).update(
            refused=F("refused") + 1
        )
        return None
    rank = max((attempt.rank for attempt in attempts if attempt.rank), default=0) + 1
    if rank > max(DELAYS):  # the last delay has passed: a new row of failures begins
        _end_row([attempt for attempt in _locked(Text(account)) if attempt in attempts])
        rank = 1
    return SignInAttempt.objects.create(account=account, address=address, at=now, rank=rank)


def _end_of_suspension(attempts: list[SignInAttempt]) -> dt.datetime | None:
    """From the attempts of the last day, in order."""
    ends = []
    in_row = [attempt for attempt in attempts if attempt.rank]
    if in_row:
        last = max(in_row, key=lambda attempt: attempt.rank)
        if last.rank in DELAYS:  # without a delay, one that began earlier is not too early
            ends.append(last.at + DELAYS[last.rank])
    if len(attempts) >= PER_DAY:
        ends.append(attempts[-PER_DAY].at + DAY)
    return max(ends, default=None)


def _too_many(rows: QuerySet, what: str, address: str, now: dt.datetime) -> bool:
    """Have too many different accounts been tried from this address? "" is nobody's address."""
    found = rows.filter(address=address, at__gt=now - DAY).aggregate(
        day=Count(what, distinct=True),
        hour=Count(what, distinct=True, filter=Q(at__gt=now - HOUR)),
    )
    return address != "" and (
        found["hour"] >= ACCOUNTS_PER_ADDRESS_AND_HOUR
        or found["day"] >= ACCOUNTS_PER_ADDRESS_AND_DAY
    )
