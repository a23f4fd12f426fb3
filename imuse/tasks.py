"""« Accueil »: what is left to do, as a task list (few states, GOV.UK's pattern)."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet, TextChoices
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.names import with_de
from accounts.prepared import prepared
from billing.enums import UNPAID
from billing.models import Instalment, Invoice
from billing.statements import statement_of
from documents.enums import Verdict
from documents.models import Document
from imuse.templatetags.french import day, euros, moment
from reenrolment.early_access import openings_of
from reenrolment.enums import Status
from reenrolment.models import Campaign, Reenrolment
from reenrolment.pieces import followed_courses
from students.enums import WaitingState
from students.models import Student, WaitingEntry
from teaching.enums import AbsenceState
from teaching.models import Absence


class State(TextChoices):
    LATE = "late", "En retard"
    TO_DO = "to_do", "À faire"
    STARTED = "started", "En cours"
    SENT = "sent", "Envoyée"  # nothing to do, nothing decided yet
    DONE = "done", "Terminé"
    NOT_YET = "not_yet", "Impossible pour l'instant"


LEFT_TO_DO = [State.LATE, State.TO_DO, State.STARTED]


@dataclass(frozen=True)
class Task:
    title: str
    hint: str
    state: State
    url: str = ""


def tasks_of(user, establishment) -> list[Task]:
    """What the user's household has to do in this establishment, what is late first.

    Seven queries, and one if an invoice is to pay; one or two more before the campaign opens for
    everybody.
    """
    campaigns = _campaign_of_the_moment(establishment.pk, timezone.now())
    campaign = campaigns[0] if campaigns else None
    students = _students(user.pk, *_asks_about(campaign))
    invoices = list(_invoices(user, establishment))
    return [
        *_places_offered(user, establishment),
        *[task for task in invoices if task.state == State.LATE],
        *(_reenrolments(campaign, students) if campaign else []),
        *_refused_documents(user, students),
        *_absences_to_justify(students),
        *[task for task in invoices if task.state != State.LATE],
    ]


@prepared
def _campaign_of_the_moment(establishment: int, now: dt.datetime) -> QuerySet[Campaign]:
    campaigns = Campaign.objects.filter(establishment=establishment)
    return campaigns.select_related("previous_year", "school_year").of_the_moment(now)[:1]


def _asks_about(campaign):
    """The site and the year whose courses it asks about."""
    return (campaign.establishment_id, campaign.previous_year_id) if campaign else (None, None)


@prepared
def _students(user: int, site: int | None, year: int | None) -> QuerySet[Student]:
    """The household's, each with `follows`: a course this year, hence something to re-enrol in."""
    students = Student.objects.visible_to(User(pk=user))
    if site is None:
        return students
    campaign = Campaign(establishment_id=site, previous_year_id=year)
    followed = followed_courses(campaign).filter(student=OuterRef("pk"))
    return students.annotate(follows=Exists(followed))


def _places_offered(user, establishment):
    """The most urgent: it goes to the next family, whether this one saw it or not."""
    for entry in _offers(user.pk, establishment.pk, timezone.now()):
        yield Task(
            title=f"Une place est proposée à {entry.student.first_name}\u00a0: "
            f"{entry.offered_slot}",
            hint=f"À accepter ou à refuser avant le {moment(entry.hold.until)}.",
            state=State.TO_DO,
            url=reverse("reenrolment:offer", args=[entry.student_id, entry.pk]),
        )


@prepared
def _offers(user: int, establishment: int, now: dt.datetime) -> QuerySet[WaitingEntry]:
    return (
        WaitingEntry.objects.visible_to(User(pk=user))
        .filter(
            course__establishment=establishment,
            state=WaitingState.OFFERED,
            hold__until__gt=now,
        )
        .select_related("student", "hold__place__slot__course")
        .order_by("hold__until", "pk")
    )


def _reenrolments(campaign, students):
    """One task for each child who follows a course this year."""
    found = _dossiers(campaign.pk, sorted(student.pk for student in students))
    dossiers = {dossier.student_id: dossier for dossier in found}
    openings = openings_of(campaign, students)
    for student in students:
        if student.follows or student.pk in dossiers:
            state, hint = _where(openings[student.pk], dossiers.get(student.pk))
            yield Task(
                title=f"Réinscription {with_de(student.first_name)} pour {campaign.school_year}",
                hint=hint,
                state=state,
                url=reverse("reenrolment:edit", args=[student.pk]),
            )


@prepared
def _dossiers(campaign: int, students: list[int]) -> QuerySet[Reenrolment]:
    return Reenrolment.objects.filter(campaign=campaign, student__in=students).order_by()


