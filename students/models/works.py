"""The works that the conservatoire plays, spelled as somebody typed them: what is suggested."""

import re

from django.db import models

from accounts.names import sort_key

WORD = re.compile(r"\w[\w'-]*")
COMPOSER_KEY, TITLE_KEY = 150, 250  # characters


def composer_key(name: str) -> str:
    """The surname first: « J. S. Bach », « J.S. BACH » and « Bach, J. S. » give `"bach j s"`."""
    surname, comma, first = name.partition(",")
    words = _words(name)
    if comma:
        words = _words(surname) + _words(first)
    elif words:
        words = [words[-1], *words[:-1]]
    return " ".join(words)[:COMPOSER_KEY]


def title_key(title: str) -> str:
    """« Gymnopédie n° 1 » gives `"gymnopedie n 1"`."""
    return " ".join(_words(title))[:TITLE_KEY]


def _words(text):
    return WORD.findall(sort_key(text))


class Work(models.Model):
    """One row for each work: of a hundred students who played it, one suggestion.

    It says nothing about anybody. One that no repertoire holds any more is not suggested.
    """

    composer = models.CharField("compositeur", max_length=100)
    title = models.CharField("œuvre", max_length=200)
    composer_key = models.CharField("clé du compositeur", max_length=COMPOSER_KEY, db_index=True)
    title_key = models.CharField("clé de l'œuvre", max_length=TITLE_KEY, db_index=True)

    class Meta:
        verbose_name = "œuvre connue"
        verbose_name_plural = "œuvres connues"
        ordering = ["composer_key", "title_key", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="work_once",
                fields=["composer_key", "title_key"],
                violation_error_message="Cette œuvre est déjà connue.",
            )
        ]

    def __str__(self):
        return f"{self.composer}, {self.title}"
