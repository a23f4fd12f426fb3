"""What `manage.py check` says of the online payment, before a family finds out."""

from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.core.checks import Error
from django.db import DatabaseError

from billing.payfip.client import LOOPBACK


def check_url(app_configs, **kwargs) -> list[Error]:
    """PayFiP signs nothing: whoever answers there says what is paid."""
    url = settings.PAYFIP_URL
    if not url:
        return []
    try:
        parts = urlsplit(url)
        is_here = parts.hostname in LOOPBACK
    except ValueError:
        return [
            Error(
                f"PAYFIP_URL vaut «\u00a0{url}\u00a0»\u00a0: ce n'est pas une adresse.",
                id="billing.E001",
            )
        ]
    if parts.scheme == "https" and parts.hostname and not url.endswith("/") and not is_here:
        return []
    if settings.DEBUG and parts.scheme == "http" and is_here and not url.endswith("/"):
        return []
    return [
        Error(
            f"PAYFIP_URL vaut «\u00a0{url}\u00a0»\u00a0: il faut une adresse en https, sans"
            " «\u00a0/\u00a0» à la fin (le simulateur, en http sur cette machine, ne sert qu'avec"
            " DEBUG).",
            id="billing.E001",
        )
    ]


def check_no_test_in_production(app_configs, databases=None, **kwargs) -> list[Error]:
    """`manage.py check --database default`: with « saisie T », what reads as paid is not."""
    if settings.PAYFIP_TEST_ALLOWED or not databases:
        return []
    accounts = apps.get_model("billing", "PayFiPAccount").objects.filter(saisie="T", is_active=True)
    try:
        names = [str(account) for account in accounts.select_related("establishment")]
    except DatabaseError:  # before `migrate`
        return []
    return [
        Error(
            f"Compte PayFiP en test (saisie T)\u00a0: {name}. Aucune famille ne peut y payer.",
            id="billing.E002",
        )
        for name in names
    ]
