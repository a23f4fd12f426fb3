"""Whom a mail about a household reaches."""

from families.models import Guardian


def why_unreached(guardian: Guardian, establishment: int) -> str:
    """Why no mail of this establishment (a key) reaches a responsable; empty if one does.

    Reads `guardian.user.establishments`: prefetch it.
    """
    if not guardian.email:
        return "sans adresse e-mail"
    if guardian.user is None:
        return "sans compte"
    if not guardian.user.is_active:
        return "compte fermé"
    sites = {site.pk for site in guardian.user.establishments.all()}
    if establishment not in sites and not guardian.user.is_superuser:
        return "compte d'un autre établissement"
    return ""
