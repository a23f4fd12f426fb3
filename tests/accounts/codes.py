"""What an authentication application does: the codes of a device."""

import time

from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import second_factor


def code_of(device: TOTPDevice, *, ahead: int = 0) -> str:
    """The code shown now, or the one of so many half-minutes later."""
    totp = TOTP(device.bin_key)
    totp.time = time.time() + ahead * device.step
    return f"{totp.token():06}"


def set_up(user) -> tuple[TOTPDevice, list[str]]:
    """A device in place, and its recovery codes; the code shown now is used up."""
    device = second_factor.start(actor=user)
    codes = second_factor.confirm(device, code_of(device), actor=user)
    device.refresh_from_db()
    return device, codes


def wait(device) -> None:
    """The delay after an error is over."""
    device.refresh_from_db()
    device.throttle_reset()
