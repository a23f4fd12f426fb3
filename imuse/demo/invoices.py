"""Invoices of this year and the last: paid, paid in part, to pay, overdue.

One household has lived through more: instalments, a cheque that bounced, a credit note, too much.
"""

import datetime as dt
from decimal import Decimal

from accounts.models import User
from billing import services
from billing.enums import (
    AT_THE_COUNTER,
    AccountingEntry,
    AttemptState,
    InvoiceKind,
    LineKind,
    PaymentMeans,
    Saisie,
)
from billing.models import AccountingCode, PayFiPAccount, RegieSettings
from billing.money import ZERO
from families.enums import Zone
from imuse.demo.catalogue import ENSEMBLES, PATH
from imuse.demo.clock import Clock
from imuse.demo.households import Household
from imuse.demo.online import NUMCLI, leave_in_doubt, pay_online
from imuse.demo.runs import bill_the_year, leave_one_to_check
from imuse.demo.town import Town

FILE_FEE = Decimal("38.00")
RATES = {  # what is followed: territory, outside
    "cursus musical": (Decimal("246.00"), Decimal("603.00")),
    "danse": (Decimal("174.00"), Decimal("320.00")),
    "éveil ou initiation": (Decimal("108.00"), Decimal("198.00")),
    "atelier ou chœur": (Decimal("96.00"), Decimal("117.00")),
}
SECOND_CHILD = Decimal("0.10")
RENTAL = Decimal("150.00")
EXCESS = Decimal("10.00")
RENTED = {"Violon", "Violoncelle", "Trompette", "Clarinette", "Flûte traversière"}
ZONES = {Zone.RESIDENT: 0, Zone.CONVENTIONED: 0, Zone.OUTSIDE: 1}
ONLINE = {  # which households pay so, as many days ago
    **dict.fromkeys([2, 8, 14, 20], AttemptState.PAID),
    **dict.fromkeys([9, 26], AttemptState.DEBITED),
}
DOUBTFUL = 10
CASH_LIMIT = 300  # euros
ACCOUNTS = {  # examples
    AccountingEntry.CLAIM: "4112",
    AccountingEntry.FILE_FEE: "7062",
    AccountingEntry.TUITION: "7062",
    AccountingEntry.RENTAL: "7083",
    AccountingEntry.OTHER: "7088",
    AccountingEntry.CARD: "5115",
    AccountingEntry.CHEQUE: "5112",
    AccountingEntry.CASH: "5412",
    AccountingEntry.TRANSFER: "5159",
    AccountingEntry.ONLINE: "5115",
    AccountingEntry.DEBIT: "5117",
    AccountingEntry.DEPOSIT: "165",
}