def _where(opening, dossier):
    """The state of one re-enrolment, and the sentence that goes with it."""
    status = Status(dossier.status) if dossier else Status.DRAFT
    reference = dossier.reference if dossier else ""
    match status:
        case Status.SUBMITTED:
            return State.SENT, f"{reference}\u00a0: déposée, l'administration l'examine."
        case Status.INCOMPLETE:
            return State.TO_DO, (
                f"{reference}\u00a0: un complément est demandé avant le "
                f"{moment(dossier.complement_until)}."
            )
        case Status.VALIDATED:
            return State.DONE, f"{reference}\u00a0: validée."
        case Status.REFUSED:
            return State.DONE, f"{reference}\u00a0: refusée, voyez le message reçu."
    if opening.is_to_come:
        early = f", en accès anticipé\u00a0: {opening.why}" if opening.why else ""
        return State.NOT_YET, f"Ouverture le {moment(opening.at)}{early}."
    if not opening.is_open:
        return State.NOT_YET, "Les réinscriptions sont closes\u00a0: adressez-vous au secrétariat."
    until = f"avant le {moment(opening.closes_at)}"
    if status == Status.WITHDRAWN:
        return State.TO_DO, f"{reference}\u00a0: retirée\u00a0; vous pouvez la reprendre {until}."
    if dossier:
        return State.STARTED, f"Commencée\u00a0; il reste à valider {until}."
    return State.TO_DO, f"À valider {until}."


def _refused_documents(user, students):
    """A household's piece is among those of any of its children: the first one's page shows it."""
    for document in _refused(user.pk):
        whose = f" {with_de(document.student.first_name)}" if document.student else ""
        yield Task(
            title=f"Pièce refusée{whose}\u00a0: {document.type}",
            hint=document.refusal,
            state=State.TO_DO,
            url=reverse("documents:supplied", args=[document.student_id or students[0].pk])
            if document.student_id or students
            else reverse("students:index"),
        )


@prepared
def _refused(user: int) -> QuerySet[Document]:
    documents = Document.objects.visible_to(User(pk=user)).current()
    return documents.filter(verdict=Verdict.REFUSED).select_related("type", "student")


def _absences_to_justify(students):
    """One for each child, whatever the number: its link is the absence's, or that of all his."""
    absences = defaultdict(list)
    keys = [student.pk for student in students]
    for absence in _unjustified(keys, timezone.localdate()):
        absences[absence.enrolment.student].append(absence)
    for student, theirs in absences.items():
        first, whose = theirs[0], with_de(student.first_name)
        said = f"{first.enrolment.course.name}, le {day(first.register.held_on)}"
        if len(theirs) > 1:
            title = f"{len(theirs)} absences {whose} à justifier"
            hint = f"La plus ancienne\u00a0: {said}."
            url = reverse("teaching:absences", args=[student.pk])
        else:
            title = f"Absence {whose} à justifier"
            refused = first.state == AbsenceState.REFUSED
            hint = f"{said}\u00a0: la justification est refusée." if refused else f"{said}."
            url = reverse("teaching:justify_absence", args=[student.pk, first.pk])
        yield Task(title, hint, State.TO_DO, url)


@prepared
def _unjustified(students: list[int], today: dt.date) -> QuerySet[Absence]:
    """Of the school year under way, the oldest first."""
    # From the few keys: of `visible_to`, PostgreSQL would read all the absences of the town.
    return (
        Absence.objects.to_justify()
        .with_state()
        .filter(
            enrolment__student__in=students,
            enrolment__course__school_year__starts_on__lte=today,
            enrolment__course__school_year__ends_on__gte=today,
        )
        .select_related("register", "enrolment__student", "enrolment__course")
        .order_by("register__held_on", "pk")
    )


def _invoices(user, establishment):
    """One for each invoice of which something is left: the overdue first, then by day."""
    today = timezone.localdate()
    unpaid = _unpaid(user.pk, establishment.pk, today)
    for statement in sorted(unpaid, key=lambda each: (each.urgency, each.invoice.pk)):
        amount, hint = _what_is_due(statement)
        yield Task(
            title=f"Facture {statement.invoice.reference}\u00a0: {amount}",
            hint=hint,
            state=State.LATE if statement.is_overdue else State.TO_DO,
            url=reverse("billing:invoice", args=[statement.invoice.pk]),
        )


def _unpaid(user, establishment, today):
    invoices = _issued_invoices(user, establishment, today)
    unpaid = [invoice for invoice in invoices if invoice.settlement in UNPAID]
    instalments = defaultdict(list)
    for instalment in _instalments([invoice.pk for invoice in unpaid]):
        instalments[instalment.invoice_id].append(instalment)
    return [statement_of(invoice, instalments[invoice.pk], [], today) for invoice in unpaid]


@prepared
def _issued_invoices(user: int, establishment: int, today: dt.date) -> QuerySet[Invoice]:
    invoices = Invoice.objects.visible_to(User(pk=user), today).filter(establishment=establishment)
    return invoices.with_amounts(today).order_by()


@prepared
def _instalments(invoices: list[int]) -> QuerySet[Instalment]:
    return Instalment.objects.filter(invoice__in=invoices)


def _what_is_due(statement):
    """An amount, and by when: what is overdue, what is due today, or the next instalment."""
    if statement.is_overdue:
        since = f"depuis le {day(statement.due_since)}" if statement.due_since else "maintenant"
        return euros(statement.due_now), f"En retard\u00a0: à payer {since}."
    if statement.due_now:
        return euros(statement.due_now), "À payer aujourd'hui."
    part = statement.next_part
    amount = euros(part.left)
    if part.left < statement.invoice.left:
        amount = f"prochaine échéance de {amount}"
    return amount, f"À payer jusqu'au {day(part.due_on)}."
