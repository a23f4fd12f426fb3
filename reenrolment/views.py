"""The family's pages of one dossier. Every write is a service's."""

from functools import wraps

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.dates import until
from reenrolment.enums import Status
from reenrolment.forms import DraftForms, PickedForms, SubmitForm
from reenrolment.models import Terms
from reenrolment.page import Mode, Page, load_dossier, load_page, page_of, whose
from reenrolment.saving import Outcome, save, save_line
from reenrolment.selectors import latest_campaign, next_to_do
from reenrolment.services import submission
from students.selectors import household_students

PARTS = "X-Parts"  # asked by the script, which changes but these parts of the page it is on


def of_the_site_shown(view):
    """A form changes the dossier of the site that its page showed, or nothing.

    The session knows one site: another tab may have switched to the next one meanwhile, where the
    same student has another dossier. The status 409 tells the script that nothing was saved.
    """

    @wraps(view)
    def inner(request, pk, **keys):
        shown = request.POST.get("site", str(request.establishment.pk))
        if shown == str(request.establishment.pk):
            return view(request, pk, **keys)
        for site in request.establishments:
            if shown == str(site.pk):
                context = {"shown": site, "pk": pk}
                return render(request, "reenrolment/other_site.html", context, status=409)
        raise Http404

    return inner


@require_http_methods(["GET", "HEAD", "POST"])
@of_the_site_shown
def edit(request, pk):
    """« Réinscription » (the manual, steps 6 and 7): one form; each button saves it all first.

    The button's name says what comes after: `check`, `keep` (the places, for longer), `wait` (for
    a place in the course of this key), `send` or `remove` (a piece's key).
    """
    page = load_page(request, pk)
    if request.method == "POST" and page.rows:  # otherwise there is no form: the page says why
        outcome = _save(request, page)
        if outcome.errors:
            return _show(request, outcome, outcome.errors)
        if "check" in request.POST:
            return redirect("reenrolment:check", pk)
        if wanted := request.POST.get("wait"):
            row = _row_to_wait_in(outcome.page, wanted)
            if row:
                return redirect("reenrolment:waiting", pk, row.course.pk)
        if PARTS in request.headers:
            fresh = _read_again(request, page.selection)
            if fresh.mode == Mode.EDIT:
                return _show_parts(request, fresh, DraftForms(fresh))
        messages.success(request, _saved(outcome, kept="keep" in request.POST))
        return redirect("reenrolment:edit", pk)
    forms = DraftForms(page)
    problems = page.problems if "verifier" in request.GET and page.mode == Mode.EDIT else []
    forms.point_out(problems)
    return _show(request, Outcome(lambda: (page, forms)), problems)


@require_http_methods(["GET", "HEAD", "POST"])
@of_the_site_shown
def pick(request, pk):
    """A slot picked in the table, as soon as it is: the script sends this line alone.

    409: nothing is saved, and only the whole page can say why. By GET: as `submit`.
    """
    selection, campaign, reenrolment = whose(request, pk)
    if request.method != "POST":
        return redirect("reenrolment:edit", pk)
    if campaign is None:
        raise Http404
    try:
        section, refusal = save_line(campaign, selection.student, request.POST)
    except ValidationError as error:
        if error.code == "no_section":
            raise Http404 from None
        return HttpResponse(error.messages[0], status=409, content_type="text/plain")
    if reenrolment is None:
        page = _read_again(request, selection)
    else:  # of which nothing but lines has changed
        page = page_of(selection, campaign, reenrolment)
    forms = PickedForms(page, section, request.POST, refusal)
    return _show_parts(request, page, forms)


