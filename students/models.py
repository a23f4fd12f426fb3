from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone

from accounts.models import Establishment
from accounts.names import SortNameField
from families.models import Family
from students.enums import WITHOUT_SLOT, Art, Cycle, EnrolmentStatus, Scheduling, Weekday


class SchoolYearQuerySet(models.QuerySet):
    def current(self):
        """The year under way today, None in a gap between two years."""
        today = timezone.localdate()
        return self.filter(starts_on__lte=today, ends_on__gte=today).first()


class SchoolYear(models.Model):
    starts_on = models.DateField("début", unique=True)
    ends_on = models.DateField("fin", unique=True)

    objects = SchoolYearQuerySet.as_manager()

    class Meta:
        verbose_name = "année scolaire"
        verbose_name_plural = "années scolaires"
        ordering = ["-starts_on"]
        constraints = [
            models.CheckConstraint(
                name="school_year_ends_after_start",
                condition=Q(ends_on__gt=F("starts_on")),
                violation_error_message="L'année doit finir après avoir commencé.",
            )
        ]

    def __str__(self):
        return f"{self.starts_on.year}-{self.ends_on.year}"


class Teacher(models.Model):
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="compte",
        related_name="teacher",
        null=True,
        blank=True,
    )
    last_name = models.CharField("nom", max_length=100)
    first_name = models.CharField("prénom", max_length=100)
    sort_name = SortNameField("last_name", "first_name")

    class Meta:
        verbose_name = "enseignant"
        ordering = ["sort_name", "pk"]

    def __str__(self):
        return f"{self.first_name} {self.last_name}"


class StudentQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The students of the user's household: either one, in alternating custody."""
        ours = Custody.objects.filter(student=OuterRef("pk"), family__guardians__user=user)
        return self.filter(Exists(ours))  # a join would double rows


class Student(models.Model):
    last_name = models.CharField("nom", max_length=100)
    first_name = models.CharField("prénom", max_length=100)
    birth_date = models.DateField("date de naissance")
    email = models.EmailField("adresse e-mail", blank=True)
    phone = models.CharField("téléphone", max_length=20, blank=True)
    school = models.CharField("établissement scolaire", max_length=150, blank=True)
    school_class = models.CharField("classe", max_length=30, blank=True)
    families = models.ManyToManyField(
        Family, through="Custody", verbose_name="familles", related_name="students"
    )
    sort_name = SortNameField("last_name", "first_name")

    objects = StudentQuerySet.as_manager()

    class Meta:
        verbose_name = "élève"
        ordering = ["sort_name", "pk"]

    def __str__(self):
        return f"{self.first_name} {self.last_name}"


class Custody(models.Model):
    """The one or two households of a student (two: alternating custody)."""

    student = models.ForeignKey(
        Student, models.PROTECT, verbose_name="élève", related_name="custodies"
    )
    family = models.ForeignKey(
        Family, models.PROTECT, verbose_name="famille", related_name="custodies"
    )
    rank = models.PositiveSmallIntegerField(
        "foyer", choices=[(1, "premier foyer"), (2, "second foyer")], default=1
    )

    class Meta:
        verbose_name = "garde"
        ordering = ["student_id", "rank"]
        constraints = [
            models.UniqueConstraint(
                name="custody_one_per_student_and_family",
                fields=["student", "family"],
                violation_error_message="Cet élève est déjà rattaché à cette famille.",
            ),
            models.UniqueConstraint(
                name="custody_one_household_per_rank",
                fields=["student", "rank"],
                violation_error_message="Cet élève a déjà un foyer de ce rang.",
            ),
            models.CheckConstraint(
                name="custody_two_households_at_most",
                condition=Q(rank__in=[1, 2]),
                violation_error_message="Un élève a un ou deux foyers.",
            ),
        ]

    def __str__(self):
        return f"{self.student} chez {self.family}"


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


