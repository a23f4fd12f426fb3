from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import connections, services, sessions, typed_input
from accounts.addresses import client_address
from accounts.destinations import own_page
from accounts.forms import ChangePasswordForm, ChoosePasswordForm, LostPasswordForm, SignInForm
from accounts.middleware import SESSION_KEY
from accounts.models import User

# One sentence for whatever is wrong: nothing tells whether an identifiant exists.
REFUSED = (
    "Connexion impossible\u00a0: le site, l'identifiant ou le mot de passe ne convient pas. "
    "Vérifiez votre saisie, ou cliquez sur «\u00a0mot de passe perdu\u00a0»."
)


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request):
    """The one door, for families, teachers and staff (the manual, step 3).

    `espace=enseignant` asks for the teacher's space, `next` for a page of this host.
    """
    if request.user.is_authenticated:
        return redirect("imuse:enter")
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = authenticate(request, **form.cleaned_data)
        if user is not None:
            login(request, user)
            sessions.begin(request, user)
            typed_input.hand_over(request)
            request.session[SESSION_KEY] = form.cleaned_data["establishment"].pk
            return HttpResponseRedirect(_destination(request))
        form.add_error(None, REFUSED)
    context = {"form": form, "next": _asked(request, "next"), "space": _asked(request, "espace")}
    return render(request, "accounts/sign_in.html", context)


@login_not_required  # a session that has ended is signed out all the same
@require_POST
def sign_out(request):
    connections.end(request.session.get(sessions.CONNECTION))
    logout(request)
    messages.success(request, "Vous avez quitté votre espace. À bientôt.")
    return redirect("imuse:landing")


@require_POST
def switch_site(request):
    """« Changer de site », in the header of an account of several: without signing in again."""
    chosen = request.POST.get("site", "")
    site = next((site for site in request.establishments if str(site.pk) == chosen), None)
    if site is None:
        raise Http404
    request.session[SESSION_KEY] = site.pk
    messages.success(request, f"Vous êtes maintenant sur le site «\u00a0{site}\u00a0».")
    here = own_page(request, _asked(request, "next"))
    return HttpResponseRedirect(here or reverse("imuse:enter"))


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request):
    """The tab « Mot de passe »."""
    form = ChangePasswordForm(request.user, request.POST or None, address=client_address(request))
    if request.method == "POST" and form.is_valid():
        _choose(request, form)
        messages.success(
            request,
            "Votre mot de passe est changé. Sur vos autres appareils, il faudra vous reconnecter.",
        )
        return redirect("accounts:change_password")
    return render(request, "accounts/change_password.html", {"form": form})


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def choose_password(request):
    """After a one-time password; accounts.middleware opens nothing else before."""
    if not request.user.must_choose_password:
        return redirect("accounts:change_password")
    form = ChoosePasswordForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        _choose(request, form)
        messages.success(request, "Votre nouveau mot de passe est enregistré.")
        return redirect("imuse:enter")
    return render(request, "accounts/choose_password.html", {"form": form})


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def lost_password(request):
    """« mot de passe perdu » (the manual, annex 1).

    The button of the sign-in page posts its form here, so that the identifiant typed there comes
    along in no address that is logged; nothing else of that form is read.
    """
    if "depuis" in request.POST:
        typed = request.POST.get("username", "")
        form = LostPasswordForm(initial={"username": User.normalize_username(typed)})
        return render(request, "accounts/lost_password.html", {"form": form})
    form = LostPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.ask_for_one_time_password(**form.cleaned_data, address=client_address(request))
        return redirect("accounts:lost_password_done")
    return render(request, "accounts/lost_password.html", {"form": form})


@login_not_required
@require_safe
def lost_password_done(request):
    """The same text, whatever was typed."""
    return render(request, "accounts/lost_password_done.html")


def _choose(request, form):
    user = services.choose_password(form.cleaned_data["new_password"], actor=request.user)
    sessions.renew(request, user)


def _asked(request, name):
    return request.POST.get(name, request.GET.get(name, ""))


def _destination(request):
    """Always by « entrer », which finds out who it is; it goes on to the page asked for."""
    asked = {
        "next": own_page(request, _asked(request, "next")),
        "espace": "enseignant" if _asked(request, "espace") == "enseignant" else "",
    }
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{reverse('imuse:enter')}?{query}" if query else reverse("imuse:enter")
