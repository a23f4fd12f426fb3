"""Courses and their slots, of the agent's own establishments."""

from collections import defaultdict

from django.core.exceptions import ValidationError

from accounts.names import sort_key
from accounts.selectors import establishments_of
from accounts.spreadsheets.columns import (
    CellRefused,
    Choice,
    Column,
    Hour,
    Text,
    Whole,
    as_text,
    quoted,
)
from accounts.spreadsheets.lists import List
from accounts.spreadsheets.registry import register
from students.enums import Cycle, Scheduling, Weekday
from students.lists import saving
from students.models import Course, Discipline, SchoolYear, Slot, Teacher
from students.models.audiences import LAST_YEAR, OLDEST
from students.obstacles import check_capacity_of, check_has_slots

AGE = "Ans révolus le 31 décembre qui suit la rentrée"
CYCLE_YEAR = "Celle de l'élève dans le cycle du cours"
AS_COURSE = "\u00a0; vide\u00a0: comme le cours."
NO_LIMIT = "\u00a0; vide\u00a0: sans limite."
LONGEST_CHOICE = 12  # names that a sentence still lists
MOST_PLACES = 200


class Named:
    """Rows by their name, without capitals nor accents."""

    def __init__(self, rows, *names):
        self.rows = {row.pk: row for row in rows}
        self._by_name = defaultdict(set)
        for row in self.rows.values():
            for name in names or (str,):
                self._by_name[sort_key(name(row))].add(row.pk)

    def read(self, cells: dict, header: str, what: str) -> int | None:
        """The key of the row that the cell names; CellRefused when there is none, or several."""
        text = as_text(cells.get(header))
        if not text:
            return None
        found = self._by_name.get(sort_key(text), ())
        if len(found) > 1:
            raise CellRefused(
                f"Plusieurs fiches portent ce nom\u00a0: videz la case, et choisissez {what} dans"
                " l'administration.",
                header,
            )
        if not found:
            names = sorted(str(row) for row in self.rows.values())
            known = f" parmi {quoted(names)}" if 0 < len(names) <= LONGEST_CHOICE else ""
            raise CellRefused(
                f"Ce nom est inconnu\u00a0: choisissez {what}{known}, ou créez d'abord la fiche"
                " dans l'administration.",
                header,
            )
        return next(iter(found))


class _OwnEstablishments(List):
    """What the lists of courses and of slots read of an establishment and of a year."""

    def load_related(self):
        self._establishments = Named(establishments_of(self.actor))
        self._years = Named(SchoolYear.objects.all())
        self._teachers = Named(
            Teacher.objects.all(), str, lambda teacher: f"{teacher.last_name} {teacher.first_name}"
        )
        self.related["teacher"] = self._teachers.rows

    def read_teacher(self, cells):
        return self._teachers.read(cells, "Enseignant", "un enseignant")

    def establishment_of(self, cells):
        return self._establishments.read(cells, "Établissement", "un établissement")

    def year_of(self, cells):
        return self._years.read(cells, "Année scolaire", "une année")


def _bound(attribute, example, accepts):
    """A column of the audience: under its verbose name, within its own bounds."""
    name = Course._meta.get_field(attribute).verbose_name
    lowest, highest = (0, OLDEST) if attribute.startswith("age") else (1, LAST_YEAR)
    header = name[0].upper() + name[1:]
    return Column(attribute, header, Whole(lowest, highest), example=example, accepts=accepts)


@register
class CourseList(_OwnEstablishments):
    model, slug, label, position = Course, "cours", "Cours", 5
    purpose = "Les cours d'un établissement et d'une année scolaire."
    title = ("Cours", "Année scolaire")
    identity = ("establishment", "school_year", "name")

    establishment = Column(
        *("establishment", "Établissement"),
        example="Conservatoire",
        accepts="Le nom d'un de vos établissements.",
        required=True,
        show=str,
    )
    school_year = Column(
        *("school_year", "Année scolaire"), example="2026-2027", required=True, show=str
    )
    name = Column(
        *("name", "Cours"),
        example="Formation musicale 1",
        accepts="Tel que les familles le lisent.",
        required=True,
    )
    discipline = Column(
        *("discipline", "Discipline"),
        example="Formation musicale",
        accepts="Le nom d'une discipline de l'administration.",
        required=True,
        show=str,
    )
    cycle = Column(
        *("cycle", "Cycle", Choice(Cycle)),
        example="Cycle 1",
        accepts=f"{quoted(Cycle.labels)}.",
        required=True,
    )
    scheduling = Column(
        *("scheduling", "Horaire", Choice(Scheduling)),
        example="choisi par la famille",
        accepts=f"{quoted(Scheduling.labels)}\u00a0; vide\u00a0: le premier.",
    )
    teacher = Column(
        *("teacher", "Enseignant"),
        example="",
        accepts="Pour les cours sans créneau\u00a0: prénom et nom.",
        show=str,
    )
    next_course = Column(
        *("next_course", "Cours de l'année suivante"),
        example="",
        accepts="Le nom d'un cours du même établissement, déjà importé.",
        show=str,
    )
    age_from = _bound("age_from", "7", AGE + NO_LIMIT)
    age_to = _bound("age_to", "10", AGE + NO_LIMIT)
    cycle_year_from = _bound("cycle_year_from", "1", CYCLE_YEAR + NO_LIMIT)
    cycle_year_to = _bound("cycle_year_to", "2", CYCLE_YEAR + NO_LIMIT)

    def rows(self):
        return Course.objects.filter(establishment__in=establishments_of(self.actor))

    def load_related(self):
        super().load_related()
        self._disciplines = Named(Discipline.objects.all())
        self.related |= {
            "establishment": self._establishments.rows,
            "school_year": self._years.rows,
            "discipline": self._disciplines.rows,
            "next_course": {course.pk: course for course in self.rows()},
        }
        years = sorted(self._years.rows.values(), key=lambda year: year.starts_on)
        self._following = {one.pk: two.pk for one, two in zip(years, years[1:], strict=False)}
        self._courses = {
            (course.establishment_id, course.school_year_id, sort_key(course.name)): course.pk
            for course in self.related["next_course"].values()
        }

    def read_establishment(self, cells):
        return self.establishment_of(cells)

    def read_school_year(self, cells):
        return self.year_of(cells)

    def read_discipline(self, cells):
        return self._disciplines.read(cells, "Discipline", "une discipline")

    def read_next_course(self, cells):
        name = as_text(cells.get("Cours de l'année suivante"))
        if not name:
            return None
        year = self._following.get(self.year_of(cells))
        key = (self.establishment_of(cells), year, sort_key(name))
        if key not in self._courses:
            raise ValueError(
                "Aucun cours de ce nom dans cet établissement l'année suivante\u00a0: importez"
                " d'abord les cours de cette année-là."
            )
        return self._courses[key]

    def save(self, created, changed):
        saving.save_courses(created, changed)


