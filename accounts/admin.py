"""The admin pages of accounts and mails, and what the other apps' pages are made with."""

from functools import wraps

from django.contrib import admin, messages
from django.contrib.auth import admin as django_auth
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.forms import CheckboxSelectMultiple
from django.utils import timezone
from django.utils.formats import date_format
from django_otp.plugins.otp_static import admin as otp_static
from django_otp.plugins.otp_totp import admin as otp_totp

from accounts import connections, email_changes, mails, roles, second_factor, services, throttling
from accounts.admin_forms import AccountForm
from accounts.authority import MANAGE_AGENTS, may_act_on
from accounts.models import Establishment, ListExport, ListImport, Mail, User
from accounts.names import sort_key
from accounts.selectors import accounts_of, establishments_of
from accounts.spreadsheets.registry import may

COUNTS = ["created", "changed", "unchanged"]

assert django_auth  # imported for its registration, which is undone here
admin.site.unregister(Group)  # groups are code: accounts/roles.py
# Their pages show the secrets: nobody reads them, « Retirer la validation en deux étapes » resets.
admin.site.unregister([otp_static.StaticDevice, otp_totp.TOTPDevice])

ABOVE = "ce compte est celui d'un agent, la direction de son site seule y touche."


def permission_required(*permissions):
    """403 without all of them, before anything is read."""

    def decorate(view):
        @wraps(view)
        def inner(request, *args, **kwargs):
            if not request.user.has_perms(permissions):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return inner

    return decorate


class SortNameSearchMixin:
    """The search box finds « Éléonore » from « eleonore »; `search_fields` name `sort_name`s."""

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, sort_key(search_term))


class OwnAccountsMixin:
    """An agent links the accounts of his own sites (see `accounts_of`), whatever is posted."""

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.related_model is User:
            kwargs["queryset"] = accounts_of(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class OwnEstablishmentsMixin:
    """An agent sees and chooses the rows of his own establishments (see `establishments_of`).

    `establishment_lookup` leads from the row to its establishment.
    """

    establishment_lookup = "establishment"

    def get_queryset(self, request):
        ours = establishments_of(request.user)
        return super().get_queryset(request).filter(**{f"{self.establishment_lookup}__in": ours})

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "establishment":
            kwargs["queryset"] = establishments_of(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request):
        """The site chosen at sign-in, where the row has an establishment of its own."""
        initial = super().get_changeform_initial_data(request)
        if self.establishment_lookup == "establishment":
            initial.setdefault("establishment", request.establishment)
        return initial


class SpreadsheetAdminMixin:
    """« Importer » and « Exporter » above the rows of `spreadsheet` (accounts/spreadsheets).

    The export takes the rows that the page shows, filters and search included.
    """

    change_list_template = "admin/lists/change_list.html"
    spreadsheet = None

    def changelist_view(self, request, extra_context=None):
        context = {
            "spreadsheet": self.spreadsheet,
            "may_import": may(request.user, "import", self.spreadsheet),
            "may_export": may(request.user, "export", self.spreadsheet),
        }
        return super().changelist_view(request, context | (extra_context or {}))


class ReadOnlyAdminMixin:
    """Pages to read: the rows are written by services alone."""

    def has_add_permission(self, request, *args):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Establishment)
class EstablishmentAdmin(admin.ModelAdmin):
    """The agent's own; a new one is the town's computing service's to make."""

    list_display = ["name", "email", "phone"]

    def get_queryset(self, request):
        ours = establishments_of(request.user).values("pk")
        return super().get_queryset(request).filter(pk__in=ours)


