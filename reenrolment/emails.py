"""Every mail about a dossier, written to the outbox in the transaction of the move it tells of.

Each guardian of either household gets one; of the other household's pieces it says nothing.
"""

import datetime as dt

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from accounts import mails
from accounts.emails import compose
from accounts.enums import MailKind
from accounts.prepared import prepared
from documents.pieces import Piece
from families.models import Guardian
from reenrolment.allotted import allotted
from reenrolment.households import Household
from reenrolment.lacking import LackingHousehold
from reenrolment.models import (
    Allocation,
    Allotment,
    Campaign,
    CourseChoice,
    Reenrolment,
    Transition,
)
from reenrolment.waits import waits_for_anything, waits_of
from students.models import Slot, Student, WaitingEntry


def acknowledge(reenrolment: Reenrolment, transition: Transition, pieces: list[Piece]) -> None:
    """The « accusé de réception »: date, service, what happens next, remedies (CRPA L112-3).

    `pieces`: what it was submitted with.
    """
    choices = _choices_of(reenrolment.pk)
    _tell(
        MailKind.ACKNOWLEDGEMENT,
        reenrolment,
        transition,
        pieces=pieces,
        wanted=[choice for choice in choices if choice.wanted],
        stopped=[choice for choice in choices if not choice.wanted],
        waits=_waits(reenrolment, choices),
    )


@prepared
def _choices_of(reenrolment: int) -> QuerySet[CourseChoice]:
    """With what was granted."""
    choices = CourseChoice.objects.filter(reenrolment=reenrolment)
    return choices.select_related(
        "enrolment__course", "granted__course", "granted__place__slot__course"
    )


def ask_complement(reenrolment: Reenrolment, transition: Transition, pieces: list[Piece]) -> None:
    _tell(MailKind.COMPLEMENT, reenrolment, transition, pieces=pieces)


def tell_validated(reenrolment: Reenrolment, transition: Transition) -> None:
    choices = reenrolment.choices.filter(wanted=True).select_related(
        "granted__course", "granted__place__slot__course"
    )
    _tell(MailKind.VALIDATED, reenrolment, transition, choices=list(choices))


def tell_refused(reenrolment: Reenrolment, transition: Transition) -> None:
    _tell(MailKind.REFUSED, reenrolment, transition)


def tell_withdrawn(reenrolment: Reenrolment, transition: Transition) -> None:
    _tell(MailKind.WITHDRAWN, reenrolment, transition)


def offer_place(campaign: Campaign, entry: WaitingEntry) -> None:
    """A place of the waiting list: until when, and the page where it is accepted or declined."""
    page = reverse("reenrolment:offer", args=[entry.student_id, entry.pk])
    _tell_place(MailKind.PLACE_OFFERED, campaign, entry, entry.hold.place.slot, page)


def tell_place_accepted(
    reenrolment: Reenrolment, entry: WaitingEntry, slot: Slot, *, until: dt.datetime | None
) -> None:
    """`until`: of a draft, how long the place is kept for whoever has yet to submit it."""
    page = reverse("reenrolment:edit", args=[entry.student_id])
    kind = MailKind.PLACE_ACCEPTED
    _tell_place(kind, reenrolment.campaign, entry, slot, page, reenrolment=reenrolment, until=until)


def tell_allotted(
    reenrolment: Reenrolment, allotment: Allotment, allocations: list[Allocation]
) -> None:
    """The slot of each course and which wish it was, or none yet; the ranks of the other wishes."""
    _write(
        MailKind.ALLOTTED,
        reenrolment,
        key=f"{allotment.pk}:{reenrolment.pk}",
        allotment=allotment,
        draw=allocations[0].draw,
        lines=allotted(reenrolment, allocations),
        draw_url=settings.SITE_URL + reverse("reenrolment:draw", args=[reenrolment.student_id]),
    )


