"""One turn of a programme, and who plays it."""

from django import forms
from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin import OwnEstablishmentsMixin, SortNameSearchMixin
from accounts.selectors import establishments_of
from students.models import Enrolment
from teaching.concerts import services
from teaching.concerts.admin.programmes import gone, is_over, performers
from teaching.models import ConcertPerformer, ConcertTurn


class PerformerForm(forms.ModelForm):
    class Meta:
        model = ConcertPerformer
        fields = ["enrolment"]


class PerformerFormSet(forms.models.BaseInlineFormSet):
    def clean(self):
        """A student of the concert's own year and site."""
        super().clean()
        concert = self.instance.concert_id and self.instance.concert
        for form in self.forms:
            enrolment = form.cleaned_data.get("enrolment") if form.is_valid() else None
            if not enrolment or not concert or form in self.deleted_forms:
                continue
            course = enrolment.course
            if (course.school_year_id, course.establishment_id) != (
                concert.school_year_id,
                concert.establishment_id,
            ):
                form.add_error(
                    "enrolment",
                    "Ce cours n'est pas de l'année ou de l'établissement de l'audition.",
                )


class PerformerInline(admin.TabularInline):
    model = ConcertPerformer
    form = PerformerForm
    formset = PerformerFormSet
    fields = ["enrolment", "told_at"]
    readonly_fields = ["told_at"]
    autocomplete_fields = ["enrolment"]
    extra = 1
    verbose_name_plural = "interprètes (l'élève, par le cours où il travaille l'œuvre)"

    def get_queryset(self, request):
        return (
            super().get_queryset(request).select_related("enrolment__student", "enrolment__course")
        )

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "enrolment":
            kwargs["queryset"] = Enrolment.objects.confirmed().filter(
                course__establishment__in=establishments_of(request.user)
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_add_permission(self, request, obj=None):
        return super().has_add_permission(request, obj) and not is_over(obj and obj.concert)

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not is_over(obj and obj.concert)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and not is_over(obj and obj.concert)


@admin.register(ConcertTurn)
class ConcertTurnAdmin(OwnEstablishmentsMixin, SortNameSearchMixin, admin.ModelAdmin):
    """One turn, and who plays; made on the page of its concert, or by a teacher."""

    establishment_lookup = "concert__establishment"
    list_display = ["__str__", "concert", "position", "minutes", "proposed_by"]
    list_filter = ["concert__state"]
    list_select_related = ["concert", "proposed_by"]
    search_fields = ["performers__enrolment__student__sort_name"]
    search_help_text = "Nom de l'élève"
    fields = [
        *["back", "position", "composer", "title", "movement", "minutes", "accompanist"],
        "proposed_by",
    ]
    readonly_fields = ["back", "proposed_by"]
    inlines = [PerformerInline]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not is_over(obj and obj.concert)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and not is_over(obj and obj.concert)

    def get_actions(self, request):
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.display(description="audition")
    def back(self, turn):
        url = reverse("admin:teaching_concert_change", args=[turn.concert_id])
        return format_html('<a href="{}">{}</a>', url, turn.concert)

    def save_model(self, request, obj, form, change):
        obj.edition += 1  # a teacher's page that is older is told so
        super().save_model(request, obj, form, change)

    def save_related(self, request, form, formsets, change):
        before = performers(form.instance.concert)
        super().save_related(request, form, formsets, change)
        services.programme_changed(form.instance.concert, gone=gone(before))

    def delete_model(self, request, obj):
        concert = obj.concert
        before = performers(concert)
        super().delete_model(request, obj)
        services.programme_changed(concert, gone=gone(before))
