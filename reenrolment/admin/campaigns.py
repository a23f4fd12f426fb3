"""The period of each establishment, and the versions of its « conditions générales »."""

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q
from django.forms import DateTimeInput

from accounts.admin import OwnEstablishmentsMixin
from accounts.admin_filters import SiteFilter
from accounts.selectors import establishments_of
from reenrolment.admin import allotments, launches
from reenrolment.enums import Status
from reenrolment.models import Campaign, Reenrolment, Terms


class CampaignForm(forms.ModelForm):
    class Meta:
        model = Campaign
        fields = [
            *["establishment", "previous_year", "school_year", "mode"],
            *["opens_at", "closes_at", "hold_minutes", "travel_minutes", "terms"],
        ]
        help_texts = {
            "opens_at": "À l'heure de Paris.",
            "closes_at": "À l'heure de Paris\u00a0: dès cet instant, plus rien n'est déposé.",
            "terms": "Celles de l'établissement\u00a0; les familles acceptent cette version.",
        }

    def clean(self):
        cleaned = super().clean()
        terms = cleaned.get("terms")
        establishment = cleaned.get("establishment") or self.instance.establishment_id
        establishment = getattr(establishment, "pk", establishment)
        if terms and establishment and terms.establishment_id != establishment:
            self.add_error("terms", "Ces conditions sont celles d'un autre établissement.")
        return cleaned


class TermsField(forms.ModelChoiceField):
    def label_from_instance(self, terms):
        return f"{terms} – {terms.establishment}"


@admin.register(Campaign)
class CampaignAdmin(OwnEstablishmentsMixin, admin.ModelAdmin):
    """The dates may move; the years, the site and the mode no more once there are dossiers."""

    form = CampaignForm
    fields = CampaignForm.Meta.fields
    change_form_template = "admin/reenrolment/campaign/change_form.html"
    list_display = ["school_year", "establishment", "opens_at", "closes_at", "state", "dossiers"]
    list_filter = [SiteFilter]
    list_select_related = ["school_year", "establishment"]
    formfield_overrides = {
        models.DateTimeField: {
            "form_class": forms.DateTimeField,
            "widget": DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        }
    }

    def get_urls(self):
        return [*launches.urls(), *allotments.urls(), *super().get_urls()]

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
        accepted = obj is not None and obj.is_accepted
        return super().has_change_permission(request, obj) and not accepted

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description="acceptée par une famille", boolean=True)
    def accepted(self, terms):
        return terms.is_accepted
