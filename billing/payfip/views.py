"""A household leaves for PayFiP and comes back; PayFiP tells that something happened.

`returned` and `notified` are called from another site, without session nor CSRF token: nothing
that they bring is believed, they only make us ask PayFiP.
"""

import datetime as dt
import logging
from contextlib import suppress

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.enums import AskedBy
from billing.models import Invoice, PaymentAttempt
from billing.payfip import attempts, client
from billing.payfip.offers import Choice, choices_of, offer_for
from billing.payfip.settling import settle

logger = logging.getLogger(__name__)

REFRESHED = 8  # times, by itself; then « Actualiser » does it
REFRESH_SECONDS = 5
ASKED_LATELY = dt.timedelta(seconds=3)  # a page that is refreshed does not ask each time


@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: HttpRequest, pk: int) -> HttpResponse:
    """« Payer en ligne »: `echeance` is the number of the next instalment, empty for all of it.

    Asked for by its address (a bookmark, « back », a sign-in in between), it is the invoice.
    """
    invoice = get_object_or_404(Invoice.objects.visible_to(request.user), pk=pk)
    if request.method != "POST":
        return redirect("billing:invoice", pk)
    asked = request.POST.get("echeance", "")
    instalment = int(asked) if asked.isdecimal() and len(asked) <= 3 else 0  # no instalment's
    try:
        attempt = attempts.start(
            invoice, instalment=instalment if asked else None, user=request.user
        )
    except ValidationError as refusal:
        messages.error(request, refusal.messages[0])
        return redirect("billing:invoice", pk)
    return redirect("billing:leave", attempt.pk)


@require_safe
@never_cache
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """The amount, once more, and a plain link: the CSP lets no form lead to another site."""
    attempt = get_object_or_404(_attempts_of(request), pk=pk)
    is_gone = not attempt.is_open or not attempt.idop or timezone.now() >= attempt.opens_until
    if is_gone or not _is_still_due(attempt):
        return redirect("billing:payment", pk)
    return render(
        request,
        "billing/leave.html",
        {"attempt": attempt, "url": client.payment_page(attempt.idop)},
    )


@require_safe
@never_cache
@login_not_required
def payment(request: HttpRequest, pk: int) -> HttpResponse:
    """What became of it. Without a session: that it is being verified, whatever the key."""
    if not request.user.is_authenticated:
        return _refreshing(request, "billing/payment_unseen.html", {})
    attempt = get_object_or_404(_attempts_of(request), pk=pk)
    is_away = False
    if attempt.is_open and not _asked_lately(attempt):
        try:
            attempt = settle(attempt, AskedBy.RETURN)
        except client.TechnicalFault:
            is_away = True
    invoice = (
        Invoice.objects.with_amounts().select_related("establishment").get(pk=attempt.invoice_id)
    )
    context = {"attempt": attempt, "invoice": invoice, "is_away": is_away}
    if attempt.is_open:
        return _refreshing(request, "billing/payment.html", context)
    if not (attempt.is_paid or attempt.is_in_doubt):
        context["offer"] = offer_for(invoice)
    return render(request, "billing/payment.html", context)


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def returned(request: HttpRequest) -> HttpResponse:
    """PayFiP sends the browser back here, by GET or POST, from another site."""
    attempt = _told_of(request)
    if attempt is None:
        return render(request, "billing/payment_unseen.html", {"refreshes": False})
    _settle_if_it_answers(attempt, AskedBy.RETURN)
    return redirect("billing:payment", attempt.pk)


@csrf_exempt
@login_not_required
@require_POST
def notified(request: HttpRequest) -> HttpResponse:
    """PayFiP tells an idOp, and nothing of what became of it. Always 200, and empty."""
    attempt = _told_of(request)
    if attempt:
        _settle_if_it_answers(attempt, AskedBy.NOTIFICATION)
    return HttpResponse()


def _attempts_of(request):
    return PaymentAttempt.objects.visible_to(request.user).select_related("invoice", "payment")


def _is_still_due(attempt):
    """The régie may have received a cheque meanwhile."""
    invoice = Invoice.objects.with_amounts().get(pk=attempt.invoice_id)
    try:
        choices = choices_of(invoice)
    except ValidationError:
        return False
    return Choice(attempt.instalment, attempt.euros) in choices


def _told_of(request):
    """The attempt of the idOp received, under either of its names; None, and a line in the log."""
    fields = {**request.GET.dict(), **request.POST.dict()}
    idop = fields.get("idop") or fields.get("idOp") or ""
    attempt = None
    if client.IDOP.fullmatch(idop):
        attempt = PaymentAttempt.objects.filter(idop=idop).first()
    if attempt is None:
        logger.warning("%s: no attempt has the idOp %r", request.path, idop[:80])
    return attempt


def _settle_if_it_answers(attempt, asked_by):
    with suppress(client.TechnicalFault):  # logged there; the poll asks again
        settle(attempt, asked_by)


def _asked_lately(attempt):
    return attempt.asked_at is not None and timezone.now() - attempt.asked_at < ASKED_LATELY


def _tries(request):
    """How often the page has refreshed itself; REFRESHED once the person stopped it."""
    asked = request.GET.get("essai", "0")
    return min(int(asked), REFRESHED) if asked.isdecimal() and len(asked) <= 3 else 0


def _refreshing(request, template, context):
    """Without JavaScript, a few times only, and the page has a link that stops it."""
    tries = _tries(request)
    context |= {"refreshes": tries < REFRESHED, "stopped": REFRESHED}
    response = render(request, template, context)
    if context["refreshes"]:
        response["Refresh"] = f"{REFRESH_SECONDS}; url={request.path}?essai={tries + 1}"
    return response
