"""What the régie notes besides the pieces: situations, and how two households share."""

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef

from accounts.admin import SortNameSearchMixin
from billing.models import PayerShare, Situation
from billing.services import situations
from families.selectors import families_of
from students.admin.scope import OwnPeopleMixin, RefusalsMixin
from students.models import Custody
from students.selectors import students_of


class StudentField(forms.ModelChoiceField):
    """Two students of one name are told apart by their birth dates."""

    def label_from_instance(self, student):
        return f"{student} ({student.birth_date:%d/%m/%Y})"


class CustodyField(forms.ModelChoiceField):
    def label_from_instance(self, custody):
        return f"{custody} ({custody.get_rank_display()})"


@admin.register(Situation)
class SituationAdmin(RefusalsMixin, OwnPeopleMixin, SortNameSearchMixin, admin.ModelAdmin):
    list_display = ["code", "student", "family", "school_year", "seen_on", "noted_by"]
    list_filter = ["code", "school_year"]
    list_select_related = ["student", "family", "school_year", "noted_by"]
    search_fields = ["student__sort_name", "family__sort_name"]
    search_help_text = "Nom de l'élève ou de la famille"
    autocomplete_fields = ["family"]
    fields = ["student", "family", "school_year", "code", "seen_on", "note"]

    def get_queryset(self, request):
        """An agent reads those of his own people."""
        rows = super().get_queryset(request)
        ours = rows.filter(family__in=families_of(request.user))
        return ours | rows.filter(student__in=students_of(request.user))

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "student":  # the régie has no page of students to search in
            kwargs["form_class"] = StudentField
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        situations.note_situation(obj, actor=request.user)

    def delete_model(self, request, obj):
        situations.remove_situation(obj)


@admin.register(PayerShare)
class PayerShareAdmin(RefusalsMixin, OwnPeopleMixin, SortNameSearchMixin, admin.ModelAdmin):
    """One part is typed, the service writes both: together they are always the whole."""

    list_display = ["student", "household", "percent"]
    list_select_related = ["custody__student", "custody__family"]
    search_fields = ["custody__student__sort_name", "custody__family__sort_name"]
    search_help_text = "Nom de l'élève ou de la famille"
    fields = ["custody", "percent"]

    def get_queryset(self, request):
        ours = students_of(request.user)
        return super().get_queryset(request).filter(custody__student__in=ours)

    def get_readonly_fields(self, request, obj=None):
        return ["custody"] if obj else []

    def get_actions(self, request):
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # a part goes with the other one
        return actions

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "custody":
            kwargs |= {"queryset": _shared(request.user), "form_class": CustodyField}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        student = obj.custody.student
        keys = Custody.objects.filter(student=student).values_list("pk", flat=True)
        percents = dict.fromkeys(keys, 100 - obj.percent) | {obj.custody_id: obj.percent}
        saved = situations.set_shares(student, percents)
        obj.pk = next(share.pk for share in saved if share.custody_id == obj.custody_id)

    def delete_model(self, request, obj):
        situations.remove_shares(obj.custody.student)

    @admin.display(description="élève", ordering="custody__student__sort_name")
    def student(self, share):
        return share.custody.student

    @admin.display(description="foyer", ordering="custody__family__sort_name")
    def household(self, share):
        return share.custody.family


def _shared(agent):
    """The custodies, among the agent's students, of those who have two households."""
    others = Custody.objects.filter(student=OuterRef("student")).exclude(pk=OuterRef("pk"))
    custodies = Custody.objects.filter(Exists(others), student__in=students_of(agent))
    return custodies.select_related("student", "family").order_by("student__sort_name", "rank")
