"""What the administration reads of accounts."""

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Establishment, User


def establishments_of(agent: User) -> QuerySet[Establishment]:
    """Those whose rows an agent sees and writes in the admin; a superuser sees all."""
    return Establishment.objects.all() if agent.is_superuser else agent.establishments.all()


def agents_of(establishment: Establishment, role: str) -> QuerySet[User]:
    """The agents of a role (accounts.roles) at an establishment whom a mail may reach."""
    agents = establishment.users.filter(is_active=True, is_staff=True, groups__name=role)
    return agents.exclude(email="").order_by("pk")


def accounts_of(agent: User) -> QuerySet[User]:
    """The accounts that belong to one of the agent's sites, and those of no site yet."""
    if agent.is_superuser:
        return User.objects.all()
    sites = User.establishments.through.objects.filter(user=OuterRef("pk"))
    ours = sites.filter(establishment__in=establishments_of(agent).values("pk"))
    return User.objects.filter(Exists(ours) | ~Exists(sites))
