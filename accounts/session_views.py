"""« Mes connexions », the end of a session, and what was typed in one that had ended."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import connections as service
from accounts import sessions, throttling, typed_input


@require_safe
def connections(request):
    context = {
        "connections": service.last_ones(request.user),
        "current": request.session.get(sessions.CONNECTION),
        "refused": throttling.refused_lately(request.user),
    }
    return render(request, "accounts/connections.html", context)


@require_POST
def close_other_sessions(request):
    """« Se déconnecter de tous les autres appareils »."""
    try:
        user = service.close_others(actor=request.user)
    except ValidationError:  # this session is over: the next page says so
        return redirect("accounts:connections")
    sessions.renew(request, user)
    messages.success(request, "Vos autres appareils sont déconnectés.")
    return redirect("accounts:connections")


@login_not_required  # « nobody » is an answer too
@never_cache
@require_safe
def session_state(request):
    """What static/js/session.js asks; asking does not make the session last."""
    return _state(request)


@login_not_required
@require_POST
def extend_session(request):
    """« Rester connecté »."""
    if request.user.is_authenticated:
        sessions.touch(request)
    return _state(request)


@require_safe
def resume(request):
    """« Votre saisie est gardée »; the button posts it to the page that it was meant for."""
    typed = typed_input.of(request.session)
    if typed is None:
        return redirect("imuse:enter")
    return render(request, "accounts/resume.html", {"typed": typed})


@require_POST
def abandon(request):
    typed_input.drop(request.session)
    messages.info(request, "Votre saisie est abandonnée.")
    return redirect("imuse:enter")


def _state(request):
    """Who is signed in, for how many seconds; and a token, since signing in changes it."""
    limits = request.session_limits
    if limits is None:
        return JsonResponse({"who": None, "left": 0})
    return JsonResponse(
        {
            "who": request.user.pk,
            "left": limits.left,
            "canExtend": limits.can_extend,
            "token": get_token(request),
        }
    )
