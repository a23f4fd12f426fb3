"""How names sort and are searched, the same on SQLite and on PostgreSQL."""

import re
import unicodedata

from django.db import models

# What decomposition leaves as it is.
LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "’": "'"})


def sort_key(*parts: str) -> str:
    """`("Nguyễn", "Éva")` gives `"nguyen eva"`: lower case, no accents, single spaces."""
    folded = " ".join(parts).casefold().translate(LIGATURES)
    letters = unicodedata.normalize("NFKD", folded)
    return " ".join("".join(c for c in letters if not unicodedata.combining(c)).split())


# A « y » before a consonant is one; an « h » is not: « de Hugo », « de Hassan ».
BEGINS_WITH_VOWEL = re.compile("[aeiou]|y[^aeiouy ]|horaire")  # « d'horaire fixé »: a mute h


def with_de(name: object) -> str:
    """« de Louise », « d'Inès »: whatever `str()` makes of it after the preposition."""
    elided = BEGINS_WITH_VOWEL.match(sort_key(str(name)))
    return f"d'{name}" if elided else f"de {name}"


class SortNameField(models.CharField):
    """The sort key of other fields of the row, written by each save that includes it.

    Lists sort by it and searches use it. A service that saves some fields only names it too.
    """

    def __init__(self, *sources: str, **kwargs):
        self.sources = sources
        kwargs.setdefault("verbose_name", "clé de tri")
        kwargs.setdefault("max_length", 250)
        kwargs.update(editable=False, db_index=True)
        super().__init__(**kwargs)

    def deconstruct(self):
        name, path, _, kwargs = super().deconstruct()
        del kwargs["editable"], kwargs["db_index"]
        return name, path, list(self.sources), kwargs

    def pre_save(self, model_instance, add):
        key = sort_key(*(getattr(model_instance, source) for source in self.sources))
        setattr(model_instance, self.attname, key[: self.max_length])
        return getattr(model_instance, self.attname)
