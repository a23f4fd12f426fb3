"""Tariff grids: a draft is a form with its rows, a published one is only read."""

from django import forms
from django.contrib import admin
from django.db import connection
from django.db.models import Count

from accounts.admin import OwnEstablishmentsMixin, ReadOnlyAdminMixin, SpreadsheetAdminMixin
from accounts.admin_filters import SiteFilter
from accounts.admin_forms import OwnRowsFormSet
from accounts.dates import day
from billing.admin.tariffs import comparison, files, moves
from billing.admin.tariffs.forms import FeeForm, ModifierForm, RentalForm, TariffGridForm
from billing.admin.tariffs.scope import WIDE
from billing.models.tariff_rows import TariffFee, TariffModifier, TariffRate, TariffRental
from billing.models.tariffs import TariffCategory, TariffGrid
from billing.tariffs import drafting
from billing.tariffs.lists import TariffRateList
from billing.tariffs.tables import tables_of


class DraftRowsMixin:
    """Rows of a grid, under the rights on the grid: there are no rights on its rows alone."""

    formset = OwnRowsFormSet
    extra = 0

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("billing.view_tariffgrid")

    def has_add_permission(self, request, obj=None):
        return self._may_change(request, obj)

    def has_change_permission(self, request, obj=None):
        return self._may_change(request, obj)

    def has_delete_permission(self, request, obj=None):
        return self._may_change(request, obj)

    def _may_change(self, request, grid):
        return request.user.has_perm("billing.change_tariffgrid") and not _published(grid)


class ModifierInline(DraftRowsMixin, admin.TabularInline):
    model = TariffModifier
    form = ModifierForm

    def get_formset(self, request, obj=None, **kwargs):
        self.establishment = obj and obj.establishment_id
        return super().get_formset(request, obj, **kwargs)

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("categories")

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        """The categories without the links to add or change one: the column is narrow."""
        if db_field.name == "categories":
            ours = TariffCategory.objects.filter(establishment=self.establishment)
            widget = forms.CheckboxSelectMultiple
            field = db_field.formfield(queryset=ours, widget=widget, help_text="")
            field.choices = [(each.pk, each.label) for each in ours]  # read once for all the rows
            return field
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class FeeInline(DraftRowsMixin, admin.TabularInline):
    model = TariffFee
    form = FeeForm


class RentalInline(DraftRowsMixin, admin.TabularInline):
    model = TariffRental
    form = RentalForm


