"""The pages of « Validation en deux étapes » ; accounts.middleware says which open when."""

import django_otp
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import connections, sessions
from accounts import second_factor as service
from accounts.destinations import own_page
from accounts.forms import ApplicationCodeForm, CodeForm


@require_safe
def second_factor(request):
    """What it is, and whether it is in place."""
    context = {
        "is_set_up": service.is_set_up(request.user),
        "is_required": service.is_required(request.user),
        "codes_left": service.count_recovery_codes(request.user),
    }
    return render(request, "accounts/second_factor.html", context)


@require_POST
def start_second_factor(request):
    try:
        service.start(actor=request.user)
    except ValidationError as error:
        messages.warning(request, error.messages[0])
        return redirect("accounts:second_factor")
    return redirect("accounts:enrol_second_factor")


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def enrol_second_factor(request):
    """The QR code, then a code that proves it was read; the recovery codes are shown this once."""
    device = service.waiting(request.user)
    if device is None:
        return redirect("accounts:second_factor")
    form = ApplicationCodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = service.confirm(device, form.cleaned_data["code"], actor=request.user)
        except ValidationError as error:
            form.add_error("code", error)
        else:
            _remember(request, device)
            return _show_once(request, codes, is_new=True)
    context = {
        "form": form,
        "application_url": device.config_url,
        "qr_code": service.qr_code(device),
        "secret": service.readable_secret(device),
    }
    return render(request, "accounts/enrol_second_factor.html", context)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def verify_second_factor(request):
    """After the password; nothing else opens before."""
    target = own_page(request, request.POST.get("next", request.GET.get("next", "")))
    if not service.is_set_up(request.user) or request.user.is_verified():
        return redirect(target or "imuse:enter")
    form = CodeForm(request.POST or None)
    if device := _device_of(request, form):
        _remember(request, device)
        return redirect(target or "imuse:enter")
    return render(request, "accounts/verify_second_factor.html", {"form": form, "next": target})


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def renew_recovery_codes(request):
    if not service.is_set_up(request.user):
        return redirect("accounts:second_factor")
    form = CodeForm(request.POST or None)
    if _device_of(request, form):
        return _show_once(request, service.renew_recovery_codes(actor=request.user), is_new=False)
    return render(request, "accounts/renew_recovery_codes.html", {"form": form})


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def remove_second_factor(request):
    """Also how one changes phones: staff must set it up again at once."""
    if not service.is_set_up(request.user):
        return redirect("accounts:second_factor")
    form = CodeForm(request.POST or None)
    if _device_of(request, form):
        service.remove(request.user)
        messages.success(request, "La validation en deux étapes est retirée de votre compte.")
        return redirect("accounts:second_factor")
    context = {"form": form, "is_required": service.is_required(request.user)}
    return render(request, "accounts/remove_second_factor.html", context)


def _device_of(request, form):
    """The device that accepts the code sent; None, and the form says why, if there is none."""
    if request.method != "POST" or not form.is_valid():
        return None
    try:
        return service.check(form.cleaned_data["code"], actor=request.user)
    except ValidationError as error:
        form.add_error("code", error)
        return None


def _remember(request, device):
    """This session has shown its second factor; it goes on under a new id."""
    django_otp.login(request, device)
    request.session.cycle_key()
    connections.second_factor_shown(request.session.get(sessions.CONNECTION))


def _show_once(request, codes, *, is_new):
    return render(request, "accounts/recovery_codes.html", {"codes": codes, "is_new": is_new})
