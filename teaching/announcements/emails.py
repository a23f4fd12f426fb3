"""What leaves of an announcement: its text, who wrote it, and how to refuse the next ones."""

from django.conf import settings
from django.urls import reverse

from accounts.emails import compose
from families.models import Guardian
from students.models import Teacher
from teaching.announcements import opting_out
from teaching.models import Announcement, AnnouncementFile


def to_guardian(
    announcement: Announcement, files: list[AnnouncementFile], guardian: Guardian
) -> tuple[str, str, str]:
    """Subject, body, and the address where it is refused, if it may be."""
    way_out = opting_out.address_of(guardian) if announcement.may_be_refused else ""
    url = reverse("teaching:announcement", args=[announcement.pk])
    subject, body = _compose(announcement, files, guardian, url, way_out)
    return subject, body, way_out


def to_teacher(
    announcement: Announcement, files: list[AnnouncementFile], teacher: Teacher
) -> tuple[str, str]:
    url = reverse("teacher:received_announcement", args=[announcement.pk])
    return _compose(announcement, files, teacher, url, "")


def _compose(announcement, files, person, url, way_out):
    return compose(
        "announcement",
        {
            "announcement": announcement,
            "person": person,
            "files": files,
            "url": settings.SITE_URL + url,
            "way_out": way_out,
            "establishment": announcement.establishment,
        },
    )
