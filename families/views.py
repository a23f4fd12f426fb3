from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from accounts import email_changes
from families import services
from families.forms import HouseholdForm
from families.models import Family


@require_http_methods(["GET", "HEAD", "POST"])
def identity(request):
    """« Famille »: who answers for the students, and where they live (the manual, step 4)."""
    family = get_object_or_404(Family.objects.visible_to(request.user))
    guardians = list(family.guardians.all())
    form = HouseholdForm(
        request.POST or None, family=family, guardians=guardians, reader=request.user
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.save_household(form.household_edit, form.guardian_edits, actor=request.user)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, "Vos informations sont enregistrées.")
            return redirect("families:identity")
    context = {"form": form, "email_change": email_changes.pending(request.user)}
    return render(request, "families/identity.html", context)
