"""Who may act on whose account: the one rule of every page and service that touches one.

Whoever changes an account's address or takes its second factor away could sign in as that person.
So nobody acts on an account above his own; the permission to act at all is asked apart.
"""

from django.db.models import QuerySet

from accounts.models import Establishment, User
from accounts.selectors import establishments_of

MANAGE_AGENTS = "accounts.manage_agents"


def may_act_on(account: User, *, actor: User) -> bool:
    """A superuser's account is a superuser's; an agent's, who manages agents of its every site."""
    if actor.is_superuser:
        return True
    if account.is_superuser:
        return False
    if not account.is_staff:
        return True
    return actor.has_perm(MANAGE_AGENTS) and not sites_beyond(account, actor=actor).exists()


def sites_beyond(account: User, *, actor: User) -> QuerySet[Establishment]:
    """The account's sites that are not the actor's: what it opens there is not his to give."""
    return account.establishments.exclude(pk__in=establishments_of(actor).values("pk"))