def launch(
    campaign: Campaign, household: Household, guardian: Guardian, username: str
) -> tuple[str, str]:
    """The mail of « lancement réinscriptions », subject and body: what this household prepares.

    No password: « mot de passe perdu » gives one to whoever has the identifiant and the address.
    """
    user = guardian.user
    return compose(
        "launch",
        {
            "campaign": campaign,
            "establishment": campaign.establishment,
            "household": household,
            "guardian": guardian,
            "username": username,
            "email_is_the_accounts": user is None or user.email == guardian.email,
        },
    )


def remind_pieces(
    campaign: Campaign, household: LackingHousehold, guardian: Guardian, word: str = ""
) -> tuple[str, str]:
    """What this household owes, child by child, subject and body; no name but first names.

    `word`: the secretariat's own. One link: the only child's page, else « Accueil ».
    """
    students = {each.student.pk for each in household.dossiers}
    page = reverse("imuse:home")
    if len(students) == 1:
        page = reverse("reenrolment:edit", args=[students.pop()])
    return compose(
        "piece_reminder",
        {
            "campaign": campaign,
            "establishment": campaign.establishment,
            "guardian": guardian,
            "household": household,
            "word": word,
            "url": settings.SITE_URL + page,
        },
    )


def _waits(reenrolment, choices):
    if not waits_for_anything(reenrolment.campaign, reenrolment.student):
        return []
    courses = {choice.granted.course for choice in choices if choice.granted}
    waits = waits_of(reenrolment.campaign, reenrolment.student, courses)
    return [wait.told for of_course in waits.values() for wait in of_course]


def _tell_place(kind, campaign, entry, slot, page, **context):
    """To each responsable of either household; a wish gets one offer, hence one mail of a kind."""
    for guardian in _guardians(entry.student_id):
        subject, body = compose(
            kind.value,
            {
                "guardian": guardian,
                "campaign": campaign,
                "establishment": campaign.establishment,
                "student": entry.student,
                "entry": entry,
                "slot": slot,
                "url": settings.SITE_URL + page,
                **context,
            },
        )
        key = f"{entry.pk}:{guardian.pk}"
        mails.queue(kind, key=key, to=guardian.email, subject=subject, body=body)


@prepared
def _guardians(student: int) -> QuerySet[Guardian]:
    """Those of his one or two households who have an address."""
    guardians = Guardian.objects.filter(family__students=student).exclude(email="")
    return guardians.order_by("pk")


def extension(campaign: Campaign, guardian: Guardian, students: list[Student]) -> tuple[str, str]:
    """To whoever has begun and not submitted: the campaign closes later, subject and body."""
    return compose(
        "extension",
        {
            "campaign": campaign,
            "establishment": campaign.establishment,
            "guardian": guardian,
            "students": students,
            "url": settings.SITE_URL + reverse("imuse:home"),
        },
    )


def _tell(kind, reenrolment, transition, *, pieces=(), **context):
    key = f"{reenrolment.pk}:{transition.pk}"
    _write(kind, reenrolment, key=key, pieces=pieces, transition=transition, **context)


def _write(kind, reenrolment, *, key, pieces=(), **context):
    """To each responsable of either household, with his own household's pieces."""
    written = []
    for guardian in _guardians(reenrolment.student_id):
        ours = [p for p in pieces if p.family is None or p.family.pk == guardian.family_id]
        ours = [piece for piece in ours if piece.concerns_home]
        subject, body = compose(
            kind.value,
            {
                "reenrolment": reenrolment,
                "guardian": guardian,
                "establishment": reenrolment.campaign.establishment,
                "pieces": ours,
                "missing": [piece for piece in ours if piece.is_missing],
                "url": settings.SITE_URL
                + reverse("reenrolment:edit", args=[reenrolment.student_id]),
                **context,
            },
        )
        written.append((f"{key}:{guardian.pk}", guardian.email, subject, body))
    mails.queue_many(kind, written)
