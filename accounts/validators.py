"""What a password must be (the manual, annex 1) and must not be (CNIL 2022-100).

static/js/password-policy.js ticks the same rules while one types, as `live_rules` tells them.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError

from accounts.models import User
from accounts.names import sort_key

# What comes first to mind in French, in this town and in this house, as `sort_key` writes it:
# Django's own list is mostly English.
COMMON_WORDS = frozenset(Path(__file__).with_name("common_words.txt").read_text().split())
SHORTEST_WORD = 4  # « Le » or « Ana » stand in too many words to be refused


@dataclass(frozen=True)
class Rule:
    """One rule that a browser can check: `kind` says how, `value` with what."""

    kind: str
    text: str
    value: str = ""


def live_rules(user: User) -> list[Rule]:
    """What is ticked as one types; the server alone knows the common passwords."""
    shortest, longest = settings.PASSWORD_MIN_LENGTH, settings.PASSWORD_MAX_LENGTH
    return [
        Rule("length", f"{shortest} à {longest} caractères", f"{shortest} {longest}"),
        Rule("upper", "une majuscule"),
        Rule("lower", "une minuscule"),
        Rule("digit", "un chiffre"),
        Rule("words", "ni votre nom ni votre identifiant", " ".join(personal_words(user))),
    ]


def personal_words(user: User) -> list[str]:
    """The words of a person's names and addresses, without capitals or accents, sorted."""
    texts = [user.username, user.first_name, user.last_name, user.email.partition("@")[0]]
    words = {word for text in texts for word in re.split(r"[\W\d_]+", sort_key(text))}
    return sorted(word for word in words if len(word) >= SHORTEST_WORD)


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


class PersonalWordValidator(password_validation.UserAttributeSimilarityValidator):
    """Django's, which measures a likeness, and besides no word of the person's within."""

    def validate(self, password, user=None):
        folded = sort_key(password)
        if user and any(word in folded for word in personal_words(user)):
            raise ValidationError(
                "Il contient votre nom ou votre identifiant.", code="password_too_similar"
            )
        super().validate(password, user)

    def get_help_text(self):
        return "Il ne contient ni votre nom ni votre identifiant."


class CommonPasswordValidator(password_validation.CommonPasswordValidator):
    """Django's list, and besides a word that comes first to mind in French, digits around it."""

    def validate(self, password, user=None):
        word = re.sub(r"[\W\d_]+", "", sort_key(password))
        if word in COMMON_WORDS:
            raise ValidationError(self.get_error_message(), code="password_too_common")
        super().validate(password, user)

    def get_error_message(self):
        return "Il est trop courant\u00a0: on le devinerait vite."

    def get_help_text(self):
        return "Les mots de passe trop courants sont refusés."
