"""« À régler »: what was received in excess, with the two ways out, and what has bounced."""

from django.contrib import admin
from django.core.paginator import Paginator
from django.urls import path
from django.views.decorators.http import require_safe

from accounts.admin import permission_required
from billing.admin.page import RECORD, VIEW, show
from billing.models import Invoice
from billing.regie.dues import bounced_unpaid, overpaid_invoices

ROWS = 100  # of one page


def urls():
    view = admin.site.admin_view(to_settle)
    return [path("a-regler/", view, name="billing_invoice_to_settle")]


@require_safe
@permission_required(VIEW)
def to_settle(request):
    overpaid = overpaid_invoices(request.establishment)
    bounced = bounced_unpaid(request.establishment)
    context = {
        "overpaid": Paginator(overpaid, ROWS).get_page(request.GET.get("page")),
        "bounced": Paginator(bounced, ROWS).get_page(request.GET.get("page")),
        "may_record": request.user.has_perm(RECORD),
    }
    return show(request, "À régler", "admin/billing/invoice/to_settle.html", context, Invoice)
