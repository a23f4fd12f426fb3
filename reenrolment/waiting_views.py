"""The family's pages of the waiting list: the wishes of one course, and a place offered."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.names import with_de
from reenrolment.offer_page import Stage, load_offer
from reenrolment.services import waiting as services
from reenrolment.views import of_the_site_shown
from reenrolment.waiting_forms import WishesForm, written
from reenrolment.waiting_page import load_waiting
from students import waiting as students

WAITS_NO_MORE = (
    "Vos vœux n'ont pas été enregistrés\u00a0: cette réinscription n'attend pas de place, voyez "
    "son état ci-dessous."
)
# What to do where the sentence of the refusal does not say it.
WAY_OUT = {
    "clash": "Cette place vous reste jusqu'à la fin du délai\u00a0: changez d'abord l'autre cours, "
    "au besoin avec le secrétariat, ou refusez-la.",
    "not_proposed": "Adressez-vous au secrétariat.",
}


@require_http_methods(["GET", "HEAD", "POST"])
@of_the_site_shown
def waiting(request, pk, course_pk):
    """« Attendre une place »: the ordered wishes, the rule, the ranks, what happened.

    « Vos vœux » before the allotment of a campaign whose slots are ranked.
    """
    page = load_waiting(request, pk, course_pk)
    if page is None:
        if request.method == "POST":
            messages.error(request, WAITS_NO_MORE)
        return redirect("reenrolment:edit", pk)
    form = WishesForm(page, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            slots = {slot.pk: slot for slot in page.slots}
            services.wish(
                page.campaign,
                page.student,
                page.course,
                [key and slots[key] for key in form.wishes],
                actor=request.user,
                seen=form.seen_wishes,
            )
        except ValidationError as error:
            return _show_unsaved(request, pk, course_pk, error)
        messages.success(request, _saved(page, form.wishes))
        return redirect("reenrolment:waiting", pk, course_pk)
    return _show(request, page, form)


@require_http_methods(["GET", "HEAD", "POST"])
@of_the_site_shown
def offer(request, pk, entry_pk):
    """The page that the mail opens; answered, it tells what became of the offer."""
    offered = load_offer(request, pk, entry_pk)
    if offered.entry.course.establishment != request.establishment:
        return _elsewhere(request, offered)
    errors = []
    if request.method == "POST":
        try:
            _answer(request, offered)
        except ValidationError as error:
            codes = {each.code for each in error.error_list}
            if "bad_transition" not in codes:
                errors = [("", f"{message} {_way_out(codes)}") for message in error.messages]
        offered = load_offer(request, pk, entry_pk)
        if not errors or offered.stage != Stage.OPEN:  # the page tells the truth by itself
            return redirect("reenrolment:offer", pk, entry_pk)
    return render(request, "reenrolment/offer.html", {"offer": offered, "errors": errors})


def _show_unsaved(request, pk, course_pk, error):
    """What was typed, on the page as it stands by now: saving once more means « mine »."""
    page = load_waiting(request, pk, course_pk)
    if page is None:
        messages.error(request, WAITS_NO_MORE)
        return redirect("reenrolment:edit", pk)
    data = request.POST.copy()
    data["seen"] = written(page.wishes)
    form = WishesForm(page, data)
    if any(each.code == "stale" for each in error.error_list):
        stored = ", puis ".join(page.stored) or "aucun"
        form.add_error(
            None,
            f"{' '.join(error.messages)} Vœux enregistrés maintenant\u00a0: {stored}. Votre saisie "
            "est affichée\u00a0: enregistrez de nouveau pour la garder.",
        )
    else:
        form.add_error(None, error.messages)
    return _show(request, page, form)


def _show(request, page, form):
    template = "reenrolment/ranking.html" if page.is_ranking else "reenrolment/waiting.html"
    return render(request, template, {"waiting": page, "form": form})


def _saved(page, wishes):
    name = page.student.first_name
    if page.is_ranking:
        return "Vos vœux sont enregistrés." if wishes else "Vous n'avez plus de vœu pour ce cours."
    if wishes:
        return f"Vos vœux sont enregistrés\u00a0: {name} est sur la liste d'attente."
    if page.wishes:
        return f"{name} n'est plus sur la liste d'attente de ce cours\u00a0: son rang est perdu."
    return f"Aucun vœu\u00a0: {name} n'est pas sur la liste d'attente de ce cours."


def _answer(request, offered):
    if "accept" in request.POST:
        services.accept(offered.entry, actor=request.user)
        messages.success(request, f"La place {with_de(offered.page.student.first_name)} est prise.")
    elif "decline" in request.POST:
        students.decline(offered.entry, actor=request.user)
        messages.success(request, "La place est refusée\u00a0: elle ira à la famille suivante.")


def _way_out(codes):
    return " ".join(WAY_OUT[code] for code in codes if code in WAY_OUT)


def _elsewhere(request, offered):
    """The mail leads to one site, the session knows another one."""
    site = offered.entry.course.establishment
    if site not in request.establishments:
        raise Http404
    return render(request, "reenrolment/offer_elsewhere.html", {"offer": offered, "site": site})
