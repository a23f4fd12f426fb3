"""« Demandes d'effacement »: the secretariat reads them, the direction answers."""

import datetime as dt

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from accounts.admin import ReadOnlyAdminMixin, SortNameSearchMixin
from families import erasures
from families.admin_scope import OfOwnHouseholdsMixin
from families.data_forms import AnswerForm, ByLetterForm, EraseForm
from families.holdings import Holding, fingerprint_of, holdings, obstacles
from families.models import ErasureRequest

SOON = dt.timedelta(days=7)


@admin.register(ErasureRequest)
class ErasureRequestAdmin(
    OfOwnHouseholdsMixin, ReadOnlyAdminMixin, SortNameSearchMixin, admin.ModelAdmin
):
    """Nothing is edited: a request is answered by the buttons of its page, each one a service."""

    list_display = ["family", "asked_at", "answer_before", "state", "decided_at"]
    list_filter = ["state"]
    list_select_related = ["family"]
    search_fields = ["family__sort_name"]
    form = ByLetterForm
    autocomplete_fields = ["family"]
    search_help_text = "Nom de la famille"
    actions = None

    def get_urls(self):
        own = [("<int:pk>/effacer/", self.erase), ("<int:pk>/repondre/", self.answer)]
        return [
            *(
                path(
                    route,
                    self.admin_site.admin_view(view),
                    name=f"families_erasurerequest_{view.__name__}",
                )
                for route, view in own
            ),
            *super().get_urls(),
        ]

    def has_add_permission(self, request):
        """A request that came by letter, or was said at the counter."""
        return request.user.has_perm("families.add_erasurerequest")

    def add_view(self, request, form_url="", extra_context=None):
        try:
            return super().add_view(request, form_url, extra_context)
        except ValidationError as error:  # a colleague, at the same instant
            messages.error(request, error.messages[0])
            return redirect("admin:families_erasurerequest_changelist")

    def save_model(self, request, obj, form, change):
        asked = erasures.ask(obj.family, text=obj.text, actor=request.user)
        obj.pk, obj.asked_at = asked.pk, asked.asked_at

    def has_decide_permission(self, request):
        return request.user.has_perm("families.decide_erasurerequest")

    @method_decorator(require_safe)
    def change_view(self, request, object_id, form_url="", extra_context=None):
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not object_id.isdecimal() or len(object_id) > 18:  # as many digits as a key may have
            raise Http404
        return self._page(request, self._get(request, object_id))

    @method_decorator(require_POST)
    def erase(self, request, pk):
        """« Effacer ce qui peut l'être », as the preview said."""
        asked = self._decided_by(request, pk)
        form = EraseForm(request.POST, others=erasures.other_guardians(asked))
        if form.is_valid():
            try:
                erasures.erase(
                    asked,
                    answer=form.cleaned_data["answer"],
                    expected=form.cleaned_data["expected"],
                    actor=request.user,
                )
            except ValidationError as error:
                return self._moved(request, pk, error)
            messages.success(request, "Les données de ce foyer sont effacées.")
            return redirect("admin:families_erasurerequest_change", pk)
        return self._page(request, asked, erase_form=form)

    @method_decorator(require_POST)
    def answer(self, request, pk):
        asked = self._decided_by(request, pk)
        form = AnswerForm(request.POST, prefix="answer")
        if form.is_valid():
            try:
                erasures.answer(asked, **form.cleaned_data, actor=request.user)
            except ValidationError as error:
                return self._moved(request, pk, error)
            messages.success(request, "La réponse part à la famille.")
            return redirect("admin:families_erasurerequest_change", pk)
        return self._page(request, asked, answer_form=form)

    @admin.display(description="à traiter avant le")
    def answer_before(self, asked):
        day = erasures.answer_before(asked)
        if asked.is_open and day - SOON <= timezone.localdate():
            return format_html("<strong>{}</strong>", f"{day:%d/%m/%Y}, bientôt")
        return f"{day:%d/%m/%Y}"

    def _get(self, request, pk):
        rows = self.get_queryset(request).select_related(
            "family__commune", "asked_by", "decided_by", "erasure__actor"
        )
        return get_object_or_404(rows, pk=pk)

    def _decided_by(self, request, pk):
        if not self.has_decide_permission(request):
            raise PermissionDenied
        return self._get(request, pk)

    def _moved(self, request, pk, error):
        """Somebody was faster, or the household changed: the page as it is now."""
        for message in error.messages:
            messages.error(request, message)
        return redirect("admin:families_erasurerequest_change", pk)

    def _page(self, request, asked, *, erase_form=None, answer_form=None):
        others = erasures.other_guardians(asked)
        found = holdings(asked.family) if asked.is_open else []
        context = {
            **self.admin_site.each_context(request),
            "is_nav_sidebar_enabled": False,
            "title": "Demande d'effacement",
            "opts": self.opts,
            "asked": asked,
            "others": others,
            "asker": asked.family.guardians.filter(user=asked.asked_by).first() or asked.asked_by,
            "answer_before": erasures.answer_before(asked),
            "holdings": found,
            "obstacles": obstacles(asked.family) if asked.is_open else [],
            "may_decide": self.has_decide_permission(request) and asked.is_open,
            "erase_form": erase_form
            or EraseForm(others=others, initial={"expected": fingerprint_of(found)}),
            "answer_form": answer_form or AnswerForm(prefix="answer"),
            "done": lines_of_trace(asked),
        }
        return render(request, "admin/families/erasurerequest/handle.html", context)


def lines_of_trace(asked: ErasureRequest) -> list[Holding]:
    """What an erasure found, as its preview showed it; nothing before."""
    counts = asked.erasure.counts if hasattr(asked, "erasure") else []
    return [Holding(**line) for line in counts]
