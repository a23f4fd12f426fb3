"""Who is this? The only place that answers a password."""

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, check_password
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts import one_time_passwords, second_factor
from accounts.models import User

NOBODYS = UNUSABLE_PASSWORD_PREFIX  # a hash that no password has, and that takes as long to check


class PasswordOrOneTimePassword(ModelBackend):
    """The lasting password, else the one-time password, of an account of the chosen site.

    Every refusal costs one query and two hashes, whatever is wrong: unknown identifiant, other
    site, closed account, wrong password. Nothing in the time taken tells which.
    """

    def get_user(self, user_id):
        """None, and signed out, from the next request on: a closed account, or of no site now.

        `has_second_factor` comes with the same query.
        """
        sites = User.establishments.through.objects.filter(user=OuterRef("pk"))
        accounts = User.objects.annotate(has_second_factor=second_factor.IS_SET_UP)
        return accounts.filter(Exists(sites), pk=user_id, is_active=True).first()

    def authenticate(self, request, username, password, establishment):
        user = (
            User.objects.filter(
                username=User.normalize_username(username),
                is_active=True,
                establishments=establishment,
            )
            .select_related("one_time_password")
            .first()
        )
        if user.check_password(password) if user else check_password(password, NOBODYS):
            return user
        one_time = getattr(user, "one_time_password", None)
        live = one_time is not None and timezone.now() < one_time.expires_at
        # It was copied from a mail, often with the space that follows it.
        if check_password(password.strip(), one_time.hash if live else NOBODYS):
            return one_time_passwords.use(one_time)
        return None
