"""What the pages of announcements read."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, Q, QuerySet

from accounts import mails
from accounts.models import User
from accounts.prepared import prepared
from families.models import Family, Guardian
from students.models import Course, Custody, SchoolYear, Slot, Student, Teacher
from teaching.announcements.aiming import enrolments_of
from teaching.enums import Delivery
from teaching.models import Announcement, AnnouncementRecipient


def unread_of(user: User) -> list[AnnouncementRecipient]:
    """Of a responsable, the newest first, whatever the site: for « Accueil ». One query."""
    return _unread(user.pk)


@prepared
def _unread(user: int) -> QuerySet[AnnouncementRecipient]:
    ours = AnnouncementRecipient.objects.visible_to(User(pk=user)).unread()
    return ours.select_related("announcement").newest_first()


def received_by(user: User) -> QuerySet[AnnouncementRecipient]:
    ours = AnnouncementRecipient.objects.visible_to(user)
    return ours.select_related("announcement__establishment").newest_first()


def received_by_teacher(teacher: Teacher) -> QuerySet[AnnouncementRecipient]:
    """From the administration."""
    ours = AnnouncementRecipient.objects.readable().filter(teacher=teacher)
    return ours.select_related("announcement__establishment").newest_first()


def slots_to_write_to(teacher: Teacher, sites) -> QuerySet[Slot]:
    """His own, of the year under way, at these sites."""
    slots = Slot.objects.taught_by(teacher).filter(
        course__establishment__in=sites, course__school_year=SchoolYear.objects.current()
    )
    return slots.select_related("course__establishment", "course__school_year")


def courses_to_write_to(teacher: Teacher, sites) -> QuerySet[Course]:
    """His own without slots, of the year under way, at these sites."""
    courses = Course.objects.taught_by(teacher).filter(
        establishment__in=sites, school_year=SchoolYear.objects.current()
    )
    return courses.select_related("establishment", "school_year")


def written_by(teacher: Teacher) -> QuerySet[Announcement]:
    """The newest first, each with its `households` and how many of them have `read` it."""
    household = "recipients__guardian__family"
    return (
        Announcement.objects.filter(teacher=teacher)
        .annotate(
            households=Count(household, distinct=True),
            read=Count(household, filter=Q(recipients__read_at__isnull=False), distinct=True),
        )
        .order_by("-created_at", "-pk")
    )


@dataclass(frozen=True)
class Readers:
    """Which students' families have read it: every household of his, or not yet."""

    have: list[Student] = field(default_factory=list)
    have_not: list[Student] = field(default_factory=list)


def readers_of(announcement: Announcement) -> Readers:
    """Of the students of the class, and of it alone. As many queries whatever their number.

    A student is named, never who answers for him; « not yet » as long as one of his households has
    not, without saying how many he has.
    """
    read = _read_by_household(announcement)
    students = Student.objects.filter(pk__in=enrolments_of(announcement).values("student"))
    households = defaultdict(list)
    custodies = Custody.objects.filter(student__in=students.order_by().values("pk")).order_by()
    for student, family in custodies.values_list("student", "family"):
        if family in read:
            households[student].append(family)
    readers = Readers()
    for student in students:
        if families := households[student.pk]:
            is_read = all(read[family] for family in families)
            (readers.have if is_read else readers.have_not).append(student)
    return readers


def _read_by_household(announcement):
    """By the key of each household that has it: did one of its responsables read it?"""
    rows = announcement.recipients.filter(guardian__isnull=False).order_by()
    read = defaultdict(bool)
    for family, at in rows.values_list("guardian__family", "read_at"):
        read[family] |= at is not None
    return read


@dataclass(frozen=True)
class Figures:
    """How far an announcement has come, for the administration."""

    households: int
    households_read: int
    guardians: int
    teachers: int
    teachers_read: int
    mails: int
    sent: int
    failing: int
    without_address: int
    refused: int
    failed: int

    @property
    def waiting(self) -> int:
        return self.mails - self.sent - self.failing


def figures_of(announcement: Announcement) -> Figures:
    """One query."""
    is_read, of_guardian = Q(read_at__isnull=False), Q(guardian__isnull=False)
    not_sent = Q(mail__isnull=False, mail__sent_at=None)
    counted = announcement.recipients.order_by().aggregate(
        households=Count("guardian__family", distinct=True),
        households_read=Count("guardian__family", filter=is_read, distinct=True),
        guardians=Count("pk", filter=of_guardian),
        teachers=Count("pk", filter=~of_guardian),
        teachers_read=Count("pk", filter=~of_guardian & is_read),
        mails=Count("mail"),
        sent=Count("mail", filter=Q(mail__sent_at__isnull=False)),
        failing=Count("mail", filter=not_sent & ~Q(mail__last_error="")),
        without_address=Count("pk", filter=Q(delivery=Delivery.NO_ADDRESS)),
        refused=Count("pk", filter=Q(delivery=Delivery.REFUSED)),
        failed=Count("pk", filter=Q(delivery=Delivery.FAILED)),
    )
    return Figures(**counted)


def households_of(announcement: Announcement) -> QuerySet[Family]:
    guardians = Guardian.objects.filter(announcements__announcement=announcement)
    return Family.objects.filter(pk__in=guardians.order_by().values("family"))


def recipients_of(
    announcement: Announcement, families: Iterable[Family]
) -> list[tuple[Family, list[AnnouncementRecipient]]]:
    """Each household with its responsables. One query."""
    families = list(families)
    rows = announcement.recipients.filter(guardian__family__in=families)
    found = defaultdict(list)
    for row in rows.select_related("guardian", "mail").order_by("guardian__sort_name", "pk"):
        found[row.guardian.family_id].append(row)
    return [(family, found[family.pk]) for family in families]


def delivery_of(recipient: AnnouncementRecipient) -> str:
    """« e-mail envoyé », « e-mail abandonné : … », « sans adresse e-mail »."""
    mail = recipient.mail
    if mail is None:
        return recipient.get_delivery_display()
    if mail.sent_at:
        return "e-mail envoyé"
    if mail.attempts >= mails.MAX_ATTEMPTS:
        return f"e-mail abandonné\u00a0: {mail.last_error}"
    if mail.last_error:
        return f"nouvel essai prévu\u00a0: {mail.last_error}"
    return "e-mail en attente"
