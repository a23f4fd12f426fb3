"""What must stay true of the data whatever happens (`manage.py check_invariants`).

Each check yields a French sentence for each thing that is wrong, and nothing when all is well.
What the database itself refuses is not looked for again, except the duplicates, in case somebody
took the constraint away.
"""

from collections import defaultdict
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise

from django.db.models import Count, Exists, F, Max, OuterRef, Prefetch, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from accounts.enums import MailKind
from accounts.models import Mail
from billing.enums import InvoiceStatus, PaymentNature
from billing.instruments.invariants import rentals
from billing.models import Invoice, InvoiceSeries, Payment, PaymentAttempt, PaymentReminder
from billing.money import ZERO, SumField, euros
from billing.regie.invariants import closed_days, receipts
from documents import keeping
from documents.enums import FileGone, Preview
from documents.models import Document, PageImage
from families.models import Family, Guardian, Merge
from families.reminders import outcomes
from reenrolment.enums import NEXT, TO_EXAMINE, Status
from reenrolment.models import (
    CourseChoice,
    PieceReminder,
    Reenrolment,
    Transition,
)
from students.enums import NEXT_WAITING, WITHOUT_SLOT, EnrolmentStatus, WaitingState
from students.models import Enrolment, Hold, WaitingEntry, WaitingMove
from teaching.invariants import OF_THE_YEAR

GIVEN_BACK = [Status.REFUSED, Status.WITHDRAWN]
_LOG = Prefetch("moves", WaitingMove.objects.order_by("pk"), to_attr="log")


def seats() -> Iterator[str]:
    """A place is one of the slot of the course that it is held for; nobody holds two alike.

    One row per place and one enrolment per place: a slot cannot be oversold.
    """
    elsewhere = Enrolment.objects.exclude(place=None).exclude(course=F("place__slot__course"))
    for enrolment in elsewhere.select_related("student", "course", "place__slot__course"):
        yield f"{enrolment} occupe une place d'un autre cours, {_quoted(enrolment.place.slot)}."
    unseated = Enrolment.objects.exclude(place=None).filter(course__scheduling__in=WITHOUT_SLOT)
    for enrolment in unseated.select_related("student", "course"):
        yield f"{enrolment} occupe une place alors que ce cours n'a pas de créneau."
    astray = Hold.objects.exclude(course=F("place__slot__course"))
    for held in astray.select_related("student", "course", "place__slot__course"):
        yield f"{held.student} garde une place d'un autre cours, {_quoted(held.place.slot)}."


def waiting_lists() -> Iterator[str]:
    """A place is offered to whoever it is kept for, and nobody waits for what he has or gave up."""
    entries = WaitingEntry.objects.select_related("student", "course", "slot__course")
    astray = entries.exclude(slot=None).exclude(course=F("slot__course"))
    for entry in astray.order_by("pk"):
        yield f"{entry}\u00a0: ce créneau n'est pas du cours {_quoted(entry.course)}."
    unkept = entries.filter(state=WaitingState.OFFERED, hold=None)
    for entry in unkept.order_by("pk"):
        yield f"{entry}\u00a0: une place est proposée et aucune n'est gardée."
    yield from _wrong_offers()
    yield from _needless_waits(entries.live())
    for entry in entries.order_by("pk").prefetch_related(_LOG).iterator(chunk_size=500):
        yield from _wrong_moves(entry)


def _wrong_offers():
    offers = Hold.objects.exclude(entry=None).select_related("entry__student", "place__slot")
    for offer in offers.order_by("pk"):
        entry = offer.entry
        if entry.state != WaitingState.OFFERED:
            state = _quoted(entry.get_state_display())
            yield f"{entry}\u00a0: une place est gardée et la demande est {state}."
        if (offer.student_id, offer.course_id) != (entry.student_id, entry.course_id):
            yield f"{entry}\u00a0: la place gardée est d'un autre élève ou d'un autre cours."
        if entry.slot_id not in (None, offer.place.slot_id):
            yield f"{entry}\u00a0: la place gardée est d'un autre créneau."


def _needless_waits(live):
    seated = Enrolment.objects.live().filter(student=OuterRef("student"), place__isnull=False)
    there = Exists(seated.filter(place__slot=OuterRef("slot")))
    anywhere = Q(Exists(seated.filter(course=OuterRef("course"))), slot=None)
    # « Any slot » may have one of them offered still, when an agent gives him another place.
    waits_for_any = anywhere & Q(state=WaitingState.WAITING)
    for entry in live.filter(there | waits_for_any).order_by("pk"):
        yield f"{entry}\u00a0: l'élève attend une place qu'il a."
    dossiers = Reenrolment.objects.filter(
        student=OuterRef("student"),
        campaign__establishment=OuterRef("course__establishment"),
        campaign__school_year=OuterRef("course__school_year"),
        status__in=GIVEN_BACK,
    )
    for entry in live.filter(Exists(dossiers)).order_by("pk"):
        yield f"{entry}\u00a0: l'élève attend encore, et son dossier est refusé ou retiré."


