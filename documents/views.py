from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.prepared import prepared
from documents import examples
from documents.lending import FileUnavailable, lend
from documents.models import Document, DocumentType
from documents.pieces import accepted_at, is_valid, valid_until
from students.selectors import household_students


@require_safe
def supplied(request, pk):
    """« documents fournis »: the household's current pieces and the student's (the manual, step 5).

    Of the other household, in alternating custody, nothing shows.
    """
    selection = household_students(request.user, pk)
    documents = _supplied(request.user.pk, selection.own_family.pk, selection.student.pk)
    for document in documents:
        document.valid_until = valid_until(document, document.type)
    now = timezone.now()
    context = {
        "selection": selection,
        "documents": documents,
        "of_family": [d for d in documents if d.family_id],
        "of_student": [d for d in documents if d.student_id],
        "expired": {d.pk for d in documents if not is_valid(d, d.type, now)},
    }
    return render(request, "documents/supplied.html", context)


@prepared
def _supplied(user: int, family: int, student: int) -> QuerySet[Document]:
    documents = Document.objects.visible_to(User(pk=user)).current()
    ours = Q(family=family) | Q(student=student)
    documents = documents.filter(ours).for_list().annotate(accepted_at=accepted_at())
    return documents.order_by("type__name")


@require_safe
def download(request, pk):
    """The file of a piece; else a page: 503 while it can't be read, 410 once deleted.

    409 while the antivirus has not seen it.
    """
    document = get_object_or_404(Document.objects.visible_to(request.user), pk=pk)
    try:
        return lend(document)
    except FileUnavailable as error:
        context = {"document": document, "error": error}
        return render(request, "documents/file_unavailable.html", context, status=error.status)


@require_safe
def example(request, pk):
    """The picture that shows what a piece looks like: to whoever is signed in, family or staff."""
    return examples.show(get_object_or_404(DocumentType.objects.exclude(example=""), pk=pk))
