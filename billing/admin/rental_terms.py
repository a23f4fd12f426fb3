"""« Conditions de location » of each establishment, version by version."""

from django.contrib import admin
from django.db.models import Exists, OuterRef

from accounts.admin import OwnEstablishmentsMixin
from accounts.admin_filters import SiteFilter
from billing.instruments.terms import PROPOSED
from billing.models import Rental, RentalTerms


@admin.register(RentalTerms)
class RentalTermsAdmin(OwnEstablishmentsMixin, admin.ModelAdmin):
    """A version with which a rental was begun never changes: another one is written."""

    list_display = ["version", "establishment", "used"]
    list_filter = [SiteFilter]
    list_select_related = ["establishment"]
    fields = ["establishment", "version", "text"]

    def get_queryset(self, request):
        rentals = Rental.objects.filter(terms=OuterRef("pk"))
        return super().get_queryset(request).annotate(is_used=Exists(rentals))

    def get_changeform_initial_data(self, request):
        """The text of now, to change what is to change; else what is proposed."""
        initial = super().get_changeform_initial_data(request)
        now = self.get_queryset(request).filter(establishment=request.establishment).first()
        return {"text": now.text if now else "\n\n".join(PROPOSED), **initial}

    def has_change_permission(self, request, obj=None):
        used = getattr(obj, "is_used", False)  # one that was just added serves nobody
        return super().has_change_permission(request, obj) and not used

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description="sert à une location", boolean=True)
    def used(self, terms):
        return terms.is_used
