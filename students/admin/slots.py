from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.module_loading import import_string

from accounts.admin import SortNameSearchMixin, SpreadsheetAdminMixin
from accounts.admin_filters import SiteFilter
from students import services
from students.admin.rush import MOST_PLACES, RushMixin
from students.admin.scope import AudienceMixin, OwnCoursesMixin, RefusalsMixin, audience
from students.lists import SlotList
from students.models import Place, Slot
from students.obstacles import check_has_slots


class SlotForm(forms.ModelForm):
    capacity = forms.IntegerField(
        label="Capacité",
        min_value=0,
        max_value=MOST_PLACES,
        initial=10,
        help_text="Le nombre de places. Baisser la capacité ne retire que des places libres.",
    )

    class Meta:
        model = Slot
        fields = [
            *["course", "group", "weekday", "starts_at", "ends_at", "room", "teacher"],
            *["age_from", "age_to", "cycle_year_from", "cycle_year_to"],
        ]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["capacity"] = self.instance.capacity

    def clean_course(self):
        course = self.cleaned_data["course"]
        check_has_slots(course)
        return course

    def clean_capacity(self):
        capacity = self.cleaned_data["capacity"]
        if self.instance.pk:
            services.check_capacity(self.instance, capacity)
        return capacity


class AddPlaceForm(forms.ModelForm):
    class Meta:
        model = Place
        fields = ["reason"]
        widgets = {"reason": AdminTextInputWidget}


@admin.register(Slot)
class SlotAdmin(
    RushMixin,
    RefusalsMixin,
    AudienceMixin,
    SpreadsheetAdminMixin,
    OwnCoursesMixin,
    SortNameSearchMixin,
    admin.ModelAdmin,
):
    """A slot and its capacity; its places are never edited one by one."""

    spreadsheet = SlotList

    establishment_lookup = "course__establishment"
    form = SlotForm
    change_form_template = "students/admin_slot.html"
    audience_description = (
        "Vide\u00a0: comme le cours. Un âge donné ici remplace les deux âges du cours pour ce"
        " créneau\u00a0; une année du cycle, ses deux années. Les familles des autres élèves ne"
        " voient pas ce créneau\u00a0; vous pouvez y placer un élève tout de même."
    )
    list_display = [
        *["__str__", "school_year", "room", "teacher"],
        *["capacity", "held", "places_left", audience],
    ]
    list_filter = [SiteFilter, "course__school_year", "course__discipline", "weekday"]
    search_fields = ["course__sort_name", "teacher__sort_name"]
    search_help_text = "Nom du cours ou de l'enseignant"
    autocomplete_fields = ["teacher"]

    def get_queryset(self, request):
        slots = super().get_queryset(request).with_places()
        return slots.select_related("course__school_year", "teacher")

    def get_fields(self, request, obj=None):
        fields = [*self.form.Meta.fields, "capacity"]
        return [*fields, "places_left", "closed_at"] if obj else fields

    def get_readonly_fields(self, request, obj=None):
        # The places of a slot are held by enrolments in its course.
        return ["course", "places_left", "closed_at"] if obj else []

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        services.set_capacity(obj, form.cleaned_data["capacity"])
        for warnings_of in settings.SLOT_WARNINGS:
            for warning in import_string(warnings_of)(obj):
                self.message_user(request, warning, messages.WARNING)

    def get_urls(self):
        add_place = self.admin_site.admin_view(self.add_place)
        name = "students_slot_add_place"
        return [path("<int:pk>/ajouter-une-place/", add_place, name=name), *super().get_urls()]

    def add_place(self, request, pk):
        """One student too many: a place more, with the reason, logged."""
        slot = self.get_object(request, str(pk))
        if slot is None:
            raise Http404
        if not self.has_change_permission(request, slot):
            raise PermissionDenied
        form = AddPlaceForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                self._add_place(request, slot, form.cleaned_data["reason"])
            except ValidationError as error:
                form.add_error("reason", error.messages)
            else:
                return redirect(reverse("admin:students_slot_change", args=[pk]))
        context = self.admin_site.each_context(request) | {
            "title": "Ajouter une place",
            "slot": slot,
            "form": form,
            "opts": self.opts,
        }
        return render(request, "students/admin_add_place.html", context)

    @transaction.atomic
    def _add_place(self, request, slot, reason):
        added = services.add_place(slot, reason=reason)
        self.log_change(request, slot, f"Place {added.number} ajoutée : {added.reason}")
        self.message_user(request, "Une place est ajoutée à ce créneau.", messages.SUCCESS)

    @admin.display(description="année", ordering="course__school_year")
    def school_year(self, slot):
        return slot.course.school_year

    @admin.display(description="capacité", ordering="capacity")
    def capacity(self, slot):
        return slot.capacity

    @admin.display(description="réservées", ordering="held")
    def held(self, slot):
        return slot.held

    @admin.display(description="places libres", ordering="places_left")
    def places_left(self, slot):
        return slot.places_left
