"""Rooms of a day, of a year, what overlaps and who teaches how long: at the site chosen."""

from django.http import Http404
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from accounts.admin import permission_required
from students.admin.years import YearForm
from students.models import SchoolYear
from teaching.timetable import conflicts, loads, rooms, year_rooms
from teaching.timetable.admin.year_forms import YearRoomsForm
from teaching.timetable.forms import RoomsForm

VIEW = "teaching.view_lesson"
MOST_SAID = 50  # clashes in words above the rooms; « Conflits » has them all


class ReadingMixin:
    """For LessonAdmin."""

    def get_urls(self):
        views = {
            "salles": self.rooms,
            "salles-annee": self.year_rooms,
            "heures": self.loads,
            "conflits": self.conflicts,
        }
        return [
            *[
                path(
                    f"{route}/",
                    self.admin_site.admin_view(view),
                    name=f"teaching_lesson_{view.__name__}",
                )
                for route, view in views.items()
            ],
            *super().get_urls(),
        ]

    @method_decorator(require_safe)
    @method_decorator(permission_required(VIEW))
    def rooms(self, request):
        """« Salles »: a day, each room's lessons; and which are free from when to when."""
        site = self._site(request)
        form = RoomsForm(request.GET)
        is_valid = form.is_valid()
        day = form.cleaned_data.get("jour") or timezone.localdate()
        found = rooms.rooms_of(site, day)
        starts, ends = (form.cleaned_data.get(name) if is_valid else None for name in ("de", "a"))
        context = self._context(request, "Salles") | {
            "form": form,
            "day": day,
            "rooms": found,
            "closures": rooms.closures_of(site, day),
            "asked": (starts, ends) if starts and ends else None,
            "free": rooms.free_rooms(found, starts, ends) if starts and ends else [],
        }
        return render(request, "admin/teaching/lesson/rooms.html", context)

    @method_decorator(require_safe)
    @method_decorator(permission_required(VIEW))
    def conflicts(self, request):
        """« Conflits »: the weekly hours of this year and of the coming one that overlap."""
        site = self._site(request)
        years = SchoolYear.objects.filter(ends_on__gte=timezone.localdate()).order_by("starts_on")
        context = self._context(request, "Conflits") | {
            "years": [(year, conflicts.overlaps_of(site, year)) for year in years[:2]],
        }
        return render(request, "admin/teaching/lesson/conflicts.html", context)

    @method_decorator(require_safe)
    @method_decorator(permission_required(VIEW))
    def year_rooms(self, request):
        """« Salles de l'année »: rooms by day of the week; and which are free from when to when."""
        form = YearRoomsForm(request)
        found = year_rooms.rooms_of_year(form.chosen_site, form.chosen_year)
        asked = form.asked
        context = self._context(request, "Salles de l'année") | {
            "form": form,
            "found": found,
            "overlaps": [year_rooms.said_of(each) for each in found.overlaps[:MOST_SAID]],
            "not_said": max(0, len(found.overlaps) - MOST_SAID),
            "asked": asked,
            "free": found.free_rooms(*asked) if asked else [],
            "is_nav_sidebar_enabled": False,
        }
        return render(request, "admin/teaching/lesson/year_rooms.html", context)

    @method_decorator(require_safe)
    @method_decorator(permission_required(VIEW))
    def loads(self, request):
        """« Heures d'enseignement »: how many a week for each teacher, beside the year before."""
        form = YearForm(request)
        previous = form.previous()
        found = loads.loads_of(form.chosen_site, form.chosen_year, previous)
        context = self._context(request, "Heures d'enseignement") | {
            "form": form,
            "previous": previous,
            "loads": found,
            "total": loads.total_of(found),
        }
        return render(request, "admin/teaching/lesson/loads.html", context)

    def _context(self, request, title):
        return self.admin_site.each_context(request) | {
            "title": title,
            "opts": self.opts,
            "site": self._site(request),
        }

    def _site(self, request):
        if request.establishment is None:
            raise Http404
        return request.establishment
