"""What becomes of what a household wrote of absences when it turns out to be another's double."""

from families.absorbing import Follower
from teaching.models import AbsenceNotice, Justification


class Absences(Follower):
    """They follow. Of one absence two never wait: the households of one child are never merged
    (students.absorbing)."""

    relations = ["teaching.AbsenceNotice.family", "teaching.Justification.family"]

    def absorb(self, kept, absorbed):
        AbsenceNotice.objects.filter(family=absorbed).update(family=kept)
        Justification.objects.filter(family=absorbed).update(family=kept)
