"""The journal as files: a table to read, and the fixed layout of the treasury's accounting.

docs/comptabilite.md describes each column of both.
"""

import datetime as dt

from django.core.exceptions import ValidationError

from accounts.models import Establishment
from accounts.references import reference_of
from accounts.spreadsheets import cells
from accounts.spreadsheets.writing import CSV, write
from billing.enums import AccountingEntry, PaymentNature
from billing.models import AccountingCode
from billing.money import ZERO
from billing.regie.journal import (
    balance_before,
    documents_of,
    kept_deposits_of,
    payments_of,
    sum_by_kind,
)
from billing.regie.reconciliation import pairs_of
from billing.regie.settings import settings_of
from billing.services import payer_name

JOURNAL_HEADERS = [
    *["Date", "Nature", "Pièce", "Référence", "Payeur", "Référence de la famille", "Moyen"],
    *["Augmente ce qui est dû", "Diminue ce qui est dû", "Reste dû"],
]
TREASURY_HEADERS = [
    *["journal", "date", "exercice", "nature", "piece", "piece_liee", "tiers", "reference_tiers"],
    *["libelle", "compte_debit", "compte_credit", "montant"],
]
RECONCILIATION_HEADERS = [
    *["Date", "Référence PayFiP", "Identifiant PayFiP (idOp)", "Facture", "Payeur"],
    *["PayFiP dit", "Montant selon PayFiP", "Encaissement", "Moyen", "Encaissé le"],
    *["Montant encaissé", "Écart"],
]
LABEL_LENGTH = 60  # of « libelle », in the treasury's layout


def journal_file(
    format_: str, establishment: Establishment, first: dt.date, last: dt.date
) -> bytes:
    """CSV or XLSX: a line per invoice, credit note and movement, and the balance after it.

    A deposit kept has two, since it is due and paid at once.
    """
    balance = balance_before(establishment, first)
    rows = [[cells.day(first), "report", "", "", "", "", "", "", "", cells.amount(balance)]]
    for at, nature, piece, other, payer, family, means, change in sorted(
        _movements(establishment, first, last), key=lambda row: row[0]
    ):
        balance += change
        rows.append(
            [
                *[cells.day(at), nature, piece, other, payer, family, means],
                *[
                    cells.amount(change) if change > ZERO else "",
                    cells.amount(-change) if change < 0 else "",
                ],
                cells.amount(balance),
            ]
        )
    return write(format_, JOURNAL_HEADERS, rows, title="Journal de la régie")


def reconciliation_file(
    format_: str, establishment: Establishment, first: dt.date, last: dt.date
) -> bytes:
    """CSV or XLSX: a line per operation that PayFiP says paid or payment online that is held."""
    rows = [_pair_row(pair) for pair in pairs_of(establishment, first, last)]
    return write(format_, RECONCILIATION_HEADERS, rows, title="Rapprochement PayFiP")


def treasury_file(establishment: Establishment, first: dt.date, last: dt.date) -> bytes:
    """CSV: a line per invoice (or credit note) and kind of revenue, per movement of money, and per
    deposit kept.

    Raises ValidationError "no_account", which names the entries that still need an account.
    """
    settings = settings_of(establishment)
    book = _Book(settings)
    rows = []
    for invoice in documents_of(establishment, first, last):
        rows += _invoice_rows(book, invoice)
    for payment in payments_of(establishment, first, last):
        rows.append(_payment_row(book, payment))
    book.check()
    for rental in kept_deposits_of(establishment, first, last):
        rows.append(_deposit_row(book, rental))
    written = [[settings.journal_code, *row] for row in sorted(rows, key=lambda row: row[0])]
    for row in written:
        row[1] = f"{row[1]:%Y%m%d}"
    return write(CSV, TREASURY_HEADERS, written, title="Régie")


def _pair_row(pair):
    attempt, payment, invoice = pair.attempt, pair.payment, pair.invoice
    said, held = ["", "", ""], ["", "", "", ""]
    if attempt:
        said = [attempt.idop or "", attempt.get_state_display(), cells.amount(attempt.euros)]
    if payment:
        held = [payment.reference, payment.get_means_display(), cells.day(payment.paid_on)]
        held.append(cells.amount(payment.amount))
    return [
        *[cells.day(pair.day), attempt.refdet if attempt else "", said[0]],
        *[invoice.reference, invoice.payer_name, *said[1:], *held, pair.fault],
    ]


