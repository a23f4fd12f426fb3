from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from accounts.admin import ReadOnlyAdminMixin, SortNameSearchMixin, SpreadsheetAdminMixin
from accounts.admin_forms import OwnRowsFormSet
from accounts.models import User
from accounts.selectors import accounts_of
from families import account_views, double_views, erasures_admin, services
from families.admin_filters import list_of
from families.admin_scope import OfOwnHouseholdsMixin
from families.lists import FamilyList
from families.models import Commune, Family, Guardian, Merge
from families.phones import PhoneField
from families.selectors import families_of

assert erasures_admin  # imported for its registration

# To what the apps on the right hold of a household, for whoever may read it there.
LINKS = {"students_link": "students.view_student", "billing_links": "billing.view_invoice"}
ERASED = "Effacé avec le foyer"  # families/personal_data.py


@admin.register(Commune)
class CommuneAdmin(SortNameSearchMixin, admin.ModelAdmin):
    list_display = ["name", "postal_code", "insee_code", "zone"]
    list_filter = ["zone"]
    search_fields = ["sort_name", "postal_code", "insee_code"]


class GuardianForm(forms.ModelForm):
    actor = None  # set by the inline

    class Meta:
        model = Guardian
        fields = [
            *["last_name", "first_name", "email", "mobile_phone", "home_phone"],
            *["reference", "user"],
        ]
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
class FamilyAdmin(SpreadsheetAdminMixin, SortNameSearchMixin, admin.ModelAdmin):
    """The households of the agent's sites (see `families_of`)."""

    spreadsheet = FamilyList
    change_list_template = "admin/families/family/change_list.html"
    list_display = ["name", "commune", "guardian_names"]
    list_filter = ["commune__zone"]
    list_select_related = ["commune"]
    search_fields = ["sort_name", "guardians__sort_name", "reference"]
    search_help_text = "Nom de la famille ou d'un responsable, ou référence de la famille"
    fields = ["name", "address", "address_more", "commune", "reference"]
    readonly_fields = list(LINKS)
    inlines = [GuardianInline]
    actions = ["compare"]

    def get_urls(self):
        return [*account_views.urls(), *double_views.urls(), *super().get_urls()]

    def has_merge_permission(self, request):
        return request.user.has_perm(double_views.MERGE)

    @admin.action(description="Comparer deux foyers pour les fusionner", permissions=["merge"])
    def compare(self, request, queryset):
        """For two households that the list of doubles does not show."""
        keys = list(queryset.order_by("pk").values_list("pk", flat=True)[:3])
        if len(keys) == 2:
            return redirect("admin:families_family_merge_families", *keys)
        self.message_user(request, "Cochez deux familles, ni plus ni moins.", messages.ERROR)

    def get_fields(self, request, obj=None):
        links = [name for name, permission in LINKS.items() if request.user.has_perm(permission)]
        return [*super().get_fields(request, obj), *(links if obj else [])]

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
        students = reverse("admin:students_student_changelist")
        return format_html(
            '<a href="{}?families__id__exact={}">Voir les élèves de ce foyer</a>',
            students,
            family.pk,
        )

    @admin.display(description="facturation")
    def billing_links(self, family):
        lists = {
            "Voir ses factures": "billing_invoice",
            "ses paiements": "billing_payment",
            "ses paiements en ligne": "billing_paymentattempt",
        }
        links = [(list_of(name, family), label) for label, name in lists.items()]
        return format_html_join(mark_safe(" · "), '<a href="{}">{}</a>', links)


@admin.register(Merge)
class MergeAdmin(OfOwnHouseholdsMixin, ReadOnlyAdminMixin, admin.ModelAdmin):
    """What was merged into what, by whom, and how both were before."""

    list_display = ["at", "kind", "absorbed_name", "kept_name", "family", "actor"]
    list_filter = ["kind"]
    list_select_related = ["family", "actor"]
    search_fields = ["absorbed_name", "kept_name"]
    fields = ["kind", "family", "absorbed_name", "kept_name", "actor", "at", "before", "moved"]
    readonly_fields = ["before", "moved"]

    @admin.display(description="les deux fiches avant (gardée / doublon)")
    def before(self, merge):
        rows = [[text or "–" for text in field] for field in merge.details.get("fields", [])]
        return format_html_join(mark_safe("<br>"), "{}\u00a0: {} / {}", rows) or ERASED

    @admin.display(description="ce qui a suivi")
    def moved(self, merge):
        if not merge.details:
            return ERASED
        lines = ((line,) for line in merge.details["lines"])
        return format_html_join(mark_safe("<br>"), "{}", lines) or "Rien"
