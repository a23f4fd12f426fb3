"""The instrument park: most of it lent, one instrument late, one at the luthier's."""

import datetime as dt
from decimal import Decimal

from accounts.models import User
from billing.enums import InvoiceKind
from billing.instruments import deposits, park, rentals
from billing.instruments.enums import Condition
from billing.models import Instrument, InstrumentKind, InvoiceLine, Rental, RentalCharge
from imuse.demo.clock import Clock
from imuse.demo.households import Household, Pupil
from imuse.demo.invoices import RENTAL
from imuse.demo.town import Town
from students.models import SchoolYear

DEPOSIT = Decimal("200.00")
INSURERS = ["MAIF", "MACIF", "GMF", "Matmut"]
# Kind, letters of its inventory numbers, brand and model, value, sizes.
PARK = [
    ("Violon", "V", "Stentor", "Student II", 420, ["1/4", "1/2", "1/2", "3/4", "3/4", ""]),
    ("Alto", "A", "Gewa", "Allegro", 560, ["", ""]),
    ("Violoncelle", "VC", "Stentor", "Conservatoire", 1450, ["1/2", "3/4", "", ""]),
    ("Flûte traversière", "F", "Yamaha", "YFL-212", 690, [""] * 3),
    ("Clarinette", "CL", "Buffet Crampon", "Prodige", 780, [""] * 3),
    ("Hautbois", "HB", "Marigaux", "Modèle d'étude", 2900, [""]),
    ("Saxophone alto", "SX", "Yamaha", "YAS-280", 1190, [""]),
    ("Trompette", "TP", "Bach", "TR-650", 640, [""] * 7),
    ("Cor d'harmonie", "CR", "Holton", "H-602", 2100, [""]),
    ("Clavier numérique", "PN", "Yamaha", "P-145", 510, ["", ""]),
]
AT_HOME = {"Piano": "Clavier numérique"}  # what is lent for a course
LONG_AGO = dt.timedelta(days=9 * 365)