@admin.register(User)
class UserAdmin(admin.ModelAdmin):
    """The accounts of the agent's sites; accounts.authority says on which of them he may act.

    No password is seen or set here: « Envoyer un mot de passe provisoire » lets a person in.
    """

    form = AccountForm
    list_display = ["username", "last_name", "first_name", "email", "is_active", "is_staff"]
    list_filter = ["is_active", "is_staff", "groups", "establishments"]
    search_fields = ["username", "last_name", "first_name", "email"]
    fieldsets = [
        (None, {"fields": ["username", "last_name", "first_name", "email"]}),
        (
            "Connexion",
            {
                "fields": [
                    *["establishments", "is_active", "must_choose_password"],
                    *["last_login", "suspended_until"],
                ],
                "description": (
                    "Un nouveau compte n'a pas de mot de passe\u00a0: choisissez-le dans la liste, "
                    "puis l'action «\u00a0Envoyer un mot de passe provisoire\u00a0»."
                ),
            },
        ),
        ("Administration", {"fields": ["is_staff", "groups", "is_superuser"]}),
    ]
    readonly_fields = ["must_choose_password", "last_login", "suspended_until"]
    formfield_overrides = {models.ManyToManyField: {"widget": CheckboxSelectMultiple}}
    actions = ["send_one_time_password", "unlock", "close_sessions", "remove_second_factor"]

    def get_queryset(self, request):
        ours = accounts_of(request.user).values("pk")
        return super().get_queryset(request).filter(pk__in=ours)

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        form.actor = request.user
        return form

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        if db_field.name == "establishments":
            kwargs["queryset"] = establishments_of(request.user)
        if db_field.name == "groups":
            kwargs["queryset"] = Group.objects.filter(name__in=roles.ROLES)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_readonly_fields(self, request, obj=None):
        """Nobody promotes himself, nor locks himself out."""
        fields = super().get_readonly_fields(request, obj)
        if request.user.is_superuser:
            return fields
        if obj == request.user:
            return [*fields, "establishments", "is_active", "is_staff", "groups", "is_superuser"]
        if request.user.has_perm(MANAGE_AGENTS):
            return [*fields, "is_superuser"]
        return [*fields, "is_staff", "groups", "is_superuser"]

    def has_change_permission(self, request, obj=None):
        if obj is not None and not may_act_on(obj, actor=request.user):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return False  # what a person did stays signed: the account is made inactive

    def lookup_allowed(self, lookup, value, request):
        # A filter on the hash in the address (?password__startswith=) would reveal it.
        secret = lookup.startswith(("password", "one_time_password", "email_change"))
        return not secret and super().lookup_allowed(lookup, value, request)

    def has_unlock_permission(self, request):
        return request.user.has_perm("accounts.unlock_user")

    def has_close_sessions_permission(self, request):
        return request.user.has_perm("accounts.close_sessions_user")

    def save_model(self, request, obj, form, change):
        if not change:
            obj.set_unusable_password()
            super().save_model(request, obj, form, change)
            return
        changed = set(form.changed_data)
        if "email" in changed:
            email_changes.set_email(obj, obj.email)
        # And nothing else: the person may choose a password at this very moment.
        columns = {field.name for field in obj._meta.concrete_fields}
        obj.save(update_fields=changed & columns - {"email"})
        if "is_active" in changed:
            services.forget_mailed_secrets(obj)

    @admin.action(description="Envoyer un mot de passe provisoire", permissions=["change"])
    def send_one_time_password(self, request, queryset):
        for user in queryset:
            if not self.has_change_permission(request, user):
                self.message_user(request, f"{user}\u00a0: {ABOVE}", messages.ERROR)
            elif user.is_active and user.email:
                mails.queue_one_time_password(user)
                self.message_user(request, f"{user}\u00a0: le message part à {user.email}.")
            else:
                text = f"{user}\u00a0: compte inactif ou sans adresse e-mail, rien n'est envoyé."
                self.message_user(request, text, messages.ERROR)

    @admin.action(description="Retirer la validation en deux étapes", permissions=["change"])
    def remove_second_factor(self, request, queryset):
        """For somebody who lost his phone and his recovery codes."""
        for user in queryset:
            if not self.has_change_permission(request, user):
                self.message_user(request, f"{user}\u00a0: {ABOVE}", messages.ERROR)
            elif second_factor.remove(user):
                self.log_change(request, user, "Validation en deux étapes retirée.")
                self.message_user(
                    request, f"{user}\u00a0: la validation en deux étapes est retirée."
                )
            else:
                text = f"{user}\u00a0: pas de validation en deux étapes, rien n'est changé."
                self.message_user(request, text, messages.WARNING)

    @admin.action(description="Débloquer", permissions=["unlock"])
    def unlock(self, request, queryset):
        for user in queryset:
            try:
                services.unlock(user, actor=request.user)
            except ValidationError as error:
                self.message_user(request, f"{user}\u00a0: {error.messages[0]}", messages.ERROR)
            else:
                self.message_user(request, f"{user}\u00a0: le compte est débloqué.")

    @admin.action(description="Fermer les sessions", permissions=["close_sessions"])
    def close_sessions(self, request, queryset):
        """For a telephone lost, a computer left open: the account signs in again everywhere."""
        for user in queryset:
            try:
                connections.close_all(user, actor=request.user)
            except ValidationError as error:
                self.message_user(request, f"{user}\u00a0: {error.messages[0]}", messages.ERROR)
            else:
                self.log_change(request, user, "Sessions fermées.")
                self.message_user(request, f"{user}\u00a0: les sessions sont fermées.")

    @admin.display(description="accès suspendu jusqu'au")
    def suspended_until(self, user):
        end = user.pk and throttling.suspended_until(user)
        return date_format(timezone.localtime(end), "j F Y H:i") if end else "Non suspendu"


