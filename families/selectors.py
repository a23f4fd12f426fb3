"""What the administration reads of households."""

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.selectors import establishments_of
from families.enums import MergeKind
from families.models import Family, Merge


def families_of(agent: User) -> QuerySet[Family]:
    """The households that an agent's sites know, and those that no site knows yet.

    Known by a course of one of its students, ever, or by an invoice. Each condition is a query of
    its own: joined, they would multiply each other's rows.
    """
    if agent.is_superuser:
        return Family.objects.all()
    sites = establishments_of(agent).values("pk")
    ways = [
        Q(students__enrolments__course__establishment__in=sites),
        Q(invoices__establishment__in=sites),
        Q(students__enrolments=None),  # a student of no course, or no student at all
    ]
    known = Q()
    for way in ways:
        known |= Q(pk__in=Family.objects.filter(way).order_by().values("pk"))
    return Family.objects.filter(known)


def absorbed_references(kind: MergeKind) -> dict[str, int]:
    """The references of the doubles that are gone, with the key of the row that each became.

    But those that the rows took over, which are found as usual. One query.
    """
    became, references = {}, {}
    for merge in Merge.objects.filter(kind=kind).order_by("pk"):
        became[merge.absorbed_key] = merge.kept_key
        references[merge.details.get("reference")] = merge.kept_key
    for reference, key in references.items():
        while key in became:
            key = became[key]
        references[reference] = key
    return {reference: key for reference, key in references.items() if reference}
