"""The composition of a password (the manual, annex 1)."""

from django.core.exceptions import ValidationError


class CompositionValidator:
    """`min_length` to `max_length` characters, with an upper-case, a lower-case letter, a digit."""

    def __init__(self, min_length: int, max_length: int):
        self.min_length = min_length
        self.max_length = max_length

    def validate(self, password, user=None):
        """Raises one ValidationError that holds a sentence for each thing that lacks."""
        rules = [
            (
                len(password) >= self.min_length,
                f"Il est trop court\u00a0: au moins {self.min_length} caractères.",
                "password_too_short",
            ),
            (
                len(password) <= self.max_length,
                f"Il est trop long\u00a0: au plus {self.max_length} caractères.",
                "password_too_long",
            ),
            (
                any(c.isupper() for c in password),
                "Il y manque une lettre majuscule.",
                "password_no_upper",
            ),
            (
                any(c.islower() for c in password),
                "Il y manque une lettre minuscule.",
                "password_no_lower",
            ),
            (any(c.isdecimal() for c in password), "Il y manque un chiffre.", "password_no_digit"),
        ]
        errors = [
            ValidationError(text, code=code) for respected, text, code in rules if not respected
        ]
        if errors:
            raise ValidationError(errors)

    def get_help_text(self):
        return (
            "Le nouveau mot de passe doit avoir une longueur comprise entre "
            f"{self.min_length} et {self.max_length} caractères, et doit contenir au moins une "
            "lettre majuscule, une lettre minuscule et un chiffre."
        )