class MailStateFilter(admin.SimpleListFilter):
    title = "état"
    parameter_name = "etat"

    def lookups(self, request, model_admin):
        return [("envoye", "envoyé"), ("attente", "en attente"), ("abandonne", "abandonné")]

    def queryset(self, request, queryset):
        match self.value():
            case "envoye":
                return queryset.exclude(sent_at=None)
            case "attente":
                return queryset.filter(sent_at=None, attempts__lt=mails.MAX_ATTEMPTS)
            case "abandonne":
                return queryset.filter(sent_at=None, attempts__gte=mails.MAX_ATTEMPTS)
        return queryset


@admin.register(Mail)
class MailAdmin(ReadOnlyAdminMixin, admin.ModelAdmin):
    """What left, what waits and why; the mail of a one-time password is kept without its text."""

    list_display = ["created_at", "kind", "to", "subject", "state", "last_error"]
    list_filter = [MailStateFilter, "kind"]
    search_fields = ["to", "subject"]
    date_hierarchy = "created_at"
    fields = [
        *["kind", "to", "subject", "body", "user", "created_at"],
        *["state", "due_at", "attempts", "sent_at", "last_error"],
    ]
    readonly_fields = ["state"]

    @admin.display(description="état", ordering="sent_at")
    def state(self, mail):
        if mail.sent_at:
            return "envoyé"
        return "abandonné" if mail.attempts >= mails.MAX_ATTEMPTS else "en attente"


class ListLogAdmin(ReadOnlyAdminMixin, admin.ModelAdmin):
    """What the agents of one's own sites took in and out (see `accounts_of`)."""

    def get_queryset(self, request):
        return super().get_queryset(request).filter(actor__in=accounts_of(request.user))


@admin.register(ListImport)
class ListImportAdmin(ListLogAdmin):
    """What each import did to a row stands in the row's own history."""

    list_display = ["received_at", "actor", "list", "name", "done_at", *COUNTS]
    list_filter = ["list"]
    list_select_related = ["actor"]
    date_hierarchy = "received_at"
    fields = ["list", "name", "sha256", "actor", "received_at", "done_at", *COUNTS]


@admin.register(ListExport)
class ListExportAdmin(ListLogAdmin):
    list_display = ["at", "actor", "list", "rows"]
    list_filter = ["list"]
    list_select_related = ["actor"]
    date_hierarchy = "at"
