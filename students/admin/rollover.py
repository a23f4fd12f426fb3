"""« Reconduire les cours » of a school year, at the site chosen: the dry run, then the button."""

from django import forms
from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from students import rollover
from students.models import SchoolYear

RIGHTS = ["students.add_course", "students.change_course", "students.add_slot"]


class RollOverForm(forms.Form):
    """What the page showed: another tab may have switched to another site meanwhile."""

    site = forms.IntegerField(widget=forms.HiddenInput)
    expected = forms.IntegerField(widget=forms.HiddenInput)


class RollOverMixin:
    """For SchoolYearAdmin."""

    change_form_template = "students/admin_school_year.html"

    def get_urls(self):
        view = self.admin_site.admin_view(self.roll_over)
        name = "students_schoolyear_roll_over"
        return [path("<int:pk>/reconduire/", view, name=name), *super().get_urls()]

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def roll_over(self, request, pk):
        if not request.user.has_perms(RIGHTS):
            raise PermissionDenied
        year, site = get_object_or_404(SchoolYear, pk=pk), request.establishment
        if site is None:
            raise Http404
        if request.method == "POST":
            self._roll_over(request, site, year)
            return redirect("admin:students_schoolyear_roll_over", pk)
        following = rollover.year_after(year)
        plan = rollover.plan_of(site, year) if following else None
        context = self.admin_site.each_context(request) | {
            "title": "Reconduire les cours",
            "opts": self.opts,
            "site": site,
            "year": year,
            "following": following,
            "plan": plan,
            "form": plan and RollOverForm(initial={"site": site.pk, "expected": len(plan.to_make)}),
        }
        return render(request, "students/admin_roll_over.html", context)

    def _roll_over(self, request, site, year):
        form = RollOverForm(request.POST)
        if not form.is_valid() or form.cleaned_data["site"] != site.pk:
            text = f"Cette page est maintenant celle du site {site}\u00a0: rien n'est reconduit."
            self.message_user(request, text, messages.ERROR)
            return
        try:
            done = self._make(request, site, year, form.cleaned_data["expected"])
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        else:
            self.message_user(request, done, messages.SUCCESS)

    @transaction.atomic
    def _make(self, request, site, year, expected):
        """Makes the courses and logs each; gives what was done, in words."""
        made = rollover.roll_over(site, year, expected=expected)
        log = LogEntry.objects.log_actions
        log(request.user.pk, made, ADDITION, f"Reconduit de {year}.")
        done = f"{site}\u00a0: {len(made)} cours de {year} reconduits."
        log(request.user.pk, [made[0].school_year], CHANGE, done, single_object=True)
        return done
