"""The régie's pages: drafts are prepared and issued, payments recorded; nothing else changes."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import connection
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin import (
    OwnEstablishmentsMixin,
    ReadOnlyAdminMixin,
    SortNameSearchMixin,
    SpreadsheetAdminMixin,
)
from accounts.admin_filters import SiteFilter
from accounts.admin_forms import OwnRowsFormSet
from billing import services
from billing.admin import credits, moves, reminders, settling
from billing.admin.page import RECORD, WIDE
from billing.enums import CAN_BE_ANNULLED, CAN_BOUNCE, PaymentNature, Settlement
from billing.forms import InvoiceLineForm
from billing.lists import InvoiceList
from billing.models import (
    Instalment,
    Invoice,
    InvoiceLine,
    Payment,
    RemindedInvoice,
    RunHousehold,
)
from billing.money import euros
from billing.references import reference_in
from families.admin_filters import HouseholdFilter
from students.admin.scope import OwnPeopleMixin
from students.models import Student


class SettlementFilter(admin.SimpleListFilter):
    title = "règlement"
    parameter_name = "reglement"

    def lookups(self, request, model_admin):
        return Settlement.choices

    def queryset(self, request, queryset):
        return queryset.filter(settlement=self.value()) if self.value() else queryset


class InvoiceLineInline(admin.TabularInline):
    model = InvoiceLine
    form = InvoiceLineForm
    formset = OwnRowsFormSet
    fields = ["position", "kind", "student", "label", "explanation", "amount"]
    extra = 1

    def get_fields(self, request, obj=None):
        """Of which student, once the household is known."""
        return [name for name in super().get_fields(request, obj) if obj or name != "student"]

    def get_formset(self, request, obj=None, **kwargs):
        formset = super().get_formset(request, obj, **kwargs)
        if field := formset.form.base_fields.get("student"):
            field.queryset = Student.objects.filter(families=obj.family_id)
            # Asked once for all the rows.
            field.choices = [("", "---------"), *((row.pk, str(row)) for row in field.queryset)]
        return formset

    def has_add_permission(self, request, obj=None):
        return super().has_add_permission(request, obj) and not _issued(obj)

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not _issued(obj)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and not _issued(obj)


class PaymentInline(ReadOnlyAdminMixin, admin.TabularInline):
    model = Payment
    fk_name = "invoice"
    fields = [
        *["paid_on", "nature", "means", "reference"],
        *["amount_euros", "note", "recorded_by", "more"],
    ]
    readonly_fields = ["amount_euros", "more"]
    extra = 0

    def get_queryset(self, request):
        payments = super().get_queryset(request).select_related("deposit", "recorded_by")
        self.may_record = request.user.has_perm(RECORD)
        return payments.prefetch_related("bounce")

    @admin.display(description="montant")
    def amount_euros(self, payment):
        return euros(payment.amount)

    @admin.display(description="suite")
    def more(self, payment):
        """Its receipt, and what may become of it."""
        if self.may_record and _may_bounce(payment):
            url = reverse("admin:billing_payment_bounce", args=[payment.pk])
            what = "Rejeté par la banque" if payment.means in CAN_BOUNCE else "Annuler"
            return format_html('{}<a href="{}">{}</a>', _receipt(payment), url, what)
        return _receipt(payment) or "–"


class ReminderInline(ReadOnlyAdminMixin, admin.TabularInline):
    model = RemindedInvoice
    verbose_name_plural = "relances"
    fields = ["day", "level", "overdue"]
    extra = 0


class InstalmentInline(ReadOnlyAdminMixin, admin.TabularInline):
    model = Instalment
    fields = ["number", "due_on", "amount"]
    extra = 0


@admin.register(Invoice)
class InvoiceAdmin(
    SpreadsheetAdminMixin,
    OwnEstablishmentsMixin,
    OwnPeopleMixin,
    SortNameSearchMixin,
    admin.ModelAdmin,
):
    """A draft is a form with its lines; once issued it is only read, and paid."""

    spreadsheet = InvoiceList
    change_list_template = "admin/billing/invoice/change_list.html"
    list_display = [
        *["__str__", "family", "kind", "due_on"],
        *["total_euros", "left_euros", "settlement_words"],
    ]
    list_filter = [SiteFilter, HouseholdFilter, "status", SettlementFilter]
    list_filter += ["kind", "year", "school_year"]
    household_lookup = "family"
    list_select_related = ["family"]
    ordering = ["-pk"]  # both databases: one puts drafts, without a date, first, the other last
    search_fields = ["family__sort_name"]
    search_help_text = "Nom de la famille, ou référence de la facture (2026-00042)"
    autocomplete_fields = ["family"]
    actions = ["issue"]

    def get_queryset(self, request):
        return super().get_queryset(request).with_amounts()

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, WIDE | (extra_context or {}))

    def get_object(self, request, object_id, from_field=None):
        """Locked while a form is saved: a draft that a colleague issues meanwhile stays as issued.

        Saving and deleting have a transaction; Django's other pages need none.
        """
        invoice = super().get_object(request, object_id, from_field)
        if invoice and request.method == "POST" and connection.in_atomic_block:
            Invoice.objects.select_for_update().filter(pk=invoice.pk).first()
            invoice = super().get_object(request, object_id, from_field)
        return invoice

    def get_search_results(self, request, queryset, search_term):
        if reference := reference_in(search_term):
            return queryset.filter(year=reference[0], number=reference[1]), False
        return super().get_search_results(request, queryset, search_term)

    def get_fieldsets(self, request, obj=None):
        about = {"fields": ["establishment", "school_year", "family", "kind"]}
        if obj and obj.run_id:
            about["fields"].append("grid_words")
        when = {"fields": ["due_on", "parts", "published_on", "online_until", "counter_until"]}
        if not _issued(obj):
            return [(None, about), ("Échéances", when)]
        amounts = [
            *["total_euros", "credited_euros", "paid_euros", "left_euros", "settlement_words"]
        ]
        issued = ["__str__", "issued_on", "payer_name", "payer_address"]
        if obj.is_credit_note:
            issued += ["credits", "reason"]
        return [
            ("Avoir" if obj.is_credit_note else "Facture", {"fields": issued}),
            ("Règlement", {"fields": amounts}),
            ("Échéances", when),
            (None, about),
        ]

    def get_readonly_fields(self, request, obj=None):
        if not _issued(obj):
            return [*services.OF_A_RUN, "grid_words"] if obj and obj.run_id else []
        return [
            name for _, options in self.get_fieldsets(request, obj) for name in options["fields"]
        ]

    def get_inlines(self, request, obj):
        issued = [InstalmentInline, PaymentInline, ReminderInline] if _issued(obj) else []
        return [InvoiceLineInline, *issued]

    @admin.display(description="grille")
    def grid_words(self, invoice):
        """By which one a run priced it."""
        rows = RunHousehold.objects.filter(run=invoice.run_id, family=invoice.family_id)
        label = rows.values_list("grid__label", flat=True).first()
        return label or "–"

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not _issued(obj)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and not _issued(obj)

    def has_issue_permission(self, request):
        return request.user.has_perm("billing.issue_invoice")

    def get_actions(self, request):
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # an issued one might be among them
        return actions

    def save_model(self, request, obj, form, change):
        services.save_draft(obj, actor=request.user)

    def delete_model(self, request, obj):
        services.delete_draft(obj, actor=request.user)

    def render_change_form(self, request, context, **kwargs):
        context |= WIDE
        invoice = kwargs.get("obj")
        context["may_credit"] = credits.may_credit(invoice, request.user)
        context["may_issue"] = self.has_issue_permission(request) and not _issued(invoice)
        may_record = (
            _issued(invoice) and not invoice.is_credit_note and request.user.has_perm(RECORD)
        )
        context["may_record_payment"] = may_record and invoice.left > 0
        context["may_give_back"] = may_record and invoice.left < 0
        return super().render_change_form(request, context, **kwargs)

    def response_add(self, request, obj, post_url_continue=None):
        return self._issue_saved(request, obj) or super().response_add(
            request, obj, post_url_continue
        )

    def response_change(self, request, obj):
        return self._issue_saved(request, obj) or super().response_change(request, obj)

    def get_urls(self):
        ours = [*settling.urls(), *reminders.urls(), *moves.invoice_urls(), *credits.urls()]
        return [*ours, *super().get_urls()]

    @admin.action(description="Émettre les factures choisies", permissions=["issue"])
    def issue(self, request, queryset):
        for invoice in queryset:
            self._issue(request, invoice)

    @admin.display(description="total", ordering="total")
    def total_euros(self, invoice):
        return euros(invoice.total)

    @admin.display(description="avoirs", ordering="credited")
    def credited_euros(self, invoice):
        return euros(invoice.credited)

    @admin.display(description="payé", ordering="paid")
    def paid_euros(self, invoice):
        return euros(invoice.paid)

    @admin.display(description="reste à payer", ordering="left")
    def left_euros(self, invoice):
        return euros(invoice.left)

    @admin.display(description="règlement", empty_value="brouillon")
    def settlement_words(self, invoice):
        return invoice.settlement_label or None

    def _issue_saved(self, request, invoice):
        """« Enregistrer et émettre »; None if it was another button."""
        if "_issue" not in request.POST or not self.has_issue_permission(request):
            return None
        self._issue(request, invoice)
        return redirect("admin:billing_invoice_change", invoice.pk)

    def _issue(self, request, invoice):
        try:
            issued = services.issue(invoice, actor=request.user)
        except ValidationError as error:
            self.message_user(request, f"{invoice}\u00a0: {error.messages[0]}", messages.ERROR)
        else:
            self.message_user(request, f"Facture {issued} émise.", messages.SUCCESS)


def _issued(invoice):
    return invoice is not None and invoice.is_issued


def _may_bounce(payment):
    is_open = payment.nature == PaymentNature.RECEIVED and not hasattr(payment, "bounce")
    return is_open and payment.means in [*CAN_BOUNCE, *CAN_BE_ANNULLED]


def _receipt(payment):
    if payment.deposit is None:
        return ""
    url = reverse("admin:billing_payment_receipt", args=[payment.deposit_id])
    return format_html('<a href="{}">{}</a> ', url, payment.deposit.receipt)
