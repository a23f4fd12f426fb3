"""Whom an announcement goes to: asked of the enrolments, on the day when it is sent."""

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from families.models import Family, Guardian
from students.enums import WITHOUT_SLOT, Cycle
from students.models import Course, Custody, Enrolment, Slot, Teacher
from teaching.enums import AnnouncementKind
from teaching.models import Announcement, NewsRefusal

LONGEST = Announcement._meta.get_field("addressed_to").max_length


@dataclass(frozen=True)
class Reach:
    """How many an announcement would reach now. `refusing`: who want no mail of this kind."""

    households: int
    guardians: int
    without_address: int
    refusing: int
    teachers: int

    @property
    def mails(self) -> int:
        return self.guardians - self.without_address - self.refusing

    @property
    def is_nobody(self) -> bool:
        return not (self.households or self.teachers)


def enrolments_of(announcement: Announcement) -> QuerySet[Enrolment]:
    """The confirmed ones of its site and year that it aims at, but those that have ended."""
    enrolments = (
        Enrolment.objects.confirmed()
        .filter(
            Q(ends_on=None) | Q(ends_on__gte=timezone.localdate()),
            course__establishment=announcement.establishment_id,
            course__school_year=announcement.school_year_id,
        )
        .order_by()
    )
    if announcement.everyone:
        return enrolments
    wanted = _wanted(announcement)
    return enrolments.filter(wanted) if wanted else enrolments.none()


def families_of(announcement: Announcement) -> QuerySet[Family]:
    """Either household of each student, once."""
    custodies = Custody.objects.filter(student__in=enrolments_of(announcement).values("student"))
    return Family.objects.filter(pk__in=custodies.order_by().values("family"))


def teachers_of(announcement: Announcement) -> QuerySet[Teacher]:
    """Those who have an account at the site, if it goes to teachers too."""
    if not announcement.to_teachers:
        return Teacher.objects.none()
    return Teacher.objects.filter(
        user__is_active=True, user__establishments=announcement.establishment_id
    )


def reach_of(announcement: Announcement) -> Reach:
    guardians = Guardian.objects.filter(family__in=families_of(announcement)).order_by()
    refusals = NewsRefusal.objects.filter(guardian=OuterRef("pk"))
    counted = guardians.aggregate(
        guardians=Count("pk"),
        without_address=Count("pk", filter=Q(email="")),
        refusing=Count("pk", filter=~Q(email="") & Exists(refusals)),
    )
    if announcement.kind != AnnouncementKind.LIFE:
        counted["refusing"] = 0
    return Reach(
        households=families_of(announcement).count(),
        teachers=teachers_of(announcement).count(),
        **counted,
    )


def in_words(announcement: Announcement) -> str:
    """« aux familles de : Piano, cycle 1 », as whoever receives it reads it."""
    said = []
    if announcement.everyone:
        said.append("aux familles de l'établissement")
    elif named := _named(announcement):
        said.append(f"aux familles de\u00a0: {', '.join(named)}")
    if announcement.to_teachers:
        said.append("aux enseignants")
    text = " et ".join(said)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def _wanted(announcement):
    """What its aims add up to; an empty Q when there is none."""
    wanted = Q()
    if courses := _keys(announcement.courses):
        wanted |= Q(course__in=courses)
    if slots := _keys(announcement.slots):
        wanted |= Q(place__slot__in=slots)
    if teachers := _keys(announcement.classes_of):
        named = Q(teacher__in=teachers)
        by_course = Q(teacher=None, course__teacher__in=teachers)
        theirs = Slot.objects.filter(named | by_course).order_by().values("pk")
        without = Course.objects.filter(named, scheduling__in=WITHOUT_SLOT).order_by().values("pk")
        wanted |= Q(place__slot__in=theirs) | Q(course__in=without)
    narrowed = Q()
    if disciplines := _keys(announcement.disciplines):
        narrowed &= Q(course__discipline__in=disciplines)
    if announcement.cycles:
        narrowed &= Q(course__cycle__in=announcement.cycles)
    return wanted | narrowed if narrowed else wanted


def _keys(rows):
    return list(rows.order_by().values_list("pk", flat=True))


def _named(announcement):
    named = [str(course) for course in announcement.courses.all()]
    named += [str(slot) for slot in announcement.slots.select_related("course")]
    named += [f"classes de {teacher}" for teacher in announcement.classes_of.all()]
    both = [str(discipline) for discipline in announcement.disciplines.all()]
    if announcement.cycles:
        cycles = " et ".join(Cycle(each).label for each in announcement.cycles)
        both = [f"{each} ({cycles})" for each in both] or [cycles]
    return named + both
