"""« Conditions de location »: what a household that rents an instrument accepts, by version."""

import re

from django.db import models

from accounts.models import Establishment


class RentalTerms(models.Model):
    """One version of an establishment's; once a rental was begun with it, it never changes."""

    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="rental_terms"
    )
    version = models.CharField("version", max_length=20)
    text = models.TextField(
        "texte",
        help_text="Une clause par paragraphe, une ligne vide entre deux\u00a0: le contrat les"
        " numérote.",
    )

    class Meta:
        verbose_name = "conditions de location"
        verbose_name_plural = "conditions de location"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                name="rental_terms_one_text_per_version",
                fields=["establishment", "version"],
                violation_error_message="Cette version existe déjà.",
            )
        ]

    def __str__(self):
        return f"version {self.version}"

    @property
    def clauses(self) -> list[str]:
        """The paragraphs, as the contract numbers them."""
        paragraphs = re.split(r"\n\s*\n", self.text.replace("\r\n", "\n"))
        return [re.sub(r"[ \t\n]+", " ", each.strip()) for each in paragraphs if each.strip()]
