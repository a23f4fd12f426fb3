"""Categories of the tariffs, and which one each course of a year is billed in."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from accounts.admin import OwnEstablishmentsMixin
from accounts.admin_filters import SiteFilter
from accounts.selectors import establishments_of
from billing.admin.tariffs.forms import CourseCategoryForm, TariffCategoryForm
from billing.admin.tariffs.scope import WIDE
from billing.models.tariffs import TariffCategory
from billing.tariffs import drafting, mapping
from students.models import SchoolYear

FROZEN = ["establishment", "code", "includes", "once"]


@admin.register(TariffCategory)
class TariffCategoryAdmin(OwnEstablishmentsMixin, admin.ModelAdmin):
    form = TariffCategoryForm
    list_display = ["label", "code", "position", "comprises", "once"]
    list_filter = [SiteFilter]
    search_fields = ["label", "code"]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("includes")

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        ours = TariffCategory.objects.filter(establishment__in=establishments_of(request.user))
        kwargs["queryset"] = ours
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_readonly_fields(self, request, obj=None):
        """A published grid keeps its meaning."""
        return FROZEN if obj and drafting.is_frozen(obj) else []

    def save_model(self, request, obj, form, change):
        drafting.save_category(obj, actor=request.user)

    def changelist_view(self, request, extra_context=None):
        context = {"years": SchoolYear.objects.all()[:3]}
        return super().changelist_view(request, context | (extra_context or {}))

    def get_urls(self):
        view = self.admin_site.admin_view(self.courses)
        name = "billing_tariffcategory_courses"
        return [path("cours/<int:year>/", view, name=name), *super().get_urls()]

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def courses(self, request, year):
        """A select for each course of the year, at the site chosen."""
        if not request.user.has_perm("billing.change_coursecategory"):
            raise PermissionDenied
        year, site = get_object_or_404(SchoolYear, pk=year), request.establishment
        rows = mapping.courses_with_categories(site, year)
        categories = TariffCategory.objects.filter(establishment=site)
        form = CourseCategoryForm(request.POST or None, rows=rows, categories=categories)
        if request.method == "POST" and form.is_valid():
            try:
                count = mapping.save_categories(site, form.chosen, actor=request.user)
            except ValidationError as error:
                messages.error(request, error.messages[0])
            else:
                told = f"{count} cours enregistrés." if count > 1 else f"{count} cours enregistré."
                messages.success(request, told)
                return redirect("admin:billing_tariffcategory_courses", year.pk)
        context = {
            **self.admin_site.each_context(request),
            **WIDE,
            "title": f"Catégories des cours {year}",
            "opts": self.opts,
            "site": site,
            "year": year,
            "years": SchoolYear.objects.all()[:3],
            "form": form,
            "fields": [(form[f"cours-{c.pk}"], c, proposed) for c, _, proposed in rows],
            "proposed": sum(proposed for *_, proposed in rows),
            "missing": sum(key is None for _, key, _ in rows),
            "categories": categories,
        }
        return render(request, "admin/billing/tariffcategory/courses.html", context)

    @admin.display(description="comprend", empty_value="–")
    def comprises(self, category):
        return ", ".join(each.label for each in category.includes.all()) or None
