"""School holidays, public holidays, a closed site: and the lessons that they touch."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods

from accounts.admin import permission_required
from accounts.dates import NBSP
from accounts.models import Establishment
from accounts.selectors import establishments_of
from teaching.models import Closure
from teaching.timetable import closures

CHANGE = "teaching.change_closure"
TOLD = (
    "Des familles ont été prévenues qu'il n'y a pas cours ces jours-là\u00a0: ajoutez-en, "
    "n'en retirez pas. Pour en retirer, supprimez cette fermeture (elles apprendront que les cours "
    "ont lieu), puis notez-en une autre."
)
NOBODY = "Personne n'est à prévenir\u00a0: aucune séance à venir, ou tous le sont déjà."


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
        if self.instance.pk and not self.errors:
            site = cleaned["establishment"]
            if closures.takes_back(self.instance, first_on=first, last_on=last, site=site):
                self.add_error(None, TOLD)
        return cleaned


@admin.register(Closure)
class ClosureAdmin(admin.ModelAdmin):
    """An agent's own establishments; those of all are written by whoever has them all."""

    form = ClosureForm
    change_form_template = "admin/teaching/closure/change_form.html"
    delete_confirmation_template = "admin/teaching/closure/delete_confirmation.html"
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
        super().save_model(request, obj, form, change)
        fall = closures.fall_of(obj)
        lost, stay = len(fall.lost), len(fall.staying)
        said = []
        if lost:
            said.append(
                f"{_counted(lost)} n'{_have(lost)} pas lieu ces jours-là, "
                f"{fall.students} élève{_s(fall.students)} y {_was(fall.students)}"
                f" attendu{_s(fall.students)}."
            )
        if stay:
            said.append(
                f"{_counted(stay)} {_have_already(stay)} un appel ou un changement"
                f"{NBSP}: {'elles restent' if stay > 1 else 'elle reste'} à l'emploi du temps."
            )
        if said:
            self.message_user(request, " ".join(said), messages.WARNING)
        if lost and obj.last_on >= timezone.localdate() and not closures.told(obj):
            self.message_user(
                request,
                format_html(
                    'Les familles ne sont pas prévenues. <a href="{}">Les prévenir</a>',
                    reverse("admin:teaching_closure_tell", args=[obj.pk]),
                ),
                messages.WARNING,
            )

    def delete_view(self, request, object_id, extra_context=None):
        """The page says who will be written to."""
        closure = self.get_object(request, unquote(object_id))
        fall = closures.to_tell(closure) if closure and closures.was_told(closure) else None
        context = {"fall": fall, **(extra_context or {})}
        return super().delete_view(request, object_id, context)

    def delete_model(self, request, obj):
        written = closures.remove(obj, actor=request.user)
        if written:
            self.message_user(
                request,
                f"{written} message{_s(written)} à envoyer\u00a0: les cours ont lieu.",
                messages.WARNING,
            )

    def get_urls(self):
        tell = self.admin_site.admin_view(self.tell)
        return [
            path("<int:pk>/prevenir/", tell, name="teaching_closure_tell"),
            *super().get_urls(),
        ]

    @method_decorator(permission_required(CHANGE))
    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def tell(self, request, pk):
        """« Prévenir les familles » of the lessons to come that a closure takes away."""
        closure = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self._is_his(request, closure):
            raise PermissionDenied
        if request.method == "POST":
            try:
                written = closures.tell(closure, actor=request.user)
            except Closure.DoesNotExist as error:
                raise Http404 from error
            said = f"{written} message{_s(written)} à envoyer." if written else NOBODY
            self.message_user(request, said, messages.SUCCESS if written else messages.WARNING)
            return redirect("admin:teaching_closure_change", closure.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": "Prévenir les familles",
            "opts": Closure._meta,
            "closure": closure,
            "fall": closures.to_tell(closure),
            "told": closures.told(closure),
        }
        return render(request, "admin/teaching/closure/tell.html", context)

    def _is_his(self, request, closure):
        if closure is None or closure.establishment_id:
            return True
        return _may_close_the_town(request.user)

    @admin.display(description="où", ordering="establishment")
    def where(self, closure):
        return closure.establishment or "tous les établissements"


def _counted(number):
    return f"{number} séance{_s(number)}"


def _have(number):
    return "ont" if number > 1 else "a"


def _have_already(number):
    return "ont déjà" if number > 1 else "a déjà"


def _s(number):
    return "s" if number > 1 else ""


def _was(number):
    return "étaient" if number > 1 else "était"
