"""What « Ma semaine » says of the administration's messages."""

from django.urls import reverse

from teaching.announcements.selectors import received_by_teacher
from teaching.home.todo import Source, ToDo


class AnnouncementsToRead(Source):
    """Those that he has not read."""

    def others(self, teacher, sites, now):
        return [
            ToDo(
                f"Message\u00a0: {row.announcement.subject}",
                reverse("teacher:received_announcement", args=[row.announcement_id]),
            )
            for row in received_by_teacher(teacher).unread()
        ]
