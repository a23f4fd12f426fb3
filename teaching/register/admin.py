"""Registers, read by the administration; those that were not called; the settings."""

from django.contrib import admin
from django.shortcuts import render
from django.urls import path
from django.utils.html import format_html_join
from django.views.decorators.http import require_safe

from accounts.admin import (
    OwnEstablishmentsMixin,
    ReadOnlyAdminMixin,
    SortNameSearchMixin,
    permission_required,
)
from accounts.admin_filters import SiteFilter
from accounts.dates import moment
from teaching.absences.selectors import by_teacher, missing_registers
from teaching.models import AbsenceMove, Register, RegisterSettings
from teaching.register.selectors import FORGOTTEN_DAYS


@admin.register(Register)
class RegisterAdmin(
    ReadOnlyAdminMixin, OwnEstablishmentsMixin, SortNameSearchMixin, admin.ModelAdmin
):
    establishment_lookup = "course__establishment"
    change_list_template = "admin/teaching/register/change_list.html"
    list_display = ["held_on", "course", "teacher", "called_at", "called_by", "void"]
    list_filter = [SiteFilter, "held_on"]
    list_select_related = ["course", "teacher", "called_by"]
    search_fields = ["course__sort_name", "teacher__sort_name"]
    search_help_text = "Nom du cours ou de l'enseignant"
    date_hierarchy = "held_on"
    fields = readonly_fields = [
        *["lesson_words", "held_on", "course", "teacher", "called_at", "called_by", "void", "log"],
    ]

    def get_urls(self):
        missing = self.admin_site.admin_view(_missing)
        return [
            path("non-faits/", missing, name="teaching_register_missing"),
            *super().get_urls(),
        ]

    @admin.display(description="séance")
    def lesson_words(self, register):
        return str(register.lesson)  # not a link: lessons have no page here

    @admin.display(description="journal")
    def log(self, register):
        moves = AbsenceMove.objects.filter(entry__register=register)
        moves = moves.select_related("entry__by", "enrolment__student").order_by("pk")
        return format_html_join(
            "",
            "<p>{}, {}\u00a0: {}, {} → {}</p>",
            (
                (
                    moment(move.entry.at),
                    move.entry.by,
                    move.enrolment.student,
                    move.get_from_kind_display(),
                    move.get_to_kind_display(),
                )
                for move in moves
            ),
        )


@require_safe
@permission_required("teaching.view_register")
def _missing(request):
    """At the site chosen, of the last two weeks: who has to call what, since when."""
    found = missing_registers(request.establishment)
    context = {
        **admin.site.each_context(request),
        "title": "Appels non faits",
        "opts": Register._meta,
        "establishment": request.establishment,
        "teachers": by_teacher(found),
        "count": len(found),
        "days": FORGOTTEN_DAYS,
    }
    return render(request, "admin/teaching/register/missing.html", context)


@admin.register(RegisterSettings)
class RegisterSettingsAdmin(OwnEstablishmentsMixin, admin.ModelAdmin):
    list_display = ["establishment", "mail_delay", "repeated_from"]
    list_select_related = ["establishment"]

    def get_readonly_fields(self, request, obj=None):
        return ["establishment"] if obj else []

    def has_delete_permission(self, request, obj=None):
        return False  # an establishment without settings has the defaults
