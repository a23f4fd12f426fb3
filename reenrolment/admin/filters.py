"""How the list of dossiers is narrowed: each filter one click, none a query more per row."""

from django.contrib import admin
from django.db.models import Exists, OuterRef

from accounts.admin_filters import sites_shown
from documents.enums import Verdict
from reenrolment.enums import TO_EXAMINE, Status
from reenrolment.models import Campaign, CourseChoice
from reenrolment.worklist import overdue, pieces_in_force, unplaced_choices
from students.models import Discipline


class OfferedFilter(admin.SimpleListFilter):
    """Whatever is typed in the address, a value that is not offered filters nothing."""

    def value(self):
        value = super().value()
        return value if value in dict(self.lookup_choices) else None


class StatusFilter(OfferedFilter):
    title = "état"
    parameter_name = "etat"

    def lookups(self, request, model_admin):
        return [
            (Status.SUBMITTED.value, "à examiner"),
            ("returned", "à examiner, complément reçu"),
            (Status.INCOMPLETE.value, "complément attendu"),
            ("overdue", "complément attendu, délai passé"),
            (Status.VALIDATED.value, "validé"),
            (Status.REFUSED.value, "refusé"),
            (Status.WITHDRAWN.value, "retiré"),
            (Status.DRAFT.value, "en cours de saisie"),
        ]

    def queryset(self, request, queryset):
        match self.value():
            case None:
                return queryset
            case "returned":
                return queryset.filter(status=Status.SUBMITTED, is_returned=True)
            case "overdue":
                return queryset.filter(overdue())
        return queryset.filter(status=self.value())


class PiecesFilter(OfferedFilter):
    title = "pièces"
    parameter_name = "pieces"

    def lookups(self, request, model_admin):
        return [
            (Verdict.PENDING.value, "à examiner"),
            (Verdict.REFUSED.value, "refusées"),
            ("missing", "manquantes au dépôt"),
        ]

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset
        under_way = queryset.filter(status__in=TO_EXAMINE)
        if self.value() == "missing":
            return under_way.filter(missing_pieces__gt=0)
        pieces = pieces_in_force(self.value()).filter(reenrolment=OuterRef("pk"))
        return under_way.filter(Exists(pieces))


class ToPlaceFilter(OfferedFilter):
    title = "élève à placer"
    parameter_name = "a_placer"

    def lookups(self, request, model_admin):
        return [("oui", "oui"), ("non", "non")]

    def queryset(self, request, queryset):
        unplaced = Exists(unplaced_choices().filter(reenrolment=OuterRef("pk")))
        match self.value():
            case "oui":
                return queryset.filter(unplaced)
            case "non":
                return queryset.filter(~unplaced, status__in=TO_EXAMINE)
        return queryset


class DisciplineFilter(OfferedFilter):
    """Of the courses that the family goes on with."""

    title = "discipline"
    parameter_name = "discipline"

    def lookups(self, request, model_admin):
        return [(str(pk), name) for pk, name in Discipline.objects.values_list("pk", "name")]

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset
        wanted = CourseChoice.objects.filter(
            reenrolment=OuterRef("pk"), wanted=True, enrolment__course__discipline=self.value()
        )
        return queryset.filter(Exists(wanted))


class CampaignFilter(OfferedFilter):
    """Those of the sites that the list shows."""

    title = "campagne"
    parameter_name = "campagne"

    def lookups(self, request, model_admin):
        campaigns = Campaign.objects.filter(establishment__in=sites_shown(request))
        campaigns = campaigns.select_related("school_year", "establishment")
        return [(str(campaign.pk), str(campaign)) for campaign in campaigns]

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset
        return queryset.filter(campaign=self.value())
