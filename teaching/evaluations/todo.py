"""What « Ma semaine » says of the evaluations."""

from django.urls import reverse
from django.utils import timezone

from teaching.evaluations.selectors import teacher_due
from teaching.home.todo import Source, ToDo


class EvaluationsDue(Source):
    """How many students are still to evaluate, from a month before the day on which it is due."""

    def others(self, teacher, sites, now):
        today = timezone.localdate(now)
        return [
            ToDo(
                f"{period.name}\u00a0: {left} évaluation{'s' if left > 1 else ''} à rendre",
                reverse("teacher:evaluations"),
                is_late=period.due_on < today,
            )
            for period, left in teacher_due(teacher, sites, today)
        ]
