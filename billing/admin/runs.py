"""« Facturations groupées »: prepared, checked, issued; a button is a service of billing.runs."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.admin import OwnEstablishmentsMixin
from accounts.admin_filters import SiteFilter
from accounts.models import ListExport
from accounts.spreadsheets.writing import CONTENT_TYPES, write
from billing import services
from billing.admin.run_forms import ConfirmForm, DatesForm, RunForm, ViewForm, refuse_in
from billing.enums import NEXT_RUN, InvoiceStatus, RunState
from billing.models import Invoice, InvoiceRun
from billing.runs import controlling, planning
from students.models import SchoolYear

ROWS = 100  # households of one page


@admin.register(InvoiceRun)
class InvoiceRunAdmin(OwnEstablishmentsMixin, admin.ModelAdmin):
    """The page of a run is its control: figures, households, and what may be done next."""

    form = RunForm
    list_display = ["label", "school_year", "kind", "state", "created_at", "created_by"]
    list_filter = [SiteFilter, "kind", "state", "school_year"]
    add_form_template = "admin/billing/invoicerun/add.html"
    list_select_related = ["school_year", "created_by", "establishment"]
    actions = None

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def get_changeform_initial_data(self, request):
        return {
            "school_year": SchoolYear.objects.current(),
            **super().get_changeform_initial_data(request),
        }

    def get_urls(self):
        pages = [
            ("emettre", self.issue_all),
            ("dates", self.redate),
            ("arreter", self.stop),
            ("abandonner", self.abandon),
            ("exporter", self.export),
        ]
        routes = [(f"<int:pk>/{route}/", view) for route, view in pages]
        routes.append(("<int:pk>/retirer/<int:invoice>/", self.remove))
        return [
            *(
                path(
                    route,
                    self.admin_site.admin_view(view),
                    name=f"billing_invoicerun_{view.__name__}",
                )
                for route, view in routes
            ),
            *super().get_urls(),
        ]

    def add_view(self, request, form_url="", extra_context=None):
        try:
            return super().add_view(request, form_url, extra_context)
        except ValidationError as error:  # a colleague, at the same instant
            messages.error(request, error.messages[0])
            return redirect("admin:billing_invoicerun_changelist")

    def save_model(self, request, obj, form, change):
        planning.plan(obj, actor=request.user)

    def response_add(self, request, obj, post_url_continue=None):
        messages.success(
            request, "La préparation est en route. Vous pouvez fermer cette page et y revenir."
        )
        return redirect("admin:billing_invoicerun_change", obj.pk)

    @method_decorator(require_safe)
    def change_view(self, request, object_id, form_url="", extra_context=None):
        """The control page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not object_id.isdecimal() or len(object_id) > 18:  # as many digits as a key may have
            raise Http404
        run = self._get(request, object_id)
        form = _view_form(request.GET)
        rows = controlling.households_of(run, form.view, form.gap)
        page = Paginator(rows, ROWS).get_page(request.GET.get("page"))
        may_prepare = self.has_add_permission(request)
        may_issue = request.user.has_perm("billing.issue_invoice")
        figures = controlling.figures_of(run)
        context = {
            "figures": figures,
            "newer_grid": controlling.newer_grid(run),
            "form": form,
            "view": form.view,
            "page": page,
            "rows": [(row, controlling.reference(row)) for row in page],
            "query": f"voir={form.view.value}&ecart={form.gap}",
            "may_issue": may_issue and _may_be_issued(run, figures),
            "may_stop": may_issue and run.is_issuing,
            "may_redate": may_prepare and run.state in planning.REDATED,
            "may_abandon": may_prepare
            and RunState.ABANDONED in NEXT_RUN[RunState(run.state)]
            and not (run.is_paused and not figures.drafts),
            "may_remove": request.user.has_perm("billing.delete_invoice"),
        }
        return self._render(request, run, str(run), "admin/billing/invoicerun/run.html", context)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def issue_all(self, request, pk):
        """« Émettre »: how many, how much, which dates; its POST lets the queue begin."""
        self._require(request, "billing.issue_invoice")
        run = self._get(request, pk)
        figures = controlling.figures_of(run)
        if not _may_be_issued(run, figures):
            messages.error(request, "Cette facturation n'a rien à émettre.")
            return redirect("admin:billing_invoicerun_change", pk)
        form = ConfirmForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            expected = form.cleaned_data["expected"]
            try:
                planning.issue_all(run, actor=request.user, expected=expected)
            except ValidationError as error:
                messages.error(request, error.messages[0])
                return redirect("admin:billing_invoicerun_issue_all", pk)
            self.log_change(request, run, f"Émission de {expected} factures lancée.")
            messages.success(
                request, "L'émission est en route. Vous pouvez fermer cette page et y revenir."
            )
            return redirect("admin:billing_invoicerun_change", pk)
        drafts = controlling.drafted_amount(run)
        context = {"figures": figures, "form": form, "amount": drafts}
        return self._render(
            request, run, "Émettre les factures", "admin/billing/invoicerun/issue_all.html", context
        )

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def redate(self, request, pk):
        """Other dates, for all its drafts."""
        self._require(request, "billing.add_invoicerun")
        run = self._get(request, pk)
        form = DatesForm(request.POST if request.method == "POST" else None, instance=run)
        if request.method == "POST" and form.is_valid():
            again = self._get(request, pk)  # the form has filled in the other one
            if refuse_in(form, planning.redate, again, actor=request.user, **form.cleaned_data):
                self.log_change(request, run, "Dates changées.")
                messages.success(request, "Les brouillons ont ces dates.")
                return redirect("admin:billing_invoicerun_change", pk)
        return self._render(
            request,
            run,
            "Changer les dates",
            "admin/billing/invoicerun/redate.html",
            {"form": form},
        )

    @method_decorator(require_POST)
    def stop(self, request, pk):
        self._require(request, "billing.issue_invoice")
        return self._move(request, pk, planning.stop, "L'émission est arrêtée.")

    @method_decorator(require_POST)
    def abandon(self, request, pk):
        self._require(request, "billing.add_invoicerun")
        return self._move(
            request,
            pk,
            planning.abandon,
            "Facturation abandonnée\u00a0: ses brouillons s'effacent.",
        )

    @method_decorator(require_POST)
    def remove(self, request, pk, invoice):
        """One draft out of the run."""
        self._require(request, "billing.delete_invoice")
        run = self._get(request, pk)
        draft = get_object_or_404(
            Invoice.objects.filter(status=InvoiceStatus.DRAFT).select_related("family"),
            run=run,
            pk=invoice,
        )
        try:
            services.delete_draft(draft, actor=request.user)
        except ValidationError as error:
            messages.error(request, error.messages[0])
        else:
            self.log_change(request, run, f"Brouillon de {draft.family} retiré.")
            messages.success(request, f"Le brouillon de {draft.family} est retiré.")
        return redirect("admin:billing_invoicerun_change", pk)

    @method_decorator(require_POST)
    def export(self, request, pk):
        """The households listed, in a file; the journal of exports keeps who took it."""
        self._require(request, "billing.view_invoicerun")
        run = self._get(request, pk)
        format_ = request.POST.get("format")
        if format_ not in CONTENT_TYPES:
            raise Http404
        form = _view_form(request.POST)
        table = controlling.table_of(controlling.households_of(run, form.view, form.gap))
        content = write(format_, controlling.HEADERS, table, title="Facturation")
        ListExport.objects.create(
            actor=request.user, list=f"facturation-{run.pk}", rows=len(table), at=timezone.now()
        )
        name = f"facturation-{run.pk}-{timezone.localdate():%Y-%m-%d}.{format_}"
        return HttpResponse(
            content,
            content_type=CONTENT_TYPES[format_],
            headers={"Content-Disposition": content_disposition_header(True, name)},
        )

    def _move(self, request, pk, service, said):
        run = self._get(request, pk)
        try:
            service(run, actor=request.user)
        except ValidationError as error:
            messages.error(request, error.messages[0])
        else:
            self.log_change(request, run, said)
            messages.success(request, said)
        return redirect("admin:billing_invoicerun_change", pk)

    def _require(self, request, permission):
        if not request.user.has_perm(permission):
            raise PermissionDenied

    def _get(self, request, pk):
        rows = self.get_queryset(request).select_related(
            "establishment", "school_year", "grid", "created_by", "issued_by"
        )
        return get_object_or_404(rows, pk=pk)

    def _render(self, request, run, title, template, context):
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "run": run,
            "run_url": reverse("admin:billing_invoicerun_change", args=[run.pk]),
            **context,
        }
        return render(request, template, context)


def _view_form(data):
    form = ViewForm(data)
    form.is_valid()
    return form


def _may_be_issued(run, figures):
    again = run.state == RunState.ISSUED and figures.refused and figures.drafts
    return (run.state in (RunState.TO_CHECK, RunState.PAUSED) or again) and figures.drafts > 0
