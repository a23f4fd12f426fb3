"""A rental from its reservation to the deposit given back: read here, moved by its steps."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from accounts.admin import (
    OwnEstablishmentsMixin,
    ReadOnlyAdminMixin,
    SortNameSearchMixin,
    SpreadsheetAdminMixin,
)
from accounts.admin_filters import SiteFilter
from accounts.dates import day
from billing.admin.steps import Step, StepsMixin
from billing.instruments import charges, deposits, forms, rentals
from billing.instruments.contracts import contract_of, deposit_sentence, print_contract
from billing.instruments.enums import LIVE_RENTALS, DepositState, RentalState
from billing.instruments.lists import RentalList
from billing.instruments.prices import charged, due
from billing.models import Invoice, Rental, RentalMove
from billing.money import euros

BADGES = {
    RentalState.RESERVED: "info",
    RentalState.ONGOING: "success",
    RentalState.RETURNED: "light",
    RentalState.CANCELLED: "secondary",
}
LATE, UNINSURED = "en-retard", "a-assurer"


class StateFilter(admin.SimpleListFilter):
    title = "état"
    parameter_name = "etat"

    def lookups(self, request, model_admin):
        return [*RentalState.choices, (LATE, "retour en retard"), (UNINSURED, "sans assurance")]

    def queryset(self, request, queryset):
        today = timezone.localdate()
        match self.value():
            case None:
                return queryset
            case "en-retard":
                return queryset.overdue(today)
            case "a-assurer":
                return queryset.live().filter(Q(insured_until=None) | Q(insured_until__lt=today))
        return queryset.filter(state=self.value())


class MoveInline(ReadOnlyAdminMixin, admin.TabularInline):
    model = RentalMove
    template = "admin/billing/log_inline.html"
    fields = readonly_fields = ["at", "event", "condition_words", "details", "who"]
    extra = 0
    verbose_name_plural = "journal"
    nothing = "Rien encore."

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("actor")

    @admin.display(description="état de l'instrument")
    def condition_words(self, move):
        return move.get_condition_display()

    @admin.display(description="par")
    def who(self, move):
        return str(move.actor)  # not a link: whoever reads this may not read accounts


@admin.register(Rental)
class RentalAdmin(
    StepsMixin,
    ReadOnlyAdminMixin,
    SpreadsheetAdminMixin,
    OwnEstablishmentsMixin,
    SortNameSearchMixin,
    admin.ModelAdmin,
):
    """One is begun from its instrument's page, « Louer cet instrument »."""

    spreadsheet = RentalList
    establishment_lookup = "instrument__establishment"
    change_form_template = "admin/billing/rental/change_form.html"
    list_display = [
        *["instrument_words", "student_words", "state_badge", "until"],
        *["deposit_words", "insurance_words"],
    ]
    list_filter = [SiteFilter, StateFilter, "deposit_state", "instrument__kind", "school_year"]
    list_select_related = ["instrument__kind", "student"]
    search_fields = ["student__sort_name", "family__sort_name", "instrument__sort_name"]
    search_help_text = "Nom de l'élève ou de la famille, numéro de série ou d'inventaire"
    date_hierarchy = "ends_on"
    fieldsets = [
        (
            "Location",
            {
                "fields": [
                    "instrument_link",
                    "serial_number",
                    "student_words",
                    "family",
                    "period_words",
                    "terms_words",
                ]
            },
        ),
        ("Remise et retour", {"fields": ["handed_over_words", "returned_words"]}),
        ("Assurance", {"fields": ["insurance_words", "insurer", "policy_number"]}),
        ("Dépôt de garantie", {"fields": ["deposit_sentence", "deposit_reference"]}),
        ("Loyer", {"fields": ["rent_words", "charged_words"]}),
    ]
    readonly_fields = [name for _, options in fieldsets for name in options["fields"]]
    inlines = [MoveInline]
    steps = {
        "assurance": Step(
            "Noter l'attestation d'assurance",
            forms.InsureForm,
            rentals.insure,
            "L'assurance est notée.",
            lambda rental: rental.state in LIVE_RENTALS and not rental.is_insured,
            help="Obligatoire avant de remettre l'instrument.",
        ),
        "remettre": Step(
            "Remettre l'instrument",
            forms.HandOverForm,
            rentals.hand_over,
            "L'instrument est remis.",
            lambda rental: rental.state == RentalState.RESERVED,
            help="L'état noté ici est celui auquel le retour sera comparé.",
        ),
        "retour": Step(
            "Enregistrer le retour",
            forms.TakeBackForm,
            rentals.take_back,
            "L'instrument est rendu.",
            lambda rental: rental.state == RentalState.ONGOING,
        ),
        "depot-recu": Step(
            "Noter le dépôt reçu",
            forms.ReceiveDepositForm,
            deposits.receive,
            "Le dépôt est reçu.",
            lambda rental: (
                rental.deposit_state == DepositState.DUE and rental.state in LIVE_RENTALS
            ),
        ),
        "depot-rendu": Step(
            "Rendre le dépôt",
            forms.GiveBackDepositForm,
            deposits.give_back,
            "Le dépôt est rendu.",
            lambda rental: (
                rental.deposit_state == DepositState.HELD and rental.state != RentalState.ONGOING
            ),
        ),
        "depot-garde": Step(
            "Garder le dépôt",
            forms.KeepDepositForm,
            deposits.keep,
            "Le dépôt est gardé, son motif est noté.",
            lambda rental: (
                rental.deposit_state == DepositState.HELD and rental.state != RentalState.ONGOING
            ),
        ),
        "facture": Step(
            "Préparer la facture",
            forms.DraftInvoiceForm,
            charges.draft_invoice,
            "La facture est en brouillon\u00a0: relisez-la, puis émettez-la.",
            lambda rental: rental.state != RentalState.CANCELLED and charged(rental) < due(rental),
            help="Un brouillon de genre «\u00a0location\u00a0», pour ce qui n'est pas encore"
            " facturé.",
        ),
        "prolonger": Step(
            "Prolonger",
            forms.ExtendForm,
            rentals.extend,
            "La location est prolongée.",
            lambda rental: (
                rental.state in LIVE_RENTALS and rental.ends_on < rental.school_year.ends_on
            ),
        ),
        "renouveler-assurance": Step(
            "Renouveler l'assurance",
            forms.InsureForm,
            rentals.insure,
            "L'assurance est notée.",
            lambda rental: rental.state in LIVE_RENTALS and rental.is_insured,
        ),
        "annuler": Step(
            "Annuler la location",
            forms.CancelForm,
            rentals.cancel,
            "La location est annulée.",
            lambda rental: rental.state == RentalState.RESERVED,
        ),
    }

    class Media:
        css = {"all": ["css/admin-dossier.css", "css/admin-park.css"]}

    def get_object(self, request, object_id, from_field=None):
        rental = super().get_object(request, object_id, from_field)
        return rental and self.get_queryset(request).for_contract().get(pk=rental.pk)

    def render_change_form(self, request, context, **kwargs):
        invoices = Invoice.objects.filter(lines__rental_charge__rental=kwargs["obj"])
        context["invoices"] = invoices.distinct().order_by("pk")
        return super().render_change_form(request, context, **kwargs)

    def get_urls(self):
        view = self.admin_site.admin_view(require_safe(self.contract))
        contract = path("<int:pk>/contrat.pdf", view, name="billing_rental_contract")
        return [contract, *super().get_urls()]

    def contract(self, request, pk):
        """To print and to sign, with whoever may read the rental."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rental = self.get_object(request, str(pk))
        if rental is None:
            raise Http404
        try:
            content = print_contract(contract_of(rental))
        except ValidationError as error:
            self.message_user(request, error.messages[0], messages.ERROR)
            return redirect(self.change_url, pk)
        name = f"contrat-{pk}.pdf"
        headers = {"Content-Disposition": f'inline; filename="{name}"'}
        return HttpResponse(content, content_type="application/pdf", headers=headers)

    @admin.display(description="état", ordering="state")
    def state_badge(self, rental):
        kind = "danger" if rental.is_overdue else BADGES[rental.state]
        return format_html('<span class="badge text-bg-{}">{}</span>', kind, rental.state_label)

    @admin.display(description="jusqu'au", ordering="ends_on")
    def until(self, rental):
        return f"{rental.ends_on:%d/%m/%Y}"

    @admin.display(description="dépôt", ordering="deposit_state")
    def deposit_words(self, rental):
        if rental.deposit_state == DepositState.NONE:
            return "aucun"
        return f"{euros(rental.deposit)}, {rental.get_deposit_state_display()}"

    @admin.display(description="assurance", ordering="insured_until")
    def insurance_words(self, rental):
        if rental.insured_until is None:
            return "aucune attestation"
        over = rental.insured_until < timezone.localdate()
        word = "terminée depuis le" if over else "jusqu'au"
        return f"{word} {rental.insured_until:%d/%m/%Y}"

    @admin.display(description="instrument")
    def instrument_link(self, rental):
        url = reverse("admin:billing_instrument_change", args=[rental.instrument_id])
        return format_html('<a href="{}">{}</a>', url, rental.instrument)

    @admin.display(description="instrument", ordering="instrument__inventory_number")
    def instrument_words(self, rental):
        return str(rental.instrument)

    @admin.display(description="élève", ordering="student__sort_name")
    def student_words(self, rental):
        return str(rental.student)  # not a link: the régie does not read the students' pages

    @admin.display(description="numéro de série")
    def serial_number(self, rental):
        return rental.instrument.serial_number or "non noté"

    @admin.display(description="durée")
    def period_words(self, rental):
        return f"{rental.period} ({rental.school_year})"

    @admin.display(description="conditions")
    def terms_words(self, rental):
        return str(rental.terms)

    @admin.display(description="remis")
    def handed_over_words(self, rental):
        return _seen(rental.handed_over_on, rental.get_condition_out_display())

    @admin.display(description="rendu")
    def returned_words(self, rental):
        return _seen(rental.returned_on, rental.get_condition_back_display())

    @admin.display(description="dépôt")
    def deposit_sentence(self, rental):
        return deposit_sentence(rental)

    @admin.display(description="loyer")
    def rent_words(self, rental):
        return charges.explanation(rental)

    @admin.display(description="facturé")
    def charged_words(self, rental):
        return f"{euros(charged(rental))} sur {euros(due(rental))}"


def _seen(on, condition):
    return f"le {day(on)}, état\u00a0: {condition}" if on else "pas encore"
