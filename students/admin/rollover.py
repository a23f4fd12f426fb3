"""« Reconduire les cours » of a school year, at the site chosen: the dry run, then the button."""

from django import forms
from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from students import rollover
from students.models import Course, SchoolYear

RIGHTS = ["students.add_course", "students.change_course", "students.add_slot"]
ALL = "tout"  # of the address: tick the courses that were left out too


class RollOverForm(forms.Form):
    """What the page showed: another tab may have switched to another site meanwhile.

    And for each course: is it made anew, and what does it lead to? `left`: by the key of a course,
    when an agent left it out already; its box is then not ticked, but for `is_all`.
    """

    site = forms.IntegerField(widget=forms.HiddenInput)
    expected = forms.IntegerField(widget=forms.HiddenInput)
    departing = forms.MultipleChoiceField(
        label="Enseignants qui ne reviennent pas",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Leurs cours et leurs créneaux sont reconduits sans enseignant.",
    )

    def __init__(self, data=None, *, plan, site, left, is_all=False):
        self.plan, self.left = plan, left
        initial = {"site": site.pk, "expected": len(plan.to_make), "departing": []}
        super().__init__(data, initial=initial)
        self.fields["departing"].choices = [(t.pk, str(t)) for t in plan.teachers]
        for renewal in plan.to_make:
            key = renewal.course.pk
            self.fields[f"keep_{key}"] = forms.BooleanField(
                label=f"Reconduire {renewal.course}", required=False
            )
            self.fields[f"next_{key}"] = forms.CharField(
                label=f"Ce que propose {renewal.course}",
                required=False,
                max_length=Course._meta.get_field("name").max_length,
                widget=forms.TextInput(attrs={"list": "coming-courses", "size": 28}),
            )
            is_kept = is_all or key not in left
            self.initial |= {
                f"keep_{key}": is_kept,
                f"next_{key}": renewal.following if is_kept else self._led_to(renewal),
            }

    def clean(self):
        cleaned = super().clean()
        left = self._unticked
        for renewal in self.plan.to_make:
            name = f"next_{renewal.course.pk}"
            try:
                rollover.check_following(self.plan, cleaned.get(name, ""), renewal, left)
            except ValidationError as error:
                self.add_error(name, error)
        return cleaned

    def _led_to(self, renewal):
        """Of one that was left out: what an agent chose for its students, never itself."""
        chosen = renewal.course.next_course
        return chosen.name if chosen else ""

    @property
    def lines(self):
        """(renewal, its box, its field, when it was left out), in the order of the plan."""
        keys = [(renewal, renewal.course.pk) for renewal in self.plan.to_make]
        return [
            (renewal, self[f"keep_{key}"], self[f"next_{key}"], self.left.get(key))
            for renewal, key in keys
        ]

    @property
    def choices(self) -> rollover.Choices:
        """What the agent wants, once the form is valid."""
        following = {
            renewal.course.pk: self.cleaned_data[f"next_{renewal.course.pk}"]
            for renewal in self.plan.to_make
            if f"next_{renewal.course.pk}" in self.data
        }
        departing = frozenset(map(int, self.cleaned_data["departing"]))
        return rollover.Choices(self._unticked, following, departing)

    @property
    def _unticked(self):
        """A page that names no course, an old one, leaves none out."""
        keys = [renewal.course.pk for renewal in self.plan.to_make]
        if not any(f"next_{key}" in self.data for key in keys):
            return frozenset()
        return frozenset(key for key in keys if not self.cleaned_data.get(f"keep_{key}"))


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
        following = rollover.year_after(year)
        plan = rollover.plan_of(site, year) if following else None
        left = _left_before(plan, following) if plan else {}
        is_all = ALL in request.GET
        form = plan and RollOverForm(plan=plan, site=site, left=left, is_all=is_all)
        if request.method == "POST":
            form = self._roll_over(request, site, year, plan, left)
            if form is None:
                return redirect("admin:students_schoolyear_roll_over", pk)
        context = self.admin_site.each_context(request) | {
            "title": "Reconduire les cours",
            "opts": self.opts,
            "site": site,
            "year": year,
            "following": following,
            "plan": plan,
            "left": left,
            "is_all": is_all,
            "form": form,
        }
        return render(request, "students/admin_roll_over.html", context)

    def _roll_over(self, request, site, year, plan, left):
        """The form to show again; None once it is done, or if the page was an old one."""
        if request.POST.get("site") != str(site.pk):
            text = f"Cette page est maintenant celle du site {site}\u00a0: rien n'est reconduit."
            self.message_user(request, text, messages.ERROR)
            return None
        form = plan and RollOverForm(request.POST, plan=plan, site=site, left=left)
        if form and not form.is_valid():
            return form
        try:
            done = self._make(request, site, year, plan, form)
        except ValidationError as error:
            if form and error.code == "nothing" and plan.to_make:
                form.add_error(None, error)
                return form
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        else:
            self.message_user(request, done, messages.SUCCESS)
        return None

    @transaction.atomic
    def _make(self, request, site, year, plan, form):
        """Makes the courses and logs each; gives what was done, in words."""
        expected = form.cleaned_data["expected"] if form else 0
        choices = form.choices if form else None
        made = rollover.roll_over(site, year, expected=expected, choices=choices)
        log = LogEntry.objects.log_actions
        log(request.user.pk, made, ADDITION, f"Reconduit de {year}.")
        following = made[0].school_year
        left = [each.course for each in plan.to_make if each.course.pk in choices.left]
        if left:
            log(request.user.pk, left, CHANGE, _left_in(following))
        done = f"{site}\u00a0: {len(made)} cours de {year} reconduits"
        done += f", {len(left)} laissé{'s' if len(left) > 1 else ''}." if left else "."
        log(request.user.pk, [following], CHANGE, done, single_object=True)
        return done


def _left_in(following):
    return f"Non reconduit en {following}."


def _left_before(plan, following) -> dict[int, LogEntry]:
    """By the key of a course, the last time that an agent left it out. One query."""
    keys = [str(renewal.course.pk) for renewal in plan.to_make]
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Course),
        object_id__in=keys,
        action_flag=CHANGE,
        change_message=_left_in(following),
    )
    entries = entries.select_related("user").order_by("action_time")
    return {int(entry.object_id): entry for entry in entries}
