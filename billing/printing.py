"""An invoice or a credit note on paper: what it was when issued, and the credits since.

The page `billing:invoice` is its accessible twin; what was paid since stands there alone.
"""

from django.http import HttpResponse

from accounts.attachments import attached_pdf
from accounts.dates import day
from accounts.pdfs import render_pdf
from billing.models import Invoice
from billing.money import ZERO, euros


def pdf_response(invoice: Invoice) -> HttpResponse:
    """The file, to download; raises ValidationError `pdf`."""
    kind = "avoir" if invoice.is_credit_note else "facture"
    return attached_pdf(invoice_pdf(invoice), f"{kind}-{invoice.reference}.pdf")


def invoice_pdf(invoice: Invoice) -> bytes:
    """The PDF of an issued invoice; to be called outside a transaction. Raises ValidationError."""
    return render_pdf("billing/invoice.typ", data_of(invoice))


def data_of(invoice: Invoice) -> dict:
    """Everything that is read on it, in French. Seven queries, whatever its length."""
    invoice = Invoice.objects.select_related("establishment", "school_year", "credits").get(
        pk=invoice.pk
    )
    lines = list(invoice.lines.select_related("student"))
    office = invoice.establishment
    is_credit = invoice.is_credit_note
    return {
        "title": f"{'Avoir' if is_credit else 'Facture'} {invoice.reference}",
        "subtitle": f"Avoir sur la facture {invoice.credits.reference}" if is_credit else "",
        "sender": [office.name, *office.address.splitlines(), office.phone, office.email],
        "recipient": [invoice.payer_name, *invoice.payer_address.splitlines()],
        "facts": _facts(invoice),
        "lines": [
            {
                "label": line.label,
                "whose": line.whose,
                "explanation": line.explanation,
                "amount": euros(line.amount),
            }
            for line in lines
        ],
        "total": euros(sum((line.amount for line in lines), ZERO)),
        "instalments": [] if is_credit else _instalments(invoice),
        "until": [] if is_credit else _until(invoice),
        "credits": [] if is_credit else _credits(invoice),
        "help": (
            f"Pour toute question, indiquez la référence {invoice.reference}\u00a0: {office.phone},"
            f" {office.email}."
        ),
    }


def _facts(invoice):
    facts = [
        ("Émis le" if invoice.is_credit_note else "Émise le", day(invoice.issued_on)),
        ("Année scolaire", str(invoice.school_year)),
        ("Objet", invoice.get_kind_display()),
    ]
    if invoice.is_credit_note:
        facts.append(("Motif", invoice.reason))
    return facts


def _instalments(invoice):
    return [
        {"number": str(row.number), "due": day(row.due_on), "amount": euros(row.amount)}
        for row in invoice.instalments.all()
    ]


def _until(invoice):
    return [
        f"En ligne, jusqu'au {day(invoice.online_until)}.",
        f"Au guichet, jusqu'au {day(invoice.counter_until)}.",
    ]


def _credits(invoice):
    """What was taken off since: a paper that went without saying would be paid twice."""
    notes = invoice.credit_notes.order_by("pk").prefetch_related("lines")
    return [
        f"Avoir {note.reference} du {day(note.issued_on)}\u00a0: "
        f"{euros(sum((line.amount for line in note.lines.all()), ZERO))}."
        for note in notes
    ]
