"""« Combien cela coûtera »: the public simulator. It reads, and writes nothing."""

from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from billing.estimates import estimate, grid_of, tariffs_to_come
from billing.plans import plan_of, ways_of
from billing.pricing.bills import PricingError
from billing.simulator_forms import SimulatorForm


@require_safe
@login_not_required
def simulator(request):
    """One address for the question and its answer: it can be kept, sent, asked again.

    The work is bounded by the form: six students of three lessons, whatever is sent.
    """
    tariffs = tariffs_to_come(timezone.localdate())
    tariff = _chosen(tariffs, request.GET.get("tarif", ""))
    if tariff is None:
        return render(request, "billing/simulator.html", {"tariffs": tariffs})
    grid = grid_of(tariff)
    asks = "commune" in request.GET
    adds = asks and "ajouter" in request.GET
    form = SimulatorForm(
        request.GET if asks and not adds else None,
        tariff=tariff,
        grid=grid,
        shown=request.GET if adds else None,
    )
    context = {"tariffs": tariffs, "tariff": tariff, "form": form, "estimate": None}
    if form.is_valid():
        try:
            found = context["estimate"] = estimate(grid, form.household())
        except PricingError as error:
            form.add_error(None, error.message)
        else:
            plan = plan_of(tariff.establishment, tariff.school_year)
            context["ways"] = ways_of(plan, found.lowest, found.highest) if plan else []
            context["plan"] = plan
    return render(request, "billing/simulator.html", context)


def _chosen(tariffs, key):
    """The one asked for, else the first one: an address kept for a year still opens the page."""
    return next((t for t in tariffs if str(t.pk) == key), tariffs[0] if tariffs else None)
