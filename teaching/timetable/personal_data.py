"""What the timetable holds about a household's students: the hours fixed for them."""

from accounts.enums import MailKind
from accounts.models import Mail
from accounts.personal_data import forget_in_admin_log
from accounts.records import record
from families.enums import Fate
from families.holdings import Holding, Part
from students.personal_data import students_only_of
from teaching.enums import Space
from teaching.models import CalendarFeed, LessonTime

EXPORTED = {
    LessonTime: ["course", "weekday", "starts_at", "ends_at", "room", "starts_on", "ends_on"],
    CalendarFeed: ["space", "made_at", "read_on"],
}


class TimetablePart(Part):
    exported = EXPORTED
    not_exported = {
        "teaching.LessonTime.enrolment": "dit où la ligne est rangée",
        "teaching.LessonTime.revision": "compte les changements",
        "teaching.Closure": "une liste publique",
        "teaching.Lesson": "parle d'une classe, de personne",
        "teaching.LessonChange": "parle d'une classe, de personne",
        "teaching.TimetableSettings": "un réglage",
        "teaching.CalendarFeed.user": "dit où la ligne est rangée",
        "teaching.CalendarFeed.key": "un secret",
    }
    sections = {
        "horaires fixés": "les heures de leurs cours individuels",
        "adresses d'agenda": "quand vous en avez créé une, quand un agenda l'a lue",
    }
    mail_kinds = [MailKind.LESSON_CHANGED]

    def mails(self, person):
        return Mail.objects.filter(person.ends(), kind=MailKind.LESSON_CHANGED)

    def export(self, copy):
        times = _times(copy.family.students.all()).select_related("course", "enrolment__student")
        return {
            "horaires fixés": [
                {
                    "élève": str(time.enrolment.student),
                    **record(time, EXPORTED[LessonTime], course=str(time.course)),
                }
                for time in times
            ],
            "adresses d'agenda": [
                record(feed, EXPORTED[CalendarFeed])
                for feed in CalendarFeed.objects.visible_to(copy.user)
            ],
        }

    def holdings(self, family):
        times = _times(students_only_of(family))
        return [
            Holding(
                "Horaires des cours individuels",
                times.count(),
                Fate.EMPTIED,
                "Ils disent quand le cours a eu lieu, sans dire avec qui.",
            ),
            Holding("Adresses d'agenda", _feeds(family).count(), Fate.ERASED),
        ]

    def erase(self, family):
        """A weekly hour names its student only through the enrolment: it stays as it is."""
        _feeds(family).delete()
        times = _times(students_only_of(family))
        forget_in_admin_log(LessonTime, list(times.values_list("pk", flat=True)))


def _feeds(family):
    """The household's; that of a guardian who is also a teacher, for his lessons, is his own."""
    return CalendarFeed.objects.filter(user__guardian__family=family, space=Space.FAMILY)


def _times(students):
    return LessonTime.objects.filter(enrolment__student__in=students)
