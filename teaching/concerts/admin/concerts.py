"""Where the staff prepares a concert: its programme, its announcement, what becomes of it."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Count, F, Sum
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods, require_safe

from accounts.admin import (
    OwnEstablishmentsMixin,
    ReadOnlyAdminMixin,
    permission_required,
)
from accounts.admin_filters import SiteFilter
from accounts.attachments import attached_pdf
from accounts.moments import MomentField
from teaching.concerts import services
from teaching.concerts.admin.programmes import gone, is_over, performers
from teaching.concerts.programme import print_programme, programme_of
from teaching.enums import ConcertState
from teaching.models import Concert, ConcertMove, ConcertTurn

VIEW, PUBLISH = "teaching.view_concert", "teaching.publish_concert"


class ConcertForm(forms.ModelForm):
    class Meta:
        model = Concert
        fields = ["establishment", "title", "starts_at", "place", "proposals_until"]

    def clean(self):
        """What the service would refuse is said beside the field."""
        cleaned = super().clean()
        starts_at, until = cleaned.get("starts_at"), cleaned.get("proposals_until")
        if starts_at:
            try:
                services.year_of(Concert(starts_at=starts_at))
            except ValidationError as error:
                self.add_error(None, error)
            if until and until > timezone.localdate(starts_at):
                self.add_error("proposals_until", "Les propositions finissent avant l'audition.")
            self._check_move(starts_at)
        return cleaned

    def _check_move(self, starts_at):
        was = self.instance
        announced = was.pk and was.state == ConcertState.PUBLISHED
        if announced and "starts_at" in self.changed_data and starts_at <= timezone.now():
            self.add_error("starts_at", "Une audition annoncée ne se déplace pas dans le passé.")


class TurnLineForm(forms.ModelForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "position" in self.fields and not self.instance.pk:
            self.fields["position"].required = False


class TurnLines(forms.BaseInlineFormSet):
    def save_new(self, form, commit=True):
        """A rank left empty is the next one."""
        if form.instance.position is None:
            form.instance.position = services.next_position(self.instance)
        return super().save_new(form, commit)


class TurnInline(admin.TabularInline):
    """The order and the works; the rest, and who plays, is on the page of each turn."""

    model = ConcertTurn
    form, formset = TurnLineForm, TurnLines
    fields = ["position", "composer", "title", "minutes", "people"]
    readonly_fields = ["people"]
    # Narrow enough for the whole line to stand on a screen.
    formfield_overrides = {
        models.CharField: {"widget": forms.TextInput(attrs={"size": 22})},
        models.PositiveSmallIntegerField: {"widget": forms.TextInput(attrs={"size": 3})},
    }
    extra = 1
    show_change_link = True
    verbose_name_plural = (
        "programme\u00a0: le rang dit l'ordre (vide\u00a0: à la fin), « Modification » dit qui joue"
    )

    def get_queryset(self, request):
        return (
            super()
            .get_queryset(request)
            .prefetch_related("performers__enrolment__student")
            .order_by("position", "pk")
        )

    @admin.display(description="interprètes")
    def people(self, turn):
        if not turn.pk:
            return "–"
        return ", ".join(str(each) for each in turn.performers.all()) or "aucun"

    def has_add_permission(self, request, obj=None):
        return super().has_add_permission(request, obj) and not is_over(obj)

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not is_over(obj)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and not is_over(obj)


class MoveInline(ReadOnlyAdminMixin, admin.TabularInline):
    model = ConcertMove
    fields = readonly_fields = ["at", "actor", "act", "said"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("actor", "concert")

    def has_view_permission(self, request, obj=None):
        """Its own permissions are nobody's: it goes with the concert."""
        return request.user.has_perm(VIEW)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Motif",
        max_length=Concert._meta.get_field("cancel_reason").max_length,
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
        help_text="Les familles le lisent.",
    )


