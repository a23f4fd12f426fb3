from django.db.models import Q, QuerySet

from accounts.models import User
from documents.models import Document
from families.selectors import families_of
from students.selectors import students_of


def documents_of(agent: User) -> QuerySet[Document]:
    """The pieces of the students and households of the agent's sites: one serves all of them."""
    ours = Q(student__in=students_of(agent).values("pk"))
    ours |= Q(family__in=families_of(agent).values("pk"))
    return Document.objects.filter(ours)
