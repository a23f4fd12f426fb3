"""What is done to a grid as a whole: its rates typed, published, copied, ended earlier."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.http import require_http_methods

from accounts.admin import permission_required
from billing.admin.tariffs.forms import DuplicateForm, RateFormSet, ShortenForm
from billing.admin.tariffs.scope import grid_of, render_page
from billing.models.tariffs import TariffCategory
from billing.tariffs import drafting, publishing
from billing.tariffs.tables import tables_of
from students.rollover import year_after

CHANGE = "billing.change_tariffgrid"
PUBLISH = "billing.publish_tariffgrid"
PUBLISHED = "Cette grille est publiée\u00a0: elle ne change plus."


def urls():
    """The addresses under a grid's own, for its ModelAdmin."""

    def named(route, view):
        name = f"billing_tariffgrid_{view.__name__}"
        return path(f"<int:pk>/{route}", admin.site.admin_view(view), name=name)

    return [
        named("tarifs/<int:category>/", rates),
        named("publier/", publish),
        named("copier/", duplicate),
        named("abreger/", shorten),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(CHANGE)
def rates(request, pk, category):
    """The rates of one category, a line each; then on to the next category."""
    grid = grid_of(request, pk)
    categories = list(TariffCategory.objects.filter(establishment=grid.establishment))
    category = get_object_or_404(TariffCategory, establishment=grid.establishment, pk=category)
    if grid.is_published:
        messages.error(request, PUBLISHED)
        return redirect("admin:billing_tariffgrid_change", pk)
    formset = RateFormSet(
        request.POST or None,
        instance=grid,
        queryset=grid.rates.filter(category=category),
        category=category,
    )
    following = _after(categories, category)
    if request.method == "POST" and formset.is_valid():
        saved = formset.save(commit=False)
        try:
            drafting.save_rates(
                grid, saved=saved, deleted=formset.deleted_objects, actor=request.user
            )
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, f"Tarifs de «\u00a0{category}\u00a0» enregistrés.")
            target = following if "suivante" in request.POST and following else category
            return redirect("admin:billing_tariffgrid_rates", pk, target.pk)
    context = {
        "category": category,
        "categories": categories,
        "formset": formset,
        "following": following,
    }
    return render_page(
        request, grid, f"Tarifs\u00a0: {category}", "admin/billing/tariffgrid/rates.html", context
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(PUBLISH)
def publish(request, pk):
    """What stands in the way, what to know, the whole grid to read again, and the button."""
    grid = grid_of(request, pk)
    if grid.is_published:
        messages.error(request, PUBLISHED)
        return redirect("admin:billing_tariffgrid_change", pk)
    if request.method == "POST":
        try:
            publishing.publish(grid, actor=request.user)
        except ValidationError:
            messages.error(request, "La grille n'est pas publiée\u00a0: voyez ce qui l'empêche.")
            return redirect("admin:billing_tariffgrid_publish", pk)
        messages.success(request, f"La grille «\u00a0{grid}\u00a0» est publiée.")
        return redirect("admin:billing_tariffgrid_change", pk)
    inspection = publishing.inspect(grid)
    context = {
        "obstacles": [error.messages[0] for error in inspection.obstacles],
        "notes": inspection.notes,
        "tables": tables_of(grid),
    }
    return render_page(request, grid, "Publier", "admin/billing/tariffgrid/publish.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("billing.add_tariffgrid")
def duplicate(request, pk):
    """« Préparer la grille de l'année suivante »."""
    grid = grid_of(request, pk)
    following = year_after(grid.school_year)
    initial = {
        "school_year": following,
        "label": f"Tarifs {following}" if following else grid.label,
    }
    form = DuplicateForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            copy = drafting.duplicate(grid, **form.cleaned_data, actor=request.user)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, f"Le brouillon «\u00a0{copy}\u00a0» est prêt.")
            return redirect("admin:billing_tariffgrid_change", copy.pk)
    return render_page(
        request,
        grid,
        "Préparer la grille de l'année suivante",
        "admin/billing/tariffgrid/duplicate.html",
        {"form": form},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(PUBLISH)
def shorten(request, pk):
    """Ends a published grid earlier: the next one may begin the day after."""
    grid = grid_of(request, pk)
    form = ShortenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            publishing.shorten(grid, **form.cleaned_data, actor=request.user)
        except ValidationError as error:
            form.add_error("valid_until", error.messages)
        else:
            messages.success(request, "La fin de validité est avancée.")
            return redirect("admin:billing_tariffgrid_change", pk)
    return render_page(
        request, grid, "Finir plus tôt", "admin/billing/tariffgrid/shorten.html", {"form": form}
    )


def _after(rows, row):
    index = rows.index(row) + 1
    return rows[index] if index < len(rows) else None
