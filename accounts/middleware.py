"""What is known of the person signed in, before any view runs."""

from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

SESSION_KEY = "establishment"


def establishment(get_response):
    """`request.establishment`: the site chosen at sign-in, else the account's first, else None."""

    def middleware(request):
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


def _establishment_of(request):
    if not request.user.is_authenticated:
        return None
    chosen = request.session.get(SESSION_KEY)
    ours = list(request.user.establishments.all())
    return next((site for site in ours if site.pk == chosen), ours[0] if ours else None)
