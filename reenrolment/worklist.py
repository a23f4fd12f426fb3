"""What the administration has to do: the dossiers of an agent's establishments, sorted by it."""

from dataclasses import dataclass

from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.selectors import establishments_of
from documents.enums import Verdict
from reenrolment.enums import TO_EXAMINE, Status
from reenrolment.models import CourseChoice, Reenrolment, SuppliedPiece, Transition
from students.enums import WITHOUT_SLOT, EnrolmentStatus

# To examine first, then what waits for the family, then what is over; drafts are not ours yet.
RANKS = {Status.SUBMITTED: 1, Status.INCOMPLETE: 2, Status.DRAFT: 4}
OTHERS = 3


@dataclass(frozen=True)
class Workload:
    """How much there is to do; the number of dossiers is that of the list each figure leads to."""

    submitted: int
    returned: int  # of `submitted`: sent again after a complement
    incomplete: int
    overdue: int  # of `incomplete`: the date of the complement is past
    documents: int  # to examine
    dossiers_with_documents: int
    choices: int  # wanted, without a place
    students: int  # of `choices`: one dossier each


def dossiers_of(user):
    """The dossiers of the agent's establishments; a superuser sees all."""
    return Reenrolment.objects.filter(campaign__establishment__in=establishments_of(user))


def for_list(dossiers):
    """Adds `rank`, `pending`, `refused`, `unplaced` and the flags, in the order of the work."""
    return (
        with_flags(dossiers)
        .annotate(
            rank=Case(
                *[When(status=status, then=Value(rank)) for status, rank in RANKS.items()],
                default=Value(OTHERS),
            ),
            pending=_count(pieces_in_force(Verdict.PENDING)),
            refused=_count(pieces_in_force(Verdict.REFUSED)),
            unplaced=_count(unplaced_choices()),
        )
        .order_by("rank", "submitted_at", "pk")
    )


def with_flags(dossiers):
    """Adds `is_returned` (see `returned`) and `is_overdue` (see `overdue`)."""
    is_overdue = ExpressionWrapper(overdue(), output_field=BooleanField())
    return dossiers.annotate(is_returned=returned(), is_overdue=is_overdue)


def returned() -> Exists:
    """Submitted again after a complement."""
    complements = Transition.objects.filter(
        reenrolment=OuterRef("pk"), from_status=Status.INCOMPLETE, to_status=Status.SUBMITTED
    )
    return Exists(complements)


def overdue() -> Q:
    """The family's time to complete the dossier is over: it is examined as it is."""
    return Q(status=Status.INCOMPLETE, complement_until__lte=timezone.now())


def pieces_in_force(verdict: Verdict):
    """The pieces, so examined, that dossiers were submitted with."""
    return SuppliedPiece.objects.filter(in_force=True, document__verdict=verdict)


def unplaced_choices():
    """The wanted courses that « Valider la réinscription » waits for."""
    seatless = Q(granted__place=None) & ~Q(granted__course__scheduling__in=WITHOUT_SLOT)
    given_back = Q(granted__status=EnrolmentStatus.RELEASED)  # by hand, in the students' admin
    return CourseChoice.objects.filter(
        Q(granted=None) | seatless | given_back, wanted=True, reenrolment__status__in=TO_EXAMINE
    )


def workload(user, establishment) -> Workload:
    """What there is to do at the site chosen, as the lists show it. Three queries."""
    ours = dossiers_of(user).filter(campaign__establishment=establishment).order_by()
    submitted, incomplete = Q(status=Status.SUBMITTED), Q(status=Status.INCOMPLETE)
    dossiers = ours.annotate(is_returned=returned()).aggregate(
        submitted=Count("pk", filter=submitted),
        returned=Count("pk", filter=submitted & Q(is_returned=True)),
        incomplete=Count("pk", filter=incomplete),
        overdue=Count("pk", filter=overdue()),
    )
    to_examine = ours.filter(status__in=TO_EXAMINE).values("pk")
    pieces = (
        pieces_in_force(Verdict.PENDING)
        .filter(reenrolment__in=to_examine)
        .aggregate(
            documents=Count("document", distinct=True),
            dossiers_with_documents=Count("reenrolment", distinct=True),
        )
    )
    choices = (
        unplaced_choices()
        .filter(reenrolment__in=to_examine)
        .order_by()
        .aggregate(choices=Count("pk"), students=Count("reenrolment", distinct=True))
    )
    return Workload(**dossiers, **pieces, **choices)


def neighbours(user, reenrolment: Reenrolment) -> tuple[Reenrolment | None, Reenrolment | None]:
    """The submitted dossiers of the same site just before and after this one. Two queries."""
    others = (
        dossiers_of(user)
        .filter(
            status=Status.SUBMITTED,
            campaign__establishment=reenrolment.campaign.establishment_id,
        )
        .exclude(pk=reenrolment.pk)
        .select_related("student")
    )
    at, pk = reenrolment.submitted_at, reenrolment.pk
    if at is None:  # a draft stands nowhere in the queue
        return None, others.order_by("submitted_at", "pk").first()
    before = others.filter(Q(submitted_at__lt=at) | Q(submitted_at=at, pk__lt=pk))
    after = others.filter(Q(submitted_at__gt=at) | Q(submitted_at=at, pk__gt=pk))
    return (
        before.order_by("-submitted_at", "-pk").first(),
        after.order_by("submitted_at", "pk").first(),
    )


def _count(rows):
    """How many of the rows belong to the dossier, without a join that would multiply them."""
    counted = rows.filter(reenrolment=OuterRef("pk")).order_by().values("reenrolment")
    number = Subquery(counted.annotate(number=Count("pk")).values("number"))
    return Coalesce(number, Value(0), output_field=IntegerField())
