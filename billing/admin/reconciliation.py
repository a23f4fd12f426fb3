"""What PayFiP says against what is held, beside the journal."""

from django.contrib import admin
from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.admin import permission_required
from accounts.spreadsheets.writing import CONTENT_TYPES, CSV, XLSX
from billing.admin.page import VIEW, show
from billing.admin.regie_forms import PeriodForm, period_query, query_after, query_before
from billing.models import Payment
from billing.regie.exports import reconciliation_file
from billing.regie.reconciliation import reconcile

MOST_LINES = 500  # shown for one day; the file holds them all


def urls():
    def named(route, view):
        name = f"billing_payment_{view.__name__}"
        return path(f"rapprochement/{route}", admin.site.admin_view(view), name=name)

    return [named("", reconciliation), named("export/", reconciliation_export)]


@require_safe
@permission_required(VIEW)
def reconciliation(request):
    """A month, day by day; or a day, operation by operation."""
    form = PeriodForm(request.GET or None, initial={"mois": timezone.localdate()})
    first, last = form.period
    is_day = first == last
    found = reconcile(request.establishment, first, last)
    context = {
        "form": form,
        "first": first,
        "is_day": is_day,
        "found": found,
        "pairs": found.pairs[:MOST_LINES] if is_day else [],
        "before": query_before(first, is_day),
        "after": query_after(last, is_day),
        "period": period_query(first, is_day),
        "site": request.establishment,
    }
    return show(
        request,
        "Rapprochement avec PayFiP",
        "admin/billing/payment/reconciliation.html",
        context,
        Payment,
    )


@require_safe
@permission_required(VIEW)
def reconciliation_export(request):
    """CSV, or XLSX if it is asked for."""
    first, last = PeriodForm(request.GET or None).period
    format_ = XLSX if request.GET.get("format") == XLSX else CSV
    content = reconciliation_file(format_, request.establishment, first, last)
    span = f"{first:%Y%m%d}" if first == last else f"{first:%Y%m%d}-{last:%Y%m%d}"
    name = f"rapprochement-payfip-{span}.{format_}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=CONTENT_TYPES[format_], headers=headers)
