"""A whole grid by one file: taken out, sent, checked, imported."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.forms import FileInput
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_safe

from accounts.admin import permission_required
from accounts.models import ListImport
from accounts.spreadsheets.views import SHOWN, FileForm
from accounts.spreadsheets.writing import ALL_TYPES, XLSX, ZIP
from billing.admin.tariffs.scope import grid_of, render_page
from billing.tariffs.files import importing
from billing.tariffs.files.parts import PARTS, file_of

EXPORT, IMPORT = "billing.export_tariffrate", "billing.import_tariffrate"
FORMATS = [(XLSX, "Excel (.xlsx), une feuille par tableau"), (ZIP, "CSV, un par tableau (.zip)")]
PUBLISHED = "Cette grille est publiée\u00a0: elle ne change plus."


def urls():
    """The addresses under a grid's own, for its ModelAdmin."""

    def named(route, view):
        name = f"billing_tariffgrid_{view.__name__}"
        return path(f"<int:pk>/{route}", admin.site.admin_view(view), name=name)

    return [
        named("fichier/<str:format_>/", export_grid),
        named("importer/", import_grid),
        named("verifier/<uuid:received>/", check_grid),
    ]


class GridFileForm(FileForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["file"]
        field.widget = FileInput({"accept": ".xlsx,.zip,.csv,.txt"})
        field.help_text = (
            "Un classeur Excel de plusieurs feuilles, un ZIP de CSV, ou le CSV d'un seul tableau."
            " 5\u00a0Mo au plus."
        )


@require_safe
@permission_required(EXPORT)
def export_grid(request, pk, format_):
    """What an import reads, the whole grid; no household's data is in it."""
    grid = grid_of(request, pk)
    if format_ not in ALL_TYPES:
        raise Http404
    response = HttpResponse(file_of(grid, format_), content_type=ALL_TYPES[format_])
    name = slugify(f"{grid.label} {grid.establishment}") or "grille"
    response["Content-Disposition"] = f'attachment; filename="{name}.{format_}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(IMPORT)
def import_grid(request, pk):
    """The form that takes a file, and what its sheets hold."""
    grid = grid_of(request, pk)
    if grid.is_published:
        messages.error(request, PUBLISHED)
        return redirect("admin:billing_tariffgrid_change", pk)
    sent = request.method == "POST"
    form = GridFileForm(request.POST if sent else None, request.FILES if sent else None)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            received = importing.receive(grid, file.name, file.read(), actor=request.user)
        except ValidationError as error:
            form.add_error("file", error)
        else:
            return redirect("admin:billing_tariffgrid_check_grid", pk, received.pk)
    context = {"form": form, "parts": PARTS, "formats": FORMATS}
    template = "admin/billing/tariffgrid/import_grid.html"
    return render_page(request, grid, "Importer toute la grille", template, context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(IMPORT)
def check_grid(request, pk, received):
    """The dry run: what the file would do; its POST does it."""
    grid = grid_of(request, pk)
    received = get_object_or_404(
        ListImport, pk=received, actor=request.user, list=importing.slug_of(grid)
    )
    if request.method == "POST":
        return _carry_out(request, grid, received)
    report = None
    if not received.done_at:
        if grid.is_published:
            messages.error(request, PUBLISHED)
            return redirect("admin:billing_tariffgrid_change", pk)
        try:
            report = importing.dry_run(grid, received)
        except ValidationError as error:
            messages.error(request, error.messages[0])
            return redirect("admin:billing_tariffgrid_import_grid", pk)
    return render_page(
        request,
        grid,
        "Fichier importé" if received.done_at else "Vérification",
        "admin/billing/tariffgrid/check_grid.html",
        {"received": received, "report": report, "shown": SHOWN},
    )


def _carry_out(request, grid, received):
    fingerprint = request.POST.get("fingerprint", "")
    try:
        importing.carry_out(grid, received, fingerprint=fingerprint, actor=request.user)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        if error.code == "forgotten":
            return redirect("admin:billing_tariffgrid_import_grid", grid.pk)
    return redirect("admin:billing_tariffgrid_check_grid", grid.pk, received.pk)
