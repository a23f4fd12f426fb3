"""The mails that this app writes."""

from accounts.emails import compose
from accounts.models import Establishment, User
from families.models import Guardian


def invitation(guardian: Guardian, user: User, establishment: Establishment) -> tuple[str, str]:
    """The identifiant, and how to sign in. No password: « mot de passe perdu » gives the first."""
    return compose(
        "invitation",
        {
            "guardian": guardian,
            "username": user.username,
            "establishment": establishment,
            "email_is_the_accounts": user.email == guardian.email,
        },
    )
