"""« Doublons », in the administration: likely ones, side by side, then one absorbs the other."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_safe

from accounts.admin import permission_required
from families import absorbing
from families.doubles import likely_doubles
from families.enums import MergeKind
from families.models import Family, Guardian
from families.selectors import families_of

MERGE = "families.merge_families"
ROWS = 50  # lines of one page
PAGE = "admin/families/family/merge.html"


class MergeForm(forms.Form):
    """`seen` stands for what the page showed: nobody merges what he has not read."""

    seen = forms.CharField(widget=forms.HiddenInput)
    account = forms.TypedChoiceField(
        label="Compte à garder",
        widget=forms.RadioSelect,
        coerce=int,
        help_text="L'autre sera fermé.",
        error_messages={"required": "Choisissez le compte à garder."},
    )
    confirm = forms.BooleanField(
        label="J'ai comparé les deux fiches\u00a0: c'est bien un doublon.",
        error_messages={"required": "Cochez cette case pour fusionner."},
    )

    def __init__(self, *args, users=(), **kwargs):
        super().__init__(*args, **kwargs)
        if len(users) == 2:
            self.fields["account"].choices = [(user.pk, _described(user)) for user in users]
        else:
            del self.fields["account"]


def urls():
    """The addresses under the families', for their ModelAdmin."""

    def named(route, view):
        name = f"families_family_{view.__name__}"
        return path(route, admin.site.admin_view(view), name=name)

    return [
        named("doublons/", doubles),
        named("doublons/foyers/<int:kept>/<int:absorbed>/", merge_families),
        named("doublons/responsables/<int:kept>/<int:absorbed>/", merge_guardians),
    ]


@require_safe
@permission_required(MERGE)
def doubles(request):
    page = Paginator(likely_doubles(reader=request.user), ROWS).get_page(request.GET.get("page"))
    return _render(
        request, "admin/families/family/doubles.html", {"title": "Doublons", "page": page}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(MERGE)
def merge_families(request, kept, absorbed):
    if done := _done(request, MergeKind.FAMILY, kept, absorbed):
        return _after(done)
    families = families_of(request.user).select_related("commune")
    rows = [get_object_or_404(families, pk=key) for key in (kept, absorbed)]
    return _merge(request, *rows, service=absorbing.absorb_family, title="Fusionner deux foyers")


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(MERGE)
def merge_guardians(request, kept, absorbed):
    if done := _done(request, MergeKind.GUARDIAN, kept, absorbed):
        return _after(done)
    guardians = Guardian.objects.filter(family__in=families_of(request.user))
    guardians = guardians.select_related("user", "family")
    rows = [get_object_or_404(guardians, pk=key) for key in (kept, absorbed)]
    users = [row.user for row in rows if row.user]
    title = "Fusionner deux responsables"
    return _merge(request, *rows, service=absorbing.absorb_guardian, title=title, users=users)


def _merge(request, kept, absorbed, *, service, title, users=()):
    context = {"title": title, "kept": kept, "absorbed": absorbed}
    context["swap"] = f"admin:{request.resolver_match.url_name}"
    try:
        comparison = absorbing.compare(kept, absorbed)
    except ValidationError as error:
        return _render(request, PAGE, context | {"refusal": error.messages[0]})
    initial = {"seen": comparison.fingerprint}
    form = MergeForm(request.POST if request.method == "POST" else None, users=users)
    if request.method == "POST" and form.is_valid():
        del form.cleaned_data["confirm"]
        keys = {"kept": kept.pk, "absorbed": absorbed.pk}
        try:
            merge = service(**keys, actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            messages.error(request, error.messages[0])
            return redirect(request.path)  # the comparison of now
        messages.success(request, f"{absorbed}\u00a0: le doublon est fusionné.")
        return _after(merge)
    form.initial = initial
    return _render(request, PAGE, context | {"comparison": comparison, "form": form})


def _done(request, kind, kept, absorbed):
    """A double click, or a page left open: it is done, and was not done twice."""
    done = absorbing.done(kind, kept, absorbed)
    if done:
        get_object_or_404(families_of(request.user), pk=done.family_id)
    if done and request.method == "POST":
        messages.info(request, f"{done.absorbed_name}\u00a0: le doublon est déjà fusionné.")
    return done


def _after(merge):
    """The next double of the same household, which it brought with it; else its accounts."""
    known = {}
    guardians = merge.family.guardians.order_by("pk") if merge.kind == MergeKind.FAMILY else []
    for guardian in guardians:
        if first := known.get(guardian.sort_name):
            return redirect("admin:families_family_merge_guardians", first.pk, guardian.pk)
        known[guardian.sort_name] = guardian
    return redirect("admin:families_family_household_accounts", merge.family_id)


def _described(user):
    state = "" if user.is_active else ", fermé"
    used = "déjà utilisé" if user.last_login else "jamais utilisé"
    return f"{user.username} ({user.email or 'sans adresse'}, {used}{state})"


def _render(request, template, context):
    context = {
        **admin.site.each_context(request),
        "is_nav_sidebar_enabled": False,
        "opts": Family._meta,
        **context,
    }
    return render(request, template, context)
