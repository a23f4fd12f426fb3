"""What an agent does with a slot in mid-rush: close it to the families, open it again, resize it.

From its own page or from the desk of a campaign: `suite` is the page that one goes back to.
"""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods, require_POST

from accounts.destinations import own_page
from students import closing, services

BACK = "suite"
MOST_PLACES = 200


class CapacityForm(forms.Form):
    capacity = forms.IntegerField(label="Capacité", min_value=0, max_value=MOST_PLACES)


class RushMixin:
    """For SlotAdmin; every POST is one service, logged in the history of the slot."""

    def get_urls(self):
        views = {"fermer": self.close, "rouvrir": self.reopen, "capacite": self.resize}
        return [
            *[
                path(
                    f"<int:pk>/{route}/",
                    self.admin_site.admin_view(view),
                    name=f"students_slot_{view.__name__}",
                )
                for route, view in views.items()
            ],
            *super().get_urls(),
        ]

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def close(self, request, pk):
        """Says what follows, then closes it."""
        slot = self._slot(request, pk)
        if request.method == "POST" or slot.closed_at:
            return self._act(
                request, slot, lambda: closing.close(slot), "Le créneau est fermé aux familles."
            )
        context = self.admin_site.each_context(request) | {
            "title": "Fermer aux familles",
            "slot": slot,
            "opts": self.opts,
            "back": own_page(request, request.GET.get(BACK, "")),
        }
        return render(request, "students/admin_close_slot.html", context)

    @method_decorator(require_POST)
    def reopen(self, request, pk):
        slot = self._slot(request, pk)
        return self._act(
            request,
            slot,
            lambda: closing.reopen(slot),
            "Le créneau est de nouveau proposé aux familles.",
        )

    @method_decorator(require_POST)
    def resize(self, request, pk):
        slot = self._slot(request, pk)
        form = CapacityForm(request.POST)
        if not form.is_valid():
            self._tell(request, slot, " ".join(form.errors["capacity"]))
            return self._back_to(request, slot)
        capacity = form.cleaned_data["capacity"]
        return self._act(
            request,
            slot,
            lambda: services.set_capacity(slot, capacity),
            f"La capacité du créneau est de {capacity}.",
        )

    def response_post_save_add(self, request, obj):
        return self._back(request) or super().response_post_save_add(request, obj)

    def response_post_save_change(self, request, obj):
        return self._back(request) or super().response_post_save_change(request, obj)

    def _act(self, request, slot, act, done):
        try:
            with transaction.atomic():
                act()
                self.log_change(request, slot, done)
        except ValidationError as error:
            self._tell(request, slot, " ".join(error.messages))
        else:
            self.message_user(request, f"{slot}\u00a0: {done}", messages.SUCCESS)
        return self._back_to(request, slot)

    def _tell(self, request, slot, refusal):
        self.message_user(request, f"{slot}\u00a0: {refusal}", messages.ERROR)

    def _slot(self, request, pk):
        slot = self.get_object(request, str(pk))
        if slot is None:
            raise Http404
        if not self.has_change_permission(request, slot):
            raise PermissionDenied
        return slot

    def _back_to(self, request, slot):
        return self._back(request) or redirect(
            reverse("admin:students_slot_change", args=[slot.pk])
        )

    def _back(self, request):
        page = own_page(request, request.POST.get(BACK) or request.GET.get(BACK, ""))
        return redirect(page) if page else None
