"""What the timetable holds about a household's students: the hours fixed for them."""

from accounts.personal_data import forget_in_admin_log
from accounts.records import record
from families.enums import Fate
from families.holdings import Holding, Part
from students.personal_data import students_only_of
from teaching.models import LessonTime

EXPORTED = {
    LessonTime: ["course", "weekday", "starts_at", "ends_at", "room", "starts_on", "ends_on"]
}


class TimetablePart(Part):
    exported = EXPORTED
    not_exported = {
        "teaching.LessonTime.enrolment": "dit où la ligne est rangée",
        "teaching.LessonTime.revision": "compte les changements",
        "teaching.Closure": "une liste publique",
        "teaching.Lesson": "parle d'une classe, de personne",
    }
    sections = {"horaires fixés": "les heures de leurs cours individuels"}

    def export(self, copy):
        times = _times(copy.family.students.all()).select_related("course", "enrolment__student")
        return {
            "horaires fixés": [
                {
                    "élève": str(time.enrolment.student),
                    **record(time, EXPORTED[LessonTime], course=str(time.course)),
                }
                for time in times
            ]
        }

    def holdings(self, family):
        times = _times(students_only_of(family))
        return [
            Holding(
                "Horaires des cours individuels",
                times.count(),
                Fate.EMPTIED,
                "Ils disent quand le cours a eu lieu, sans dire avec qui.",
            )
        ]

    def erase(self, family):
        """Nothing to empty: a weekly hour names its student only through the enrolment."""
        times = _times(students_only_of(family))
        forget_in_admin_log(LessonTime, list(times.values_list("pk", flat=True)))


def _times(students):
    return LessonTime.objects.filter(enrolment__student__in=students)
