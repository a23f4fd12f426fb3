"""The staff's pages of the kinds of pieces, and of who is asked for which."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin import OwnEstablishmentsMixin
from accounts.admin_filters import SiteFilter
from documents import renewal
from documents.enums import Audience, Owner
from documents.models import DocumentType, PieceRule
from documents.owing import owing_of
from documents.pieces_forms import DocumentTypeForm
from families.files_to_delete import schedule

NAMED = 3  # communes that the list names; the others are counted


@admin.register(DocumentType)
class DocumentTypeAdmin(admin.ModelAdmin):
    form = DocumentTypeForm
    list_display = ["name", "owner", "formats", "age", "usual_pages", "kept_months", "has_example"]
    list_filter = ["owner", "formats"]
    search_fields = ["name"]

    def get_fieldsets(self, request, obj=None):
        shown = ["example_shown", "forget_example"] if obj is not None and obj.example else []
        family = ["help_text", "purpose", "valid_months", "usual_pages", "kept_months"]
        return [
            (None, {"fields": ["name", "owner", "formats", "shows_quotient"]}),
            ("Ce que la famille lit", {"fields": family}),
            ("Exemple", {"fields": [*shown, "picture", "example_alt"]}),
        ]

    def get_readonly_fields(self, request, obj=None):
        """Pieces handed in have the owner that their type had."""
        owner = ["owner"] if obj is not None and obj.documents.exists() else []
        return ["example_shown", *owner]

    def save_model(self, request, obj, form, change):
        """The picture that was there until now goes, whoever put it there."""
        former = DocumentType.objects.select_for_update().filter(pk=obj.pk)
        names = former.values_list("example", flat=True)
        schedule(name for name in names if name != obj.example.name)
        super().save_model(request, obj, form, change)

    def delete_model(self, request, obj):
        schedule([obj.example.name])
        super().delete_model(request, obj)

    def delete_queryset(self, request, queryset):
        schedule(queryset.values_list("example", flat=True))
        super().delete_queryset(request, queryset)

    def get_deleted_objects(self, objs, request):
        """A type in use stays: a sentence, rather than each of ten thousand pieces."""
        if used := [sentence for each in objs if (sentence := _use_of(each))]:
            return [], {}, set(), used
        return super().get_deleted_objects(objs, request)

    @admin.display(description="ancienneté", ordering="valid_months")
    def age(self, document_type):
        return document_type.recency or "quelle qu'elle soit"

    @admin.display(description="exemple", boolean=True)
    def has_example(self, document_type):
        return bool(document_type.example)

    @admin.display(description="image actuelle")
    def example_shown(self, document_type):
        address = reverse("documents:example", args=[document_type.pk])
        return format_html(
            '<img class="example-shown" src="{}?v={}" alt="{}">',
            address,
            document_type.example_version,
            document_type.example_alt,
        )


@admin.register(PieceRule)
class PieceRuleAdmin(OwnEstablishmentsMixin, admin.ModelAdmin):
    """The pieces asked for by the agent's own establishments."""

    list_display = ["document_type", "asked_from", "owing", "school_year", "establishment"]
    list_filter = [SiteFilter, "school_year", "audience"]
    autocomplete_fields = ["communes"]
    readonly_fields = ["owing"]
    ordering = ["-school_year__starts_on", "establishment", "position", "pk"]
    actions = ["renew"]

    def get_queryset(self, request):
        return (
            super()
            .get_queryset(request)
            .select_related("document_type", "school_year", "establishment")
            .prefetch_related("communes")
        )

    def get_fields(self, request, obj=None):
        asked = ["establishment", "school_year", "document_type", "audience", "communes"]
        return [*asked, "each_home", "position", *(["owing"] if obj is not None else [])]

    def get_changelist_instance(self, request):
        """Those who owe the pieces of the page are counted all at once."""
        changelist = super().get_changelist_instance(request)
        found = owing_of(changelist.result_list)
        for rule in changelist.result_list:
            rule.owing = found[rule.pk]
        return changelist

    @admin.display(description="demandée à")
    def asked_from(self, rule):
        return asked_from(rule)

    @admin.display(description="qui la doit")
    def owing(self, rule):
        return str(getattr(rule, "owing", None) or owing_of([rule])[rule.pk])

    @admin.action(description="Reconduire pour l'année suivante", permissions=["add"])
    def renew(self, request, queryset):
        """The page of what would be made; then, its button pressed, what it said."""
        if "expected" in request.POST:
            return self._renew(request, queryset)
        plan = renewal.plan_of(queryset)
        context = self.admin_site.each_context(request) | {
            "title": "Reconduire les pièces demandées",
            "opts": self.opts,
            "plan": plan,
            "made": [(r, asked_from(r.rule)) for r in plan.to_make],
            "chosen": [rule.pk for rule in queryset],
        }
        return TemplateResponse(request, "admin/documents/piecerule/renew.html", context)

    def _renew(self, request, queryset):
        expected = request.POST["expected"]
        try:
            made = renewal.renew(queryset, expected=int(expected) if expected.isdecimal() else 0)
        except ValidationError as error:
            self.message_user(request, error.messages[0], messages.ERROR)
            return
        for rule in made:
            self.log_addition(request, rule, "Reconduite de l'année d'avant.")
        count = len(made)
        text = f"{count} pièce{'s' * (count > 1)} reconduite{'s' * (count > 1)}."
        self.message_user(request, text, messages.SUCCESS)


def asked_from(rule: PieceRule) -> str:
    """« élèves de danse résidant à Tourcoing ou Lille ; un seul foyer suffit ».

    The rule comes with its type, and its communes prefetched.
    """
    words = str(Audience(rule.audience).label)
    names = [commune.name for commune in rule.communes.all()]
    if len(names) > NAMED:
        names = [*names[:NAMED], f"{len(names) - NAMED} autre{'s' * (len(names) > NAMED + 1)}"]
    if names:
        *before, last = names
        words += f" résidant à {', '.join(before)} ou {last}" if before else f" résidant à {last}"
    if not rule.each_home and rule.document_type.owner == Owner.FAMILY:
        words += "\u00a0; un seul foyer suffit"
    return words


def _use_of(document_type):
    """What keeps a type from being deleted, in a sentence; empty if nothing does."""
    rules, documents = document_type.rules.count(), document_type.documents.count()
    if not rules and not documents:
        return ""
    return (
        f"«\u00a0{document_type}\u00a0» est en usage ({rules} pièce{'s' * (rules > 1)}"
        f" demandée{'s' * (rules > 1)}, {documents} fichier{'s' * (documents > 1)}"
        f" envoyé{'s' * (documents > 1)}) et ne peut pas être supprimé. Pour ne plus le demander,"
        " retirez-le des pièces demandées de l'année à venir."
    )
