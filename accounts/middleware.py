"""What is known of the person signed in, before any view runs."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from accounts import second_factor

SESSION_KEY = "establishment"
SESSION_ENDED = (
    "Votre session a expiré\u00a0: ce que vous veniez d'envoyer n'a pas été enregistré. "
    "Connectez-vous à nouveau, puis recommencez."
)


class SignedInMiddleware(LoginRequiredMiddleware):
    """Django's, which says besides that a form sent after the end of the session was lost."""

    def handle_no_permission(self, request, view_func):
        if request.method not in ("GET", "HEAD"):
            messages.warning(request, SESSION_ENDED)
        return super().handle_no_permission(request, view_func)


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
            allowed = {reverse("accounts:choose_password"), reverse("accounts:sign_out")}
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
        if allowed and request.path not in map(reverse, [*allowed, "accounts:sign_out"]):
            target = reverse(allowed[0])
            if request.method in ("GET", "HEAD"):
                target = f"{target}?{urlencode({'next': request.get_full_path()}, safe='/')}"
            return redirect(target)
        return get_response(request)

    return middleware


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
    return list(request.user.establishments.all()) if request.user.is_authenticated else []


def _establishment_of(request):
    ours, chosen = request.establishments, request.session.get(SESSION_KEY)
    return next((site for site in ours if site.pk == chosen), ours[0] if ours else None)
