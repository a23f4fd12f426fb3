"""What an establishment's régie has set, or the defaults."""

from accounts.models import Establishment
from billing.models import RegieSettings


def settings_of(establishment: Establishment) -> RegieSettings:
    """Unsaved, with the defaults, where nobody has set anything."""
    found = RegieSettings.objects.filter(establishment=establishment).first()
    return found or RegieSettings(establishment=establishment)
