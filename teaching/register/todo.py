"""What « Ma semaine » says of the registers."""

from django.urls import reverse
from django.utils import timezone

from teaching.home.todo import Source, ToDo
from teaching.register.selectors import not_called


class RegistersDue(Source):
    """« Faire l'appel », late from the day after the lesson."""

    def due(self, teacher, lessons, now):
        today = timezone.localdate(now)
        return {
            lesson.key: [
                ToDo(
                    "Faire l'appel",
                    reverse("teacher:register", args=[lesson.key]),
                    is_late=timezone.localdate(lesson.starts) < today,
                )
            ]
            for lesson in not_called(lessons, now)
            if lesson.teacher == teacher
        }