def _wrong_moves(entry):
    """The log leads to the present state; who was seated before others may never have waited."""
    states = [WaitingState(move.to_state) for move in entry.log]
    starts = [WaitingState.WAITING, WaitingState.ACCEPTED]
    pairs = pairwise(states)
    if not states or states[0] not in starts or any(b not in NEXT_WAITING[a] for a, b in pairs):
        yield f"{entry}\u00a0: le journal ne suit pas les états d'une demande."
    elif states[-1] != entry.state:
        now, then = _quoted(entry.get_state_display()), _quoted(states[-1].label)
        yield f"{entry}\u00a0: l'état est {now} et le journal s'arrête à {then}."


def one_dossier() -> Iterator[str]:
    """One dossier per student and campaign."""
    twice = (
        Reenrolment.objects.order_by("student")
        .values("campaign", "student", "student__first_name", "student__last_name")
        .annotate(dossiers=Count("pk"))
        .filter(dossiers__gt=1)
    )
    for row in twice:
        name = f"{row['student__first_name']} {row['student__last_name']}"
        yield f"{name} a {row['dossiers']} dossiers dans la même campagne."


def files() -> Iterator[str]:
    """What was handed in is in the store, byte for byte. Reads every file.

    A row whose file went on purpose says so (`file_gone_at`); none does while a dossier to examine
    relies on it, but for the pieces of an erased household and those that were infected.
    """
    rows = Document.objects.select_related("type").order_by("uploaded_at", "pk")
    gone = rows.exclude(file_gone_reason__in=["", FileGone.ERASED, FileGone.INFECTED])
    for document in gone.filter(keeping.relied_on()):
        yield f"{document} ({document.pk})\u00a0: un dossier à examiner n'a plus ce fichier."
    for document in rows.with_file().iterator():
        try:
            with document.file.open() as file:
                digest = sha256(file.read()).hexdigest()
        except Exception as error:  # each storage has its own
            why = type(error).__name__
            yield f"{document} ({document.pk})\u00a0: le fichier ne se lit pas ({why})."
        else:
            if digest != document.sha256:
                yield f"{document} ({document.pk})\u00a0: le fichier gardé n'est plus le même."


def page_images() -> Iterator[str]:
    """An image of a page goes with its document's file; what is said to be drawn is there."""
    orphans = PageImage.objects.filter(document__file="").select_related("document__type")
    for image in orphans.order_by("document", "number"):
        yield f"{image} ({image.document_id})\u00a0: l'image est restée après le fichier."
    blank = Document.objects.filter(preview=Preview.DONE, page_images=None).select_related("type")
    for document in blank.order_by("uploaded_at", "pk"):
        yield f"{document} ({document.pk})\u00a0: l'aperçu est dit prêt et n'a aucune image."


def choices() -> Iterator[str]:
    """No half dossier: what its state promises is held, what it gave up is given back."""
    rows = CourseChoice.objects.select_related(
        "reenrolment__student",
        "reenrolment__campaign",
        "enrolment__course__next_course",
        "granted__course",
        "granted__place",
    )
    for choice in rows.order_by("reenrolment", "pk").iterator():
        for wrong in _wrongs(choice):
            yield f"{choice.reenrolment}, vœu {_quoted(choice)}\u00a0: {wrong}."


def _wrongs(choice):
    dossier, granted = choice.reenrolment, choice.granted
    if choice.enrolment.student_id != dossier.student_id:
        yield "le cours suivi est celui d'un autre élève"
    if granted and granted.student_id != dossier.student_id:
        yield "l'inscription de l'année préparée est celle d'un autre élève"
    if granted and granted.course.school_year_id != dossier.campaign.school_year_id:
        yield "l'inscription n'est pas de l'année préparée"
    if dossier.status == Status.DRAFT and granted:
        yield "un brouillon ne tient aucune inscription"
    if dossier.status in GIVEN_BACK and granted and granted.status != EnrolmentStatus.RELEASED:
        yield "l'inscription n'a pas été rendue"
    if choice.wanted and dossier.status in TO_EXAMINE:
        yield from _wrongs_to_examine(choice)
    if choice.wanted and dossier.status == Status.VALIDATED:
        yield from _wrongs_validated(granted)


