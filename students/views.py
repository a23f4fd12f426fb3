from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.names import with_de
from students import people
from students.forms import IdentityForm
from students.image_consent import set_consent
from students.models import Enrolment, RepertoirePiece, SchoolYear, Student
from students.selectors import household_students

# The tabs of a student, as `?onglet=` names them, in the order of the manual (step 5).
TABS = {
    "identite": "students:identity",
    "cours": "students:courses",
    "historique": "students:history",
    "repertoire": "students:repertoire",
    "reinscription": "reenrolment:edit",
    "documents": "documents:supplied",
}


@require_safe
def index(request):
    """« Elèves »: the first student by name, or a word when the household has none."""
    student = Student.objects.visible_to(request.user).first()
    if student is None:
        return render(request, "students/index.html")
    return redirect("students:identity", student.pk)


@require_safe
def pick(request):
    """The drop-down's answer: the same tab of the student chosen."""
    key = request.GET.get("eleve", "")
    if not (key.isascii() and key.isdecimal()):
        raise Http404
    student = get_object_or_404(Student.objects.visible_to(request.user), pk=int(key[:19]))
    return redirect(TABS.get(request.GET.get("onglet"), "students:identity"), student.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def identity(request, pk):
    selection = household_students(request.user, pk)
    form = IdentityForm(request.POST or None, instance=selection.student)
    if request.method == "POST" and form.is_valid():
        try:
            people.save_identity(form.student_edit)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(
                request, f"Les informations {with_de(selection.student)} sont enregistrées."
            )
            return redirect("students:identity", pk)
    return render(request, "students/identity.html", {"selection": selection, "form": form})


@require_POST
def image_consent(request, pk):
    """« Droit à l'image »: the household's yes (`accord=oui`), or its no."""
    selection = household_students(request.user, pk)
    agrees = request.POST.get("accord") == "oui"
    set_consent(selection.student, selection.own_family, agrees=agrees)
    name = with_de(selection.student)
    messages.success(
        request,
        f"Ses enseignants pourront voir la photo {name}."
        if agrees
        else f"La photo {name} n'est plus montrée à ses enseignants.",
    )
    return redirect("students:identity", pk)


@require_safe
def courses(request, pk):
    """The courses of the year under way, at the site chosen."""
    selection = household_students(request.user, pk)
    year = SchoolYear.objects.current()
    enrolments = (
        Enrolment.objects.live()
        .filter(student=pk, course__school_year=year, course__establishment=request.establishment)
        .for_list()
    )
    return render(
        request,
        "students/courses.html",
        {"selection": selection, "year": year, "enrolments": enrolments},
    )


@require_safe
def history(request, pk):
    """The courses of former years at the site chosen, the latest first."""
    selection = household_students(request.user, pk)
    enrolments = (
        Enrolment.objects.confirmed()
        .filter(
            student=pk,
            course__school_year__ends_on__lt=timezone.localdate(),
            course__establishment=request.establishment,
        )
        .for_list()
        .order_by("-course__school_year__starts_on", "course__sort_name", "pk")
    )
    return render(
        request, "students/history.html", {"selection": selection, "enrolments": enrolments}
    )


@require_safe
def repertoire(request, pk):
    """The pieces played, this year's first."""
    selection = household_students(request.user, pk)
    pieces = RepertoirePiece.objects.filter(student=pk).select_related(
        "school_year", "course__discipline"
    )
    return render(request, "students/repertoire.html", {"selection": selection, "pieces": pieces})
