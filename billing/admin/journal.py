"""The régie's journal: by day or month, on paper, as files; the closing of a day."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.admin import permission_required
from accounts.dates import day as written_day
from accounts.spreadsheets.writing import CONTENT_TYPES, CSV, XLSX
from billing import services
from billing.admin.page import CLOSE, VIEW, show
from billing.admin.regie_forms import PeriodForm, period_query, query_after, query_before
from billing.models import CashDay, Payment
from billing.regie.exports import journal_file, treasury_file
from billing.regie.journal import (
    documents_of,
    journal_of,
    kept_deposits_of,
    payments_of,
    till_of,
)

TREASURY = "tresor"
MOST_LINES = 500  # shown for one day; the file holds them all


def urls():
    def named(route, view):
        name = f"billing_payment_{view.__name__}"
        return path(route, admin.site.admin_view(view), name=name)

    return [
        named("journal/", journal),
        named("journal/export/", journal_export),
        named("journal/arrete/", close_day),
    ]


@require_safe
@permission_required(VIEW)
def journal(request):
    """A month, day by day; or a day, movement by movement."""
    form = PeriodForm(request.GET or None, initial={"mois": timezone.localdate()})
    first, last = form.period
    site = request.establishment
    is_day = first == last
    closed = {
        each.day: each
        for each in CashDay.objects.filter(
            establishment=site, day__range=(first, last), closed_at__isnull=False
        )
        .select_related("closed_by")
        .prefetch_related("totals")
    }
    shown = journal_of(site, first, last)
    context = {
        "form": form,
        "first": first,
        "last": last,
        "is_day": is_day,
        "journal": shown,
        "days": [(day, closed.get(day.day)) for day in shown.days],
        "closing": closed.get(first) if is_day else None,
        "late": _late(closed.get(first), shown.till) if is_day else [],
        "may_close": is_day and request.user.has_perm(CLOSE) and first <= timezone.localdate(),
        "documents": documents_of(site, first, last)[:MOST_LINES] if is_day else [],
        "payments": payments_of(site, first, last)[:MOST_LINES] if is_day else [],
        "kept": kept_deposits_of(site, first, last)[:MOST_LINES] if is_day else [],
        "before": query_before(first, is_day),
        "after": query_after(last, is_day),
        "period": period_query(first, is_day),
        "site": site,
    }
    return show(
        request, "Journal de la régie", "admin/billing/payment/journal.html", context, Payment
    )


@require_safe
@permission_required(VIEW)
def journal_export(request):
    """CSV, XLSX, or the layout of the treasury; a missing account sends back to the journal."""
    form = PeriodForm(request.GET or None)
    first, last = form.period
    asked, site = request.GET.get("format"), request.establishment
    try:
        if asked == TREASURY:
            content, format_, name = treasury_file(site, first, last), CSV, "tresor"
        else:
            format_ = XLSX if asked == XLSX else CSV
            content, name = journal_file(format_, site, first, last), "journal"
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect(
            f"{reverse('admin:billing_payment_journal')}?{period_query(first, first == last)}"
        )
    span = f"{first:%Y%m%d}" if first == last else f"{first:%Y%m%d}-{last:%Y%m%d}"
    headers = {"Content-Disposition": f'attachment; filename="{name}-{span}.{format_}"'}
    return HttpResponse(content, content_type=CONTENT_TYPES[format_], headers=headers)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(CLOSE)
def close_day(request):
    """What is about to be frozen; its POST freezes it."""
    form = PeriodForm(request.POST if request.method == "POST" else request.GET)
    day = form.is_valid() and form.cleaned_data["jour"]
    if not day:
        messages.error(request, "Choisissez la journée à arrêter.")
        return redirect("admin:billing_payment_journal")
    back = redirect(f"{reverse('admin:billing_payment_journal')}?{period_query(day, True)}")
    if request.method == "POST":
        try:
            services.close_day(request.establishment, day, actor=request.user)
        except ValidationError as error:
            messages.error(request, error.messages[0])
        else:
            messages.success(request, f"La caisse du {written_day(day)} est arrêtée.")
        return back
    site = request.establishment
    context = {
        "day": day,
        "till": till_of(site, day),
        "site": site,
        "period": period_query(day, True),
    }
    return show(
        request, "Arrêter la caisse", "admin/billing/payment/close_day.html", context, Payment
    )


def _late(closing, till):
    """What PayFiP told after the day was closed, by means: (means, euros)."""
    if closing is None:
        return []
    frozen = {each.means: each.received for each in closing.totals.all()}
    return [
        (line.means, line.received - frozen.get(line.means, 0))
        for line in till
        if line.received != frozen.get(line.means, 0)
    ]
