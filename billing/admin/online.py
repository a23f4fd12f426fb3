"""The régie's pages of the payments online: what PayFiP said, what somebody must look at."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError

from accounts.admin import OwnEstablishmentsMixin, ReadOnlyAdminMixin, SortNameSearchMixin
from accounts.admin_filters import SiteFilter
from billing.admin.page import WIDE
from billing.enums import AskedBy
from billing.models import AttemptMove, PayFiPAccount, PaymentAttempt
from billing.payfip import client
from billing.payfip.offers import is_allowed
from billing.payfip.settling import dismiss, settle
from families.admin_filters import HouseholdFilter

WAITING = (
    "La famille lit de ne pas payer une seconde fois, et ne peut plus payer cette facture en ligne."
    " Interrogez PayFiP\u00a0; si l'argent est arrivé, enregistrez-le sur la facture, puis"
    " classez\u00a0: la famille lit alors que ce paiement est vérifié, le reçoit par e-mail, et"
    " peut payer ce qui reste."
)
TOLD = (
    "La famille lit que ce paiement est vérifié et que ce qui a été reçu figure sur sa facture"
    "\u00a0; elle le reçoit aussi par e-mail, et peut de nouveau payer ce qui reste."
)
AWAY = "PayFiP ne répond pas\u00a0: rien n'a changé, recommencez plus tard."


class ToCheckFilter(admin.SimpleListFilter):
    title = "contrôle"
    parameter_name = "a-verifier"

    def lookups(self, request, model_admin):
        return [("oui", "à vérifier")]

    def queryset(self, request, queryset):
        return queryset.to_check() if self.value() == "oui" else queryset


class AttemptMoveInline(ReadOnlyAdminMixin, admin.TabularInline):
    model = AttemptMove
    fields = ["at", "asked_by", "told", "from_state", "to_state"]
    readonly_fields = ["at"]
    extra = 0


@admin.register(PaymentAttempt)
class PaymentAttemptAdmin(
    ReadOnlyAdminMixin, OwnEstablishmentsMixin, SortNameSearchMixin, admin.ModelAdmin
):
    """Read only: an attempt is settled by what PayFiP answers, and by nothing else."""

    list_display = ["refdet", "invoice", "payer_name", "amount_words", "state", "alert"]
    list_display += ["created_at"]
    list_filter = [SiteFilter, HouseholdFilter, ToCheckFilter, "state", "saisie"]
    list_select_related = ["invoice"]
    search_fields = ["invoice__family__sort_name", "refdet", "idop"]
    search_help_text = "Nom de la famille, référence ou identifiant PayFiP"
    date_hierarchy = "created_at"
    establishment_lookup = "invoice__establishment"
    household_lookup = "invoice__family"
    inlines = [AttemptMoveInline]
    actions = ["ask_payfip", "dismiss"]
    fieldsets = [
        (None, {"fields": ["refdet", "invoice", "instalment", "amount_words", "state"]}),
        ("Contrôle", {"fields": ["alert", "dismissed"]}),
        ("PayFiP", {"fields": ["idop", "numcli", "saisie", "result", "numauto", "paid_at"]}),
        ("Suivi", {"fields": ["created_at", "asked_at", "ask_at", "settled_at", "payment"]}),
    ]

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, WIDE | (extra_context or {}))

    def get_fieldsets(self, request, obj=None):
        """What the family reads meanwhile, beside what is to be looked at."""
        about, check, *others = super().get_fieldsets(request, obj)
        if obj and obj.is_in_doubt:
            check = (check[0], {**check[1], "description": WAITING})
        return [about, check, *others]

    def render_change_form(self, request, context, **kwargs):
        context["may_settle"] = self.has_settle_permission(request)
        return super().render_change_form(request, context, **kwargs)

    def has_settle_permission(self, request):
        return request.user.has_perm("billing.settle_paymentattempt")

    @admin.display(description="payeur", ordering="invoice__payer_name")
    def payer_name(self, attempt):
        return attempt.invoice.payer_name

    @admin.display(description="montant", ordering="amount")
    def amount_words(self, attempt):
        return attempt.amount_words

    @admin.display(description="résultat")
    def result(self, attempt):
        return attempt.result_words or None

    @admin.action(description="Interroger PayFiP", permissions=["settle"])
    def ask_payfip(self, request, queryset):
        for attempt in queryset:
            try:
                settled = settle(attempt, AskedBy.STAFF)
            except client.TechnicalFault:
                self.message_user(request, AWAY, messages.ERROR)
                return
            told = f"{attempt}\u00a0: {settled.get_state_display()}. {settled.alert}".strip()
            level = messages.WARNING if settled.alert else messages.SUCCESS
            self.message_user(request, told, level)

    @admin.action(description="Classer ce qui était à vérifier", permissions=["settle"])
    def dismiss(self, request, queryset):
        for attempt in queryset:
            try:
                seen = dismiss(attempt, actor=request.user)
            except ValidationError as error:
                told = f"{attempt}\u00a0: {error.messages[0]}"
                self.message_user(request, told, messages.ERROR)
            else:
                told = f"{attempt}\u00a0: classé. {TOLD if seen.is_checked else ''}".strip()
                self.message_user(request, told, messages.SUCCESS)


class PayFiPAccountForm(forms.ModelForm):
    class Meta:
        model = PayFiPAccount
        fields = ["establishment", "numcli", "saisie", "is_active"]

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("is_active") and not is_allowed(cleaned.get("saisie", "")):
            self.add_error(
                "saisie",
                "En production, un compte de test ne s'ouvre pas aux familles\u00a0: ce qui y"
                " serait payé ne le serait pas.",
            )
        return cleaned


@admin.register(PayFiPAccount)
class PayFiPAccountAdmin(OwnEstablishmentsMixin, admin.ModelAdmin):
    form = PayFiPAccountForm
    list_display = ["establishment", "numcli", "saisie", "is_active"]
    list_filter = [SiteFilter]
    list_select_related = ["establishment"]
    actions = ["ask_who_is_paid"]

    @admin.action(description="Demander à PayFiP qui est payé", permissions=["view"])
    def ask_who_is_paid(self, request, queryset):
        for account in queryset.select_related("establishment"):
            try:
                names = " / ".join(client.account_names(account.numcli))
            except client.FunctionalFault as fault:
                told = f"{account}\u00a0: PayFiP répond {fault}."
                self.message_user(request, told, messages.ERROR)
            except client.TechnicalFault:
                self.message_user(request, AWAY, messages.ERROR)
            else:
                self.message_user(request, f"{account}\u00a0: {names}.", messages.SUCCESS)
