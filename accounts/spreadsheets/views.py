"""The pages « Listes » of the administration: choose, send a file, check it, import it; export."""

from dataclasses import dataclass

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import ListImport
from accounts.spreadsheets import registry, services
from accounts.spreadsheets.lists import List
from accounts.spreadsheets.reading import MAX_BYTES
from accounts.spreadsheets.writing import CONTENT_TYPES, CSV, XLSX

SHOWN = 200  # lines of each table of a report: more are corrected in several goes
FORMATS = [(XLSX, "Excel (.xlsx)"), (CSV, "CSV, pour Excel ou un autre logiciel")]


class FileForm(forms.Form):
    file = forms.FileField(
        label="Fichier",
        allow_empty_file=True,  # services.receive has a better sentence
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
        help_text="CSV ou Excel (.xlsx), 5\u00a0Mo et 10\u00a0000 lignes au plus.",
        error_messages={"required": "Choisissez un fichier."},
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:  # before it is read
            raise ValidationError(
                "Ce fichier pèse plus de 5\u00a0Mo\u00a0: partagez la liste en plusieurs fichiers.",
                code="too_large",
            )
        return file


class ExportForm(forms.Form):
    format = forms.ChoiceField(label="Format", choices=FORMATS, initial=XLSX)


@dataclass(frozen=True)
class Rights:
    """What the reader may do with a list, for the page of all of them."""

    list: type[List]
    may_import: bool
    may_export: bool


def urls():
    """The addresses under `/admin/listes/`, for the administration's site."""
    routes = [
        ("", lists),
        ("<slug:slug>/importer/", list_import),
        ("<slug:slug>/modele/<str:format_>/", list_template),
        ("<slug:slug>/exporter/", list_export),
        ("<slug:slug>/verifier/<uuid:pk>/", list_check),
    ]
    return [
        path(f"listes/{route}", admin.site.admin_view(view), name=view.__name__)
        for route, view in routes
    ]


@require_safe
def lists(request):
    rights = [
        Rights(each, _may(request, "import", each), _may(request, "export", each))
        for each in registry.lists_of(request.user)
    ]
    if not rights:
        raise PermissionDenied
    return _render(request, "admin/lists/lists.html", {"title": "Listes", "rights": rights})


@require_http_methods(["GET", "HEAD", "POST"])
def list_import(request, slug):
    """The columns, the templates, and the form that takes a file."""
    list_ = _list(request, slug, "import")
    sent = request.method == "POST"
    form = FileForm(request.POST if sent else None, request.FILES if sent else None)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            received = services.receive(list_, file.name, file.read())
        except ValidationError as error:
            form.add_error("file", error)
        else:
            return redirect("admin:list_check", slug, received.pk)
    context = {
        "title": f"Importer\u00a0: {list_.label.lower()}",
        "list": list_,
        "columns": list_.fields.values(),
        "form": form,
        "formats": FORMATS,
    }
    return _render(request, "admin/lists/list_import.html", context)


@require_safe
def list_template(request, slug, format_):
    list_ = _list(request, slug, "import")
    if format_ not in CONTENT_TYPES:
        raise Http404
    return _file(list_.template(format_), format_, f"modele-{slug}")


@require_http_methods(["GET", "HEAD", "POST"])
def list_export(request, slug):
    """How many rows, in which format; the POST gives the file. Filtered as the changelist is."""
    list_ = _list(request, slug, "export")
    try:
        rows = _filtered(request, list_)
    except IncorrectLookupParameters:
        return redirect("admin:list_export", slug)
    form = ExportForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        content, count = list_.file_of(rows, form.cleaned_data["format"])
        services.log_export(list_, rows=count)
        name = f"{slug}-{timezone.localdate():%Y-%m-%d}"
        return _file(content, form.cleaned_data["format"], name)
    context = {
        "title": f"Exporter\u00a0: {list_.label.lower()}",
        "list": list_,
        "form": form,
        "count": rows.count(),
        "total": list_.rows().count(),
    }
    return _render(request, "admin/lists/list_export.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def list_check(request, slug, pk):
    """The dry run: what the file would do; its POST does it."""
    list_ = _list(request, slug, "import")
    received = get_object_or_404(ListImport, pk=pk, actor=request.user, list=slug)
    if request.method == "POST":
        try:
            fingerprint = request.POST.get("fingerprint", "")
            services.carry_out(received, list_, fingerprint=fingerprint)
        except ValidationError as error:
            messages.error(request, error.messages[0])
            if error.code == "forgotten":
                return redirect("admin:list_import", slug)
        return redirect("admin:list_check", slug, pk)
    report = None
    if not received.done_at:
        try:
            report = list_.check(services.sheet_of(received))
        except ValidationError as error:
            messages.error(request, error.messages[0])
            return redirect("admin:list_import", slug)
    context = {
        "title": "Liste importée" if received.done_at else "Vérification",
        "list": list_,
        "received": received,
        "report": report,
        "shown": SHOWN,
        "changelist": _changelist(list_),
    }
    return _render(request, "admin/lists/list_check.html", context)


def _list(request, slug, verb):
    """The list, for this agent: 404 for one that does not exist, 403 without the right."""
    list_ = registry.get(slug)
    if list_ is None or (verb == "import" and not list_.can_import):
        raise Http404
    if not _may(request, verb, list_):
        raise PermissionDenied
    return list_(request.user)


def _may(request, verb, list_):
    return registry.may(request.user, verb, list_)


def _filtered(request, list_):
    """The rows of the list that the changelist of this address would show."""
    rows = list_.rows()
    model_admin = admin.site._registry.get(list_.model)
    if not (model_admin and request.GET):
        return rows
    shown = model_admin.get_changelist_instance(request).queryset
    return rows.filter(pk__in=shown.order_by().values("pk"))


def _changelist(list_):
    """The name of the address of its rows, if they have a page."""
    meta = list_.model._meta
    if list_.model not in admin.site._registry:
        return None
    return f"admin:{meta.app_label}_{meta.model_name}_changelist"


def _file(content, format_, name):
    response = HttpResponse(content, content_type=CONTENT_TYPES[format_])
    response["Content-Disposition"] = f'attachment; filename="{name}.{format_}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _render(request, template, context):
    context = {
        **admin.site.each_context(request),
        "is_nav_sidebar_enabled": False,
        **context,
    }
    return render(request, template, context)