@register
class SlotList(_OwnEstablishments):
    model, slug, label, position = Slot, "creneaux", "Créneaux", 6
    purpose = "Les horaires des cours et leur nombre de places. Les cours d'abord."
    title = ("Cours", "Groupe", "Jour", "De")
    identity = ("course", "weekday", "starts_at", "group")
    checks_constraints = True  # a slot ends after it starts

    establishment = Column(
        *("course", "Établissement"),
        example="Conservatoire",
        required=True,
        shown=True,
        show=lambda course: str(course.establishment),
    )
    school_year = Column(
        *("course", "Année scolaire"),
        example="2026-2027",
        required=True,
        shown=True,
        show=lambda course: str(course.school_year),
    )
    course = Column(
        *("course", "Cours"),
        example="Formation musicale 1",
        accepts="Son nom dans la liste des cours.",
        required=True,
        show=str,
    )
    group = Column("group", "Groupe", example="A")
    weekday = Column(
        *("weekday", "Jour", Choice(Weekday)),
        example="lundi",
        accepts="De «\u00a0lundi\u00a0» à «\u00a0dimanche\u00a0», ou de 1 à 7.",
        required=True,
    )
    starts_at = Column(
        *("starts_at", "De", Hour()),
        example="18:30",
        accepts="Une heure d'Excel, 18:30, 18h30 ou 18 h 30.",
        required=True,
    )
    ends_at = Column("ends_at", "À", Hour(), example="19:30", required=True)
    room = Column("room", "Salle", Text(), example="Salle Ravel")
    teacher = Column(*("teacher", "Enseignant"), example="", accepts="Prénom et nom.", show=str)
    capacity = Column(
        *("capacity", "Capacité", Whole(0, MOST_PLACES)),
        example="12",
        accepts="Le nombre de places. La baisser ne retire que des places libres.",
        required=True,
    )
    age_from = _bound("age_from", "", AGE + AS_COURSE)
    age_to = _bound("age_to", "", AGE + AS_COURSE)
    cycle_year_from = _bound("cycle_year_from", "", CYCLE_YEAR + AS_COURSE)
    cycle_year_to = _bound("cycle_year_to", "", CYCLE_YEAR + AS_COURSE)

    def rows(self):
        ours = establishments_of(self.actor)
        return Slot.objects.filter(course__establishment__in=ours).with_places()

    def load_related(self):
        super().load_related()
        courses = Course.objects.filter(establishment__in=establishments_of(self.actor))
        self.related["course"] = {
            course.pk: course for course in courses.select_related("establishment", "school_year")
        }
        self._courses = {
            (course.establishment_id, course.school_year_id, sort_key(course.name)): course
            for course in self.related["course"].values()
        }

    def read_course(self, cells):
        name = as_text(cells.get("Cours"))
        if not name:
            return None
        key = (self.establishment_of(cells), self.year_of(cells), sort_key(name))
        if key not in self._courses:
            raise ValueError(
                "Aucun cours de ce nom dans cet établissement cette année-là\u00a0: importez"
                " d'abord la liste des cours."
            )
        return self._courses[key].pk

    def judge(self, line):
        course = self.related["course"][line.row.course_id]
        if line.is_new:
            try:
                check_has_slots(course)
            except ValidationError as error:
                raise ValidationError({"course": error}) from None
            if getattr(line.row, "capacity", None) is None:
                raise ValidationError(
                    {"capacity": ValidationError("Donnez le nombre de places.", code="required")}
                )
        elif "capacity" in line.seen:
            taken = line.seen["capacity"] - line.row.places_left
            try:
                check_capacity_of(taken, line.row.capacity)
            except ValidationError as error:
                raise ValidationError({"capacity": error}) from None

    def save(self, created, changed):
        saving.save_slots([(slot, slot.capacity) for slot in created], changed)
