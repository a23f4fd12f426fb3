"""The list of dossiers, and the addresses of the page that examines one and of its actions."""

import re

from django.contrib import admin
from django.template.loader import render_to_string
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format

from accounts.admin import ReadOnlyAdminMixin, SortNameSearchMixin, SpreadsheetAdminMixin
from accounts.admin_filters import SiteFilter
from reenrolment.admin import filters, pieces_views, views
from reenrolment.lists import ReenrolmentList
from reenrolment.models import Reenrolment
from reenrolment.worklist import dossiers_of, for_list

REFERENCE = re.compile(r"\s*(?:r\s*-?\s*)?0*(\d{1,9})\s*", re.IGNORECASE)


@admin.register(Reenrolment)
class ReenrolmentAdmin(
    ReadOnlyAdminMixin, SpreadsheetAdminMixin, SortNameSearchMixin, admin.ModelAdmin
):
    """Nothing is edited: a dossier moves by the actions of its page, each one a service."""

    change_list_template = "admin/reenrolment/reenrolment/change_list.html"
    spreadsheet = ReenrolmentList
    list_display = ["number", "student", "families", "state", "submitted_on", "pieces", "to_place"]
    list_display_links = ["number", "student"]
    establishment_lookup = "campaign__establishment"
    list_filter = [
        SiteFilter,
        filters.StatusFilter,
        filters.PiecesFilter,
        filters.ToPlaceFilter,
        filters.DisciplineFilter,
        filters.CampaignFilter,
    ]
    list_select_related = ["student"]
    list_per_page = 50
    ordering = ["pk"]  # see get_ordering; so that no column claims to be the order
    search_fields = [
        "student__sort_name",
        "student__families__sort_name",
        "student__families__guardians__sort_name",
    ]
    search_help_text = "Nom de l'élève, de la famille ou d'un responsable, ou référence (R-00042)"
    actions = None

    class Media:
        css = {"all": ["css/admin-dossier.css"]}

    def get_queryset(self, request):
        return for_list(dossiers_of(request.user)).prefetch_related("student__families")

    def get_ordering(self, request):
        return ["rank", "submitted_at", "pk"]  # those of for_list, which the change list undoes

    def get_search_results(self, request, queryset, search_term):
        if match := REFERENCE.fullmatch(search_term):
            return queryset.filter(pk=int(match[1])), False
        return super().get_search_results(request, queryset, search_term)

    def get_urls(self):
        actions = [
            ("<int:pk>/piece/<uuid:document>/accepter/", views.accept_piece),
            ("<int:pk>/piece/<uuid:document>/refuser/", views.refuse_piece),
            ("<int:pk>/placer/<int:choice>/", views.place),
            ("<int:pk>/complement/", views.request_complement),
            ("<int:pk>/valider/", views.validate),
            ("<int:pk>/refuser/", views.refuse),
            ("<int:pk>/retirer/", views.withdraw),
        ]
        return [
            *(
                path(
                    route,
                    self.admin_site.admin_view(view),
                    name=f"reenrolment_reenrolment_{view.__name__}",
                )
                for route, view in actions
            ),
            *pieces_views.urls(),
            *super().get_urls(),
        ]

    def changelist_view(self, request, extra_context=None):
        may_examine = request.user.has_perm(pieces_views.READ)
        context = views.WIDE | {"may_examine_pieces": may_examine}
        return super().changelist_view(request, context | (extra_context or {}))

    def change_view(self, request, object_id, form_url="", extra_context=None):
        return views.examine(request, object_id)

    @admin.display(description="référence")
    def number(self, reenrolment):
        return reenrolment.reference

    @admin.display(description="familles")
    def families(self, reenrolment):
        return " / ".join(family.name for family in reenrolment.student.families.all())

    @admin.display(description="état", ordering="status")
    def state(self, reenrolment):
        return _part("_state.html", reenrolment)

    @admin.display(description="déposé le", ordering="submitted_at")
    def submitted_on(self, reenrolment):
        at = reenrolment.submitted_at
        return date_format(timezone.localtime(at), "SHORT_DATE_FORMAT") if at else None

    @admin.display(description="pièces")
    def pieces(self, reenrolment):
        return _part("_piece_counts.html", reenrolment)

    @admin.display(description="à placer", ordering="unplaced", empty_value="")
    def to_place(self, reenrolment):
        return reenrolment.unplaced or None


def _part(name, reenrolment):
    return render_to_string(f"admin/reenrolment/reenrolment/{name}", {"reenrolment": reenrolment})
