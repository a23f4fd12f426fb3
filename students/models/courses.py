"""What is taught, when, and how many may sit there."""

import datetime as dt

from django.db import models
from django.db.models import Count, F, Q
from django.utils import timezone

from accounts.dates import french_time
from accounts.models import Establishment
from accounts.names import SortNameField
from accounts.revisions import RevisedQuerySet, RevisionField
from students.enums import WITHOUT_SLOT, Art, Cycle, EnrolmentStatus, Scheduling, Weekday
from students.models.audiences import Audience
from students.models.people import Teacher
from students.models.years import SchoolYear


class Discipline(models.Model):
    name = models.CharField("nom", max_length=100, unique=True)
    art = models.CharField("domaine", max_length=10, choices=Art, default=Art.MUSIC)
    sort_name = SortNameField("name")

    class Meta:
        verbose_name = "discipline"
        ordering = ["sort_name"]
        constraints = [
            models.CheckConstraint(
                name="discipline_art_known",
                condition=Q(art__in=Art.values),
                violation_error_message="Domaine inconnu.",
            )
        ]

    def __str__(self):
        return self.name


class CourseQuerySet(RevisedQuerySet):
    def taught_by(self, teacher):
        """The teacher's courses without slots; the others are taught slot by slot."""
        return self.filter(teacher=teacher, scheduling__in=WITHOUT_SLOT)

    def with_students(self):
        """Adds `confirmed` and `requested`: how many students are, or ask to be, in the course."""
        return self.annotate(
            confirmed=_count_of("enrolments", EnrolmentStatus.CONFIRMED),
            requested=_count_of("enrolments", EnrolmentStatus.REQUESTED),
        )


