"""The pages of « Modifier l'adresse e-mail »."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import email_changes, email_links
from accounts.addresses import client_address
from accounts.forms import ChangeEmailForm


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def change_email(request):
    """The new address and the password; nothing changes before the new address confirms."""
    form = ChangeEmailForm(request.user, request.POST or None, address=client_address(request))
    if request.method == "POST" and form.is_valid():
        try:
            email_changes.ask(form.cleaned_data["email"], actor=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect("accounts:change_email")
    context = {"form": form, "email_change": email_changes.pending(request.user)}
    return render(request, "accounts/change_email.html", context)


@require_POST
def resend_email_change(request):
    try:
        change = email_changes.send_again(actor=request.user)
    except ValidationError as error:
        messages.warning(request, error.messages[0])
    else:
        messages.success(request, f"Un nouveau message part à {change.email}.")
    return redirect("accounts:change_email")


@require_POST
def cancel_email_change(request):
    email_changes.cancel(actor=request.user)
    messages.success(request, "La demande est annulée\u00a0: votre adresse reste la même.")
    return redirect("accounts:change_email")


@login_not_required  # the mail is read on any device: the link says enough of who asks
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_email(request):
    """Where the link of the mail leads; mail scanners follow links, so the button alone acts."""
    token = request.POST.get("jeton", "") or request.GET.get("jeton", "")
    change = email_links.find(token)
    if change is not None and request.method == "POST":
        try:
            email_changes.confirm(token)
        except ValidationError:
            change = None
        else:
            return redirect("accounts:email_confirmed")
    if change is None:
        return render(request, "accounts/email_link_gone.html", status=410)
    return render(request, "accounts/confirm_email.html", {"email": change.email, "token": token})


@login_not_required
@require_safe
def email_confirmed(request):
    return render(request, "accounts/email_confirmed.html")
