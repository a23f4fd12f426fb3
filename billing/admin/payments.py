"""The register of payments."""

from django.contrib import admin

from accounts.admin import OwnEstablishmentsMixin, ReadOnlyAdminMixin, SortNameSearchMixin
from accounts.admin_filters import SiteFilter
from billing.admin import counter, journal, moves, reconciliation
from billing.admin.page import WIDE
from billing.models import Payment
from billing.money import euros
from families.admin_filters import HouseholdFilter


@admin.register(Payment)
class PaymentAdmin(
    ReadOnlyAdminMixin, OwnEstablishmentsMixin, SortNameSearchMixin, admin.ModelAdmin
):
    """The register of payments; recorded at the counter, then never touched."""

    list_display = [
        *["reference", "invoice", "payer_name"],
        *["nature", "amount_euros", "means", "paid_on"],
    ]
    list_filter = [SiteFilter, HouseholdFilter, "nature", "means", "invoice__kind"]
    list_select_related = ["invoice"]
    search_fields = ["invoice__family__sort_name", "reference"]
    search_help_text = "Nom de la famille, ou référence du paiement"
    ordering = ["-paid_on", "-pk"]  # this morning's first
    date_hierarchy = "paid_on"
    establishment_lookup = "invoice__establishment"
    household_lookup = "invoice__family"
    change_list_template = "admin/billing/payment/change_list.html"

    def get_urls(self):
        ours = [*counter.urls(), *journal.urls(), *reconciliation.urls(), *moves.payment_urls()]
        return [*ours, *super().get_urls()]

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, WIDE | (extra_context or {}))

    @admin.display(description="montant", ordering="amount")
    def amount_euros(self, payment):
        return euros(payment.amount)

    @admin.display(description="payeur", ordering="invoice__payer_name")
    def payer_name(self, payment):
        return payment.invoice.payer_name
