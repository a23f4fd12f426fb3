"""The register of payments."""

from django.contrib import admin

from accounts.admin import OwnEstablishmentsMixin, ReadOnlyAdminMixin, SortNameSearchMixin
from accounts.admin_filters import SiteFilter
from billing.models import Payment


@admin.register(Payment)
class PaymentAdmin(
    ReadOnlyAdminMixin, OwnEstablishmentsMixin, SortNameSearchMixin, admin.ModelAdmin
):
    """The register of payments; one is recorded from its invoice's page, then never touched."""

    list_display = ["reference", "invoice", "payer_name", "nature", "amount", "means", "paid_on"]
    list_filter = [SiteFilter, "nature", "means", "invoice__kind"]
    list_select_related = ["invoice"]
    search_fields = ["invoice__family__sort_name", "reference"]
    search_help_text = "Nom de la famille, ou référence du paiement"
    date_hierarchy = "paid_on"
    establishment_lookup = "invoice__establishment"

    @admin.display(description="payeur", ordering="invoice__payer_name")
    def payer_name(self, payment):
        return payment.invoice.payer_name
