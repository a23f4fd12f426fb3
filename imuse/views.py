from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts import typed_input
from accounts.destinations import own_page
from accounts.models import Establishment
from imuse.spaces import HOME, Space, guardian_of, recognise
from imuse.tasks import LEFT_TO_DO, tasks_of
from teaching.announcements.selectors import unread_of
from teaching.concerts.selectors import concerts_to_come
from teaching.timetable.notices import notices_of


@require_safe
@login_not_required
def landing(request):
    """The first page: « Accès usager » or « Accès enseignant » (the manual, step 2)."""
    return render(request, "imuse/landing.html")


@require_safe
def enter(request):
    """Where one lands after signing in.

    What was typed when the session ended, else the page asked for (`next`), else the space asked
    for (`espace`), else one's own with a sentence.
    """
    person = recognise(request.user)
    request.session["name"], request.session["spaces"] = person.name, person.spaces
    if typed_input.of(request.session):
        return redirect("accounts:resume")
    if target := own_page(request, request.GET.get("next", "")):
        return redirect(target)
    if not person.spaces:
        return render(request, "imuse/no_space.html")
    wants_to_teach = request.GET.get("espace") == "enseignant"
    if wants_to_teach and Space.TEACHER in person.spaces:
        return redirect(HOME[Space.TEACHER])
    if wants_to_teach:
        messages.info(
            request, "Votre compte n'est pas celui d'un enseignant\u00a0: voici votre espace."
        )
    return redirect(HOME[person.spaces[0]])


@require_safe
def home(request):
    """« Accueil »: unread messages, changed lessons, concerts, then what is left to do."""
    guardian = guardian_of(request.user)
    if guardian is None:
        raise Http404
    tasks = tasks_of(request.user, request.establishment)
    context = {
        "guardian": guardian,
        "tasks": tasks,
        "to_do": [task for task in tasks if task.state in LEFT_TO_DO],
        "notices": notices_of(request.user),
        "unread": unread_of(request.user),
        "concerts": concerts_to_come(request.user),
    }
    return render(request, "imuse/home.html", context)


@require_safe
@login_not_required
def accessibility(request):
    """The declaration that the law asks for, linked from every page (RGAA)."""
    context = {
        "site_url": settings.SITE_URL,
        "contact": request.establishment or Establishment.objects.first(),
    }
    return render(request, "imuse/accessibility.html", context)


def csrf_failure(request, reason=""):
    return render(request, "403_csrf.html", status=403)