class _Book:
    """The accounts that are set, and the names of those that are asked for and are not."""

    def __init__(self, settings):
        codes = AccountingCode.objects.filter(settings=settings) if settings.pk else []
        self.accounts = {code.entry: code.account for code in codes}
        self.missing = set()

    def __getitem__(self, entry):
        if entry not in self.accounts:
            self.missing.add(AccountingEntry(entry).label)
        return self.accounts.get(entry, "")

    def check(self):
        if self.missing:
            raise ValidationError(
                "Il manque un compte dans les réglages de la régie\u00a0: "
                f"{', '.join(sorted(self.missing))}.",
                code="no_account",
            )


def _invoice_rows(book, invoice):
    is_note = invoice.is_credit_note
    for kind, amount in sum_by_kind(invoice.lines.all()).items():
        if not amount:
            continue
        accounts = [book[AccountingEntry.CLAIM], book[kind.value]]
        # A deduction within an invoice goes the other way, as a credit note does.
        debit, credit = accounts if amount > 0 else reversed(accounts)
        yield [
            *[invoice.issued_on, str(invoice.issued_on.year), "avoir" if is_note else "titre"],
            *[invoice.reference, invoice.credits.reference if is_note else ""],
            *[invoice.payer_name, reference_of(invoice.family)],
            *[kind.label[:LABEL_LENGTH], debit, credit, cells.amount(abs(amount))],
        ]


def _payment_row(book, payment):
    nature = PaymentNature(payment.nature)
    claim = book[AccountingEntry.CLAIM]
    is_carried = nature == PaymentNature.CARRIED
    till = claim if is_carried else book[payment.means]
    debit, credit = (till, claim) if payment.amount > 0 else (claim, till)
    label = f"{nature.label}, {payment.get_means_display()}"
    return [
        *[payment.paid_on, str(payment.paid_on.year), _nature(payment), payment.reference],
        *[payment.invoice.reference, payment.invoice.payer_name],
        *[reference_of(payment.invoice.family), label[:LABEL_LENGTH]],
        *[debit, credit, cells.amount(abs(payment.amount))],
    ]


def _deposit_row(book, rental):
    """What is kept of a deposit becomes revenue: held for the household, it is the town's."""
    debit, credit = book[AccountingEntry.DEPOSIT], book[AccountingEntry.OTHER]
    return [
        *[rental.deposit_settled_on, str(rental.deposit_settled_on.year), KEPT, _piece(rental)],
        *[rental.deposit_reference, payer_name(rental.family), reference_of(rental.family)],
        *["dépôt de garantie gardé", debit, credit, cells.amount(rental.deposit_kept)],
    ]


def _piece(rental):
    return f"LOCATION {rental.pk}"


KEPT, TAKEN = "dépôt gardé", "dépôt imputé"  # due for a damage, and paid by the deposit
NATURES = {
    PaymentNature.RECEIVED: "recette",
    PaymentNature.REFUNDED: "remboursement",
    PaymentNature.BOUNCED: "rejet",
    PaymentNature.CARRIED: "report",
}


def _nature(payment):
    return "annulation" if payment.is_annulment else NATURES[PaymentNature(payment.nature)]


def _movements(establishment, first, last):
    """(day, nature, piece, reference, payer, family, means, change of what is owed)."""
    for invoice in documents_of(establishment, first, last):
        change = sum((line.amount for line in invoice.lines.all()), ZERO)
        yield (
            *[invoice.issued_on, "avoir" if invoice.is_credit_note else "facture"],
            *[invoice.reference, invoice.credits.reference if invoice.is_credit_note else ""],
            *[invoice.payer_name, reference_of(invoice.family), "", change],
        )
    for payment in payments_of(establishment, first, last):
        yield (
            *[payment.paid_on, _nature(payment), payment.reference],
            *[payment.invoice.reference, payment.invoice.payer_name],
            *[reference_of(payment.invoice.family), payment.get_means_display(), -payment.amount],
        )
    for rental in kept_deposits_of(establishment, first, last):
        payer, family = payer_name(rental.family), reference_of(rental.family)
        for nature, change in ((KEPT, rental.deposit_kept), (TAKEN, -rental.deposit_kept)):
            yield (
                *[rental.deposit_settled_on, nature, _piece(rental), rental.deposit_reference],
                *[payer, family, "dépôt de garantie", change],
            )
