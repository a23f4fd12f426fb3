"""Who is this? The only place that answers a password."""

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, check_password
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts import one_time_passwords, second_factor, throttling
from accounts.addresses import client_address
from accounts.enums import Means
from accounts.models import Establishment, User
from accounts.prepared import Text, prepared
from accounts.throttling import Attempt, security

NOBODYS = UNUSABLE_PASSWORD_PREFIX  # a hash that no password has, and that takes as long to check


@prepared
def _active_account(pk: int) -> QuerySet[User]:
    sites = User.establishments.through.objects.filter(user=OuterRef("pk"))
    accounts = User.objects.annotate(has_second_factor=second_factor.IS_SET_UP)
    return accounts.filter(Exists(sites), pk=pk, is_active=True)


@prepared
def _accounts(username: Text, site: int) -> QuerySet[User]:
    """At most one, closed accounts left out."""
    found = User.objects.filter(username=username, establishments=site, is_active=True)
    return found.select_related("one_time_password").order_by()


class PasswordOrOneTimePassword(ModelBackend):
    """The lasting password, else the one-time password, of an account of the chosen site.

    Every refusal costs one query and two hashes, whatever is wrong: unknown identifiant, other
    site, closed account, wrong password, access suspended. Nothing in the time taken tells which.

    A one-time password is not subject to the suspension, so that « mot de passe perdu » lets an
    honest person in at once: nobody guesses its 69 bits in a day.
    """

    def get_user(self, user_id):
        """None, and signed out, from the next request on: a closed account, or of no site now.

        `has_second_factor` comes with the same query.
        """
        found = _active_account(user_id)
        return found[0] if found else None

    def get_all_permissions(self, user_obj, obj=None):
        """Of an agent: whoever is no longer one keeps nothing of a group that he was left in."""
        return super().get_all_permissions(user_obj, obj) if user_obj.is_staff else set()

    def authenticate(self, request, username: str, password: str, establishment: Establishment):
        attempt = throttling.begin(username, client_address(request))
        found = _accounts(Text(User.normalize_username(username)), establishment.pk)
        user = found[0] if found else None
        right = user.check_password(password) if user else check_password(password, NOBODYS)
        if right and not attempt.suspended:
            return _let_in(user, attempt, Means.PASSWORD)
        one_time = getattr(user, "one_time_password", None)
        live = one_time is not None and timezone.now() < one_time.expires_at
        # It was copied from a mail, often with the space that follows it.
        if check_password(password.strip(), one_time.hash if live else NOBODYS):
            used_by = one_time_passwords.use(one_time)
            if used_by:
                return _let_in(used_by, attempt, Means.ONE_TIME_PASSWORD)
        security.warning(
            "Sign-in refused (%s): account %s, address %s",
            "suspended" if attempt.suspended else "wrong",
            # What names no account may be a password typed in the wrong field.
            user.username if user else f"unknown {attempt.account[:12]}",
            attempt.address or "unknown",
        )
        return None


def _let_in(user: User, attempt: Attempt, means: Means) -> User:
    """`signed_in_by`, on the account given, tells the means to accounts.connections."""
    throttling.succeeded(attempt)
    user.signed_in_by = means
    security.info(
        "Sign-in by %s: account %s, address %s", means, user.username, attempt.address or "unknown"
    )
    return user
