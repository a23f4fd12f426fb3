"""The instrument park: what it holds, where each instrument is, whom it is reserved for."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods

from accounts.admin import (
    OwnEstablishmentsMixin,
    ReadOnlyAdminMixin,
    SortNameSearchMixin,
    SpreadsheetAdminMixin,
)
from accounts.admin_filters import SiteFilter
from accounts.dates import day
from accounts.names import sort_key
from billing.admin.page import refuse
from billing.admin.steps import MAY_RENT, Step, StepsMixin
from billing.instruments import forms, park, rentals
from billing.instruments.availability import with_availability, with_renters
from billing.instruments.enums import Availability
from billing.instruments.lists import InstrumentList
from billing.instruments.prices import proposed_price
from billing.models import Instrument, InstrumentKind, Rental, Repair
from students.admin.scope import RefusalsMixin
from students.models import Custody, SchoolYear
from students.selectors import students_of

MOST_FOUND, MOST_WORDS = 20, 5  # students and words of one search
BADGES = {
    Availability.FREE: "success",
    Availability.RESERVED: "info",
    Availability.RENTED: "secondary",
    Availability.OVERDUE: "danger",
    Availability.IN_REPAIR: "warning",
    Availability.RETIRED: "light",
}


class AvailabilityFilter(admin.SimpleListFilter):
    title = "disponibilité"
    parameter_name = "disponibilite"

    def lookups(self, request, model_admin):
        return Availability.choices

    def queryset(self, request, queryset):
        return queryset.filter(availability=self.value()) if self.value() else queryset


class RepairInline(ReadOnlyAdminMixin, admin.TabularInline):
    model = Repair
    template = "admin/billing/log_inline.html"
    fields = ["starts_on", "ends_on", "workshop", "reason"]
    extra = 0
    verbose_name_plural = "réparations"
    nothing = "Aucune réparation."


class RentalInline(ReadOnlyAdminMixin, admin.TabularInline):
    model = Rental
    template = "admin/billing/log_inline.html"
    fields = readonly_fields = ["renter", "starts_on", "ends_on", "state_label", "returned_on"]
    extra = 0
    verbose_name_plural = "locations"
    nothing = "Jamais loué."

    def get_queryset(self, request):
        return super().get_queryset(request).for_list()

    @admin.display(description="élève")
    def renter(self, rental):
        return link_to(rental)

    @admin.display(description="état")
    def state_label(self, rental):
        return rental.state_label


def _is_in_repair(instrument):
    return instrument.repairs.under_way(timezone.localdate()).exists()


@admin.register(InstrumentKind)
class InstrumentKindAdmin(SortNameSearchMixin, admin.ModelAdmin):
    """The town's: a grid prices a rental by it."""

    list_display = ["name"]
    search_fields = ["sort_name"]


