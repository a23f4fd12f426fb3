"""« Validation en deux étapes »: an application's code, or a recovery code, after the password.

The devices are django-otp's: it refuses a code typed twice, waits longer after each error, and
uses a recovery code up. Nothing here writes a secret or a code in the log.
"""

import logging
from base64 import b32encode

import segno
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef
from django_otp import verify_token
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User

logger = logging.getLogger(__name__)

RECOVERY_CODES = 10
CODE_DIGITS = 6  # what every application shows (RFC 6238)

# One sentence for a wrong code, one already used, one that came too soon after errors.
REFUSED = (
    "Ce code ne convient pas. Chaque code sert une seule fois\u00a0: attendez le suivant. "
    "Après plusieurs erreurs, il faut aussi attendre un peu, puis de plus en plus."
)

# For the one query that loads an account (accounts.backends).
IS_SET_UP = Exists(TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True))


def is_required(user: User) -> bool:
    """Of the staff, as the setting says; everybody else is free to set it up."""
    return settings.STAFF_SECOND_FACTOR and (user.is_staff or user.is_superuser)


def is_set_up(user: User) -> bool:
    if not hasattr(user, "has_second_factor"):  # not loaded by our backend
        user.has_second_factor = _confirmed(user).exists()
    return user.has_second_factor


@transaction.atomic
def start(*, actor: User) -> TOTPDevice:
    """A new secret for the actor's application; worth nothing until `confirm`."""
    _lock(actor)
    if _confirmed(actor).exists():  # removed first, with a code: no session alone replaces it
        raise ValidationError("La validation en deux étapes est déjà en place.", code="set_up")
    TOTPDevice.objects.filter(user=actor).delete()
    return TOTPDevice.objects.create(user=actor, name="Application", confirmed=False)


def waiting(user: User) -> TOTPDevice | None:
    """The device that `start` made and that no code has confirmed yet."""
    return TOTPDevice.objects.filter(user=user, confirmed=False).first()


def confirm(device: TOTPDevice, code: str, *, actor: User) -> list[str]:
    """The application shows the right codes: from here on it is asked. Gives the recovery codes.

    Not one transaction: a wrong code must leave its mark for the delays to grow.
    """
    if not verify_token(actor, device.persistent_id, code):
        raise _refusal(actor)
    with transaction.atomic():
        _lock(actor)
        confirmed = TOTPDevice.objects.filter(pk=device.pk, confirmed=False).update(confirmed=True)
        if not confirmed:  # another tab did so, or started again
            raise _refusal(actor)
        logger.info("Second factor set up for account %s", actor.pk)
        return _new_recovery_codes(actor)


def check(code: str, *, actor: User) -> Device:
    """The device that answers for the code, of the application or of recovery; it is used up."""
    kind = TOTPDevice if code.isdigit() and len(code) == CODE_DIGITS else StaticDevice
    device = kind.objects.filter(user=actor, confirmed=True).first()
    if device is None or not verify_token(actor, device.persistent_id, code):
        raise _refusal(actor)
    return device


@transaction.atomic
def renew_recovery_codes(*, actor: User) -> list[str]:
    """Ten new ones; the former ones no longer work."""
    _lock(actor)
    return _new_recovery_codes(actor)


def count_recovery_codes(user: User) -> int:
    return StaticToken.objects.filter(device__user=user).count()


@transaction.atomic
def remove(user: User) -> bool:
    """No code is asked any more; False if none was. Staff set it up again at once."""
    _lock(user)
    removed, _ = TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    logger.info("Second factor removed from account %s", user.pk)
    return bool(removed)


def qr_code(device: TOTPDevice) -> str:
    """The drawing that the application photographs: an SVG image as a `data:` address."""
    drawing = segno.make(device.config_url, error="m", micro=False)
    return drawing.svg_data_uri(scale=5, border=4, light="white")


def readable_secret(device: TOTPDevice) -> str:
    """For whoever types it, in groups of four."""
    return _grouped(b32encode(device.bin_key).decode())


def _confirmed(user):
    return TOTPDevice.objects.filter(user=user, confirmed=True)


def _lock(user):
    User.objects.select_for_update().get(pk=user.pk)


def _new_recovery_codes(user):
    device, _ = StaticDevice.objects.get_or_create(user=user, defaults={"name": "Codes de secours"})
    device.token_set.all().delete()
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return [_grouped(code) for code in codes]


def _grouped(text):
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def _refusal(user):
    logger.warning("Second factor refused for account %s", user.pk)
    return ValidationError(REFUSED, code="refused")
