"""Before a launch: whom it would reach and what they would read. Nothing here writes."""

from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, Q, TextChoices

from accounts import usernames
from accounts.models import User
from families.models import Family, Guardian
from reenrolment import emails
from reenrolment.households import (
    Household,
    families_concerned,
    load_households,
    students_without_guardian,
)
from reenrolment.models import Campaign
from reenrolment.services.launches import not_told_yet
from students.models import Student


@dataclass(frozen=True)
class Preview:
    """Of the responsables who are not told yet: all of them, after the launch the newcomers."""

    households: int
    guardians: int
    without_account: int
    without_email: list[Guardian]  # each with `is_reached`: another responsable has an address
    without_guardian: list[Student]

    @property
    def mails(self) -> int:
        return self.guardians - len(self.without_email)

    @property
    def letters(self) -> int:
        """Households that no e-mail reaches."""
        return len({g.family_id for g in self.without_email if not g.is_reached})


@dataclass(frozen=True)
class Example:
    """The mail of one household, as it would leave, and the next household to look at."""

    household: Household
    guardian: Guardian
    subject: str
    body: str
    following: Family | None


class View(TextChoices):
    """Whom the dry run shows; the values are read in the address of the page."""

    ALL = "", "tous les responsables"
    WITHOUT_ACCOUNT = "sans-compte", "sans compte"
    WITHOUT_EMAIL = "sans-adresse", "sans adresse e-mail"


class Planned(NamedTuple):
    """A responsable, by key, and the identifiant that is or would be his."""

    guardian_id: int
    username: str
    views: tuple[View, ...]


@dataclass(frozen=True)
class Line:
    """What would happen to one responsable; `prevented` says why nothing would."""

    guardian: Guardian
    username: str
    prevented: str


def preview_of(campaign: Campaign) -> Preview:
    """Three queries."""
    guardians = not_told_yet(campaign)
    counts = guardians.order_by().aggregate(
        households=Count("family", distinct=True),
        guardians=Count("pk"),
        without_account=Count("pk", filter=Q(user=None)),
    )
    others = Guardian.objects.filter(family=OuterRef("family")).exclude(email="")
    without_email = guardians.filter(email="").select_related("family")
    return Preview(
        **counts,
        without_email=list(without_email.annotate(is_reached=Exists(others))),
        without_guardian=list(students_without_guardian(campaign)),
    )


def example_of(campaign: Campaign, family_pk: int | None = None) -> Example | None:
    """The mail of this household, else of the first one that a mail reaches. Eleven queries.

    None when there is nobody to tell, or when the household is not one of the campaign's.
    """
    theirs = Guardian.objects.filter(family=OuterRef("pk"))
    families = families_concerned(campaign).filter(Exists(theirs)).order_by("sort_name", "pk")
    if family_pk is None:
        family = families.order_by(~Exists(theirs.exclude(email="")), "sort_name", "pk").first()
    else:
        family = families.filter(pk=family_pk).first()
    if family is None:
        return None
    (household,) = load_households(campaign, [family])
    guardian = next((g for g in household.guardians if g.email), household.guardians[0])
    username = guardian.user.username if guardian.user else _planned(campaign, guardian)
    subject, body = emails.launch(campaign, household, guardian, username)
    after = Q(sort_name__gt=family.sort_name) | Q(sort_name=family.sort_name, pk__gt=family.pk)
    return Example(household, guardian, subject, body, families.filter(after).first())


def planned_usernames(campaign: Campaign) -> list[Planned]:
    """The identifiant of each responsable not told yet, in the order of the launch.

    Those to make are made as the launch would, unless somebody takes one meanwhile. Two queries.
    """
    taken = set(User.objects.values_list("username", flat=True))
    planned = []
    people = not_told_yet(campaign).values_list(
        *["pk", "first_name", "last_name", "email", "user__username"]
    )
    for pk, first_name, last_name, email, username in people:
        views = [View.ALL]
        if username is None:
            views.append(View.WITHOUT_ACCOUNT)
            username = usernames.free_username(first_name, last_name, taken=taken)
            taken.add(username)
        if not email:
            views.append(View.WITHOUT_EMAIL)
        planned.append(Planned(pk, username, tuple(views)))
    return planned


def lines_of(campaign: Campaign, planned: list[Planned]) -> list[Line]:
    """The dry run of these responsables. Three queries."""
    guardians = Guardian.objects.select_related("family", "user")
    by_pk = guardians.prefetch_related("user__establishments").in_bulk(
        [one.guardian_id for one in planned]
    )
    return [
        Line(guardian, one.username, _prevented(guardian.user, campaign.establishment))
        for one in planned
        if (guardian := by_pk.get(one.guardian_id))
    ]


def _planned(campaign, guardian):
    """Already in the launch, his account comes before those of the newcomers."""
    for one in planned_usernames(campaign):
        if one.guardian_id == guardian.pk:
            return one.username
    return usernames.free_username(
        guardian.first_name, guardian.last_name, taken=usernames.taken_like(guardian.last_name)
    )


def _prevented(user, establishment):
    """What `accounts.services.let_in` would say."""
    if user is None or user.is_superuser and user.is_active:
        return ""
    if not user.is_active:
        return "compte fermé"
    if user.is_staff and establishment not in user.establishments.all():
        return "compte d'un agent d'un autre établissement"
    return ""
