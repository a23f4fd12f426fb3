"""Forms of the administration: what an agent may give with an account, and whose rows he posts."""

from django import forms
from django.core.exceptions import ValidationError

from accounts import services
from accounts.authority import sites_beyond
from accounts.models import Establishment


class AccountForm(forms.ModelForm):
    """Nobody gives more than he has: his own sites only, to an agent of no other site.

    An account of a family may belong to other sites too: they are neither shown nor lost.
    """

    actor = None  # set by the page

    def clean_establishments(self):
        sites = [*self.cleaned_data["establishments"], *self._beyond()]
        if not sites and not self.actor.is_superuser:  # nobody of a site would see it any more
            raise ValidationError("Choisissez au moins un établissement.", code="required")
        return Establishment.objects.filter(pk__in=[site.pk for site in sites])

    def clean_is_active(self):
        is_active = self.cleaned_data["is_active"]
        if self.instance.pk and self.instance.is_active and not is_active:
            services.check_closes(self.instance, actor=self.actor)
        return is_active

    def clean(self):
        cleaned = super().clean()
        is_agent = cleaned.get("is_staff", self.instance.is_staff)
        if cleaned.get("groups") and not is_agent:
            self.add_error(
                "is_staff",
                ValidationError(
                    "Un groupe est celui d'un agent\u00a0: cochez aussi cette case.",
                    code="group_of_nobody",
                ),
            )
        beyond = self._beyond()
        if cleaned.get("is_staff") and beyond:
            names = ", ".join(map(str, beyond))
            self.add_error(
                "is_staff",
                ValidationError(
                    f"Ce compte appartient aussi à un site qui n'est pas le vôtre ({names})\u00a0:"
                    " il ne peut pas devenir celui d'un agent ici.",
                    code="sites_beyond",
                ),
            )
        return cleaned

    def _beyond(self):
        if not self.instance.pk or self.actor.is_superuser:
            return Establishment.objects.none()
        return sites_beyond(self.instance, actor=self.actor)


class OwnRowsFormSet(forms.BaseInlineFormSet):
    """The rows of this page only: Django's would tell a key of another page from nobody's."""

    def add_fields(self, form, index):
        super().add_fields(form, index)
        form.fields[self._pk_field.name].queryset = self.get_queryset()
