"""Receipts: what became of each movement of money, in words. One text, two shapes: page and PDF.

The PDF is `templates/letters/receipt.typ`.
"""

import datetime as dt
from dataclasses import asdict, dataclass

from accounts.dates import day
from accounts.pdfs import render_pdf
from billing.enums import CAN_BOUNCE, PaymentMeans, PaymentNature
from billing.models import Payment
from billing.money import ZERO, euros

BY = {
    PaymentMeans.CARD: "par carte bancaire",
    PaymentMeans.CHEQUE: "par chèque",
    PaymentMeans.CASH: "en espèces",
    PaymentMeans.TRANSFER: "par virement",
    PaymentMeans.ONLINE: "par carte bancaire, en ligne",
    PaymentMeans.DEBIT: "par prélèvement, en ligne",
    PaymentMeans.CARRIED: "par report",
}
WHAT = {
    PaymentMeans.CARD: "paiement par carte bancaire",
    PaymentMeans.CHEQUE: "chèque",
    PaymentMeans.CASH: "paiement en espèces",
    PaymentMeans.TRANSFER: "virement",
    PaymentMeans.DEBIT: "prélèvement",
}
TITLES = {
    PaymentNature.RECEIVED: "Reçu de paiement",
    PaymentNature.REFUNDED: "Remboursement",
    PaymentNature.BOUNCED: "Paiement rejeté",
    PaymentNature.CARRIED: "Trop-perçu reporté",
}


@dataclass(frozen=True)
class Receipt:
    """Everything that is read on a receipt, in French."""

    title: str
    sender: list[str]
    recipient: list[str]
    sentence: str
    facts: list[tuple[str, str]]  # what it is, and what it says
    remarks: list[str]
    date: str


@dataclass(frozen=True)
class Movement:
    """One line of « Paiements »: a movement of money, told in a sentence."""

    payment: Payment
    sentence: str
    is_undone: bool  # it bounced, or was typed in error


def movement_of(payment: Payment) -> Movement:
    """Reads the payment's `bounce`, `reverses` and `counterpart.invoice`."""
    return Movement(payment, _told(payment), _bounce_of(payment) is not None)


def receipt_of(payment: Payment, today: dt.date) -> Receipt:
    """Reads those and the invoice, its establishment and school year."""
    invoice = payment.invoice
    office = invoice.establishment
    return Receipt(
        title="Paiement annulé" if payment.is_annulment else TITLES[payment.nature],
        sender=[office.name, *office.address.splitlines(), office.phone, office.email],
        recipient=[invoice.payer_name, *invoice.payer_address.splitlines()],
        sentence=_sentence(payment),
        facts=[
            ("Montant", euros(abs(payment.amount))),
            ("Moyen", PaymentMeans(payment.means).label),
            ("Date", day(payment.paid_on)),
            ("Référence", payment.reference),
            ("Facture", f"{invoice.reference} du {day(invoice.issued_on)}"),
            ("Année scolaire", str(invoice.school_year)),
        ],
        remarks=_remarks(payment),
        date=f"Établi le {day(today)}.",
    )


def print_receipt(receipt: Receipt) -> bytes:
    """The PDF. Raises ValidationError `pdf`."""
    return render_pdf("letters/receipt.typ", asdict(receipt))


def _told(payment):
    match payment.nature:
        case PaymentNature.REFUNDED:
            return f"Remboursement {BY[payment.means]}"
        case PaymentNature.BOUNCED:
            what = WHAT[payment.means].capitalize()
            return (
                f"{what} du {day(payment.reverses.paid_on)} {_why(payment)}\u00a0: cette somme"
                " est de nouveau à payer"
            )
        case PaymentNature.CARRIED if payment.amount < ZERO:
            return f"Trop-perçu reporté sur la facture {payment.counterpart.invoice.reference}"
        case PaymentNature.CARRIED:
            return f"Trop-perçu de la facture {payment.counterpart.invoice.reference}, reporté ici"
    bounce = _bounce_of(payment)
    end = f", {_why(bounce)} le {day(bounce.paid_on)}" if bounce else ""
    return f"Paiement {BY[payment.means]}{end}"


def _sentence(payment):
    amount, date = euros(abs(payment.amount)), day(payment.paid_on)
    invoice = f"la facture {payment.invoice.reference}"
    match payment.nature:
        case PaymentNature.REFUNDED:
            return (
                f"Nous avons remboursé {amount} {BY[payment.means]} le {date}\u00a0: cette somme"
                f" avait été reçue en trop pour {invoice}."
            )
        case PaymentNature.BOUNCED if payment.is_annulment:
            return (
                f"Le {date}, nous avons annulé le {WHAT[payment.means]} de {amount} daté du"
                f" {day(payment.reverses.paid_on)} pour {invoice}, enregistré par erreur\u00a0:"
                " cette somme est de nouveau à payer."
            )
        case PaymentNature.BOUNCED:
            return (
                f"Le {date}, la banque a rejeté le {WHAT[payment.means]} de {amount} reçu le"
                f" {day(payment.reverses.paid_on)} pour {invoice}\u00a0: cette somme est de nouveau"
                " à payer."
            )
        case PaymentNature.CARRIED:
            other = f"la facture {payment.counterpart.invoice.reference}"
            source, target = (invoice, other) if payment.amount < ZERO else (other, invoice)
            return f"Le {date}, {amount} reçus en trop pour {source} ont été reportés sur {target}."
    return f"Nous avons reçu {amount} {BY[payment.means]} le {date}, pour {invoice}."


def _remarks(payment):
    if payment.nature != PaymentNature.RECEIVED:
        return []
    bounce = _bounce_of(payment)
    if bounce and bounce.is_annulment:
        return [f"Annulé le {day(bounce.paid_on)}\u00a0: ce reçu ne vaut plus paiement."]
    if payment.means not in CAN_BOUNCE:
        return []
    what = WHAT[payment.means]
    if bounce:
        return [
            f"La banque a rejeté ce {what} le {day(bounce.paid_on)}\u00a0: ce reçu ne vaut plus"
            " paiement."
        ]
    return [f"Ce {what} est reçu sous réserve de son encaissement par la banque."]


def _why(undone):
    return "annulé, enregistré par erreur" if undone.is_annulment else "rejeté par la banque"


def _bounce_of(payment):
    return getattr(payment, "bounce", None)