class Course(Audience):
    """What is taught in one establishment during one school year; its lessons are slots."""

    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="courses"
    )
    school_year = models.ForeignKey(
        SchoolYear, models.PROTECT, verbose_name="année scolaire", related_name="courses"
    )
    discipline = models.ForeignKey(
        Discipline, models.PROTECT, verbose_name="discipline", related_name="courses"
    )
    name = models.CharField("nom", max_length=100, help_text="Tel que les familles le lisent.")
    cycle = models.CharField("cycle", max_length=10, choices=Cycle)
    scheduling = models.CharField(
        "horaire", max_length=14, choices=Scheduling, default=Scheduling.FAMILY
    )
    teacher = models.ForeignKey(
        Teacher,
        models.PROTECT,
        verbose_name="enseignant",
        related_name="courses",
        null=True,
        blank=True,
        help_text="Pour les cours sans créneau ; sinon l'enseignant est celui du créneau.",
    )
    next_course = models.ForeignKey(
        "self",
        models.PROTECT,
        verbose_name="cours de l'année suivante",
        related_name="previous_courses",
        null=True,
        blank=True,
        help_text="Ce que la réinscription propose ; vide : attribué par l'administration.",
    )
    sort_name = SortNameField("name")
    # What calendars show of it (teaching/timetable/calendars.py).
    revision = RevisionField("name", "teacher")

    objects = CourseQuerySet.as_manager()

    class Meta:
        verbose_name = "cours"
        verbose_name_plural = "cours"
        ordering = ["sort_name", "pk"]
        permissions = [
            ("import_course", "Peut importer la liste des cours"),
            ("export_course", "Peut exporter la liste des cours"),
        ]
        constraints = [
            *Audience.Meta.constraints,
            models.UniqueConstraint(
                name="course_one_name_per_establishment_and_year",
                fields=["establishment", "school_year", "name"],
                violation_error_message="Ce cours existe déjà cette année.",
            ),
            models.CheckConstraint(
                name="course_cycle_known",
                condition=Q(cycle__in=Cycle.values),
                violation_error_message="Cycle inconnu.",
            ),
            models.CheckConstraint(
                name="course_scheduling_known",
                condition=Q(scheduling__in=Scheduling.values),
                violation_error_message="Horaire inconnu.",
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def has_slots(self) -> bool:
        return self.scheduling not in WITHOUT_SLOT

    @property
    def school_hours(self) -> bool:
        """Ha, « horaires aménagés »: the lessons are on school time (CHAM)."""
        return self.scheduling == Scheduling.SCHOOL


class SlotQuerySet(RevisedQuerySet):
    def with_places(self, at: dt.datetime | None = None):
        """Adds `capacity`, `held` and `places_left`, in the week's order.

        A place is left that no enrolment has and that no family holds `at` that moment (now). A
        query that counts by group forgets the order of Meta.
        """
        is_held = Q(places__hold__until__gt=at or timezone.now())
        return self.annotate(
            capacity=Count("places"),
            held=Count("places", filter=is_held),
            places_left=Count("places", filter=Q(places__enrolment=None) & ~is_held),
        ).order_by(*self.model._meta.ordering)

    def open(self):
        """Those of which a place is left, closed to the families or not: for the staff."""
        return self.with_places().filter(places_left__gt=0)

    def at_the_time_of(self, slot):
        """Those of the same school year that have a minute in common with the slot, itself too."""
        return self.filter(
            course__school_year=slot.course.school_year_id,
            weekday=slot.weekday,
            starts_at__lt=slot.ends_at,
            ends_at__gt=slot.starts_at,
        )

    def taught_by(self, teacher):
        """Those that name him, or that name nobody in a course that is his."""
        return self.filter(Q(teacher=teacher) | Q(teacher=None, course__teacher=teacher))

    def with_students(self):
        """Adds `confirmed` and `requested`: how many students hold, or ask for, a place."""
        return self.annotate(
            confirmed=_count_of("places__enrolment", EnrolmentStatus.CONFIRMED),
            requested=_count_of("places__enrolment", EnrolmentStatus.REQUESTED),
        )


class Slot(Audience):
    """A weekly lesson of a course, with as many places as it has Place rows.

    Its audience is the course's where it says none of its own (students.suitability).
    """

    course = models.ForeignKey(Course, models.PROTECT, verbose_name="cours", related_name="slots")
    group = models.CharField("groupe", max_length=10, blank=True)
    weekday = models.PositiveSmallIntegerField("jour", choices=Weekday)
    starts_at = models.TimeField("de")
    ends_at = models.TimeField("à")
    room = models.CharField("salle", max_length=50, blank=True)
    teacher = models.ForeignKey(
        Teacher,
        models.PROTECT,
        verbose_name="enseignant",
        related_name="slots",
        null=True,
        blank=True,
    )
    closed_at = models.DateTimeField(  # students/closing.py
        "fermé aux familles le", null=True, blank=True, editable=False
    )
    # What calendars show of it (teaching/timetable/calendars.py).
    revision = RevisionField("group", "weekday", "starts_at", "ends_at", "room", "teacher")

    objects = SlotQuerySet.as_manager()

    class Meta:
        verbose_name = "créneau"
        verbose_name_plural = "créneaux"
        ordering = ["weekday", "starts_at", "group", "pk"]
        permissions = [
            ("import_slot", "Peut importer la liste des créneaux"),
            ("export_slot", "Peut exporter la liste des créneaux"),
        ]
        constraints = [
            *Audience.Meta.constraints,
            models.CheckConstraint(
                name="slot_ends_after_start",
                condition=Q(ends_at__gt=F("starts_at")),
                violation_error_message="Le cours doit finir après avoir commencé.",
            ),
            models.CheckConstraint(
                name="slot_weekday_known",
                condition=Q(weekday__in=Weekday.values),
                violation_error_message="Jour inconnu.",
            ),
        ]

    def __str__(self):
        """« Formation musicale A – LUNDI – 18 h 30 à 19 h 30 », as in the manual, step 6."""
        name = f"{self.course.name} {self.group}".strip()
        return f"{name} – {Weekday(self.weekday).label.upper()} – {self.hours}"

    @property
    def within_course(self) -> str:
        """« A – LUNDI – 18 h 30 à 19 h 30 », where the course is named already."""
        named = [self.group, Weekday(self.weekday).label.upper(), self.hours]
        return " – ".join(filter(None, named))

    @property
    def hours(self) -> str:
        return f"{french_time(self.starts_at)} à {french_time(self.ends_at)}"


class Place(models.Model):
    """One seat of a slot; the capacity of a slot is the number of its places."""

    slot = models.ForeignKey(
        Slot,
        models.CASCADE,  # a slot nobody sits in may go with its seats; Enrolment.place protects
        verbose_name="créneau",
        related_name="places",
    )
    number = models.PositiveSmallIntegerField("numéro")
    reason = models.CharField(
        "motif", max_length=200, blank=True, help_text="Pourquoi cette place a été ajoutée."
    )

    class Meta:
        verbose_name = "place"
        ordering = ["slot_id", "number"]
        constraints = [
            models.UniqueConstraint(
                name="place_one_per_number",
                fields=["slot", "number"],
                violation_error_message="Cette place existe déjà.",
            )
        ]

    def __str__(self):
        return f"{self.slot}, place {self.number}"


def _count_of(enrolments, status):
    return Count(enrolments, filter=Q(**{f"{enrolments}__status": status}))
