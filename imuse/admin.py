"""The administration's own site; each app registers its models in its admin.py."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts.models import User
from accounts.spreadsheets import views as spreadsheets
from accounts.spreadsheets.registry import lists_of
from accounts.views import sign_out
from billing.regie.dues import bounced_unpaid, counts_to_settle
from families.enums import ErasureState
from families.models import ErasureRequest
from families.selectors import families_of
from reenrolment.enums import Status
from reenrolment.models import Campaign
from reenrolment.worklist import Workload, workload
from teaching.absences.selectors import justifications_to_answer, missing_registers
from teaching.enums import AbsenceState
from teaching.register.selectors import FORGOTTEN_DAYS


@dataclass(frozen=True)
class Figure:
    """One number of the home page, and the list of what it counts."""

    number: int
    label: str
    detail: str
    url: str


class Site(admin.AdminSite):
    site_title = "Administration du conservatoire"
    site_header = "Administration du conservatoire"
    index_title = "À faire"

    @method_decorator(never_cache)
    @login_not_required
    def login(self, request, extra_context=None):
        """One door for everybody: the protections of the sign-in page hold here too."""
        query = urlencode({"next": request.GET.get("next", reverse("admin:index"))})
        return redirect(f"{reverse('accounts:sign_in')}?{query}")

    def logout(self, request, extra_context=None):
        """One way out: it also ends what the session had opened."""
        return sign_out(request)

    def password_change(self, request, extra_context=None):
        """One page for everybody here too: it asks the current password and knows the policy."""
        return redirect("accounts:change_password")

    def index(self, request, extra_context=None):
        context = {
            "todo": _to_do(request),
            "has_lists": bool(lists_of(request.user)),
            "campaign": _campaign(request),
        }
        return super().index(request, context | (extra_context or {}))

    def get_urls(self):
        return [*spreadsheets.urls(), *super().get_urls()]


def _to_do(request) -> list[Figure]:
    """What waits at the site chosen; nothing of what he may not see. At most sixteen queries."""
    return [*_dossiers_to_do(request), *_regie(request), *_absences(request)]


def _dossiers_to_do(request) -> list[Figure]:
    user = request.user
    if not user.has_perm("reenrolment.view_reenrolment"):
        return []
    work = workload(user, request.establishment)
    figures = [_submitted(work), _incomplete(work)]
    if user.has_perm("documents.review_document"):
        figures.append(_documents(work))
    if user.has_perm("reenrolment.decide_reenrolment"):
        figures.append(_unplaced(work))
    if user.has_perm("families.decide_erasurerequest"):
        figures += _erasures(user)
    return figures


def _campaign(request) -> Campaign | None:
    """The one to pilot, at the site chosen. One query."""
    if not request.user.has_perm("reenrolment.change_campaign"):
        return None
    campaigns = Campaign.objects.filter(establishment=request.establishment)
    return campaigns.select_related("school_year", "establishment").of_the_moment().first()


def _submitted(work: Workload) -> Figure:
    return Figure(
        work.submitted,
        _plural(work.submitted, "dossier à examiner", "dossiers à examiner"),
        f"dont {_counted(work.returned, 'complément reçu', 'compléments reçus')}"
        if work.returned
        else "",
        _dossiers(etat=Status.SUBMITTED.value),
    )


def _incomplete(work: Workload) -> Figure:
    return Figure(
        work.incomplete,
        _plural(work.incomplete, "complément attendu", "compléments attendus"),
        f"dont {_counted(work.overdue, 'délai passé', 'délais passés')}" if work.overdue else "",
        _dossiers(etat=Status.INCOMPLETE.value),
    )


def _documents(work: Workload) -> Figure:
    return Figure(
        work.documents,
        _plural(work.documents, "pièce à examiner", "pièces à examiner"),
        f"dans {_counted(work.dossiers_with_documents, 'dossier', 'dossiers')}"
        if work.documents
        else "",
        _dossiers(pieces="pending"),
    )


def _unplaced(work: Workload) -> Figure:
    return Figure(
        work.students,
        _plural(work.students, "élève à placer", "élèves à placer"),
        f"dans {_counted(work.choices, 'cours', 'cours')}" if work.choices else "",
        _dossiers(a_placer="oui"),
    )


def _erasures(user: User) -> list[Figure]:
    """Seldom any: not shown then. The law gives a month."""
    ours = families_of(user)
    waiting = ErasureRequest.objects.filter(state=ErasureState.OPEN, family__in=ours)
    number = waiting.count()
    label = _plural(number, "demande d'effacement", "demandes d'effacement")
    url = reverse("admin:families_erasurerequest_changelist")
    query = urlencode({"state__exact": ErasureState.OPEN.value})
    return [Figure(number, label, "à traiter dans le mois", f"{url}?{query}")] if number else []


def _regie(request) -> list[Figure]:
    """What the régie has to settle; nothing of it is shown while there is nothing. Four queries."""
    if not request.user.has_perm("billing.view_payment"):
        return []
    counts = counts_to_settle(request.establishment)
    bounced = bounced_unpaid(request.establishment).count()
    to_settle = reverse("admin:billing_invoice_to_settle")
    overdue = f"{reverse('admin:billing_invoice_changelist')}?{urlencode({'reglement': 'overdue'})}"
    if request.user.has_perm("billing.remind_debtors"):
        overdue = reverse("admin:billing_invoice_reminders")
    named = [
        (counts["overdue"], "facture en retard", "factures en retard", overdue),
        (counts["overpaid"], "trop-perçu à régler", "trop-perçus à régler", to_settle),
        (bounced, "rejet à recouvrer", "rejets à recouvrer", to_settle),
    ]
    return [
        Figure(number, _plural(number, one, several), "", url)
        for number, one, several, url in named
        if number
    ]


def _absences(request) -> list[Figure]:
    """What families wrote, and the registers forgotten; not shown while there is nothing."""
    if not request.user.has_perm("teaching.view_absence"):
        return []
    justifications = justifications_to_answer(request.establishment).count()
    missing = missing_registers(request.establishment)
    absences = reverse("admin:teaching_absence_changelist")
    query = urlencode({"etat": AbsenceState.PENDING.value})
    named = [
        (
            justifications,
            *("absence à examiner", "absences à examiner"),
            "une famille l'a justifiée",
            f"{absences}?{query}",
        ),
        (
            len(missing),
            *("appel non fait", "appels non faits"),
            f"en {FORGOTTEN_DAYS} jours",
            reverse("admin:teaching_register_missing"),
        ),
    ]
    return [
        Figure(number, _plural(number, one, several), detail, url)
        for number, one, several, detail, url in named
        if number
    ]


def _dossiers(**filters) -> str:
    return f"{reverse('admin:reenrolment_reenrolment_changelist')}?{urlencode(filters)}"


def _plural(number, one, several) -> str:
    """French: nought and one are singular."""
    return several if number > 1 else one


def _counted(number, one, several) -> str:
    return f"{number} {_plural(number, one, several)}"
