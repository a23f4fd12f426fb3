from django.contrib.auth.decorators import login_not_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe


@require_safe
@login_not_required
def landing(request):
    """The first page: « Accès usager » or « Accès enseignant » (the manual, step 2)."""
    return render(request, "imuse/landing.html")


@require_safe
def enter(request):
    return redirect("imuse:home")


@require_safe
def home(request):
    return render(request, "imuse/home.html")


@require_safe
@login_not_required
def accessibility(request):
    """The declaration that the law asks for, linked from every page (RGAA)."""
    return render(request, "imuse/accessibility.html")


def csrf_failure(request, reason=""):
    return render(request, "403_csrf.html", status=403)