class Course(models.Model):
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

    class Meta:
        verbose_name = "cours"
        verbose_name_plural = "cours"
        ordering = ["sort_name", "pk"]
        constraints = [
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


class SlotQuerySet(models.QuerySet):
    def with_places(self):
        """Adds `capacity` and `places_left` (places that no enrolment holds)."""
        return self.annotate(
            capacity=Count("places"),
            places_left=Count("places", filter=Q(places__enrolment=None)),
        )

    def open(self):
        """Those of which a place is left: what a family may choose."""
        return self.with_places().filter(places_left__gt=0)


class Slot(models.Model):
    """A weekly lesson of a course, with as many places as it has Place rows."""

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

    objects = SlotQuerySet.as_manager()

    class Meta:
        verbose_name = "créneau"
        verbose_name_plural = "créneaux"
        ordering = ["weekday", "starts_at", "group", "pk"]
        constraints = [
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
        return f"{name} – {self.get_weekday_display().upper()} – {self.hours}"

    @property
    def hours(self) -> str:
        return f"{_french_time(self.starts_at)} à {_french_time(self.ends_at)}"


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


class EnrolmentQuerySet(models.QuerySet):
    def live(self):
        return self.exclude(status=EnrolmentStatus.RELEASED)

    def confirmed(self):
        return self.filter(status=EnrolmentStatus.CONFIRMED)

    def for_list(self):
        return self.select_related(
            "course__discipline", "course__school_year", "course__teacher", "place__slot__teacher"
        )


class Enrolment(models.Model):
    """A student in a course; `place` is the seat it holds, if the course has slots."""

    student = models.ForeignKey(
        Student, models.PROTECT, verbose_name="élève", related_name="enrolments"
    )
    course = models.ForeignKey(
        Course, models.PROTECT, verbose_name="cours", related_name="enrolments"
    )
    place = models.OneToOneField(
        Place, models.PROTECT, verbose_name="place", related_name="enrolment", null=True, blank=True
    )
    status = models.CharField(
        "état", max_length=10, choices=EnrolmentStatus, default=EnrolmentStatus.REQUESTED
    )
    cycle = models.CharField(
        "cycle", max_length=10, choices=Cycle, help_text="Le niveau de l'élève dans la discipline."
    )
    cycle_year = models.PositiveSmallIntegerField(
        "année du cycle",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(9)],
    )
    next_course = models.ForeignKey(
        Course,
        models.PROTECT,
        verbose_name="cours proposé l'an prochain",
        related_name="+",
        null=True,
        blank=True,
        help_text="La décision du jury ou de l'enseignant ; vide : celui que prévoit le cours.",
    )

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        verbose_name = "inscription à un cours"
        verbose_name_plural = "inscriptions aux cours"
        ordering = ["course__sort_name", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="enrolment_one_live_per_student_and_course",
                fields=["student", "course"],
                condition=~Q(status=EnrolmentStatus.RELEASED),
                violation_error_message="Cet élève est déjà inscrit à ce cours.",
            ),
            models.CheckConstraint(
                name="enrolment_released_gives_its_place_back",
                condition=~Q(status=EnrolmentStatus.RELEASED) | Q(place=None),
                violation_error_message="Une inscription rendue ne garde pas de place.",
            ),
            models.CheckConstraint(
                name="enrolment_status_known",
                condition=Q(status__in=EnrolmentStatus.values),
                violation_error_message="État inconnu.",
            ),
            models.CheckConstraint(
                name="enrolment_cycle_known",
                condition=Q(cycle__in=Cycle.values),
                violation_error_message="Cycle inconnu.",
            ),
        ]

    def __str__(self):
        return f"{self.student} : {self.course}"

    @property
    def level(self) -> str:
        """« Cycle 1 – 3 », the student's own level in the discipline."""
        level = self.get_cycle_display()
        return f"{level} – {self.cycle_year}" if self.cycle_year else level

    @property
    def slot(self) -> Slot | None:
        return self.place.slot if self.place_id else None

    @property
    def proposed_course(self) -> Course | None:
        """What the coming year proposes: the enrolment's own decision, else the course's."""
        return self.next_course or self.course.next_course

    @property
    def is_placed(self) -> bool:
        return bool(self.place_id) or not self.course.has_slots


class RepertoirePiece(models.Model):
    """A piece that the student played."""

    student = models.ForeignKey(
        Student, models.PROTECT, verbose_name="élève", related_name="repertoire"
    )
    school_year = models.ForeignKey(
        SchoolYear, models.PROTECT, verbose_name="année scolaire", related_name="+"
    )
    composer = models.CharField("compositeur", max_length=100)
    title = models.CharField("œuvre", max_length=200)
    occasion = models.CharField("occasion", max_length=150, blank=True)
    played_on = models.DateField("date", null=True, blank=True)

    class Meta:
        verbose_name = "morceau joué"
        verbose_name_plural = "morceaux joués"
        ordering = ["-school_year__starts_on", "composer", "title", "pk"]

    def __str__(self):
        return f"{self.composer}, {self.title}"


def _french_time(time):
    return f"{time.hour}\u00a0h\u00a0{time.minute:02}" if time.minute else f"{time.hour}\u00a0h"