def _wrongs_to_examine(choice):
    """A course known since the year was prepared is granted at once, a slot picked is held.

    `Enrolment.next_course` says nothing here: a jury may decide after the dossier is submitted. An
    agent may have confirmed the enrolment by hand, or given it back: the dossier is then to place.
    """
    course, granted = choice.enrolment.course.next_course, choice.granted
    known = course and course.school_year_id == choice.reenrolment.campaign.school_year_id
    if granted is None:
        if choice.slot_id or known:
            yield "aucune inscription n'a été prise"
    elif granted.is_live and choice.slot_id and not granted.is_placed:
        yield "aucune place n'est tenue alors qu'un créneau a été choisi"


def _wrongs_validated(granted):
    if granted is None:
        yield "le dossier est validé sans inscription"
    elif granted.status == EnrolmentStatus.REQUESTED:
        yield "le dossier est validé et l'inscription seulement demandée"
    elif granted.is_live and not granted.is_placed:
        yield "le dossier est validé et l'élève n'est pas placé"


def acknowledgements() -> Iterator[str]:
    """Each submission is acknowledged to the guardians with an account, who had an address then.

    Of a guardian without an account one cannot say since when the address is known; nor since when
    a household is the student's: the mails of a submission are written together, all or none. Nor
    who was of a household that has absorbed its double since.
    """
    sent = set(Mail.objects.filter(kind=MailKind.ACKNOWLEDGEMENT).values_list("key", flat=True))
    guardians = defaultdict(list)
    reached = Guardian.objects.exclude(email="").exclude(user=None).select_related("user")
    for guardian in reached.annotate(student=F("family__students")).order_by("pk"):
        guardians[guardian.student].append(guardian)
    merged_at = dict(Merge.objects.order_by().values_list("family").annotate(Max("at")))
    submissions = Transition.objects.filter(to_status=Status.SUBMITTED)
    for transition in submissions.select_related("reenrolment__student").order_by("pk"):
        dossier = transition.reenrolment
        move = f"{MailKind.ACKNOWLEDGEMENT}:{dossier.pk}:{transition.pk}"
        theirs = guardians[dossier.student_id]
        if any(g.family_id in merged_at and transition.at < merged_at[g.family_id] for g in theirs):
            continue
        then = [guardian for guardian in theirs if guardian.user.date_joined <= transition.at]
        if not any(f"{move}:{guardian.pk}" in sent for guardian in then):
            for guardian in then:
                yield f"{dossier}\u00a0: pas d'accusé de réception pour {guardian}."
    known = {f"{move.reenrolment_id}:{move.pk}" for move in submissions}
    for key in sorted(sent):
        if ":".join(key.split(":")[1:3]) not in known:
            yield f"L'accusé de réception {key} n'a pas de dépôt."


def moves() -> Iterator[str]:
    """The log leads from the draft to the present state, by allowed moves."""
    log = Prefetch("transitions", Transition.objects.order_by("pk"), to_attr="log")
    dossiers = Reenrolment.objects.select_related("student").prefetch_related(log).order_by("pk")
    for dossier in dossiers.iterator(chunk_size=500):
        state = Status.DRAFT
        for move in dossier.log:
            if move.from_status != state or move.to_status not in NEXT[state]:
                after = _quoted(state.label)
                yield f"{dossier}\u00a0: le mouvement {_quoted(move)} ne suit pas {after}."
                break
            state = Status(move.to_status)
        else:
            if state != dossier.status:
                now, then = _quoted(dossier.get_status_display()), _quoted(state.label)
                yield f"{dossier}\u00a0: l'état est {now} et le journal s'arrête à {then}."


def invoice_numbers() -> Iterator[str]:
    """The issued invoices of an establishment and year are numbered 1, 2, 3… to the counter."""
    issued = defaultdict(set)
    rows = Invoice.objects.filter(status=InvoiceStatus.ISSUED)
    for establishment, year, number in rows.values_list("establishment", "year", "number"):
        issued[establishment, year].add(number)
    for series in InvoiceSeries.objects.select_related("establishment").order_by("pk"):
        numbers = issued.pop((series.establishment_id, series.year), set())
        name = f"Factures {series.year} ({series.establishment})"
        if missing := set(range(1, series.last_number + 1)) - numbers:
            yield f"{name}\u00a0: il manque {_listed(missing)}."
        if beyond := {number for number in numbers if number > series.last_number}:
            yield f"{name}\u00a0: {_listed(beyond)} au-delà du compteur ({series.last_number})."
    for (_, year), numbers in issued.items():
        yield f"Factures {year}\u00a0: {_listed(numbers)} sans compteur."


