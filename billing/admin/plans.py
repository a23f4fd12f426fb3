"""In how many parts families may pay, and what they chose."""

from django import forms
from django.contrib import admin
from django.db.models import Count, Q

from accounts.admin import OwnEstablishmentsMixin, ReadOnlyAdminMixin, SortNameSearchMixin
from accounts.dates import day
from accounts.references import reference_of
from billing.models import PaymentPlan, PaymentPlanChoice


class PaymentPlanForm(forms.ModelForm):
    class Meta:
        model = PaymentPlan
        fields = [
            *["establishment", "school_year", "in_two", "in_three", "in_four", "in_six"],
            *["minimum", "first_due_on", "choose_until"],
        ]
        localized_fields = ["minimum"]  # « 15,00 »


@admin.register(PaymentPlan)
class PaymentPlanAdmin(OwnEstablishmentsMixin, admin.ModelAdmin):
    """What a household chose points here: it is changed, never deleted."""

    form = PaymentPlanForm
    list_display = ["establishment", "school_year", "offered", "minimum", "until", "chosen"]
    list_select_related = ["establishment", "school_year"]
    fieldsets = [
        (None, {"fields": ["establishment", "school_year"]}),
        (
            "Ce que les familles peuvent choisir",
            {
                "fields": [("in_two", "in_three", "in_four", "in_six"), "minimum"],
                "description": "En une fois est toujours possible.",
            },
        ),
        ("Quand", {"fields": ["choose_until", "first_due_on"]}),
    ]

    def get_queryset(self, request):
        several = Count("choices", filter=Q(choices__parts__gt=1))
        return super().get_queryset(request).annotate(chosen=Count("choices"), several=several)

    def get_readonly_fields(self, request, obj=None):
        return ["establishment", "school_year"] if obj else []

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description="proposé")
    def offered(self, plan):
        return f"en {', '.join(map(str, plan.parts))}\u00a0fois"

    @admin.display(description="choix jusqu'au", ordering="choose_until")
    def until(self, plan):
        return day(plan.choose_until)

    @admin.display(description="choix des familles", ordering="chosen")
    def chosen(self, plan):
        return f"{plan.chosen}, dont {plan.several} en plusieurs fois"


@admin.register(PaymentPlanChoice)
class PaymentPlanChoiceAdmin(
    ReadOnlyAdminMixin, SortNameSearchMixin, OwnEstablishmentsMixin, admin.ModelAdmin
):
    establishment_lookup = "plan__establishment"
    list_display = ["family", "reference", "parts", "plan", "chosen_at", "chosen_by"]
    list_select_related = ["family", "plan__establishment", "plan__school_year", "chosen_by"]
    list_filter = ["plan__school_year", "parts"]
    search_fields = ["family__sort_name"]
    search_help_text = "Nom de la famille"

    @admin.display(description="référence")
    def reference(self, choice):
        return reference_of(choice.family)
