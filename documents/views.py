from django.db.models import Q
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from documents.lending import FileUnavailable, lend
from documents.models import Document
from documents.pieces import is_valid
from students.selectors import household_students


@require_safe
def supplied(request, pk):
    """« documents fournis »: the household's current pieces and the student's (the manual, step 5).

    Of the other household, in alternating custody, nothing shows.
    """
    selection = household_students(request.user, pk)
    documents = list(
        Document.objects.visible_to(request.user)
        .current()
        .filter(Q(family=selection.own_family) | Q(student=selection.student))
        .for_list()
        .order_by("type__name")
    )
    now = timezone.now()
    context = {
        "selection": selection,
        "documents": documents,
        "of_family": [d for d in documents if d.family_id],
        "of_student": [d for d in documents if d.student_id],
        "expired": {d.pk for d in documents if not is_valid(d, d.type, now)},
    }
    return render(request, "documents/supplied.html", context)


@require_safe
def download(request, pk):
    """The file of a piece; a page with the status 503 while it can't be read, 410 once deleted."""
    document = get_object_or_404(Document.objects.visible_to(request.user), pk=pk)
    try:
        return lend(document)
    except FileUnavailable as error:
        context = {"document": document, "error": error}
        return render(request, "documents/file_unavailable.html", context, status=error.status)
