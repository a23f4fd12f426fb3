"""The floor's page, and the two shapes that the places of a slot may take (docs/decisions.md)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Student(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE)
    name = models.CharField(max_length=100)

    def __str__(self):
        return self.name


class Lesson(models.Model):
    student = models.ForeignKey(Student, models.CASCADE, related_name="lessons")
    name = models.CharField(max_length=100)
    starts_at = models.DateTimeField()

    class Meta:
        ordering = ["starts_at"]

    def __str__(self):
        return self.name


class Notice(models.Model):
    text = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at"]

    def __str__(self):
        return self.text


class Slot(models.Model):
    """As a counter: `taken`, which the database keeps within `capacity`, and a row per claim."""

    name = models.CharField(max_length=100)
    capacity = models.PositiveSmallIntegerField()
    taken = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="floor_slot_never_oversold", condition=Q(taken__lte=F("capacity"))
            )
        ]

    def __str__(self):
        return self.name


class Claim(models.Model):
    slot = models.ForeignKey(Slot, models.CASCADE, related_name="claims")
    student = models.OneToOneField(Student, models.CASCADE)

    def __str__(self):
        return f"{self.slot} : {self.student}"


class Place(models.Model):
    """As rows: one for each place of the slot, with whoever has it."""

    slot = models.ForeignKey(Slot, models.CASCADE, related_name="places")
    number = models.PositiveSmallIntegerField()
    student = models.OneToOneField(Student, models.SET_NULL, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="floor_place_one_per_number", fields=["slot", "number"])
        ]

    def __str__(self):
        return f"{self.slot}, {self.number}"
