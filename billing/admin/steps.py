"""What is done to an instrument or to a rental: one page, one form, one service each."""

from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods

from billing.admin.page import refuse

MAY_RENT = "billing.rent_instrument"


@dataclass(frozen=True)
class Step:
    """`run(row, actor=…, **what the form holds)`; `is_open(row)`: is it for where the row stands?

    `done` is what the agent reads and what the row's history keeps.
    """

    label: str
    form: type[forms.Form]
    run: Callable
    done: str
    is_open: Callable[[models.Model], bool]
    help: str = ""


class StepsMixin:
    """The pages of `steps`, by their word in the address; for whoever may rent."""

    steps: dict[str, Step] = {}

    def get_urls(self):
        name = f"{self.opts.app_label}_{self.opts.model_name}_step"
        view = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.step))
        return [path("<int:pk>/etape/<slug:word>/", view, name=name), *super().get_urls()]

    def render_change_form(self, request, context, **kwargs):
        row = kwargs.get("obj")
        if row is not None and request.user.has_perm(MAY_RENT):
            context["steps"] = self.open_steps(row)
            context["next_step"] = self.next_step(row, context["steps"])
        return super().render_change_form(request, context, **kwargs)

    def open_steps(self, row) -> list[tuple[str, Step]]:
        return [(word, step) for word, step in self.steps.items() if step.is_open(row)]

    def next_step(self, row, steps: list[tuple[str, Step]]) -> str | None:
        """The word of what usually comes next: the first that is open."""
        return steps[0][0] if steps else None

    def step(self, request, pk, word):
        row, step = self.row_to_move(request, pk), self.steps.get(word)
        if step is None:
            raise Http404
        form = step.form(row, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    step.run(row, actor=request.user, **form.cleaned_data)
                    self.log_change(request, row, step.done)
            except ValidationError as error:
                refuse(form, error)
            else:
                self.message_user(request, step.done, messages.SUCCESS)
                return redirect(self.change_url, pk)
        context = {"title": step.label, "step": step, "row": row, "form": form}
        return self.render_page(request, "admin/billing/step.html", context)

    def row_to_move(self, request, pk):
        if not request.user.has_perm(MAY_RENT):
            raise PermissionDenied
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        return row

    @property
    def change_url(self):
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_change"

    def render_page(self, request, template, context):
        context = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return render(request, template, context)