@admin.register(TariffGrid)
class TariffGridAdmin(OwnEstablishmentsMixin, admin.ModelAdmin):
    form = TariffGridForm
    list_display = ["label", "school_year", "validity", "state", "rate_count"]
    list_filter = [SiteFilter, "status", "school_year"]
    list_select_related = ["school_year"]
    search_fields = ["label", "deliberation_number"]
    readonly_fields = ["state", "published_at", "published_by"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("establishment", "school_year"),
                    *["label", ("valid_from", "valid_until")],
                    ("deliberation_number", "deliberation_date"),
                    "deliberation_url",
                ]
            },
        ),
        (
            "Comment on compte",
            {
                "fields": [
                    ("terms", "months"),
                    *["adult_age", "order", "top_within_zone"],
                ]
            },
        ),
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(rate_count=Count("rates"))

    def get_object(self, request, object_id, from_field=None):
        """Locked while a form is saved: a draft published meanwhile stays as published.

        Saving and deleting have a transaction; Django's other pages need none.
        """
        grid = super().get_object(request, object_id, from_field)
        if grid and request.method == "POST" and connection.in_atomic_block:
            TariffGrid.objects.select_for_update(of=["self"]).filter(pk=grid.pk).first()
            grid = super().get_object(request, object_id, from_field)
        return grid

    def get_fieldsets(self, request, obj=None):
        sets = super().get_fieldsets(request, obj)
        if not _published(obj):
            return sets
        return [("Publication", {"fields": [("published_at", "published_by")]}), *sets]

    def get_inlines(self, request, obj):
        """A new grid first: its deductions name categories of its establishment."""
        return [ModifierInline, FeeInline, RentalInline] if obj else []

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not _published(obj)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and not _published(obj)

    def get_actions(self, request):
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # a published one might be among them
        return actions

    def get_deleted_objects(self, objs, request):
        """Its rows go with it: there are no rights on them alone."""
        to_delete, counts, _, protected = super().get_deleted_objects(objs, request)
        return to_delete, counts, set(), protected

    def save_model(self, request, obj, form, change):
        drafting.save_draft(obj, actor=request.user)

    def delete_model(self, request, obj):
        drafting.delete_draft(obj, actor=request.user)

    def render_change_form(self, request, context, **kwargs):
        context |= WIDE
        if grid := kwargs.get("obj"):
            may_change = self.has_change_permission(request, grid)
            context |= {
                "tables": tables_of(grid, with_empty=may_change),
                "may_change": may_change,
                "may_publish": request.user.has_perm(moves.PUBLISH),
                "may_import": may_change and request.user.has_perm(files.IMPORT),
                "may_export": request.user.has_perm(files.EXPORT),
                "formats": files.FORMATS,
                "may_copy": self.has_add_permission(request),
                "may_compare": request.user.has_perm(comparison.COMPARE),
                "may_add_category": request.user.has_perm("billing.add_tariffcategory"),
            }
        return super().render_change_form(request, context, **kwargs)

    def response_add(self, request, obj, post_url_continue=None):
        """On to the grid itself: its rates are still to be typed."""
        if "_addanother" not in request.POST:
            request.POST = request.POST.copy()
            request.POST["_continue"] = "1"
        return super().response_add(request, obj, post_url_continue)

    def get_urls(self):
        return [*moves.urls(), *files.urls(), *comparison.urls(), *super().get_urls()]

    @admin.display(description="validité", ordering="valid_from")
    def validity(self, grid):
        return f"du {day(grid.valid_from)} au {day(grid.valid_until)}"

    @admin.display(description="état", ordering="status")
    def state(self, grid):
        return grid.get_status_display()

    @admin.display(description="tarifs", ordering="rate_count")
    def rate_count(self, grid):
        return grid.rate_count


class GridFilter(admin.SimpleListFilter):
    title = "grille"
    parameter_name = "grille"

    def lookups(self, request, model_admin):
        grids = model_admin.get_queryset(request).values_list(
            "grid", "grid__label", "grid__school_year__starts_on"
        )
        distinct = sorted(set(grids), key=lambda grid: grid[2], reverse=True)
        return [(str(key), f"{label} (rentrée {starts.year})") for key, label, starts in distinct]

    def queryset(self, request, queryset):
        value = self.value()
        known = value in {key for key, _ in self.lookup_choices}
        return queryset.filter(grid=value) if value and known else queryset


@admin.register(TariffRate)
class TariffRateAdmin(
    ReadOnlyAdminMixin, SpreadsheetAdminMixin, OwnEstablishmentsMixin, admin.ModelAdmin
):
    """All the rates, to search, export and import; typed on the pages of their grid."""

    spreadsheet = TariffRateList
    establishment_lookup = "grid__establishment"
    list_display = ["category", "for_whom", "band", "price", "grid"]
    list_display_links = None
    list_filter = [SiteFilter, GridFilter, "zone"]
    list_select_related = ["category", "grid__school_year"]

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("billing.view_tariffgrid")

    @admin.display(description="pour qui")
    def for_whom(self, rate):
        return rate.for_whom

    @admin.display(description="quotient familial", empty_value="tous")
    def band(self, rate):
        return rate.band or None

    @admin.display(description="tarif")
    def price(self, rate):
        return rate.price


def _published(grid):
    return grid is not None and grid.is_published
