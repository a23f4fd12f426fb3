import pytest
from django.core.exceptions import ValidationError

from accounts.validators import CompositionValidator

POLICY = CompositionValidator(min_length=8, max_length=20)


@pytest.mark.parametrize(
    "password", ["Abcdefg1", "Abcdefghijklmnopqrs1", "Élève de 7 ans", "ÀÉàé١٢٣٤"]
)
def test_accepted(password):
    assert POLICY.validate(password) is None


@pytest.mark.parametrize(
    ("password", "codes"),
    [
        ("Abcdef1", ["password_too_short"]),
        ("Abcdefghijklmnopqrst1", ["password_too_long"]),
        ("abcdefg1", ["password_no_upper"]),
        ("ABCDEFG1", ["password_no_lower"]),
        ("Abcdefgh", ["password_no_digit"]),
        ("Abcdefg²", ["password_no_digit"]),
        ("", ["password_too_short", "password_no_upper", "password_no_lower", "password_no_digit"]),
    ],
)
def test_refused(password, codes):
    with pytest.raises(ValidationError) as caught:
        POLICY.validate(password)

    assert [error.code for error in caught.value.error_list] == codes


def test_help_text_is_the_manuals():
    assert POLICY.get_help_text() == (
        "Le nouveau mot de passe doit avoir une longueur comprise entre 8 et 20 caractères, et "
        "doit contenir au moins une lettre majuscule, une lettre minuscule et un chiffre."
    )