def invoice_amounts() -> Iterator[str]:
    """An issued invoice has lines, instalments of as much, and no more credit than it came to."""
    issued = Invoice.objects.with_amounts().filter(status=InvoiceStatus.ISSUED)
    due = Invoice.objects.filter(pk=OuterRef("pk")).annotate(due=Sum("instalments__amount"))
    due = Coalesce(Subquery(due.values("due")), Value(ZERO), output_field=SumField())
    rows = issued.annotate(count=Count("lines"), due=due)
    for invoice in rows.order_by("pk"):
        if not invoice.count:
            yield f"La facture {invoice} n'a aucune ligne."
        elif invoice.is_credit_note:
            if invoice.total >= ZERO:
                yield f"L'avoir {invoice} n'est pas négatif\u00a0: {euros(invoice.total)}."
        elif invoice.total < ZERO:
            yield f"Le total de la facture {invoice} est négatif\u00a0: {euros(invoice.total)}."
        elif invoice.due != invoice.total:
            amounts = f"{euros(invoice.due)} d'échéances pour {euros(invoice.total)}"
            yield f"La facture {invoice} n'est pas répartie\u00a0: {amounts}."
        elif invoice.credited > invoice.total:
            amounts = f"{euros(invoice.credited)} pour {euros(invoice.total)}"
            yield f"Les avoirs de la facture {invoice} la dépassent\u00a0: {amounts}."


def payments_undone() -> Iterator[str]:
    """What bounced is undone whole; what is carried over leaves one invoice for another."""
    for bounce in Payment.objects.exclude(reverses=None).select_related("reverses").order_by("pk"):
        if bounce.amount != -bounce.reverses.amount or bounce.invoice_id != (
            bounce.reverses.invoice_id
        ):
            yield f"Le rejet {bounce} n'annule pas {bounce.reverses}."
    carried = Payment.objects.filter(nature=PaymentNature.CARRIED).select_related("counterpart")
    for payment in carried.order_by("pk"):
        other = payment.counterpart
        if other is None or other.amount != -payment.amount or other.counterpart_id != payment.pk:
            yield f"Le report {payment} n'a pas sa contrepartie."


def payments_online() -> Iterator[str]:
    """What PayFiP paid is received whole, for the invoice that it was asked for."""
    paid = PaymentAttempt.objects.exclude(payment=None).select_related("payment")
    for attempt in paid.order_by("pk"):
        payment = attempt.payment
        if (payment.amount, payment.invoice_id) != (attempt.euros, attempt.invoice_id):
            yield f"Le paiement en ligne {attempt} n'est pas l'encaissement {payment}."


def addresses() -> Iterator[str]:
    """« mot de passe perdu » writes to the account's address: it is the guardian's."""
    reached = Guardian.objects.exclude(email="").exclude(user=None)
    others = reached.exclude(email=F("user__email")).select_related("user")
    for guardian in others.order_by("pk"):
        emails = f"{guardian.email} et {guardian.user.email}"
        yield f"{guardian} et son compte n'ont pas la même adresse\u00a0: {emails}."


def erasures() -> Iterator[str]:
    """Of an erased household nothing is left that says who it was, but its issued invoices."""
    for family in Family.objects.erased().order_by("pk"):
        left = family.guardians.exclude(user=None, email="", mobile_phone="", home_phone="")
        documents = family.documents.with_file()
        counts = [(left.count(), "responsable(s)"), (documents.count(), "pièce(s)")]
        for count, what in counts:
            if count:
                yield f"Le foyer {family.pk} est effacé et il en reste {count} {what}."


def reminders() -> Iterator[str]:
    """A reminder that is over has told every household, each written to has its mail."""
    for model in (PieceReminder, PaymentReminder):
        over = model.objects.filter(Q(ended_at__isnull=False), lines__outcome=outcomes.TO_DO)
        for reminder in over.distinct().order_by("pk"):
            yield f"{reminder} (n° {reminder.pk}) est fini et il lui reste des foyers à relancer."
        written = model.objects.filter(lines__outcome=outcomes.SENT)
        keys = Mail.objects.filter(kind=model.mail_kind).values_list("key", flat=True)
        mailed = {int(key.split(":")[1]) for key in keys}
        for reminder in written.distinct().order_by("pk"):
            if reminder.pk not in mailed:
                yield (
                    f"{reminder} (n° {reminder.pk}) dit avoir relancé des foyers et aucun message "
                    "n'est écrit."
                )


CHECKS = [
    seats,
    waiting_lists,
    one_dossier,
    files,
    page_images,
    choices,
    acknowledgements,
    moves,
    invoice_numbers,
    invoice_amounts,
    payments_undone,
    payments_online,
    rentals,
    receipts,
    closed_days,
    *OF_THE_YEAR,
    addresses,
    erasures,
    reminders,
]


def violations() -> Iterator[str]:
    """Everything that is wrong, check after check; the database is only read."""
    for check in CHECKS:
        yield from check()


def _quoted(text):
    return f"«\u00a0{text}\u00a0»"


def _listed(numbers):
    return "n° " + ", ".join(str(number) for number in sorted(numbers))
