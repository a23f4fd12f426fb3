from django import forms
from django.contrib import admin
from django.utils import timezone

from accounts.admin import ReadOnlyAdminMixin, SortNameSearchMixin, SpreadsheetAdminMixin
from families.phones import PhoneField
from students.admin.enrolments import level, school_year, seat
from students.lists import StudentList
from students.models import Custody, Enrolment, RepertoirePiece, Student, Teacher


class CustodyInline(admin.TabularInline):
    """One household, or two in alternating custody."""

    model = Custody
    autocomplete_fields = ["family"]
    extra = 0
    max_num = 2
    verbose_name_plural = "foyers (deux au plus, en garde alternée)"


class EnrolmentInline(ReadOnlyAdminMixin, admin.TabularInline):
    """The year under way and the coming one."""

    model = Enrolment
    fields = readonly_fields = ["course", school_year, level, seat, "status"]
    show_change_link = True
    verbose_name_plural = "cours de cette année et de la suivante"

    def get_queryset(self, request):
        enrolments = super().get_queryset(request).select_related("student").for_list()
        return enrolments.filter(course__school_year__ends_on__gte=timezone.localdate())


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
    spreadsheet = StudentList
    form = StudentForm
    list_display = ["__str__", "birth_date", "households"]
    search_fields = ["sort_name", "reference"]
    search_help_text = "Nom ou prénom, avec ou sans accents, ou référence"
    inlines = [CustodyInline, EnrolmentInline]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("families")

    def get_inlines(self, request, obj):
        return self.inlines if obj else [CustodyInline]

    @admin.display(description="familles")
    def households(self, student):
        return ", ".join(str(family) for family in student.families.all())


@admin.register(Teacher)
class TeacherAdmin(SortNameSearchMixin, admin.ModelAdmin):
    list_display = ["__str__", "user"]
    list_select_related = ["user"]
    search_fields = ["sort_name"]
    autocomplete_fields = ["user"]

    def get_readonly_fields(self, request, obj=None):
        """An account is linked by those who see the accounts."""
        return [] if request.user.has_perm("accounts.view_user") else ["user"]


@admin.register(RepertoirePiece)
class RepertoirePieceAdmin(SortNameSearchMixin, admin.ModelAdmin):
    list_display = ["title", "composer", "student", "school_year", "played_on"]
    list_filter = ["school_year"]
    list_select_related = ["student", "school_year"]
    search_fields = ["student__sort_name"]
    search_help_text = "Nom de l'élève"
    autocomplete_fields = ["student"]