@admin.register(Concert)
class ConcertAdmin(OwnEstablishmentsMixin, admin.ModelAdmin):
    form = ConcertForm
    list_display = ["title", "starts_at", "place", "establishment", "state", "length"]
    list_filter = [SiteFilter, "state", "school_year"]
    list_select_related = ["establishment"]
    date_hierarchy = "starts_at"
    search_fields = ["title", "place"]
    inlines = [TurnInline, MoveInline]
    formfield_overrides = {
        models.DateTimeField: {"form_class": MomentField, "widget": MomentField.widget}
    }
    change_form_template = "admin/teaching/concert/change_form.html"

    def get_queryset(self, request):
        return (
            super()
            .get_queryset(request)
            .annotate(turn_count=Count("turns"), minutes=Sum("turns__minutes"))
            .order_by(*Concert._meta.ordering)
        )

    def get_fields(self, request, obj=None):
        fields = ["establishment", "title", "starts_at", "place", "proposals_until"]
        told = ["state", "cancel_reason", "published_at", "recorded_at", "length"]
        return [*fields, *(told if obj else [])]

    def get_readonly_fields(self, request, obj=None):
        told = ["state", "cancel_reason", "published_at", "recorded_at", "length"]
        return [*(["establishment"] if obj else []), *told]

    def get_inlines(self, request, obj):
        return self.inlines if obj else []

    def get_urls(self):
        def wrap(view, permission):
            return self.admin_site.admin_view(permission_required(permission)(view))

        steps = [
            path(
                "<int:pk>/annoncer/", wrap(self.publish, PUBLISH), name="teaching_concert_publish"
            ),
            path("<int:pk>/annuler/", wrap(self.cancel, PUBLISH), name="teaching_concert_cancel"),
            path("<int:pk>/inscrire/", wrap(self.record, PUBLISH), name="teaching_concert_record"),
            path("<int:pk>/programme.pdf", wrap(self.pdf, VIEW), name="teaching_concert_pdf"),
        ]
        return [*steps, *super().get_urls()]

    def has_change_permission(self, request, obj=None):
        """Cancelled, it is read only."""
        is_cancelled = obj is not None and obj.is_cancelled
        return super().has_change_permission(request, obj) and not is_cancelled

    def has_delete_permission(self, request, obj=None):
        is_told = obj is not None and obj.state != ConcertState.DRAFT
        return super().has_delete_permission(request, obj) and not is_told

    def get_actions(self, request):
        """A draft goes by its page: one that was announced might be among those ticked."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.display(description="programme")
    def length(self, concert):
        count = concert.turn_count
        said = f"{count} passage{'s' if count > 1 else ''}"
        return f"{said}, {concert.minutes}\u00a0min" if count else "vide"

    def save_model(self, request, obj, form, change):
        services.save(obj, actor=request.user)

    def save_related(self, request, form, formsets, change):
        """Whoever comes in or goes out of a programme that was announced is told."""
        before = performers(form.instance)
        super().save_related(request, form, formsets, change)
        _date_turns(formsets)
        services.programme_changed(form.instance, gone=gone(before))

    def render_change_form(self, request, context, **kwargs):
        concert = kwargs.get("obj")
        may = concert is not None and request.user.has_perm(PUBLISH)
        published = may and concert.state == ConcertState.PUBLISHED
        context |= {
            "may_publish": may and concert.state == ConcertState.DRAFT,
            "may_cancel": published and not concert.is_past,
            "may_record": published and concert.is_past,
        }
        return super().render_change_form(request, context, **kwargs)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def publish(self, request, pk):
        """Shows the programme as it is, then announces it."""
        concert = self._concert(request, pk)
        return self._step(
            request,
            concert,
            title="Annoncer une audition",
            template="admin/teaching/concert/publish.html",
            act=lambda _: services.publish(concert, actor=request.user),
            done="L'audition est annoncée\u00a0: les familles reçoivent un message.",
            log="Annoncée",
        )

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def cancel(self, request, pk):
        concert = self._concert(request, pk)
        return self._step(
            request,
            concert,
            title="Annuler une audition",
            template="admin/teaching/concert/cancel.html",
            form_class=ReasonForm,
            act=lambda form: services.cancel(
                concert, reason=form.cleaned_data["reason"], actor=request.user
            ),
            done="L'audition est annulée\u00a0: les familles reçoivent un message.",
            log="Annulée",
        )

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def record(self, request, pk):
        """« Inscrire aux répertoires », once it took place."""
        concert = self._concert(request, pk)
        return self._step(
            request,
            concert,
            title="Inscrire aux répertoires",
            template="admin/teaching/concert/record.html",
            act=lambda _: services.record(concert, actor=request.user),
            done="Ce qui a été joué est au répertoire de chaque élève.",
            log="Inscrite aux répertoires",
        )

    @method_decorator(require_safe)
    def pdf(self, request, pk):
        concert = self._concert(request, pk)
        try:
            content = print_programme(programme_of(concert))
        except ValidationError as error:
            self.message_user(request, error.messages[0], messages.ERROR)
            return redirect("admin:teaching_concert_change", pk)
        return attached_pdf(content, f"Programme {concert.title}.pdf")

    def _concert(self, request, pk):
        concert = self.get_object(request, str(pk))
        if concert is None:
            raise Http404
        return concert

    def _step(self, request, concert, *, title, template, act, done, log, form_class=forms.Form):
        form = form_class(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    act(form)
                    self.log_change(request, concert, log)
            except ValidationError as error:
                form.add_error(None, error)
            else:
                self.message_user(request, done, messages.SUCCESS)
                return redirect("admin:teaching_concert_change", concert.pk)
        context = self.admin_site.each_context(request) | {
            "title": title,
            "opts": self.opts,
            "concert": concert,
            "programme": programme_of(concert),
            "form": form,
        }
        return render(request, template, context)


def _date_turns(formsets):
    """A teacher's page that is older than the agent's is told so."""
    changed = [
        row.pk
        for formset in formsets
        if formset.model is ConcertTurn
        for row, _ in formset.changed_objects
    ]
    ConcertTurn.objects.filter(pk__in=changed).update(edition=F("edition") + 1)
