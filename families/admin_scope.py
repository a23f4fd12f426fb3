"""What the admin pages of households share."""

from families.models import Family
from families.selectors import families_of


class OwnHouseholdsMixin:
    """An agent links the households of his own sites (see `families_of`), whatever is posted."""

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.related_model is Family:
            kwargs["queryset"] = families_of(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class OfOwnHouseholdsMixin(OwnHouseholdsMixin):
    """And sees only the rows whose `family` is one of them."""

    def get_queryset(self, request):
        return super().get_queryset(request).filter(family__in=families_of(request.user))
