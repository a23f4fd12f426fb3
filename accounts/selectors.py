"""What the administration reads of accounts."""

from django.db.models import QuerySet

from accounts.models import Establishment, User


def establishments_of(user: User) -> QuerySet[Establishment]:
    """Those whose rows an agent sees and writes in the admin; the direction sees all."""
    return Establishment.objects.all() if user.is_superuser else user.establishments.all()
