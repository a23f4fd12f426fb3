"""The period of each establishment, and the versions of its « conditions générales »."""

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q

from accounts.admin import OwnEstablishmentsMixin
from accounts.admin_filters import SiteFilter
from accounts.moments import MomentField
from accounts.selectors import establishments_of
from reenrolment.admin import allotments, desk, launches, needs, reminders
from reenrolment.enums import Status
from reenrolment.models import Campaign, EarlyAccess, Reenrolment, Terms
from reenrolment.services import waiting
from students.enums import Criterion
from students.models import WaitingEntry

MOMENTS = {  # with Django's widget for two fields taken away
    models.DateTimeField: {"form_class": MomentField, "widget": MomentField.widget}
}
STEPS = ["criterion_1", "criterion_2", "criterion_3"]  # as many as there are criteria
BASICS = [
    *["establishment", "previous_year", "school_year", "mode"],
    *["opens_at", "closes_at", "hold_minutes", "travel_minutes", "terms"],
]


def _step(label, **more):
    choices = [("", "aucun"), *Criterion.choices]
    return forms.ChoiceField(label=label, choices=choices, required=False, **more)


class CampaignForm(forms.ModelForm):
    criterion_1 = _step("Passent d'abord les")
    criterion_2 = _step("puis les")
    criterion_3 = _step("puis les", help_text="À égalité\u00a0: l'ordre des demandes.")

    class Meta:
        model = Campaign
        fields = [*BASICS, "offer_hours"]
        help_texts = {
            "opens_at": "À l'heure de Paris.",
            "closes_at": "À l'heure de Paris\u00a0: dès cet instant, plus rien n'est déposé.",
            "terms": "Celles de l'établissement\u00a0; les familles acceptent cette version.",
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        criteria = self.instance.waiting_rule.criteria if self.instance.pk else []
        for name, criterion in zip(STEPS, criteria, strict=False):
            self.initial[name] = criterion.value

    def clean(self):
        cleaned = super().clean()
        self._clean_criteria(cleaned)
        terms = cleaned.get("terms")
        establishment = cleaned.get("establishment") or self.instance.establishment_id
        establishment = getattr(establishment, "pk", establishment)
        if terms and establishment and terms.establishment_id != establishment:
            self.add_error("terms", "Ces conditions sont celles d'un autre établissement.")
        return cleaned

    def _clean_criteria(self, cleaned):
        """In their order; a step left empty closes up."""
        chosen = [Criterion(cleaned[name]) for name in STEPS if cleaned.get(name)]
        for name in STEPS:
            if cleaned.get(name) and chosen.count(cleaned[name]) > 1:
                self.add_error(name, "Chaque critère ne se choisit qu'une fois.")
        self.criteria = chosen


class EarlyAccessFormSet(forms.BaseInlineFormSet):
    """Before everybody: the dates are those of the same page."""

    def clean(self):
        super().clean()
        everybody = self.instance.opens_at
        for form in self.forms:
            opens_at = getattr(form, "cleaned_data", {}).get("opens_at")
            is_kept = not form.cleaned_data.get("DELETE") if opens_at else False
            if is_kept and everybody and opens_at >= everybody:
                form.add_error(
                    "opens_at",
                    forms.ValidationError(
                        "L'accès anticipé doit ouvrir avant la campagne.", code="not_early"
                    ),
                )


class EarlyAccessInline(admin.TabularInline):
    model = EarlyAccess
    formset = EarlyAccessFormSet
    fields = ["criterion", "opens_at"]
    formfield_overrides = MOMENTS
    extra = 0
    verbose_name_plural = "accès anticipés (chaque élève est jugé pour lui-même)"


class TermsField(forms.ModelChoiceField):
    def label_from_instance(self, terms):
        return f"{terms} – {terms.establishment}"


@admin.register(Campaign)
class CampaignAdmin(OwnEstablishmentsMixin, admin.ModelAdmin):
    """The dates may move; the years, the site and the mode no more once there are dossiers."""

    form = CampaignForm
    change_form_template = "admin/reenrolment/campaign/change_form.html"
    list_display = ["school_year", "establishment", "opens_at", "closes_at", "state", "dossiers"]
    list_filter = [SiteFilter]
    list_select_related = ["school_year", "establishment"]
    formfield_overrides = MOMENTS
    inlines = [EarlyAccessInline]

    def get_urls(self):
        pages = [desk, launches, reminders, allotments, needs]
        return [*(each for page in pages for each in page.urls()), *super().get_urls()]

    def get_fieldsets(self, request, obj=None):
        order = {"fields": ["offer_hours", *STEPS], "description": _rule_help(obj)}
        return [(None, {"fields": BASICS}), ("Liste d'attente", order)]

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if set(STEPS) & set(form.changed_data):
            waiting.set_criteria(obj, form.criteria)
            order = ", ".join(obj.waiting_rule.words)
            self.log_change(request, obj, f"Ordre de la liste d'attente\u00a0: {order}.")

    def get_queryset(self, request):
        campaigns = super().get_queryset(request).select_related("school_year", "establishment")
        deposited = Count("reenrolments", filter=~Q(reenrolments__status=Status.DRAFT))
        return campaigns.annotate(deposited=deposited)

    def get_readonly_fields(self, request, obj=None):
        if obj is not None and obj.reenrolments.exists():
            return ["establishment", "previous_year", "school_year", "mode"]
        return []

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "terms":
            terms = Terms.objects.filter(establishment__in=establishments_of(request.user))
            kwargs |= {
                "queryset": terms.select_related("establishment"),
                "form_class": TermsField,
            }
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description="état")
    def state(self, campaign):
        if campaign.is_to_come:
            return "à venir"
        return "ouverte" if campaign.is_open else "close"

    @admin.display(description="dossiers déposés", ordering="deposited")
    def dossiers(self, campaign):
        return campaign.deposited


def _rule_help(campaign):
    """What changing the rule would do, and to how many."""
    told = (
        "La règle est publiée\u00a0: les familles la lisent avec leur rang. La changer quand des "
        "élèves attendent change leurs rangs."
    )
    waiting_now = _students_waiting(campaign) if campaign else 0
    if waiting_now > 1:
        return f"{told} En ce moment, {waiting_now} élèves attendent une place."
    return f"{told} En ce moment, un élève attend une place." if waiting_now else told


def _students_waiting(campaign):
    waits = WaitingEntry.objects.waiting().filter(
        course__establishment=campaign.establishment_id, course__school_year=campaign.school_year_id
    )
    return waits.values("student").distinct().count()


@admin.register(Terms)
class TermsAdmin(OwnEstablishmentsMixin, admin.ModelAdmin):
    """A version that a family accepted never changes: another one is written."""

    list_display = ["version", "establishment", "accepted"]
    list_filter = [SiteFilter]
    list_select_related = ["establishment"]
    fields = ["establishment", "version", "text"]

    def get_queryset(self, request):
        accepted = Reenrolment.objects.filter(terms=OuterRef("pk"))
        return super().get_queryset(request).annotate(is_accepted=Exists(accepted))

    def has_change_permission(self, request, obj=None):
        accepted = getattr(obj, "is_accepted", False)  # by nobody, one that was just added
        return super().has_change_permission(request, obj) and not accepted

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description="acceptée par une famille", boolean=True)
    def accepted(self, terms):
        return terms.is_accepted
