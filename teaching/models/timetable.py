"""What was done with the lessons, who may do it, and the private addresses of the calendars."""

import datetime as dt
import secrets

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Establishment
from teaching.enums import LessonAct, Space
from teaching.models.calendar import Lesson

KEY_BYTES = 24  # 192 random bits


def new_key() -> str:
    return secrets.token_urlsafe(KEY_BYTES)


class LessonChange(models.Model):
    """The log of one lesson: append-only, written by teaching/timetable/services.py."""

    lesson = models.ForeignKey(
        Lesson, models.PROTECT, verbose_name="séance", related_name="changes"
    )
    act = models.CharField("geste", max_length=10, choices=LessonAct)
    at = models.DateTimeField("le", default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    before = models.CharField("avant", max_length=300)
    after = models.CharField("après", max_length=300)
    reason = models.CharField("motif", max_length=200, blank=True)
    despite = models.CharField(
        "malgré un conflit",
        max_length=300,
        blank=True,
        help_text="Ce qui se heurtait, et pourquoi l'agent a passé outre.",
    )

    class Meta:
        verbose_name = "changement d'une séance"
        verbose_name_plural = "changements d'une séance"
        ordering = ["-pk"]
        default_permissions = ["view"]
        constraints = [
            models.CheckConstraint(
                name="lesson_change_act_known",
                condition=Q(act__in=LessonAct.values),
                violation_error_message="Geste inconnu.",
            )
        ]

    def __str__(self):
        return f"{self.lesson} : {self.get_act_display()}"


class TimetableSettings(models.Model):
    """What an establishment decides; without a row, the defaults."""

    establishment = models.OneToOneField(
        Establishment,
        models.PROTECT,
        verbose_name="établissement",
        related_name="timetable_settings",
    )
    teachers_change_lessons = models.BooleanField(
        "les enseignants annulent et déplacent leurs séances",
        default=False,
        help_text="Sinon, le secrétariat seul. Les familles sont prévenues dans les deux cas.",
    )
    opens_at = models.TimeField(
        "les salles ouvrent à",
        default=dt.time(8),
        help_text="Les heures libres des salles sont comptées entre l'ouverture et la fermeture.",
    )
    closes_at = models.TimeField("les salles ferment à", default=dt.time(22))

    class Meta:
        verbose_name = "réglage de l'emploi du temps"
        verbose_name_plural = "réglages de l'emploi du temps"
        ordering = ["establishment"]
        constraints = [
            models.CheckConstraint(
                name="timetable_settings_closes_after_opening",
                condition=Q(closes_at__gt=F("opens_at")),
                violation_error_message="Les salles ferment après avoir ouvert.",
            )
        ]

    def __str__(self):
        return f"Emploi du temps ({self.establishment})"


class CalendarFeedQuerySet(models.QuerySet):
    def visible_to(self, user):
        """One's own: whoever shares the household makes his."""
        return self.filter(user=user)


class CalendarFeed(models.Model):
    """The private address at which a telephone reads somebody's lessons (timetable/feeds.py).

    The address is the key and its signature: what is kept here opens nothing without SECRET_KEY.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="compte",
        related_name="calendar_feeds",
    )
    space = models.CharField("espace", max_length=10, choices=Space)
    key = models.CharField("clé", max_length=40, unique=True, default=new_key, editable=False)
    made_at = models.DateTimeField("créée le", default=timezone.now)
    read_on = models.DateField("lue le", null=True, blank=True)

    objects = CalendarFeedQuerySet.as_manager()

    class Meta:
        verbose_name = "adresse d'agenda"
        verbose_name_plural = "adresses d'agenda"
        ordering = ["pk"]
        default_permissions = []
        constraints = [
            models.UniqueConstraint(
                name="calendar_feed_one_by_space",
                fields=["user", "space"],
                violation_error_message="Cette adresse existe déjà.",
            ),
            models.CheckConstraint(
                name="calendar_feed_space_known",
                condition=Q(space__in=Space.values),
                violation_error_message="Espace inconnu.",
            ),
        ]

    def __str__(self):
        return f"{self.user}, {self.get_space_display()}"
