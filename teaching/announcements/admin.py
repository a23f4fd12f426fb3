"""What the administration writes: the list, the draft; its pages are in admin_pages.py."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.forms import CheckboxSelectMultiple
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from accounts.admin import OwnEstablishmentsMixin, ReadOnlyAdminMixin
from accounts.admin_filters import SiteFilter
from accounts.selectors import establishments_of
from students.models import Course, SchoolYear, Slot
from teaching.announcements.admin_pages import SEND, PagesMixin
from teaching.announcements.forms import StaffForm
from teaching.announcements.moves import lock_draft
from teaching.enums import AnnouncementState
from teaching.models import Announcement, AnnouncementMove

SECRETARIAT = "Le secrétariat"


def _folded(*names):
    return {"classes": ["collapse"], "fields": names}


class MoveInline(ReadOnlyAdminMixin, admin.TabularInline):
    model = AnnouncementMove
    fields = readonly_fields = ["at", "actor", "from_state", "to_state"]
    extra = 0

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("actor")


@admin.register(Announcement)
class AnnouncementAdmin(PagesMixin, OwnEstablishmentsMixin, admin.ModelAdmin):
    """Drafts are the administration's own; of what teachers write, only what they have sent."""

    form = StaffForm
    list_display = ["subject", "signed", "addressed_to", "kind", "state", "sent_at", "follow"]
    list_filter = [SiteFilter, "state", "kind", "school_year"]
    list_select_related = ["establishment"]
    search_fields = ["subject", "signed"]
    search_help_text = "Objet ou signature"
    date_hierarchy = "sent_at"
    # Django's two lists side by side are no use to whoever listens to the page.
    formfield_overrides = {models.ManyToManyField: {"widget": CheckboxSelectMultiple}}
    fieldsets = [
        (None, {"fields": ["establishment", "school_year", "kind", "subject", "text", "signed"]}),
        (
            "À qui",
            {
                "description": "Chaque choix ajoute des familles. Chaque responsable reçoit le"
                " message une fois.",
                "fields": ["everyone", "to_teachers"],
            },
        ),
        ("Les familles de cours", _folded("courses")),
        ("Les familles de créneaux", _folded("slots")),
        ("Les familles des classes d'un enseignant", _folded("classes_of")),
        ("Les familles de disciplines, de cycles", _folded("disciplines", "cycles")),
    ]

    def get_queryset(self, request):
        theirs = {"state": AnnouncementState.DRAFT, "teacher__isnull": False}
        return super().get_queryset(request).exclude(**theirs)

    def get_inlines(self, request, obj):
        return [MoveInline] if obj and not obj.is_draft else []

    def get_fieldsets(self, request, obj=None):
        if obj is None or obj.is_draft:
            return self.fieldsets
        said = ["establishment", "school_year", "kind", "subject", "text", "signed"]
        return [(None, {"fields": [*said, "addressed_to", "state", "planned_for", "sent_at"]})]

    def get_changeform_initial_data(self, request):
        initial = super().get_changeform_initial_data(request)
        return {"school_year": SchoolYear.objects.current(), "signed": SECRETARIAT} | initial

    def has_change_permission(self, request, obj=None):
        is_open = obj is None or obj.is_draft
        return is_open and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return False  # « Supprimer ce brouillon » on its page lets its files go too

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "school_year":
            kwargs["queryset"] = _years()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        """Those of the agent's sites, of this year and the coming one."""
        ours = establishments_of(request.user)
        if db_field.related_model is Course:
            kwargs["queryset"] = Course.objects.filter(
                establishment__in=ours, school_year__in=_years()
            ).select_related("school_year")
        if db_field.related_model is Slot:
            kwargs["queryset"] = Slot.objects.filter(
                course__establishment__in=ours, course__school_year__in=_years()
            ).select_related("course")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        if change:
            try:
                obj.edition = lock_draft(obj).edition + 1
            except ValidationError as error:  # a colleague has just sent it
                raise PermissionDenied(error.messages[0]) from error
        else:
            obj.author = request.user
        super().save_model(request, obj, form, change)

    def response_add(self, request, obj, post_url_continue=None):
        return self._to_preview(request, obj) or super().response_add(request, obj)

    def response_change(self, request, obj):
        return self._to_preview(request, obj) or super().response_change(request, obj)

    @admin.display(description="suite")
    def follow(self, announcement):
        page = "preview" if announcement.state in _UNSENT else "report"
        label = "Aperçu et envoi" if page == "preview" else "Qui l'a lu"
        url = reverse(f"admin:teaching_announcement_{page}", args=[announcement.pk])
        return format_html('<a href="{}">{}</a>', url, label)

    def _to_preview(self, request, obj):
        stays = {"_continue", "_addanother"} & set(request.POST)
        if stays or not request.user.has_perm(SEND):
            return None
        url = reverse("admin:teaching_announcement_preview", args=[obj.pk])
        return HttpResponseRedirect(url)


_UNSENT = [AnnouncementState.DRAFT, AnnouncementState.PLANNED]


def _years():
    return SchoolYear.objects.filter(ends_on__gte=timezone.localdate())
