"""Who is in which course, and what was played."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from students.enums import Cycle, EnrolmentStatus
from students.models.courses import Course, Place, Slot
from students.models.people import Student, Teacher
from students.models.works import Work
from students.models.years import SchoolYear


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
    starts_on = models.DateField(
        "commence le",
        null=True,
        blank=True,
        help_text="Pour qui arrive en cours d'année ; vide : dès le début. Le tarif est dû par mois"
        " commencé.",
    )
    ends_on = models.DateField(
        "finit le",
        null=True,
        blank=True,
        help_text="Pour qui arrête en cours d'année ; vide : jusqu'à la fin. L'inscription reste"
        " confirmée, sinon rien n'est facturé.",
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
            models.CheckConstraint(
                name="enrolment_ends_after_start",
                condition=Q(ends_on__gte=F("starts_on")) | Q(starts_on=None) | Q(ends_on=None),
                violation_error_message="Une inscription ne finit pas avant de commencer.",
            ),
        ]

    def __str__(self):
        return f"{self.student} : {self.course}"

    @property
    def level(self) -> str:
        """« Cycle 1, 3e année », the student's own level in the discipline."""
        if not self.cycle_year:
            return self.get_cycle_display()
        return f"{self.get_cycle_display()}, {ordinal(self.cycle_year)} année"

    @property
    def slot(self) -> Slot | None:
        return self.place.slot if self.place_id else None

    @property
    def teacher(self) -> Teacher | None:
        """The slot's, else the course's."""
        return self.slot.teacher if self.slot and self.slot.teacher_id else self.course.teacher

    @property
    def proposed_course(self) -> Course | None:
        """What the coming year proposes: the enrolment's own decision, else the course's."""
        return self.next_course or self.course.next_course

    @property
    def is_live(self) -> bool:
        """Not given back: by the dossier, or by an agent on the page of the enrolment."""
        return self.status != EnrolmentStatus.RELEASED

    @property
    def is_placed(self) -> bool:
        return self.is_live and (bool(self.place_id) or not self.course.has_slots)


class RepertoirePiece(models.Model):
    """A piece that the student played."""

    student = models.ForeignKey(
        Student, models.PROTECT, verbose_name="élève", related_name="repertoire"
    )
    school_year = models.ForeignKey(
        SchoolYear, models.PROTECT, verbose_name="année scolaire", related_name="+"
    )
    course = models.ForeignKey(
        Course,
        models.PROTECT,
        verbose_name="cours",
        related_name="+",
        null=True,
        editable=False,
        help_text="Celui où il a été travaillé\u00a0: il en dit la discipline.",
    )
    composer = models.CharField(
        "compositeur",
        max_length=100,
        help_text="Ou auteur, chorégraphe\u00a0; «\u00a0Traditionnel\u00a0» si personne n'est"
        " connu.",
    )
    title = models.CharField("œuvre", max_length=200)
    movement = models.CharField(
        "mouvement",
        max_length=150,
        blank=True,
        help_text="«\u00a02. Andante\u00a0», un extrait, un rôle, s'il n'a pas joué toute l'œuvre.",
    )
    occasion = models.CharField("occasion", max_length=150, blank=True)
    played_on = models.DateField("date", null=True, blank=True)
    teacher = models.ForeignKey(
        Teacher,
        models.PROTECT,
        verbose_name="inscrit par",
        related_name="+",
        null=True,
        editable=False,
    )
    work = models.ForeignKey(
        Work,
        models.PROTECT,
        verbose_name="œuvre connue",
        related_name="pieces",
        null=True,
        editable=False,
    )
    # Of the form, or of the concert, that it came by: what is sent twice is written once.
    sending = models.UUIDField("envoi", null=True, editable=False)
    edition = models.PositiveIntegerField("édition", default=1, editable=False)

    class Meta:
        verbose_name = "morceau joué"
        verbose_name_plural = "morceaux joués"
        ordering = ["-school_year__starts_on", "composer", "title", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="repertoire_piece_once_per_sending",
                fields=["student", "sending"],
                violation_error_message="Ce morceau est déjà inscrit.",
            )
        ]

    def __str__(self):
        return f"{self.composer}, {self.title}"


def ordinal(number: int) -> str:
    """« 1re », « 2e »: of a year."""
    return "1re" if number == 1 else f"{number}e"
