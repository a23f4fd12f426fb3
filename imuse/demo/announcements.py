"""What was written to everyone of the conservatoire, and to a class; read by some."""

import random
import uuid

from accounts.models import User
from imuse.demo.clock import Clock
from imuse.demo.files import make_pdf
from imuse.demo.town import Town
from students.models import Slot, Student, Teacher
from teaching.announcements import files, sending, services
from teaching.enums import AnnouncementKind
from teaching.models import Announcement, AnnouncementRecipient

CONCERT = "\n\n".join(
    [
        "Le concert d'hiver a lieu le dernier samedi du mois, à l'auditorium, à 18 h.",
        "Les élèves sont attendus à 17 h, en noir, avec leur instrument et leur pupitre. L'entrée"
        " est libre\u00a0; le programme et le plan d'accès sont joints.",
        "L'association des parents d'élèves tient la buvette\u00a0: gâteaux et coups de main sont"
        " bienvenus.",
    ]
)
CLASS = "\n\n".join(
    [
        "Bonjour à tous,",
        "La semaine prochaine, nous travaillons les rythmes de la page 34\u00a0: apportez le cahier"
        " d'exercices.",
        "Bon courage,\nC. Vasseur",
    ]
)


def announce(town: Town, clock: Clock, rng: random.Random, secretary: User, parent: User) -> None:
    concert = Announcement.objects.create(
        establishment=town.conservatoire,
        school_year=town.current,
        author=secretary,
        signed="Le secrétariat",
        kind=AnnouncementKind.LIFE,
        subject="Concert d'hiver",
        text=CONCERT,
        everyone=True,
        to_teachers=True,
    )
    lines = ["17 h : accueil des élèves", "18 h : chorales et orchestres", "20 h : buvette"]
    files.join(concert, "concert-d-hiver.pdf", make_pdf("Concert d'hiver", lines))
    _send(concert, clock, clock.moment(-3, 10), secretary)
    teacher = Teacher.objects.get(user__username="vasseur.c")
    if (slot := _class_of(teacher, town, parent)) is not None:
        with clock.at(clock.moment(-1, 18)):
            to_class = services.write_to_class(
                slot, teacher=teacher, key=_key(rng), typed=_typed("Le cahier d'exercices", CLASS)
            )
        _send(to_class, clock, clock.moment(-1, 18, 30), teacher.user)
    for recipient in AnnouncementRecipient.objects.order_by("pk"):
        if parent.guardian.pk == recipient.guardian_id or teacher.pk == recipient.teacher_id:
            continue  # for whoever tries the demo to read
        if rng.random() < 0.6:
            with clock.at(clock.moment(-1, rng.randint(19, 21), rng.randint(0, 59))):
                services.mark_read(recipient)


def _send(announcement, clock, moment, actor):
    announcement.refresh_from_db()
    with clock.at(moment):
        services.plan(announcement, edition=announcement.edition, actor=actor)
        while sending.send_next():
            pass


def _class_of(teacher, town, parent):
    """One where a child of the parent sits, if there is one."""
    slots = Slot.objects.taught_by(teacher).filter(course__school_year=town.current)
    children = Student.objects.visible_to(parent).values("pk")
    ours = slots.filter(places__enrolment__student__in=children)
    return ours.order_by("pk").first() or slots.order_by("pk").first()


def _key(rng):
    return uuid.UUID(int=rng.getrandbits(128))


def _typed(subject, text):
    return {"kind": AnnouncementKind.SERVICE, "subject": subject, "text": text}
