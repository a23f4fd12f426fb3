"""What a teacher wrote to the repertoire, an audition to come, another one in preparation."""

import random
import uuid

from accounts.models import User
from imuse.demo.catalogue import REPERTOIRE
from imuse.demo.clock import Clock
from imuse.demo.town import Town
from students import repertoire
from students.models import Enrolment, Slot, Student, Teacher
from students.repertoire import Played
from teaching.concerts import services
from teaching.concerts.services import Turn
from teaching.models import Concert

SUNG = [
    Played("Traditionnel", "À la claire fontaine", occasion="Travail de classe"),
    Played("Traditionnel", "Vent frais, vent du matin", "Canon à trois voix"),
    Played("Wolfgang Amadeus Mozart", "La Flûte enchantée", "Air de Papageno, acte I"),
]
SOLOISTS = 6


def play_in_public(
    town: Town, clock: Clock, rng: random.Random, vasseur: User, parent: User, secretary: User
) -> None:
    """`parent`: one of her children plays, so that his account has something to read.

    At the very end of a year there is no audition left to come.
    """
    teacher = Teacher.objects.get(user=vasseur)
    classes = _classes(town, teacher)
    for played, enrolments in zip(SUNG, classes, strict=False):
        repertoire.add(played, enrolments, teacher=teacher, sending=_key(rng))
    audition = _make(town, clock, "Audition de classes", days=12, place="Auditorium", until=0)
    for turn, enrolment in _solos(town, rng, parent):
        _propose(audition, turn, [enrolment], enrolment.course.teacher or teacher, rng)
    if classes:
        singers = Turn("Traditionnel", "Vent frais, vent du matin", 4, "Canon à trois voix")
        _propose(audition, singers, classes[0], teacher, rng)
    if audition.school_year != town.current:
        audition.delete()
        return
    services.publish(audition, actor=secretary)
    draft = _make(town, clock, "Concert de printemps", days=60, place="Salle Fauré", until=30)
    if classes and draft.school_year == town.current:
        solo = Turn("Wolfgang Amadeus Mozart", "La Flûte enchantée", 3, "Air de Papageno, acte I")
        _propose(draft, solo, classes[-1][:1], teacher, rng)


def _make(town, clock, title, *, days, place, until):
    starts_at = clock.moment(days, 18, 30)
    concert = Concert(
        establishment=town.conservatoire,
        title=title,
        starts_at=starts_at,
        place=place,
        proposals_until=clock.day(until),
    )
    concert.school_year = services.year_of(concert)
    concert.save()
    return concert


def _classes(town, teacher):
    """The students of her first classes of the year."""
    slots = Slot.objects.taught_by(teacher).filter(course__school_year=town.current)
    found = []
    for slot in slots.order_by("weekday", "starts_at", "pk"):
        enrolments = Enrolment.objects.confirmed().filter(place__slot=slot)
        enrolments = list(
            enrolments.select_related("student", "course__school_year").order_by("pk")
        )
        if enrolments:
            found.append(enrolments)
    return found[: len(SUNG)]


def _solos(town, rng, parent):
    """The parent's children first, then others; one who plays no instrument sings elsewhere."""
    enrolments = (
        Enrolment.objects.confirmed()
        .filter(course__school_year=town.current, course__establishment=town.conservatoire)
        .filter(course__name__in=REPERTOIRE)
        .select_related("student", "course__teacher")
    )
    hers = enrolments.filter(student__in=Student.objects.visible_to(parent).values("pk"))
    others = enrolments.exclude(pk__in=hers.values("pk"))
    for enrolment in [*hers.order_by("pk")[:2], *others.order_by("pk")[:SOLOISTS]]:
        composer, title = rng.choice(REPERTOIRE[enrolment.course.name])
        yield Turn(composer, title, rng.randint(2, 5)), enrolment


def _propose(concert, turn, enrolments, teacher, rng):
    services.propose(concert, turn, enrolments, teacher=teacher, sending=_key(rng))


def _key(rng):
    return uuid.UUID(int=rng.getrandbits(128), version=4)
