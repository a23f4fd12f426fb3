from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin import SortNameSearchMixin
from accounts.admin_forms import OwnRowsFormSet
from accounts.models import User
from accounts.selectors import accounts_of
from families import services
from families.models import Commune, Family, Guardian
from families.phones import PhoneField
from families.selectors import families_of


@admin.register(Commune)
class CommuneAdmin(SortNameSearchMixin, admin.ModelAdmin):
    list_display = ["name", "postal_code", "insee_code", "zone"]
    list_filter = ["zone"]
    search_fields = ["sort_name", "postal_code", "insee_code"]


class GuardianForm(forms.ModelForm):
    actor = None  # set by the inline

    class Meta:
        model = Guardian
        fields = ["last_name", "first_name", "email", "mobile_phone", "home_phone", "user"]
        field_classes = {"mobile_phone": PhoneField, "home_phone": PhoneField}

    def __init__(self, *args, **kwargs):
        """The accounts of the agent's sites, whatever is posted; one linked already stays."""
        super().__init__(*args, **kwargs)
        if "user" in self.fields:
            linked = User.objects.filter(pk=self.instance.user_id)
            self.fields["user"].queryset = accounts_of(self.actor) | linked

    def clean(self):
        cleaned = super().clean()
        user = cleaned.get("user", self.instance.user)
        email = cleaned.get("email", "")
        try:
            services.check_email_of_staff(Guardian(user=user, email=email), actor=self.actor)
        except ValidationError as error:
            self.add_error("email", error)
        return cleaned


class GuardianInline(admin.StackedInline):
    model = Guardian
    form = GuardianForm
    formset = OwnRowsFormSet
    extra = 0
    autocomplete_fields = ["user"]

    def get_formset(self, request, obj=None, **kwargs):
        formset = super().get_formset(request, obj, **kwargs)
        formset.form.actor = request.user
        return formset

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("user")

    def get_readonly_fields(self, request, obj=None):
        """An account is linked by those who see the accounts."""
        return [] if request.user.has_perm("accounts.change_user") else ["user"]


@admin.register(Family)
class FamilyAdmin(SortNameSearchMixin, admin.ModelAdmin):
    """The households of the agent's sites (see `families_of`)."""

    list_display = ["name", "commune", "guardian_names"]
    list_filter = ["commune__zone"]
    list_select_related = ["commune"]
    search_fields = ["sort_name", "guardians__sort_name"]
    search_help_text = "Nom de la famille ou d'un responsable"
    fields = ["name", "address", "address_more", "commune", "students_link"]
    readonly_fields = ["students_link"]
    inlines = [GuardianInline]

    def get_queryset(self, request):
        ours = families_of(request.user).values("pk")
        return super().get_queryset(request).filter(pk__in=ours).prefetch_related("guardians")

    def save_formset(self, request, form, formset, change):
        super().save_formset(request, form, formset, change)
        if formset.model is Guardian:
            for guardian in [*formset.new_objects, *(row for row, _ in formset.changed_objects)]:
                services.copy_email_to_account(guardian)

    @admin.display(description="responsables")
    def guardian_names(self, family):
        return ", ".join(str(guardian) for guardian in family.guardians.all())

    @admin.display(description="élèves")
    def students_link(self, family):
        if not family.pk:
            return "–"
        students = reverse("admin:students_student_changelist")
        return format_html(
            '<a href="{}?families__id__exact={}">Voir les élèves de ce foyer</a>',
            students,
            family.pk,
        )
