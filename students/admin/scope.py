"""What the pages of this app share: an agent's own courses and people, refusals of services."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect

from accounts.admin import OwnEstablishmentsMixin
from accounts.selectors import establishments_of
from families.admin_scope import OwnHouseholdsMixin
from students.models import Course, Student
from students.selectors import students_of
from students.suitability import audience_of


class CourseField(forms.ModelChoiceField):
    """A course by its name alone would be that of any year."""

    def label_from_instance(self, course):
        return f"{course} – {course.school_year} – {course.establishment}"


class OwnCoursesMixin(OwnEstablishmentsMixin):
    """An agent chooses among the courses of his own establishments, each named with its year."""

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.related_model is Course:
            courses = Course.objects.filter(establishment__in=establishments_of(request.user))
            kwargs["queryset"] = courses.select_related("school_year", "establishment").order_by(
                "-school_year__starts_on", "sort_name", "pk"
            )
            kwargs["form_class"] = CourseField
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.display(description="pour qui")
def audience(lesson):
    return audience_of(lesson) or "tous"


class AudienceMixin:
    """For whom the lessons are, apart from what they are."""

    audience_description = ""

    def get_fieldsets(self, request, obj=None):
        ((_, options),) = super().get_fieldsets(request, obj)
        bounds = [("age_from", "age_to"), ("cycle_year_from", "cycle_year_to")]
        others = [name for name in options["fields"] if not any(name in pair for pair in bounds)]
        for_whom = {"fields": bounds, "description": self.audience_description}
        return [(None, {"fields": others}), ("Pour qui", for_whom)]


class OwnPeopleMixin(OwnHouseholdsMixin):
    """An agent links the students and households of his own sites, whatever is posted."""

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.related_model is Student:
            kwargs["queryset"] = students_of(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class RefusalsMixin:
    """What only the service could refuse, for a form that was right when it was checked."""

    def changeform_view(self, request, *args, **kwargs):
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ValidationError as error:  # Django's transaction is rolled back
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
