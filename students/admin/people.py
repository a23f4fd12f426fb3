from django import forms
from django.contrib import admin
from django.utils import timezone

from accounts.admin import (
    OwnAccountsMixin,
    ReadOnlyAdminMixin,
    SortNameSearchMixin,
    SpreadsheetAdminMixin,
)
from accounts.admin_forms import OwnRowsFormSet
from accounts.selectors import accounts_of, establishments_of
from families.phones import PhoneField
from students import repertoire
from students.admin.enrolments import level, school_year, seat
from students.admin.scope import OwnPeopleMixin
from students.lists import StudentList
from students.models import Custody, Enrolment, RepertoirePiece, Student, Teacher
from students.selectors import students_of


class CustodyInline(OwnPeopleMixin, admin.TabularInline):
    """One household, or two in alternating custody."""

    model = Custody
    formset = OwnRowsFormSet
    autocomplete_fields = ["family"]
    extra = 0
    max_num = 2
    verbose_name_plural = "foyers (deux au plus, en garde alternée)"


class EnrolmentInline(ReadOnlyAdminMixin, admin.TabularInline):
    """The year under way and the coming one, at the agent's sites."""

    model = Enrolment
    fields = readonly_fields = ["course", school_year, level, seat, "status"]
    show_change_link = True
    verbose_name_plural = "cours de cette année et de la suivante"

    def get_queryset(self, request):
        enrolments = super().get_queryset(request).select_related("student").for_list()
        return enrolments.filter(
            course__school_year__ends_on__gte=timezone.localdate(),
            course__establishment__in=establishments_of(request.user),
        )


class StudentForm(forms.ModelForm):
    class Meta:
        model = Student
        fields = [
            *["last_name", "first_name", "birth_date"],
            *["email", "phone", "school", "school_class", "reference"],
        ]
        field_classes = {"phone": PhoneField}


@admin.register(Student)
class StudentAdmin(SpreadsheetAdminMixin, SortNameSearchMixin, admin.ModelAdmin):
    """The students of the agent's sites (see `students_of`)."""

    spreadsheet = StudentList
    form = StudentForm
    list_display = ["__str__", "birth_date", "households"]
    search_fields = ["sort_name", "reference"]
    search_help_text = "Nom ou prénom, avec ou sans accents, ou référence"
    inlines = [CustodyInline, EnrolmentInline]

    def get_queryset(self, request):
        ours = students_of(request.user).values("pk")
        return super().get_queryset(request).filter(pk__in=ours).prefetch_related("families")

    def get_inlines(self, request, obj):
        return self.inlines if obj else [CustodyInline]

    @admin.display(description="familles")
    def households(self, student):
        return ", ".join(str(family) for family in student.families.all())


@admin.register(Teacher)
class TeacherAdmin(OwnAccountsMixin, SortNameSearchMixin, admin.ModelAdmin):
    """The town's: a teacher may teach at several sites."""

    list_display = ["__str__", "user"]
    list_select_related = ["user"]
    search_fields = ["sort_name"]
    autocomplete_fields = ["user"]

    def get_readonly_fields(self, request, obj=None):
        """An account is linked by those who see it."""
        seen = request.user.has_perm("accounts.view_user")
        if obj and obj.user_id:
            seen = seen and accounts_of(request.user).filter(pk=obj.user_id).exists()
        return [] if seen else ["user"]


@admin.register(RepertoirePiece)
class RepertoirePieceAdmin(OwnPeopleMixin, SortNameSearchMixin, admin.ModelAdmin):
    list_display = ["title", "composer", "student", "school_year", "played_on"]
    list_filter = ["school_year"]
    list_select_related = ["student", "school_year"]
    search_fields = ["student__sort_name"]
    search_help_text = "Nom de l'élève"
    autocomplete_fields = ["student"]
    fields = ["student", "school_year", "composer", "title", "movement", "occasion", "played_on"]
    written = ["course", "teacher"]  # by the teacher, who types in his own space

    def get_queryset(self, request):
        ours = students_of(request.user).values("pk")
        return super().get_queryset(request).filter(student__in=ours)

    def get_fields(self, request, obj=None):
        return [*self.fields, *(self.written if obj else [])]

    def get_readonly_fields(self, request, obj=None):
        return self.written

    def save_model(self, request, obj, form, change):
        repertoire.save(obj)
