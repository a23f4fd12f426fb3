"""The waiting lists: all the wishes, and the line of one slot with what an agent may do.

Here and not in students: a place is offered by the rule and in the delay of a campaign.
"""

from functools import partial

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods, require_safe

from accounts.admin import (
    OwnEstablishmentsMixin,
    ReadOnlyAdminMixin,
    SortNameSearchMixin,
    permission_required,
)
from accounts.admin_filters import SiteFilter, sites_shown
from families.models import Guardian
from reenrolment.admin.filters import OfferedFilter
from reenrolment.admin.forms import SHOWN_TO_FAMILIES
from reenrolment.admin.views import WIDE
from reenrolment.services import waiting as services
from reenrolment.waiting_line import find_entry, find_slot, load_line, log_for, log_of
from students import waiting, waiting_moves
from students.enums import WaitingState
from students.models import Course, Slot, WaitingEntry, WaitingMove

VIEW = "students.view_waitingentry"
MANAGE = "students.manage_waiting"
TEMPLATES = {
    "line": "admin/students/waitingentry/line.html",
    "log": "admin/students/waitingentry/log.html",
    "offer": "admin/students/waitingentry/offer.html",
    "remove": "admin/students/waitingentry/remove.html",
}
REASON_CODES = {"reason_required", "reason_too_long"}


class CourseFilter(OfferedFilter):
    """Those of the sites shown for which somebody waits, or waited."""

    title = "cours"
    parameter_name = "cours"

    def lookups(self, request, model_admin):
        entries = WaitingEntry.objects.filter(course=OuterRef("pk"))
        courses = Course.objects.filter(Exists(entries), establishment__in=sites_shown(request))
        courses = courses.select_related("school_year").order_by("-school_year", "sort_name", "pk")
        return [(str(course.pk), f"{course} – {course.school_year}") for course in courses]

    def queryset(self, request, queryset):
        return queryset.filter(course=self.value()) if self.value() else queryset


class SlotFilter(OfferedFilter):
    """Those of the course chosen, once there is one; the wishes for any slot count for each."""

    title = "créneau"
    parameter_name = "creneau"

    def lookups(self, request, model_admin):
        course = request.GET.get(CourseFilter.parameter_name, "")
        if not course.isdecimal() or len(course) > 18:  # as many digits as a key may have
            return []
        ours = Slot.objects.filter(course__establishment__in=sites_shown(request))
        self.slots = {
            str(slot.pk): slot for slot in ours.filter(course=course).select_related("course")
        }
        return [
            (pk, f"{slot.get_weekday_display()} {slot.hours} {slot.group}".strip())
            for pk, slot in self.slots.items()
        ]

    def queryset(self, request, queryset):
        return queryset.for_slot(self.slots[self.value()]) if self.value() else queryset


