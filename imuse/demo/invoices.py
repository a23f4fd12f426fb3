"""Invoices of this year and the last: paid, paid in part, to pay, overdue."""

import datetime as dt
from decimal import Decimal

from accounts.models import User
from billing import services
from billing.enums import AT_THE_COUNTER, AccountingEntry, InvoiceKind, PaymentMeans
from billing.models import AccountingCode, RegieSettings
from billing.money import ZERO
from families.enums import Zone
from imuse.demo.catalogue import ENSEMBLES, PATH
from imuse.demo.clock import Clock
from imuse.demo.households import Household
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
RENTED = {"Violon", "Violoncelle", "Trompette", "Clarinette", "Flûte traversière"}
ZONES = {Zone.RESIDENT: 0, Zone.CONVENTIONED: 0, Zone.OUTSIDE: 1}
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
}


class Office:
    """The régie at work; the numbers follow the calendar, so the oldest invoice comes first."""

    def __init__(self, town: Town, clock: Clock, actor: User):
        self.town, self.clock, self.actor = town, clock, actor
        self.receipts = 0

    def bill(self, households: list[Household]) -> None:
        self.set_up()
        enrolled = [home for home in households if _is_billed(home)]
        for home in enrolled[:8]:
            invoice = self._cotisation(home, self.town.years[2], issued=-400, due=-370)
            self._receive(invoice, day=-380)
        for index, home in enumerate(enrolled[:30]):
            invoice = self._cotisation(home, self.town.current, issued=-90, due=-45)
            if index % 7 == 3:
                continue  # overdue
            self._receive(invoice, day=-60, part=2 if index % 11 == 5 else 1)
        self._settle_later(enrolled[30:32])
        for index, home in enumerate([h for h in enrolled if self._rented(h)][:12]):
            invoice = self._rental(home, issued=-20, due=15)
            if index % 3 == 0 and index:
                self._receive(invoice, day=-5)

    def _cotisation(self, home, year, *, issued, due):
        lines = [
            {
                "label": f"Frais de dossier {year}",
                "explanation": "Une fois par foyer.",
                "amount": FILE_FEE,
            }
        ]
        for rank, pupil in enumerate((p for p in home.pupils if p.courses), start=1):
            lines += self._lines(home, pupil, rank)
        return self._issue(home, year, InvoiceKind.COTISATION, lines, issued, due)

    def _lines(self, home, pupil, rank):
        zone = home.family.commune.get_zone_display()
        first_name = pupil.student.first_name
        for what in _charged(pupil.courses):
            amount = RATES[what][ZONES[home.family.commune.zone]]
            yield {
                "label": f"{first_name} – {what}",
                "explanation": f"{home.family.commune.name}\u00a0: {zone}.",
                "amount": amount,
            }
            if rank > 1:
                yield {
                    "label": f"{first_name} – réduction pour le second enfant",
                    "explanation": "10\u00a0% de la ligne précédente.",
                    "amount": -amount * SECOND_CHILD,
                }

    def _rental(self, home, *, issued, due):
        lines = [
            {
                "label": f"{pupil.student.first_name} – {name.lower()} du parc du conservatoire",
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

    def _issue(self, home, year, kind, lines, issued, due):
        with self.clock.at(self.clock.moment(issued, 10)):
            invoice = services.draft(
                establishment=self.town.conservatoire,
                school_year=year,
                family=home.family,
                kind=kind,
                due_on=self.clock.day(due),
                lines=lines,
                actor=self.actor,
            )
            return services.issue(invoice, actor=self.actor)

    def _receive(self, invoice, *, day, part=1):
        """The whole amount, or one `part`-th of it."""
        self.receipts += 1
        total = sum(line.amount for line in invoice.lines.all())
        means = AT_THE_COUNTER[self.receipts % len(AT_THE_COUNTER)]
        if means == PaymentMeans.CASH and total / part > CASH_LIMIT:
            means = PaymentMeans.CHEQUE
        with self.clock.at(self.clock.moment(day, 14)):
            services.record_payment(
                invoice,
                amount=total / part,
                means=means,
                paid_on=self.clock.day(day) - dt.timedelta(days=self.receipts % 4),
                reference=f"ENC-{self.receipts:05}",
                actor=self.actor,
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
