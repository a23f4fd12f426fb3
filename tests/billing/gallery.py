"""Invoices in every state, with long names and many lines: what the pages must bear."""

import datetime as dt
from decimal import Decimal

from django.utils import timezone

from accounts.models import User
from billing import services
from billing.enums import LineKind, PaymentMeans
from billing.models import Instalment, Invoice
from families.models import Family
from students.models import Student
from tests.factories import InvoiceFactory, InvoiceLineFactory

LONG = "Formation musicale, instrument et pratique collective du troisième cycle spécialisé"
WHY = (
    "Tarif résident, QF\u00a0743 (CAF, mai 2026), deuxième enfant\u00a0: 603,00\u00a0€ − 10\u00a0%"
    " = 542,70\u00a0€"
)


class Gallery:
    """Invoices of this household, by the state that each shows."""

    def __init__(self, family: Family, student: Student, actor: User):
        self.family, self.student, self.actor = family, student, actor
        self.references = 0
        self.invoices: dict[str, Invoice] = {}

    def fill(self) -> "Gallery":
        today = timezone.localdate()
        due = self.add("due", ["38.00", "1234.50"], online_until=today + dt.timedelta(days=90))
        self.pay(due, "424.17")
        self.add("nothing", ["0.00"])
        self.add("sixty", ["10.25"] * 60, parts=6)
        self.pay(self.add("paid", ["38.00"]), "38.00")
        self.pay(self.add("overpaid", ["38.00"]), "48.00")
        overdue = self.add("overdue", ["150.00"], parts=3)
        first, second, _ = overdue.instalments.all()
        self.pay(overdue, "60.00")
        for part, days in [(first, 40), (second, 9)]:
            Instalment.objects.filter(pk=part.pk).update(due_on=today - dt.timedelta(days=days))
        credited = self.add("credited", ["90.00"], parts=3)
        self.credit(credited, "40.00")
        cancelled = self.add("cancelled", ["38.00"])
        services.cancel(cancelled, reason="Facture en double", actor=self.actor)
        self.undo()
        return self

    def undo(self) -> None:
        """A cheque bounces, an overpayment goes back in part, and in part elsewhere."""
        bounced = self.add("bounced", ["55.00"])
        cheque = self.pay(bounced, "55.00", PaymentMeans.CHEQUE)
        today = timezone.localdate()
        services.bounce(cheque, paid_on=today, reference="REJET 1", actor=self.actor)
        source, target = self.add("refunded", ["20.00"]), self.add("carried", ["30.00"])
        self.pay(source, "45.00", PaymentMeans.TRANSFER)
        services.refund(
            source,
            amount=Decimal(15),
            means=PaymentMeans.TRANSFER,
            paid_on=today,
            reference="REMB 1",
            actor=self.actor,
        )
        services.carry_over(source, target, amount=Decimal(10), actor=self.actor)

    def add(self, name: str, amounts: list[str], **kwargs) -> Invoice:
        draft = InvoiceFactory(family=self.family, **kwargs)
        for position, amount in enumerate(amounts, start=1):
            InvoiceLineFactory(
                invoice=draft,
                position=position,
                kind=LineKind.FILE_FEE if position == 1 else LineKind.TUITION,
                student=None if position == 1 else self.student,
                label="Frais de dossier" if position == 1 else LONG,
                explanation="Une fois par foyer" if position == 1 else WHY,
                amount=amount,
            )
        self.invoices[name] = services.issue(draft, actor=self.actor)
        return self.invoices[name]

    def pay(self, invoice: Invoice, amount: str, means: PaymentMeans = PaymentMeans.CARD):
        self.references += 1
        return services.record_payment(
            invoice,
            amount=Decimal(amount),
            means=means,
            paid_on=timezone.localdate(),
            reference=f"ENC-2026-{self.references:05}",
            actor=self.actor,
            overpaid=True,
        )

    def credit(self, invoice: Invoice, amount: str) -> Invoice:
        return services.credit(
            invoice,
            lines=[{"label": LONG, "amount": Decimal(amount)}],
            reason="L'atelier du mercredi n'a pas ouvert, faute d'un nombre suffisant d'inscrits",
            actor=self.actor,
        )
