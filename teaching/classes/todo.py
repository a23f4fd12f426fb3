"""What the class lists say on « Ma semaine »: the students whose hour is still to be fixed."""

from django.db.models import Count, Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from accounts.dates import NBSP
from students.enums import Scheduling
from students.models import Enrolment
from teaching.home.todo import Source, ToDo
from teaching.models import LessonTime


class HoursToFix(Source):
    def others(self, teacher, sites, now):
        """Of the year under way: those of the coming one are fixed once it begins."""
        today = timezone.localdate(now)
        lasting = Q(ends_on=None) | Q(ends_on__gte=today)
        times = LessonTime.objects.filter(lasting, enrolment=OuterRef("pk"))
        without = Enrolment.objects.confirmed().filter(
            lasting,
            ~Exists(times),
            course__teacher=teacher,
            course__scheduling=Scheduling.TEACHER,
            course__establishment__in=sites,
            course__school_year__starts_on__lte=today,
            course__school_year__ends_on__gte=today,
        )
        counted = without.order_by("course__sort_name", "course")
        counted = counted.values_list("course", "course__name").annotate(Count("pk"))
        return [
            ToDo(
                f"{name}{NBSP}: {count} élève{'s' if count > 1 else ''} sans horaire",
                reverse("teacher:course", args=[course]),
            )
            for course, name, count in counted
        ]
