"""The staff's pages: the pieces handed in, read and examined."""

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Min
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from accounts.admin import ReadOnlyAdminMixin, SortNameSearchMixin
from documents import (
    pieces_admin,  # noqa: F401 -- it registers the kinds of pieces and their rules
    services,
)
from documents.enums import NEXT, FileGone, Scan, Verdict
from documents.lending import FileUnavailable, lend, show_page
from documents.models import (
    AUTOMATIC,
    Access,
    Document,
    PageImage,
    Review,
)
from documents.selectors import documents_of


class LogInline(ReadOnlyAdminMixin, admin.TabularInline):
    """An append-only table of a piece, for whoever may see the piece."""

    extra = 0
    template = "admin/documents/log_inline.html"

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("documents.view_document")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("actor", "document__type")


class ReviewInline(LogInline):
    model = Review
    nothing = "Personne ne l'a encore examinée."
    fields = readonly_fields = ["verdict", "reason", "comment", "by", "at"]

    @admin.display(description="par")
    def by(self, review):
        return AUTOMATIC if review.is_automatic else review.actor


class AccessInline(LogInline):
    model = Access
    nothing = "Personne ne l'a encore ouverte."
    fields = readonly_fields = ["actor", "at"]


class VersionFilter(admin.SimpleListFilter):
    """The current pieces, unless the others are asked for."""

    title = "version"
    parameter_name = "version"

    def lookups(self, request, model_admin):
        return [("anciennes", "remplacées ou retirées"), ("toutes", "toutes")]

    def choices(self, changelist):
        default, *others = super().choices(changelist)
        return [{**default, "display": "actuelles"}, *others]

    def queryset(self, request, queryset):
        match self.value():
            case "toutes":
                return queryset
            case "anciennes":
                return queryset.exclude(replaced_by=None, removed_at=None)
        return queryset.current()


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdminMixin, SortNameSearchMixin, admin.ModelAdmin):
    """Read only: a piece never changes, and its verdict moves by the services alone.

    Those of the students and households of the agent's sites: a piece serves all of them.
    """

    list_display = ["type", "owner", "state", "uploaded_at", "version"]
    list_filter = ["verdict", VersionFilter, "type", "scan"]
    search_fields = ["family__sort_name", "family__students__sort_name", "student__sort_name"]
    search_help_text = "Nom de la famille ou de l'élève"
    inlines = [ReviewInline, AccessInline]
    actions = ["accept"]

    def get_queryset(self, request):
        return documents_of(request.user).select_related("type", "family", "student")

    def get_fieldsets(self, request, obj=None):
        name = "file_link" if self.has_read_permission(request) else "name"
        piece = ["type", "owner", name, "size", "pages", "uploaded_at", "uploaded_by", "version"]
        prints = {"fields": ["received_sha256", "sha256"], "classes": ["collapse"]}
        return [
            (None, {"fields": [*piece, "scan", "scanned_at", "verdict", "refusal"]}),
            ("Empreintes (SHA-256)", prints),
        ]

    def get_readonly_fields(self, request, obj=None):
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def has_read_permission(self, request):
        return request.user.has_perm("documents.read_document")

    def has_review_permission(self, request):
        return request.user.has_perm("documents.review_document")

    def get_urls(self):
        own = [
            path(
                "<uuid:pk>/fichier/",
                self.admin_site.admin_view(self.file),
                name="documents_document_file",
            ),
            path(
                "<uuid:pk>/page/<int:number>/",
                self.admin_site.admin_view(self.page),
                name="documents_document_page",
            ),
            path(
                "<uuid:pk>/accepter/",
                self.admin_site.admin_view(self.accept_one),
                name="documents_document_accept",
            ),
        ]
        return [*own, *super().get_urls()]

    def render_change_form(self, request, context, **kwargs):
        document = kwargs.get("obj")
        context["may_accept"] = (
            document is not None
            and self.has_review_permission(request)
            and document.may_be_lent
            and Verdict.ACCEPTED in NEXT[document.verdict]
        )
        return super().render_change_form(request, context, **kwargs)

    def changelist_view(self, request, extra_context=None):
        """With a word on the pieces that wait for the antivirus: nobody can open them."""
        pieces = self.get_queryset(request).current().filter(scan=Scan.WAITING).order_by()
        quarantine = pieces.aggregate(count=Count("pk"), since=Min("uploaded_at"))
        context = {"quarantine": quarantine, "has_antivirus": bool(settings.CLAMD)}
        return super().changelist_view(request, context | (extra_context or {}))

    @method_decorator(require_safe)
    def file(self, request, pk):
        """The file, to be saved; who opened it and when is logged before the first byte leaves."""
        if not self.has_read_permission(request):
            raise PermissionDenied
        document = get_object_or_404(self.get_queryset(request), pk=pk)
        try:
            response = lend(document)
        except FileUnavailable as error:
            return self._no_file(request, document, error)
        services.log_access(document, actor=request.user)
        return response

    @method_decorator(require_safe)
    def page(self, request, pk, number):
        """The image of a page, for the viewer of a dossier's pieces; never read without a log."""
        if not self.has_read_permission(request):
            raise PermissionDenied
        document = get_object_or_404(self.get_queryset(request), pk=pk)
        image = get_object_or_404(PageImage, document=document, number=number)
        try:
            response = show_page(image)
        except FileUnavailable:
            text = "L'image de cette page ne peut pas être lue pour le moment."
            return HttpResponse(text, status=503, content_type="text/plain; charset=utf-8")
        services.log_access_of_page(document, actor=request.user)
        return response

    @method_decorator(require_POST)
    def accept_one(self, request, pk):
        """The button « Accepter cette pièce » of its page."""
        if not self.has_review_permission(request):
            raise PermissionDenied
        self._accept(request, get_object_or_404(self.get_queryset(request), pk=pk))
        return redirect("admin:documents_document_change", pk)

    @admin.action(description="Accepter les pièces choisies", permissions=["review"])
    def accept(self, request, queryset):
        for document in queryset:
            self._accept(request, document)

    @admin.display(description="famille ou élève")
    def owner(self, document):
        return f"famille {document.family}" if document.family else str(document.student)

    @admin.display(description="examen", ordering="verdict")
    def state(self, document):
        waits = document.is_quarantined and document.verdict == Verdict.PENDING
        return document.get_scan_display() if waits else document.get_verdict_display()

    @admin.display(description="version")
    def version(self, document):
        if document.file_gone_reason == FileGone.RETENTION:
            return "plus conservée"
        if document.removed_at:
            return "retirée"
        return "remplacée" if document.replaced_by_id else "actuelle"

    @admin.display(description="fichier")
    def file_link(self, document):
        if document.is_infected:
            return f"{document.name}, {document.why_gone}"
        if document.why_gone:
            return document.why_gone
        if document.is_quarantined:
            return f"{document.name}, en quarantaine\u00a0: ne peut être ni ouvert ni accepté"
        return format_html(
            '<a href="{}">Télécharger {}</a> (la consultation est enregistrée)',
            reverse("admin:documents_document_file", args=[document.pk]),
            document.name,
        )

    def _no_file(self, request, document, error):
        context = {
            **self.admin_site.each_context(request),
            "title": "Fichier effacé" if document.why_gone else "Fichier indisponible",
            "opts": self.opts,
            "document": document,
            "error": error,
        }
        template = "admin/documents/document/file_unavailable.html"
        return render(request, template, context, status=error.status)

    def _accept(self, request, document):
        try:
            services.accept(document, actor=request.user)
        except ValidationError as error:
            self.message_user(request, f"{document}\u00a0: {error.messages[0]}", messages.ERROR)
        else:
            self.message_user(request, f"{document}\u00a0: pièce acceptée.", messages.SUCCESS)