class Office:
    """The régie at work; the numbers follow the calendar, so the oldest invoice comes first."""

    def __init__(self, town: Town, clock: Clock, actor: User):
        self.town, self.clock, self.actor = town, clock, actor
        self.receipts = 0
        # In test, where no money moves: `make demo` starts the simulator of PayFiP.
        PayFiPAccount.objects.create(
            establishment=town.conservatoire, numcli=NUMCLI, saisie=Saisie.TEST, is_active=True
        )

    def bill(self, households: list[Household], tried: Household) -> None:
        """`tried`: the household of the account that one tries first."""
        self.set_up()
        enrolled = [home for home in households if _is_billed(home)]
        for home in enrolled[:8]:
            invoice = self._cotisation(home, self.town.years[2], issued=-400, due=-370)
            excess = EXCESS if home is tried else ZERO
            self._receive(invoice, day=-380, excess=excess)
        families = [home.family for home in enrolled[:30] if home is not tried]
        billed = bill_the_year(self.town, self.clock, self.actor, families, issued=-90, due=-45)
        for index, family in enumerate(families):
            invoice = billed.get(family.pk)
            if invoice is None:
                continue
            if index % 7 == 3:  # overdue
                if index == DOUBTFUL:
                    leave_in_doubt(invoice, self.clock, day=-4)
                continue
            if state := ONLINE.get(index):
                pay_online(invoice, self.clock, day=-index, state=state)
                continue
            self._receive(invoice, day=-60, part=2 if index % 11 == 5 else 1)
        self._pay_in_instalments(tried.family)
        for index, home in enumerate([h for h in enrolled if self._rented(h)][:12]):
            invoice = self._rental(home, issued=-20, due=15)
            if home is tried:
                self._credit(invoice, day=-3)
            elif index % 3 == 0:
                self._receive(invoice, day=-5)
        self._settle_later([home for home in enrolled[30:] if home is not tried][:2])
        leave_one_to_check(self.town, self.clock, self.actor)

    def _pay_in_instalments(self, family):
        """Three: the first paid, once the cheque had bounced; the second overdue."""
        [invoice] = bill_the_year(
            *(self.town, self.clock, self.actor, [family]), issued=-60, due=-35, parts=3
        ).values()
        first = invoice.instalments.first().amount
        cheque = self._record(invoice, first, PaymentMeans.CHEQUE, day=-45)
        with self.clock.at(self.clock.moment(-41, 9)):
            services.bounce(
                cheque,
                paid_on=self.clock.day(-41),
                reference=f"REJET {cheque.reference}",
                actor=self.actor,
            )
        self._record(invoice, first, PaymentMeans.CARD, day=-36)

    def _credit(self, invoice, *, day):
        line = invoice.lines.first()
        with self.clock.at(self.clock.moment(day, 11)):
            services.credit(
                invoice,
                lines=[
                    {
                        "kind": line.kind,
                        "student": line.student,
                        "label": "Un tiers de la location",
                        "explanation": "L'instrument a été prêté un trimestre plus tard.",
                        "amount": line.amount / 3,
                    }
                ],
                reason="Instrument disponible en janvier seulement",
                actor=self.actor,
            )

    def _cotisation(self, home, year, *, issued, due, parts=1):
        lines = [
            {
                "kind": LineKind.FILE_FEE,
                "label": f"Frais de dossier {year}",
                "explanation": "Une fois par foyer.",
                "amount": FILE_FEE,
            }
        ]
        for rank, pupil in enumerate((p for p in home.pupils if p.courses), start=1):
            lines += self._lines(home, pupil, rank)
        return self._issue(home, year, InvoiceKind.COTISATION, lines, issued, due, parts)

    def _lines(self, home, pupil, rank):
        zone = home.family.commune.get_zone_display()
        about = {"kind": LineKind.TUITION, "student": pupil.student}
        for what in _charged(pupil.courses):
            amount = RATES[what][ZONES[home.family.commune.zone]]
            yield {
                **about,
                "label": what.capitalize(),
                "explanation": f"{home.family.commune.name}\u00a0: {zone}.",
                "amount": amount,
            }
            if rank > 1:
                yield {
                    **about,
                    "label": "Réduction pour le second enfant",
                    "explanation": "10\u00a0% de la ligne précédente.",
                    "amount": -amount * SECOND_CHILD,
                }

    def _rental(self, home, *, issued, due):
        lines = [
            {
                "kind": LineKind.RENTAL,
                "student": pupil.student,
                "label": f"{name} du parc du conservatoire",
                "explanation": f"Prêt pour l'année {self.town.current}, entretien compris.",
                "amount": RENTAL,
            }
            for pupil, name in self._rented(home)
        ]
        return self._issue(home, self.town.current, InvoiceKind.LOCATION, lines, issued, due)

    def _rented(self, home):
        """Beginners rent their instrument, and the Martins a keyboard."""
        return [
            (pupil, name)
            for pupil in home.pupils
            for name in pupil.courses
            if (name in RENTED and {PATH[2], PATH[3], PATH[5]} & set(pupil.courses))
            or (name == "Piano" and home.family.name == "Martin")
        ]

    def _issue(self, home, year, kind, lines, issued, due, parts=1):
        with self.clock.at(self.clock.moment(issued, 10)):
            invoice = services.draft(
                establishment=self.town.conservatoire,
                school_year=year,
                family=home.family,
                kind=kind,
                due_on=self.clock.day(due),
                parts=parts,
                lines=lines,
                actor=self.actor,
            )
            return services.issue(invoice, actor=self.actor)

    def _receive(self, invoice, *, day, part=1, excess=ZERO):
        """The whole amount, or one `part`-th of it."""
        total = sum(line.amount for line in invoice.lines.all())
        means = AT_THE_COUNTER[(self.receipts + 1) % len(AT_THE_COUNTER)]
        if means == PaymentMeans.CASH and total / part > CASH_LIMIT:
            means = PaymentMeans.CHEQUE
        self._record(invoice, total / part + excess, means, day=day)

    def _record(self, invoice, amount, means, *, day):
        self.receipts += 1
        with self.clock.at(self.clock.moment(day, 14)):
            return services.record_payment(
                invoice,
                amount=amount,
                means=means,
                paid_on=self.clock.day(day) - dt.timedelta(days=self.receipts % 4),
                reference=f"ENC-{self.receipts:05}",
                actor=self.actor,
                overpaid=True,
            )

    def _settle_later(self, households):
        """What the régie has to settle: a cheque too big, and one that the bank sent back."""
        generous, bounced = (
            self._cotisation(home, self.town.current, issued=-15, due=20) for home in households
        )
        with self.clock.at(self.clock.moment(-12, 14)):
            facts = {"means": PaymentMeans.CHEQUE, "paid_on": self.clock.day(-12)}
            for invoice, excess in ((generous, Decimal(20)), (bounced, ZERO)):
                total = sum(line.amount for line in invoice.lines.all())
                payment = services.record_payment(
                    invoice,
                    amount=total + excess,
                    reference=f"CHQ-DEMO-{invoice.pk}",
                    actor=self.actor,
                    overpaid=True,
                    **facts,
                )
        with self.clock.at(self.clock.moment(-4, 9)):
            services.bounce(
                payment, paid_on=self.clock.day(-4), reference="REJET-DEMO", actor=self.actor
            )

    def set_up(self) -> None:
        """Accounts to try the treasury's file with; a town's own are its accountant's to give."""
        regie = RegieSettings.objects.create(establishment=self.town.conservatoire)
        for entry in AccountingEntry:
            AccountingCode.objects.create(settings=regie, entry=entry, account=ACCOUNTS[entry])


def _is_billed(home):
    """A child's first household is, for the courses of this year."""
    return home.rank == 1 and any(pupil.courses for pupil in home.pupils)


def _charged(courses):
    """Which rates the courses come to."""
    names = set(courses)
    charged = []
    if any(name.startswith("Formation") or name in ENSEMBLES for name in names):
        charged.append("cursus musical")
    if any("danse" in name.lower() for name in names):
        charged.append("danse")
    if names & {"Éveil musical", "Initiation musicale"}:
        charged.append("éveil ou initiation")
    return charged or ["atelier ou chœur"]