@require_safe
def check(request, pk):
    """The recap: what will be sent, what lacks and what follows, the terms, « Valider »."""
    page = load_page(request, pk)
    if page.mode != Mode.EDIT or page.reenrolment is None:
        return redirect("reenrolment:edit", pk)
    if page.problems:
        return redirect(_to_mend(pk))
    form = SubmitForm(initial={"terms": page.campaign.terms_id, "fingerprint": page.fingerprint})
    return render(request, "reenrolment/check.html", {"page": page, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@of_the_site_shown
def submit(request, pk):
    """« Valider ». A double click, or the other parent's, lands on the first one's confirmation.

    Whoever signed in again on the way, or reloads the address, comes by GET: back to the recap.
    """
    reenrolment = load_dossier(request, pk)
    if request.method != "POST":
        return redirect("reenrolment:check", pk)
    form = SubmitForm(request.POST)
    if not form.is_valid() and (page := load_page(request, pk)).mode == Mode.EDIT:
        return render(request, "reenrolment/check.html", {"page": page, "form": form})
    try:
        submission.submit(
            reenrolment,
            actor=request.user,
            terms=Terms(pk=form.cleaned_data.get("terms")),
            fingerprint=form.cleaned_data.get("fingerprint"),
            pays=_pays(request, pk, form.cleaned_data.get("parts")),
        )
    except ValidationError as error:
        return _not_submitted(request, pk, error)
    return redirect("reenrolment:confirmation", pk)


@require_safe
def confirmation(request, pk):
    """The reference, what happens next, and the next child; reachable and printable later."""
    page = load_page(request, pk)
    if page.status in (Status.DRAFT, Status.WITHDRAWN):
        return redirect("reenrolment:edit", pk)
    context = {
        "page": page,
        "following": next_to_do(page.campaign, page.selection.students, after=page.student),
        "asks_for_image": page.holds_a_photo
        and page.selection.image_consent_at is None
        and not request.acting_for,  # it is not the agents' to say
    }
    return render(request, "reenrolment/confirmation.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@of_the_site_shown
def complete(request, pk):
    """Keeps the pieces chosen, then sends the dossier again. By GET: as `submit`."""
    page = _existing(request, pk)
    if request.method != "POST":
        return redirect("reenrolment:edit", pk)
    if page.status == Status.SUBMITTED and not request.FILES:  # a double click
        return redirect("reenrolment:confirmation", pk)
    outcome = _save(request, page)
    if outcome.errors:
        return _show(request, outcome, outcome.errors)
    try:
        submission.complete(page.reenrolment, actor=request.user)
    except ValidationError as error:
        outcome.general_errors = error.messages
        return _show(request, outcome, outcome.errors)
    return redirect("reenrolment:confirmation", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@of_the_site_shown
def withdraw(request, pk):
    """Says what follows, then gives the places back."""
    page = _existing(request, pk)
    if page.status not in (Status.SUBMITTED, Status.INCOMPLETE):
        return redirect("reenrolment:edit", pk)
    if request.method != "POST":
        return render(request, "reenrolment/withdraw.html", {"page": page})
    try:
        submission.withdraw(page.reenrolment, actor=request.user)
    except ValidationError as error:
        _tell(request, error)
    else:
        messages.success(request, "Votre demande est retirée\u00a0: les places sont rendues.")
    return redirect("reenrolment:edit", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@of_the_site_shown
def take_up(request, pk):
    """A withdrawn dossier is filled in again. By GET: as `submit`."""
    page = _existing(request, pk)
    if request.method != "POST":
        return redirect("reenrolment:edit", pk)
    try:
        submission.take_up(page.reenrolment, actor=request.user)
    except ValidationError as error:
        _tell(request, error)
    return redirect("reenrolment:edit", pk)


def _pays(request, pk, parts):
    """The reader's household, which chose in how many parts it pays."""
    if parts is None:
        return None
    return household_students(request.user, pk, acting_for=request.acting_for).own_family, parts


def _existing(request, pk) -> Page:
    page = load_page(request, pk)
    if page.reenrolment is None:
        raise Http404
    return page


def _save(request, page) -> Outcome:
    outcome = save(
        page,
        request.POST,
        request.FILES,
        actor=request.user,
        reload=lambda: load_page(request, page.student.pk),
    )
    for notice in outcome.notices:
        messages.warning(request, notice)
    return outcome


def _row_to_wait_in(page, course_key):
    return next((row for row in page.rows if row.course and str(row.course.pk) == course_key), None)


def _saved(outcome, *, kept):
    if kept and outcome.page.held_until:
        return f"Vos places sont réservées {until(outcome.page.held_until)}."
    return "Votre saisie est enregistrée. Rien n'est encore envoyé."


def _read_again(request, selection) -> Page:
    """After a save."""
    return page_of(selection, *latest_campaign(request.establishment, selection.student))


def _show_parts(request, page, forms):
    """What a save may change of the page that shows it."""
    return render(request, "reenrolment/parts.html", {"page": page, "forms": forms})


def _show(request, outcome, errors):
    context = {"page": outcome.page, "outcome": outcome, "forms": outcome.forms, "errors": errors}
    return render(request, "reenrolment/edit.html", context)


def _not_submitted(request, pk, error):
    """Nothing was submitted: back to where it can be mended, with the sentence."""
    codes = {each.code for each in error.error_list}
    if "bad_transition" in codes:
        return redirect("reenrolment:confirmation", pk)
    _tell(request, error)
    if codes & {"changed", "terms_changed"}:
        return redirect("reenrolment:check", pk)
    to_mend = codes & {*submission.GONE, "not_ready"}
    return redirect(_to_mend(pk) if to_mend else _edit(pk))


def _tell(request, error):
    for message in error.messages:
        messages.error(request, message)


def _edit(pk):
    return reverse("reenrolment:edit", args=[pk])


def _to_mend(pk):
    return f"{_edit(pk)}?verifier=1"
