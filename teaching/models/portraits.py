"""The small pictures of the class lists, and the kind of piece that they are copied from."""

import uuid

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from accounts.models import private_storage
from documents.enums import UNSAFE, Formats, Owner, Verdict
from documents.models import Document, DocumentType
from students.image_consent import agreed
from students.models import Student


class PortraitSource(models.Model):
    """A kind of piece that shows a student's face, and nothing else. Without one, no portrait."""

    type = models.OneToOneField(
        DocumentType,
        models.PROTECT,
        verbose_name="type de pièce",
        related_name="portrait_source",
        help_text="Une image, pièce de l'élève : la photo d'identité, jamais un certificat.",
    )

    class Meta:
        verbose_name = "photo des listes de classe"
        verbose_name_plural = "photo des listes de classe"

    def __str__(self):
        return str(self.type)

    def clean(self):
        super().clean()
        if not self.type_id:
            return
        if (self.type.owner, self.type.formats) != (Owner.STUDENT, Formats.IMAGE):
            message = "Choisissez une pièce de l'élève, que l'on n'envoie que comme image."
            raise ValidationError({"type": ValidationError(message, code="not_a_photo")})


def portrait_name(portrait, _filename) -> str:
    """Nothing in it tells whose portrait it is."""
    return f"portraits/{portrait.pk.hex}"


def due(document: str = "") -> Q:
    """Of documents (`document`: the path to them): may a portrait be made, and shown, of it?

    The accepted photo in force, of a student whose households all agree.
    """
    at = f"{document}__" if document else ""
    return (
        Q(
            **{
                f"{at}verdict": Verdict.ACCEPTED,
                f"{at}replaced_by": None,
                f"{at}removed_at": None,
                f"{at}file_gone_at": None,
                f"{at}type__portrait_source__isnull": False,
            }
        )
        & ~Q(**{f"{at}scan__in": UNSAFE})
        & agreed(f"{at}student")
    )


class PortraitQuerySet(models.QuerySet):
    def allowed(self):
        """Those that may still be kept; the queue lets go of the others."""
        return self.filter(due("document"))

    def shown(self):
        """Those that may be seen now, whatever the queue has not let go yet."""
        return self.allowed().exclude(file="")


class Portrait(models.Model):
    """A student's face, 240 × 320, for his own teachers (teaching/classes/portraits.py)."""

    id = models.UUIDField("clé", primary_key=True, default=uuid.uuid4, editable=False)
    student = models.OneToOneField(
        Student, models.PROTECT, verbose_name="élève", related_name="portrait"
    )
    document = models.ForeignKey(
        Document, models.PROTECT, verbose_name="copié de", related_name="+"
    )
    file = models.FileField(
        "fichier",
        storage=private_storage,
        upload_to=portrait_name,
        blank=True,
        help_text="Vide : la photo n'a pas pu être copiée.",
    )

    objects = PortraitQuerySet.as_manager()

    class Meta:
        verbose_name = "portrait"

    def __str__(self):
        return f"Portrait de {self.student}"
