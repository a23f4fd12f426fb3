"""School holidays, public holidays, a closed site: and the lessons that they touch."""

from django import forms
from django.contrib import admin, messages
from django.db.models import Q

from accounts.dates import NBSP
from accounts.models import Establishment
from accounts.selectors import establishments_of
from teaching.lessons import hours_of_site, hours_of_town, lessons
from teaching.models import Closure, Lesson


def _may_close_the_town(agent) -> bool:
    """Days of every establishment are those of whoever answers for all of them."""
    return not Establishment.objects.exclude(pk__in=establishments_of(agent).values("pk")).exists()


class ClosureForm(forms.ModelForm):
    MOST_DAYS = 100

    class Meta:
        model = Closure
        fields = ["establishment", "kind", "name", "first_on", "last_on"]

    def clean(self):
        cleaned = super().clean()
        first, last = cleaned.get("first_on"), cleaned.get("last_on")
        if first and last and (last - first).days > self.MOST_DAYS:
            self.add_error("last_on", f"Pas plus de {self.MOST_DAYS} jours à la fois.")
        return cleaned


@admin.register(Closure)
class ClosureAdmin(admin.ModelAdmin):
    """An agent's own establishments; those of all are written by whoever has them all."""

    form = ClosureForm
    list_display = ["name", "kind", "first_on", "last_on", "where"]
    list_filter = ["kind"]
    list_select_related = ["establishment"]
    search_fields = ["name"]
    date_hierarchy = "first_on"

    def get_queryset(self, request):
        ours = establishments_of(request.user)
        mine = Q(establishment=None) | Q(establishment__in=ours)
        return super().get_queryset(request).filter(mine)

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        field = super().formfield_for_foreignkey(
            db_field, request, **{**kwargs, "queryset": establishments_of(request.user)}
        )
        if not _may_close_the_town(request.user):
            field.required = True
            field.help_text = ""
        return field

    def get_changeform_initial_data(self, request):
        initial = super().get_changeform_initial_data(request)
        initial.setdefault("establishment", request.establishment)
        return initial

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and self._is_his(request, obj)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and self._is_his(request, obj)

    def get_actions(self, request):
        """One at a time, by its page: those of all the sites might be among those ticked."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def save_model(self, request, obj, form, change):
        before = _count_of_lessons(obj)
        super().save_model(request, obj, form, change)
        gone, stay = before - _count_of_lessons(obj), _rows(obj).count()
        said = []
        if gone > 0:
            said.append(f"{_counted(gone)} n'{_have(gone)} pas lieu ces jours-là.")
        if stay:
            said.append(
                f"{_counted(stay)} {_have_already(stay)} un appel ou un changement"
                f"{NBSP}: {'elles restent' if stay > 1 else 'elle reste'} à l'emploi du temps."
            )
        if said:
            self.message_user(request, " ".join(said), messages.WARNING)

    def _is_his(self, request, closure):
        if closure is None or closure.establishment_id:
            return True
        return _may_close_the_town(request.user)

    @admin.display(description="où", ordering="establishment")
    def where(self, closure):
        return closure.establishment or "tous les établissements"


def _count_of_lessons(closure):
    first, last = closure.first_on, closure.last_on
    if closure.establishment:
        hours = hours_of_site(closure.establishment, first, last)
    else:
        hours = hours_of_town(first, last)
    return len(lessons(hours, first, last))


def _rows(closure):
    """The lessons of those days whose register was called, or that were changed."""
    days = (closure.first_on, closure.last_on)
    rows = Lesson.objects.filter(Q(moved_on__range=days) | Q(moved_on=None, planned_on__range=days))
    if closure.establishment_id:
        rows = rows.filter(
            Q(slot__course__establishment=closure.establishment_id)
            | Q(time__course__establishment=closure.establishment_id)
        )
    return rows


def _counted(number):
    return f"{number} séance{'s' if number > 1 else ''}"


def _have(number):
    return "ont" if number > 1 else "a"


def _have_already(number):
    return "ont déjà" if number > 1 else "a déjà"
