"""« Comptes du foyer », in the administration: who is invited, who signs in, who no longer does."""

from itertools import combinations

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_POST, require_safe

from accounts import services as accounts
from accounts.admin import permission_required
from families import invitations
from families.account_lines import account_lines
from families.models import Family, Guardian
from families.selectors import families_of

MANAGE = "families.manage_accounts"
REASON_LENGTH = 200  # characters


def urls():
    """The addresses under a family's own, for its ModelAdmin."""

    def named(route, view):
        name = f"families_family_{view.__name__}"
        return path(f"<int:pk>/comptes/{route}", admin.site.admin_view(view), name=name)

    return [
        named("", household_accounts),
        named("<int:guardian>/inviter/", invite),
        named("<int:guardian>/fermer/", close_account),
        named("<int:guardian>/rouvrir/", reopen_account),
    ]


@require_safe
@permission_required(MANAGE)
def household_accounts(request, pk):
    family = get_object_or_404(families_of(request.user), pk=pk)
    lines = account_lines(family, reader=request.user)
    context = {
        **admin.site.each_context(request),
        "is_nav_sidebar_enabled": False,
        "title": "Comptes du foyer",
        "opts": Family._meta,
        "family": family,
        "lines": lines,
        "pairs": list(combinations([line.guardian for line in lines], 2)),
        "reason_length": REASON_LENGTH,
    }
    return render(request, "admin/families/family/household_accounts.html", context)


@require_POST
@permission_required(MANAGE)
def invite(request, pk, guardian):
    guardian = get_object_or_404(_guardians(request, pk), pk=guardian)
    try:
        invitations.invite(guardian, actor=request.user, establishment=request.establishment)
    except ValidationError as error:
        return _refuse(request, guardian, error)
    return _done(request, guardian, f"l'invitation part à {guardian.email}.")


@require_POST
@permission_required(MANAGE)
def close_account(request, pk, guardian):
    guardian = _with_account(request, pk, guardian)
    reason = request.POST.get("reason", "")[:REASON_LENGTH]
    try:
        accounts.close_account(guardian.user, actor=request.user, reason=reason)
    except ValidationError as error:
        return _refuse(request, guardian, error)
    return _done(request, guardian, "le compte est fermé.")


@require_POST
@permission_required(MANAGE)
def reopen_account(request, pk, guardian):
    guardian = _with_account(request, pk, guardian)
    try:
        accounts.reopen_account(guardian.user, actor=request.user)
    except ValidationError as error:
        return _refuse(request, guardian, error)
    return _done(request, guardian, "le compte est rouvert.")


def _guardians(request, pk):
    """Those of the household, if the agent's sites know it."""
    return Guardian.objects.filter(family__in=families_of(request.user).filter(pk=pk))


def _with_account(request, pk, guardian):
    guardians = _guardians(request, pk).exclude(user=None).select_related("user")
    return get_object_or_404(guardians, pk=guardian)


def _done(request, guardian, text):
    messages.success(request, f"{guardian}\u00a0: {text}")
    return redirect("admin:families_family_household_accounts", guardian.family_id)


def _refuse(request, guardian, error):
    messages.error(request, f"{guardian}\u00a0: {error.messages[0]}")
    return redirect("admin:families_family_household_accounts", guardian.family_id)
