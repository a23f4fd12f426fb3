"""What the staff decides of evaluations: periods, criteria, scales; and one opened again."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models import Count, Q
from django.forms.models import BaseInlineFormSet
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from accounts.admin import OwnEstablishmentsMixin, ReadOnlyAdminMixin, SortNameSearchMixin
from accounts.admin_filters import SiteFilter, sites_shown
from accounts.moments import MomentField
from students.models import Enrolment
from teaching.enums import EvaluationState
from teaching.evaluations import services
from teaching.models import Criterion, Evaluation, EvaluationMove, Mark, Period, Scale, ScaleLevel


@admin.register(Period)
class PeriodAdmin(OwnEstablishmentsMixin, admin.ModelAdmin):
    list_display = [
        *["name", "school_year", "establishment", "due_on", "publish_at"],
        *["finished", "published_count"],
    ]
    list_filter = [SiteFilter, "school_year"]
    list_select_related = ["school_year", "establishment"]
    formfield_overrides = {  # with Django's widget for two fields taken away
        models.DateTimeField: {"form_class": MomentField, "widget": MomentField.widget}
    }
    readonly_fields = ["progress"]

    def get_queryset(self, request):
        is_done = Q(evaluations__state__in=[EvaluationState.READY, EvaluationState.PUBLISHED])
        is_published = Q(evaluations__state=EvaluationState.PUBLISHED)
        return (
            super()
            .get_queryset(request)
            .annotate(
                done=Count("evaluations", filter=is_done),
                published=Count("evaluations", filter=is_published),
            )
            .order_by(*Period._meta.ordering)
        )

    def get_readonly_fields(self, request, obj=None):
        """What is written belongs to its year and its site."""
        fixed = ["establishment", "school_year"] if obj and obj.evaluations.exists() else []
        return [*fixed, *self.readonly_fields] if obj else []

    def get_fields(self, request, obj=None):
        fields = ["establishment", "school_year", "name", "starts_on", "ends_on", "due_on"]
        return [*fields, "publish_at", *(["progress"] if obj else [])]

    def get_object(self, request, object_id, from_field=None):
        """One more count for the page, and none for each row of the list."""
        period = super().get_object(request, object_id, from_field)
        if period is not None:
            period.expected = (
                Enrolment.objects.confirmed()
                .filter(
                    course__school_year=period.school_year_id,
                    course__establishment=period.establishment_id,
                )
                .count()
            )
        return period

    @admin.display(description="terminées")
    def finished(self, period):
        return period.done

    @admin.display(description="publiées")
    def published_count(self, period):
        return period.published

    @admin.display(description="évaluations")
    def progress(self, period):
        done, published = (
            f"{count} {word}{'s' if count > 1 else ''}"
            for count, word in ((period.done, "terminée"), (period.published, "publiée"))
        )
        return f"{done} sur {period.expected}, dont {published}"


class LevelFormSet(BaseInlineFormSet):
    def clean(self):
        super().clean()
        if any(self.errors):
            return
        kept = [
            form
            for form in self.forms
            if form.cleaned_data.get("name") and not form.cleaned_data.get("DELETE")
        ]
        if self.instance.maximum and kept:
            raise ValidationError("Un barème a une note maximale ou des niveaux, pas les deux.")
        if not self.instance.maximum and len(kept) < 2:
            raise ValidationError("Sans note maximale, un barème a au moins deux niveaux.")


class LevelInline(admin.TabularInline):
    model = ScaleLevel
    formset = LevelFormSet
    extra = 4


@admin.register(Scale)
class ScaleAdmin(admin.ModelAdmin):
    """Changing one rewrites nothing that was said with it (Mark)."""

    inlines = [LevelInline]
    list_display = ["name", "maximum", "levels"]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("levels")

    @admin.display(description="niveaux")
    def levels(self, scale):
        return ", ".join(level.name for level in scale.levels.all())


@admin.register(Criterion)
class CriterionAdmin(OwnEstablishmentsMixin, admin.ModelAdmin):
    list_display = ["name", "discipline", "cycle", "scale", "position", "establishment", "retired"]
    list_filter = [SiteFilter, "retired", "discipline", "cycle"]
    list_select_related = ["discipline", "scale", "establishment"]


class MarkInline(ReadOnlyAdminMixin, admin.TabularInline):
    model = Mark
    fields = ["name", "value"]


class MoveInline(ReadOnlyAdminMixin, admin.TabularInline):
    model = EvaluationMove
    fields = readonly_fields = ["at", "actor", "from_state", "to_state", "reason"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("actor")


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Motif",
        max_length=EvaluationMove._meta.get_field("reason").max_length,
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
    )


class PeriodFilter(admin.SimpleListFilter):
    """Those of the sites shown, the latest first."""

    title = "période"
    parameter_name = "periode"

    def lookups(self, request, model_admin):
        periods = Period.objects.filter(establishment__in=sites_shown(request))
        return [(str(each.pk), str(each)) for each in periods.select_related("school_year")]

    def queryset(self, request, queryset):
        chosen = self.value() if self.value() in dict(self.lookup_choices) else None
        return queryset.filter(period=chosen) if chosen else queryset


@admin.register(Evaluation)
class EvaluationAdmin(
    ReadOnlyAdminMixin, OwnEstablishmentsMixin, SortNameSearchMixin, admin.ModelAdmin
):
    """Teachers write them, the clock publishes them; staff read them and open one again."""

    establishment_lookup = "period__establishment"
    list_display = ["student", "course", "period", "teacher_name", "state", "updated_at"]
    list_filter = [SiteFilter, "state", PeriodFilter, "enrolment__course__discipline"]
    search_fields = ["enrolment__student__sort_name", "enrolment__course__sort_name"]
    search_help_text = "Nom de l'élève ou du cours"
    fields = [
        *["student", "course", "period", "state", "teacher_name", "updated_at", "published_at"],
        *["comment", "exam_result", "next_course"],
    ]
    inlines = [MarkInline, MoveInline]
    change_form_template = "admin/teaching/evaluation/change_form.html"

    def get_queryset(self, request):
        return super().get_queryset(request).for_list().select_related("next_course")

    def get_urls(self):
        view = self.admin_site.admin_view(self.reopen)
        name = "teaching_evaluation_reopen"
        return [path("<int:pk>/rouvrir/", view, name=name), *super().get_urls()]

    @admin.display(description="élève", ordering="enrolment__student__sort_name")
    def student(self, evaluation):
        return evaluation.enrolment.student

    @admin.display(description="cours", ordering="enrolment__course__sort_name")
    def course(self, evaluation):
        return evaluation.enrolment.course

    def render_change_form(self, request, context, **kwargs):
        evaluation = kwargs.get("obj")
        context["may_reopen"] = (
            evaluation is not None
            and evaluation.state == EvaluationState.PUBLISHED
            and request.user.has_perm("teaching.reopen_evaluation")
        )
        return super().render_change_form(request, context, **kwargs)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def reopen(self, request, pk):
        """Says what follows, asks why, then opens it again."""
        if not request.user.has_perm("teaching.reopen_evaluation"):
            raise PermissionDenied
        evaluation = self.get_object(request, str(pk))
        if evaluation is None:
            raise Http404
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            try:
                with transaction.atomic():
                    services.reopen(evaluation, actor=request.user, reason=reason)
                    self.log_change(request, evaluation, f"Rouverte\u00a0: {reason}")
            except ValidationError as error:
                form.add_error(None, error)
            else:
                text = "L'évaluation est rouverte\u00a0: son enseignant peut la corriger."
                self.message_user(request, text, messages.SUCCESS)
                return redirect("admin:teaching_evaluation_change", pk)
        context = self.admin_site.each_context(request) | {
            "title": "Rouvrir une évaluation",
            "opts": self.opts,
            "evaluation": evaluation,
            "form": form,
        }
        return render(request, "admin/teaching/evaluation/reopen.html", context)
