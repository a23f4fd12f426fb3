"""Telephone numbers as families type them, kept in one written form."""

import re
import unicodedata

from django import forms
from django.core.exceptions import ValidationError

SEPARATORS = re.compile(r"[\s.,/()_\-\u2010-\u2015]+")
# The calling codes of one or two digits (ITU, E.164); every other one has three.
CALLING_CODE = re.compile(r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[2-9]\d\d")
FOREIGN_DIGITS = range(7, 14)  # code included; more would not fit in the column once grouped


def normalise(text: str) -> str:
    """`"+33 (0)6.12-34 56 78"` gives `"06 12 34 56 78"`; `"0032470123456"`, `"+32 470 12 34 56"`.

    Empty stays empty. Raises ValidationError, code `phone_character`, `phone_start` or
    `phone_length`.
    """
    typed = unicodedata.normalize("NFKC", text).strip()
    compact = SEPARATORS.sub("", typed)
    if not compact:
        return ""
    digits = compact.removeprefix("+")
    if odd := re.search(r"[^0-9]", digits):
        raise ValidationError(
            "Un numéro de téléphone ne contient que des chiffres\u00a0: retirez"
            " «\u00a0%(odd)s\u00a0».",
            code="phone_character",
            params={"odd": odd.group()},
        )
    if compact.startswith("+"):
        return _international(digits)
    if compact.startswith("00"):
        return _international(digits[2:])
    if not compact.startswith("0"):
        raise ValidationError(
            "Un numéro commence par 0, ou par + et l'indicatif du pays.", code="phone_start"
        )
    return _french(digits)


class PhoneField(forms.CharField):
    """Takes a number in any of the usual ways of writing; gives the form of `normalise`."""

    widget = forms.TextInput(attrs={"type": "tel"})

    def __init__(self, *, max_length=None, **kwargs):
        super().__init__(**kwargs)  # what is typed may be longer than what is kept

    def to_python(self, value):
        return normalise(super().to_python(value))


def _international(digits):
    if digits.startswith("33"):
        return _french("0" + digits[2:].removeprefix("0"))  # « +33 (0)6 … » is common
    if len(digits) not in FOREIGN_DIGITS:
        raise ValidationError(
            "Ce numéro étranger compte %(count)d chiffres\u00a0: vérifiez qu'il est complet.",
            code="phone_length",
            params={"count": len(digits)},
        )
    code = CALLING_CODE.match(digits)
    if code is None:
        raise ValidationError("Aucun pays n'a cet indicatif.", code="phone_start")
    return f"+{code.group()} {_pairs(digits[code.end() :])}"


def _french(digits):
    if len(digits) != 10:
        raise ValidationError(
            "Un numéro français compte 10 chiffres\u00a0: vous en avez saisi %(count)d.",
            code="phone_length",
            params={"count": len(digits)},
        )
    return _pairs(digits)


def _pairs(digits):
    """Two by two from the right; an odd number begins with three."""
    head = len(digits) % 2
    groups = re.findall("..", digits[head:])
    return " ".join(groups if not head else [digits[0] + groups[0], *groups[1:]])
