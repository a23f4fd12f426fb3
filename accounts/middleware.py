"""What is known of the person signed in, before any view runs."""

from functools import cache
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.db.models import QuerySet
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from accounts import second_factor, sessions, typed_input
from accounts.destinations import page_left
from accounts.models import Establishment
from accounts.prepared import prepared

SESSION_KEY = "establishment"
SESSION_OVER = "Votre session est terminée\u00a0: connectez-vous à nouveau."
INPUT_LOST = (
    "Votre session a expiré\u00a0: ce que vous veniez d'envoyer n'a pas été enregistré. "
    "Connectez-vous à nouveau, puis recommencez."
)
INPUT_KEPT = (
    "Votre session a expiré\u00a0: ce que vous veniez d'envoyer n'est pas encore enregistré, mais "
    "votre saisie est gardée. Connectez-vous à nouveau pour la reprendre."
)
FILES_LOST = "Les fichiers, eux, seront à choisir de nouveau."
BACKGROUND = "X-Background"  # asked by a page that refreshes itself: nobody need be there
# Whatever must come first, these always open.
ALWAYS_OPEN = ["accounts:sign_out", "accounts:session_state", "accounts:extend_session"]


def session_limits(get_response):
    """Ends a session past its limits (accounts.sessions), before anybody is seen in it.

    `request.session_limits` tells the pages how long it still lasts; None for nobody.
    """

    def middleware(request):
        counts = request.path != _session_state() and BACKGROUND not in request.headers
        sessions.keep_or_end(request, counts=counts)
        return get_response(request)

    return middleware


class SignedInMiddleware(LoginRequiredMiddleware):
    """Django's, which besides keeps a form sent after the end of the session, and says so."""

    def handle_no_permission(self, request, view_func):
        if request.method in ("GET", "HEAD"):
            if sessions.ENDED_FOR in request.session:
                messages.info(request, SESSION_OVER)
            return super().handle_no_permission(request, view_func)
        if typed := typed_input.keep(request):
            text = f"{INPUT_KEPT} {FILES_LOST}" if typed.had_files else INPUT_KEPT
            messages.warning(request, text)
        else:
            messages.warning(request, INPUT_LOST)
        # Back to the page of the form: the address that it is sent to may have no page (405).
        return redirect_to_login(page_left(request) or request.get_full_path())


def typed_input_received(get_response):
    """What was kept has been sent again and its page has answered: it is kept no longer."""

    def middleware(request):
        response = get_response(request)
        typed = typed_input.of(request.session) if typed_input.is_form(request) else None
        is_hers = request.user.is_authenticated and response.status_code < 400
        if typed and typed.path == request.get_full_path() and is_hers:
            typed_input.drop(request.session)
        return response

    return middleware


def establishment(get_response):
    """`request.establishments`: the account's sites; `request.establishment`: the one chosen.

    Read anew at each request: a site withdrawn from the account is no longer the chosen one, which
    is then the account's first. None for nobody.
    """

    def middleware(request):
        request.establishments = SimpleLazyObject(lambda: _establishments_of(request))
        request.establishment = SimpleLazyObject(lambda: _establishment_of(request))
        return get_response(request)

    return middleware


def choose_password_first(get_response):
    """After a one-time password nothing opens but the page that chooses a new one."""

    def middleware(request):
        user = request.user
        if user.is_authenticated and user.must_choose_password:
            allowed = map(reverse, ["accounts:choose_password", *ALWAYS_OPEN])
            if request.path not in allowed:
                return redirect("accounts:choose_password")
        return get_response(request)

    return middleware


def second_factor_first(get_response):
    """After the password nothing opens before the code, nor, for staff, before it is set up.

    `request.is_held` tells the header that the person goes nowhere yet. The password to choose
    (`choose_password_first`) comes before.
    """

    def middleware(request):
        allowed = _pages_before(request.user)
        request.is_held = bool(allowed)
        if allowed and request.path not in map(reverse, [*allowed, *ALWAYS_OPEN]):
            target = reverse(allowed[0])
            if request.method in ("GET", "HEAD"):
                target = f"{target}?{urlencode({'next': request.get_full_path()}, safe='/')}"
            return redirect(target)
        return get_response(request)

    return middleware


@cache
def _session_state():
    """Asked for at each request."""
    return reverse("accounts:session_state")


def _pages_before(user):
    """What opens before the second factor has been shown, the first page first; [] if all does."""
    if not user.is_authenticated or user.is_verified() or user.must_choose_password:
        return []
    if second_factor.is_set_up(user):  # and not the pages that would set up another
        return ["accounts:verify_second_factor"]
    if second_factor.is_required(user):
        return [
            "accounts:second_factor",
            "accounts:start_second_factor",
            "accounts:enrol_second_factor",
        ]
    return []


def _establishments_of(request):
    return _sites_of(request.user.pk) if request.user.is_authenticated else []


@prepared
def _sites_of(user: int) -> QuerySet[Establishment]:
    return Establishment.objects.filter(users=user)


def _establishment_of(request):
    ours, chosen = request.establishments, request.session.get(SESSION_KEY)
    return next((site for site in ours if site.pk == chosen), ours[0] if ours else None)