class MoveInline(ReadOnlyAdminMixin, admin.TabularInline):
    model = WaitingMove
    fields = readonly_fields = ["at", "to_state", "slot", "rank", "waiting", "actor", "reason"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("slot__course", "actor")


@admin.register(WaitingEntry)
class WaitingEntryAdmin(
    ReadOnlyAdminMixin, OwnEstablishmentsMixin, SortNameSearchMixin, admin.ModelAdmin
):
    """Nothing is edited: a wish moves by the actions of its slot's page, each one a service."""

    list_display = ["student", "wish", "preference", "since", "state"]
    list_filter = [SiteFilter, "state", "course__school_year", CourseFilter, SlotFilter]
    list_select_related = ["student", "course", "slot__course"]
    establishment_lookup = "course__establishment"
    ordering = ["-since", "-pk"]
    search_fields = ["student__sort_name"]
    search_help_text = "Nom ou prénom de l'élève, avec ou sans accents"
    fields = ["student", "course", "wish", "preference", "since", "draw", "state", "lines"]
    readonly_fields = ["wish", "lines"]
    inlines = [MoveInline]
    actions = None

    def get_urls(self):
        pages = [
            ("creneau/<int:pk>/", line),
            ("creneau/<int:pk>/<int:entry>/proposer/", offer),
            ("creneau/<int:pk>/<int:entry>/retirer/", remove),
            ("creneau/<int:pk>/<int:entry>/journal/", log),
        ]
        return [
            *(
                path(
                    route,
                    self.admin_site.admin_view(view),
                    name=f"students_waitingentry_{view.__name__}",
                )
                for route, view in pages
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, WIDE | (extra_context or {}))

    @admin.display(description="demande", ordering="course__sort_name")
    def wish(self, entry):
        return entry.wish

    @admin.display(description="file d'attente")
    def lines(self, entry):
        slots = [entry.slot] if entry.slot_id else entry.course.slots.select_related("course")
        return format_html_join(
            mark_safe("<br>"),
            '<a href="{}">{}</a>',
            ((reverse("admin:students_waitingentry_line", args=[slot.pk]), slot) for slot in slots),
        )


class DecisionForm(forms.Form):
    """Why: the service says when it must be said."""

    reason = forms.CharField(
        label="Motif",
        required=False,
        max_length=waiting.REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=SHOWN_TO_FAMILIES,
    )


@require_safe
@permission_required(VIEW)
def line(request, pk):
    """Who waits for a place of the slot, in the order of the published rule."""
    page = load_line(request.user, pk)
    context = {"line": page, "events": log_of(page.slot), "title": "Liste d'attente"}
    return _render(request, "line", page.slot, context)


@require_safe
@permission_required(VIEW)
def log(request, pk, entry):
    """What was decided since a student waits, to print for his family: it names nobody else."""
    page = load_line(request.user, pk)
    entry = find_entry(page.slot, entry)
    context = {
        "line": page,
        "entry": entry,
        "events": log_for(entry, page.slot),
        "rank": page.rank_of(entry),
        "title": "Journal de la liste d'attente",
    }
    return _render(request, "log", page.slot, context)


@require_http_methods(["GET", "POST"])
@permission_required(VIEW, MANAGE)
def offer(request, pk, entry):
    """« Proposer la place »: to the first of the line, or to another one, who says why."""
    page = load_line(request.user, pk)
    entry = find_entry(page.slot, entry)
    if page.campaign is None:
        raise Http404
    rank = page.rank_of(entry)
    context = {
        "line": page,
        "entry": entry,
        "rank": rank,
        "until": services.offered_until(page.campaign, entry.student),
        "is_reached": Guardian.objects.filter(family__students=entry.student)
        .exclude(email="")
        .exists(),
        "to": WaitingState.OFFERED,
        "needs_reason": rank != 1,
        "title": "Proposer une place",
    }
    service = partial(services.offer_to, entry, page.slot)
    done = f"Une place est proposée à {entry.student}\u00a0: la famille reçoit un mail."
    return _decide(request, "offer", page.slot, context, service, done)


@require_http_methods(["GET", "POST"])
@permission_required(VIEW, MANAGE)
def remove(request, pk, entry):
    """« Retirer de la liste »: one wish, with the reason."""
    slot = find_slot(request.user, pk)
    entry = find_entry(slot, entry)
    context = {
        "entry": entry,
        "to": WaitingState.LEFT,
        "needs_reason": True,
        "title": "Retirer de la liste d'attente",
    }
    done = f"{entry.student} n'attend plus de place\u00a0: {entry.wish}."
    return _decide(request, "remove", slot, context, partial(waiting.remove, entry), done)


def _decide(request, name, slot, context, service, done):
    """A page that asks, then the service; what it refuses of the reason is said beside it.

    A wish that moved meanwhile leads back to the line, where it stands no more.
    """
    try:
        waiting_moves.check_move(context["entry"], context["to"])
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return _back(slot)
    form = DecisionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            service(actor=request.user, reason=form.cleaned_data["reason"])
        except ValidationError as error:
            if error.code not in REASON_CODES:  # somebody was faster
                messages.error(request, error.messages[0])
                return _back(slot)
            form.add_error("reason", error)
        else:
            messages.success(request, done)
            return _back(slot)
    return _render(request, name, slot, context | {"form": form})


def _render(request, name, slot, context):
    context = {
        **admin.site.each_context(request),
        **WIDE,
        "opts": WaitingEntry._meta,
        "slot": slot,
        "may_manage": request.user.has_perm(MANAGE),
        **context,
    }
    return render(request, TEMPLATES[name], context)


def _back(slot):
    return redirect(reverse("admin:students_waitingentry_line", args=[slot.pk]))
