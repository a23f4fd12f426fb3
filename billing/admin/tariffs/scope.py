"""What the pages of the tariffs share."""

from django.contrib import admin
from django.shortcuts import get_object_or_404, render

from accounts.selectors import establishments_of
from billing.models.tariffs import TariffGrid

WIDE = {"is_nav_sidebar_enabled": False}  # the width goes to the work, the path leads back


def grid_of(request, pk) -> TariffGrid:
    """Of the agent's own establishments, or 404."""
    ours = TariffGrid.objects.filter(establishment__in=establishments_of(request.user))
    return get_object_or_404(
        ours.select_related("establishment", "school_year", "published_by"), pk=pk
    )


def render_page(request, grid, title, template, context):
    context = {
        **admin.site.each_context(request),
        **WIDE,
        "title": title,
        "opts": TariffGrid._meta,
        "grid": grid,
        **context,
    }
    return render(request, template, context)