@admin.register(Instrument)
class InstrumentAdmin(
    StepsMixin,
    RefusalsMixin,
    SpreadsheetAdminMixin,
    OwnEstablishmentsMixin,
    SortNameSearchMixin,
    admin.ModelAdmin,
):
    spreadsheet = InstrumentList
    form = forms.InstrumentForm
    change_form_template = "admin/billing/instrument/change_form.html"
    list_display = [
        *["inventory_number", "name", "serial_number", "condition"],
        *["availability_badge", "renter"],
    ]
    list_filter = [SiteFilter, AvailabilityFilter, "kind", "condition"]
    list_select_related = ["kind", "establishment"]
    search_fields = ["kind__sort_name", "sort_name"]
    search_help_text = "Genre, marque, modèle, numéro de série ou d'inventaire"
    inlines = [RentalInline, RepairInline]
    steps = {
        "retour-de-reparation": Step(
            "Retour de réparation",
            forms.RepairedForm,
            lambda row, actor, **said: park.end_repair(row, **said),
            "L'instrument est revenu de réparation.",
            _is_in_repair,
        ),
        "reparation": Step(
            "Envoyer en réparation",
            forms.RepairForm,
            lambda row, actor, **said: park.send_to_repair(row, **said),
            "La réparation est notée\u00a0: l'instrument n'est pas prêté ces jours-là.",
            lambda row: not row.retired_on and not _is_in_repair(row),
            help="Une location en cours continue\u00a0; l'instrument n'est ni réservé, ni remis.",
        ),
        "hors-service": Step(
            "Mettre hors service",
            forms.RetireForm,
            lambda row, actor, **said: park.retire(row, **said),
            "L'instrument est hors service.",
            lambda row: not row.retired_on,
            help="Il reste au parc, avec son histoire, et ne se loue plus.",
        ),
        "en-service": Step(
            "Remettre en service",
            forms.ReinstateForm,
            lambda row, actor: park.reinstate(row),
            "L'instrument est de nouveau en service.",
            lambda row: row.retired_on,
        ),
    }

    class Media:
        css = {"all": ["css/admin-dossier.css", "css/admin-park.css"]}

    def get_queryset(self, request):
        return with_renters(with_availability(super().get_queryset(request)))

    def get_fieldsets(self, request, obj=None):
        known = ["establishment", "inventory_number", "kind", "size", "brand", "model"]
        worth = ["serial_number", "condition", ("value", "bought_on"), "notes"]
        return [(None, {"fields": [*known, *worth]})]

    def get_inlines(self, request, obj):
        return self.inlines if obj else []

    def save_model(self, request, obj, form, change):
        park.save(obj, form.changed_data)

    def next_step(self, instrument, steps):
        """A repair ends; else nothing is due but to lend what is there."""
        return steps[0][0] if instrument.availability == Availability.IN_REPAIR else None

    def render_change_form(self, request, context, **kwargs):
        instrument = kwargs.get("obj")
        context["is_free"] = instrument and instrument.availability == Availability.FREE
        context["badge"] = self.availability_badge(instrument) if instrument else ""
        context["may_rent"] = (
            instrument is not None and not instrument.retired_on and request.user.has_perm(MAY_RENT)
        )
        return super().render_change_form(request, context, **kwargs)

    def get_urls(self):
        view = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.rent))
        rent = path("<int:pk>/louer/", view, name="billing_instrument_rent")
        return [rent, *super().get_urls()]

    def rent(self, request, pk):
        """A student is searched by his name, then chosen with the household that rents."""
        instrument = self.row_to_move(request, pk)
        search = request.GET.get("q", "").replace("\0", "").strip()
        custodies = _custodies(request.user, search)
        price = proposed_price(
            instrument.kind, instrument.establishment, SchoolYear.objects.current()
        )
        form = forms.RentForm(custodies, price, request.POST or None)
        if request.method == "POST" and form.is_valid():
            said = form.cleaned_data
            custody = said.pop("custody")
            try:
                rental = rentals.reserve(
                    instrument,
                    student=custody.student,
                    family=custody.family,
                    **said,
                    actor=request.user,
                )
            except ValidationError as error:
                refuse(form, error)
            else:
                self.message_user(
                    request, f"{instrument}\u00a0: réservé pour {rental.student}.", messages.SUCCESS
                )
                return redirect("admin:billing_rental_change", rental.pk)
        context = {
            "title": "Louer cet instrument",
            "row": instrument,
            "form": form,
            "search": search,
            "found": custodies.count() if search else 0,
        }
        return self.render_page(request, "admin/billing/instrument/rent.html", context)

    @admin.display(description="instrument", ordering="kind__sort_name")
    def name(self, instrument):
        return instrument.name

    @admin.display(description="disponibilité", ordering="availability")
    def availability_badge(self, instrument):
        state = Availability(instrument.availability)
        return format_html(
            '<span class="badge text-bg-{}">{}</span>', BADGES[state], state.label.capitalize()
        )

    @admin.display(description="chez", empty_value="")
    def renter(self, instrument):
        if not instrument.live_rentals:
            return None
        rental = instrument.live_rentals[0]
        return format_html("{}, jusqu'au {}", link_to(rental), day(rental.ends_on))


def link_to(rental):
    """To the rental, by the name of its student."""
    url = reverse("admin:billing_rental_change", args=[rental.pk])
    return format_html('<a href="{}">{}</a>', url, rental.student)


def _custodies(agent, search):
    """Of the students whose name holds the words searched, in any order; nobody without a word."""
    if not search:
        return Custody.objects.none()
    students = students_of(agent).order_by("sort_name", "pk")
    for word in sort_key(search).split()[:MOST_WORDS]:
        students = students.filter(sort_name__contains=word)
    found = list(students.values_list("pk", flat=True)[:MOST_FOUND])
    return (
        Custody.objects.filter(student__in=found)
        .select_related("student", "family__commune")
        .order_by("student__sort_name", "student", "rank")
    )
