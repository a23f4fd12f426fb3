"""What the pages of this app share: an agent's own establishments, and refusals of services."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect

from students.models import Course


class CourseField(forms.ModelChoiceField):
    """A course by its name alone would be that of any year."""

    def label_from_instance(self, course):
        return f"{course} – {course.school_year} – {course.establishment}"


class OwnEstablishmentsMixin:
    """An agent sees and chooses the rows of his own establishments; the direction sees all.

    `establishment_lookup` leads from the row to its establishment.
    """

    establishment_lookup = "establishment"

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        ours = request.user.establishments.all()
        return rows.filter(**{f"{self.establishment_lookup}__in": ours})

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        everywhere = request.user.is_superuser
        ours = request.user.establishments.all()
        if db_field.name == "establishment" and not everywhere:
            kwargs["queryset"] = ours
        elif db_field.related_model is Course:
            courses = Course.objects.select_related("school_year", "establishment")
            if not everywhere:
                courses = courses.filter(establishment__in=ours)
            kwargs["queryset"] = courses.order_by("-school_year__starts_on", "sort_name", "pk")
            kwargs["form_class"] = CourseField
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class RefusalsMixin:
    """What only the service could refuse, for a form that was right when it was checked."""

    def changeform_view(self, request, *args, **kwargs):
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ValidationError as error:  # Django's transaction is rolled back
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