class Storeroom:
    """The régie lends what the invoices of rentals say, and a few more."""

    def __init__(self, town: Town, clock: Clock, actor: User):
        self.town, self.clock, self.actor = town, clock, actor
        self.free: dict[str, list[Instrument]] = {}
        self.lent = 0

    def fill(self, households: list[Household]) -> None:
        self._buy()
        billed = self._lend_what_is_billed(households)
        others = [
            (home, pupil)
            for home in households
            for pupil in home.pupils
            if home.rank == 1 and home.family.pk not in billed and len(pupil.courses) > 1
        ]
        self._lend_late(*others[0])
        self._lend_damaged(*others[1])
        self._reserve(*others[2])
        self._repair()
        park.retire(self.free["Violon"].pop(0), on=self.clock.day(-120))

    def _buy(self):
        for name, letters, brand, model, value, sizes in PARK:
            kind = InstrumentKind.objects.create(name=name)
            self.free[name] = [
                Instrument.objects.create(
                    establishment=self.town.conservatoire,
                    kind=kind,
                    inventory_number=f"{letters}-{number:03}",
                    size=size,
                    brand=brand,
                    model=model,
                    serial_number=f"{letters}{value * 7 + number * 613}",
                    condition=Condition.NEW if number == 1 else Condition.GOOD,
                    value=value,
                    bought_on=self.clock.today - LONG_AGO + dt.timedelta(days=200 * number),
                )
                for number, size in enumerate(sizes, start=1)
            ]

    def _lend_what_is_billed(self, households) -> set[int]:
        """Each line of the invoices of rentals gets the instrument that it is about."""
        homes = {home.family.pk: home for home in households}
        lines = InvoiceLine.objects.filter(
            invoice__kind=InvoiceKind.LOCATION, invoice__credits=None
        )
        lines = lines.select_related("invoice").order_by("pk")
        for line in lines:
            home = homes[line.invoice.family_id]
            [pupil] = [p for p in home.pupils if p.student.pk == line.student_id]
            name = next((each for each in pupil.courses if line.label.startswith(each)), "")
            name = AT_HOME.get(name, name)
            if self.free.get(name):
                rental = self._lend(home, pupil, name, *self._this_year())
                RentalCharge.objects.create(rental=rental, line=line)
        return set(lines.values_list("invoice__family", flat=True))

    def _this_year(self):
        year, today = self.town.current, self.clock.today
        start = min(today, year.starts_on + dt.timedelta(days=14))
        june = dt.date(year.ends_on.year, 6, 30)
        return start, june if june > today else year.ends_on

    def _lend(self, home, pupil, name, starts_on, ends_on) -> Rental:
        """Handed over on the first day; every fifth insurance is soon to be renewed."""
        self.lent += 1
        with self.clock.at(self.clock.moment((starts_on - self.clock.today).days, 14)):
            rental = self._book(home, pupil, name, starts_on, ends_on)
            rental = rentals.insure(
                rental,
                insurer=INSURERS[self.lent % len(INSURERS)],
                policy_number=f"{1204 * (self.lent + 3)}-{self.lent:02}",
                insured_until=self.clock.day(20) if self.lent % 5 == 1 else self._far(ends_on),
                actor=self.actor,
            )
            rental = deposits.receive(
                rental,
                on=starts_on,
                reference=f"Chèque {7000 + self.lent * 37}",
                actor=self.actor,
            )
            return rentals.hand_over(
                rental,
                on=starts_on,
                condition=rental.instrument.condition,
                note="Avec son étui.",
                actor=self.actor,
            )

    def _far(self, ends_on):
        return max(ends_on, self.clock.today) + dt.timedelta(days=60)

    def _book(self, home: Household, pupil: Pupil, name: str, starts_on, ends_on) -> Rental:
        return rentals.reserve(
            self.free[name].pop(0),
            student=pupil.student,
            family=home.family,
            starts_on=starts_on,
            ends_on=ends_on,
            rent=RENTAL,
            months=10,
            deposit=DEPOSIT,
            actor=self.actor,
        )

    def _lend_late(self, home, pupil):
        """Due a week ago."""
        end = self.clock.day(-7)
        self._lend(home, pupil, "Saxophone alto", self._start_before(end), end)

    def _lend_damaged(self, home, pupil):
        """Back since ten days, with a part of the deposit kept."""
        end = self.clock.day(-10)
        rental = self._lend(home, pupil, "Cor d'harmonie", self._start_before(end), end)
        with self.clock.at(self.clock.moment(-10, 15)):
            rental = rentals.take_back(
                rental,
                on=end,
                condition=Condition.DAMAGED,
                note="Pavillon enfoncé.",
                actor=self.actor,
            )
            deposits.keep(
                rental,
                on=end,
                amount=Decimal("85.00"),
                reason="Redressage du pavillon, facture de l'atelier.",
                actor=self.actor,
            )

    def _start_before(self, end):
        """Two months before, within the same school year."""
        year = SchoolYear.objects.get(starts_on__lte=end, ends_on__gte=end)
        return max(year.starts_on, end - dt.timedelta(days=60))

    def _reserve(self, home, pupil):
        """For next week, the insurance not brought yet."""
        starts_on, ends_on = self.clock.day(7), self._this_year()[1]
        year = SchoolYear.objects.get(starts_on__lte=starts_on, ends_on__gte=starts_on)
        self._book(home, pupil, "Hautbois", starts_on, max(starts_on, min(year.ends_on, ends_on)))

    def _repair(self):
        alto = self.free["Alto"].pop(0)
        alto.condition = Condition.DAMAGED
        park.save(alto, ["condition"])
        park.send_to_repair(
            alto,
            starts_on=self.clock.day(-12),
            ends_on=None,
            workshop="Atelier Lutz, Lille",
            reason="Âme tombée, chevalet à refaire.",
        )
