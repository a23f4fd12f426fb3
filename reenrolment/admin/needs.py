"""« Besoins par discipline » of a year: the page, and its file."""

from django import forms
from django.contrib import admin
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.admin import permission_required
from accounts.spreadsheets import cells
from accounts.spreadsheets.writing import CONTENT_TYPES, CSV, XLSX, write
from reenrolment.admin.views import WIDE
from reenrolment.models import Campaign
from reenrolment.needs import (
    awaits_answers,
    needs_of,
    shortest_of,
    total_of,
)
from students.admin.years import YearForm
from students.enums import Cycle

VIEW = "reenrolment.view_needs"
HEADERS = [
    *["Discipline", "Cours", "Cycle", "Créneau", "Attendus", "Sans réponse", "Demandés"],
    *["Confirmés", "En attente", "Réservées", "Places", "Libres", "Remplissage (%)"],
    *["Il manque", "Resteront libres", "Bilan"],
]


class NeedsForm(YearForm):
    cycle = forms.ChoiceField(label="Cycle", choices=[("", "Tous"), *Cycle.choices], required=False)

    @property
    def chosen_cycle(self) -> Cycle | None:
        """The only one whose courses are wanted."""
        self.is_valid()
        chosen = self.cleaned_data.get("cycle")
        return Cycle(chosen) if chosen else None

    @property
    def query(self):
        query = super().query
        return f"{query}&cycle={self.chosen_cycle}" if self.chosen_cycle else query


def urls():
    """Beside the campaigns': a year may be looked at before its campaign is made."""
    views = {"besoins": needs, "besoins/export": needs_export}
    return [
        path(
            f"{route}/",
            admin.site.admin_view(view),
            name=f"reenrolment_campaign_{view.__name__}",
        )
        for route, view in views.items()
    ]


@never_cache
@require_safe
@permission_required(VIEW)
def needs(request):
    """The disciplines, where most is missing first; each with its courses and their slots."""
    form = NeedsForm(request)
    awaited = awaits_answers(form.chosen_site, form.chosen_year)
    found = needs_of(form.chosen_site, form.chosen_year, awaited=awaited, cycle=form.chosen_cycle)
    user = request.user
    context = admin.site.each_context(request) | WIDE
    context |= {
        "title": "Besoins par discipline",
        "opts": Campaign._meta,
        "form": form,
        "previous": form.previous(),
        "needs": found,
        "total": total_of(found),
        "shortest": shortest_of(found),
        "awaited": awaited,
        "here": request.get_full_path(),
        "may_change": user.has_perm("students.change_slot"),
        "may_add": user.has_perm("students.add_slot"),
    }
    return render(request, "admin/reenrolment/campaign/needs.html", context)


@never_cache
@require_safe
@permission_required(VIEW)
def needs_export(request):
    """CSV or XLSX: a line for each course, then one for each of its slots."""
    form = NeedsForm(request)
    awaited = awaits_answers(form.chosen_site, form.chosen_year)
    found = needs_of(form.chosen_site, form.chosen_year, awaited=awaited, cycle=form.chosen_cycle)
    format_ = XLSX if request.GET.get("format") == XLSX else CSV
    content = write(format_, HEADERS, _rows(found), title="Besoins")
    name = f"besoins-{form.chosen_year}.{format_}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=CONTENT_TYPES[format_], headers=headers)


def _rows(found):
    rows = []
    for need in found:
        for each in need.courses:
            named = [str(need.discipline), str(each.course), each.course.get_cycle_display()]
            rows.append([*named, "", *_cells(each.figures), *_balance(each)])
            rows += [
                [*named, of_slot.slot.within_course, *_cells_of_slot(of_slot.figures)]
                + ["", "", of_slot.said]
                for of_slot in each.slots
            ]
    return rows


def _cells(figures):
    names = ["expected", "unanswered", "requested", "confirmed", "waiting"]
    names += ["held", "places", "free", "rate"]
    return [cells.whole(getattr(figures, name)) for name in names]


def _cells_of_slot(figures):
    """Who is expected is expected in the course."""
    return ["", "", *_cells(figures)[2:]]


def _balance(need):
    figures, has_slots = need.figures, need.course.has_slots
    numbers = [figures.missing, figures.spare] if has_slots else [None, None]
    return [*map(cells.whole, numbers), need.said]
