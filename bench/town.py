"""A town of any size in the product's database, and what a bench asks of it between two measures.

`python -m bench.town build SHAPE`, `… reset`, `… tick_all`, `… verify`, `… verify_uploads`,
`… queries ADDRESS…`, `… pick_sql`: each writes its answer in JSON. A household is of the same size
in every town, and its pages hold as many rows: what a page takes more in a larger one is the size
of the tables.
"""

import argparse
import datetime as dt
import json
import sys
from dataclasses import dataclass
from hashlib import sha256
from itertools import count

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.db.models import Count, F, Q  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts import sessions  # noqa: E402
from accounts.middleware import SESSION_KEY  # noqa: E402
from accounts.models import Mail, User  # noqa: E402
from bench import tariffs  # noqa: E402
from bench.forms import find_form, is_granted, pick_line, tick  # noqa: E402
from bench.households import FIRST_NAMES, LAST_NAMES  # noqa: E402
from bench.sessions import cookies_of  # noqa: E402
from billing.enums import InvoiceKind, InvoiceStatus  # noqa: E402
from billing.models import Instalment, Invoice, InvoiceLine  # noqa: E402
from documents.enums import Formats, Owner  # noqa: E402
from documents.models import Document  # noqa: E402
from documents.pieces import piece_key  # noqa: E402
from families.models import Family, Guardian  # noqa: E402
from imuse.invariants import CHECKS, files  # noqa: E402
from reenrolment.models import CourseChoice, Reenrolment, SuppliedPiece, Transition  # noqa: E402
from students.enums import Cycle, EnrolmentStatus, Scheduling, Weekday  # noqa: E402
from students.models import (  # noqa: E402
    Course,
    Custody,
    Enrolment,
    Hold,
    Place,
    RepertoirePiece,
    Slot,
    Student,
)
from tests.factories import (  # noqa: E402
    PASSWORD,
    CampaignFactory,
    CommuneFactory,
    CourseFactory,
    DisciplineFactory,
    DocumentFactory,
    DocumentTypeFactory,
    EstablishmentFactory,
    PieceRuleFactory,
    SchoolYearFactory,
    TermsFactory,
    UserFactory,
)

BATCH = 2000  # rows of one INSERT


@dataclass(frozen=True)
class Shape:
    """`levels` courses of formation musicale, each of `slots` slots with `places` places.

    In the coming year `taken` of the places of each slot are somebody's already.
    """

    families: int
    siblings: bool  # four households in five have a second student
    levels: int
    slots: int
    places: int
    taken: int


SHAPES = {
    "small": Shape(families=500, siblings=True, levels=10, slots=8, places=12, taken=6),  # 900
    "large": Shape(families=11_111, siblings=True, levels=222, slots=8, places=12, taken=6),
    "few": Shape(families=40, siblings=True, levels=4, slots=8, places=12, taken=6),
    "race": Shape(families=400, siblings=False, levels=1, slots=20, places=10, taken=0),
}


def build(shape: Shape) -> dict:
    """`settle` in an empty database, with the keys that bench.pgbench tells apart."""
    call_command("migrate", verbosity=0)
    _spread_keys()
    cast = settle(shape)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return cast


@transaction.atomic
def settle(shape: Shape) -> dict:
    """Makes the town; gives what its clients need: accounts, sessions, the students' keys."""
    town = _Town(shape)
    town.open_campaign()
    town.settle_households()
    town.teach()
    tariffs.vote(town.site, town.coming, actor=town.clerk)
    town.begin_dossiers()
    town.hand_in_documents()
    town.invoice()
    return {
        "site": town.site.pk,
        "password": PASSWORD,
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "households": [town.household(n) for n in range(min(shape.families, 500))],
    }


def reset() -> dict:
    """Every dossier is a draft again, and every place of the coming year as it was built."""
    SuppliedPiece.objects.all().delete()
    Transition.objects.all().delete()
    Mail.objects.all().delete()
    CourseChoice.objects.update(wanted=False, slot=None, granted=None)
    Hold.objects.all().delete()
    Enrolment.objects.filter(status=EnrolmentStatus.REQUESTED).delete()
    Reenrolment.objects.update(
        status="draft", administrative=False, submitted_at=None, submitted_by=None, terms=None,
        missing_pieces=0,
    )  # fmt: skip
    return {}


def tick_all() -> dict:
    """`reset`, then every family wants every course: where the SQL of `pick_sql` begins."""
    reset()
    CourseChoice.objects.update(wanted=True)
    return {}


def verify() -> dict:
    """What the database holds after a rush, and what is wrong in it."""
    taken = Q(places__enrolment__isnull=False) | Q(places__hold__isnull=False)
    slots = Slot.objects.annotate(capacity=Count("places"), taken=Count("places", filter=taken))
    live = Enrolment.objects.filter(status=EnrolmentStatus.REQUESTED, place__isnull=False)
    seated = Slot.objects.annotate(
        students=Count("places__enrolment", distinct=True), capacity=Count("places", distinct=True)
    )
    oversold = slots.filter(taken__gt=F("capacity")) or seated.filter(students__gt=F("capacity"))
    return {
        "held": Hold.objects.count(),
        "requested": live.count(),
        "submitted": Reenrolment.objects.exclude(status="draft").count(),
        "oversold": [str(slot) for slot in oversold],
        # The pieces of the town are rows alone, without their files.
        "violations": [fault for check in CHECKS if check is not files for fault in check()],
    }


def verify_uploads() -> dict:
    """How many files the families have sent, and what is not in the store as it was received."""
    sent = Document.objects.filter(uploaded_by__is_staff=False)
    wrong = []
    for document in sent.with_file():
        with document.file.open() as file:
            if sha256(file.read()).hexdigest() != document.sha256:
                wrong.append(f"{document.pk} : le fichier gardé n'est plus le même")
    return {"sent": sent.count(), "wrong": wrong}


def count_queries_of(cookies: dict, addresses: list[str]) -> dict:
    """How many queries each address makes, once everything is warm."""
    client, counts = _client(cookies), {}
    for address in addresses:
        client.get(address)
        tries = []
        for _ in range(2):  # once a minute a page also notes that the session is used
            with CaptureQueriesContext(connection) as queries:
                status = client.get(address).status_code
            tries.append(len(queries))
            if status != 200:
                raise SystemExit(f"{address} : réponse {status}")
        counts[address] = min(tries)
    return counts


def pick_sql() -> dict:
    """The SQL of the first household's pick, then of its giving it back, and the keys in it."""
    connection.settings_dict["CONN_MAX_AGE"] = 0  # in full: another connection is to play it
    reset()
    student = Student.objects.order_by("pk").first()
    client = _client(cookies_of_family(User.objects.get(guardian__family__students=student)))
    edit, address = (reverse(f"reenrolment:{name}", args=[student.pk]) for name in ("edit", "pick"))
    recorded = []
    client.post(edit, tick(find_form(client.get(edit).text, "administrative")))
    for slot in (0, None):
        fields = pick_line(find_form(client.get(edit).text, "administrative"), slot)
        with CaptureQueriesContext(connection) as queries:
            answer = client.post(address, fields)
        if not is_granted(answer.status_code, answer.text):
            raise SystemExit(f"{address} : réponse {answer.status_code}")
        recorded.append([query["sql"] for query in queries])
    dossier = Reenrolment.objects.get(student=student)
    slot = Slot.objects.filter(course__school_year=dossier.campaign.school_year).first()
    reset()
    keys = {"student": student.pk, "dossier": dossier.pk, "slot": slot.pk}
    for rank, choice in enumerate(dossier.choices.order_by("pk")):
        keys |= {f"choice{rank}": choice.pk, f"enrolment{rank}": choice.enrolment_id}
    return {"statements": recorded, "keys": keys}


def _client(cookies):
    client = Client(SERVER_NAME="127.0.0.1")
    client.cookies.load(cookies)
    return client


def cookies_of_family(user: User) -> dict[str, str]:
    """A session as the sign-in page opens it."""
    return cookies_of(
        user,
        **{
            sessions.SIGNED_IN_AT: int(timezone.now().timestamp()),
            SESSION_KEY: user.establishments.get().pk,
            "name": str(user.guardian),
            "spaces": ["family"],
        },
    )


def _spread_keys():
    """Each table's keys begin at a million of their own: in a recorded query they tell apart."""
    models = [Student, Reenrolment, Enrolment, CourseChoice, Slot, Place, Hold]
    for number, model in enumerate(models):
        with connection.cursor() as cursor:
            cursor.execute(
                f"ALTER TABLE {model._meta.db_table} ALTER COLUMN id RESTART WITH %s",
                [(number + 1) * 10_000_000],
            )


class _Town:
    def __init__(self, shape: Shape):
        self.shape = shape
        self.site = EstablishmentFactory()
        self.year, self.coming = SchoolYearFactory(), SchoolYearFactory.coming()
        self.before = SchoolYearFactory(offset=-1)
        self.clerk = UserFactory(username="secretariat", is_staff=True)

    def open_campaign(self) -> None:
        terms = TermsFactory(text="Les droits d'inscription sont dus pour l'année entière. " * 20)
        self.campaign = CampaignFactory(terms=terms)
        self.proofs = [
            DocumentTypeFactory(name=name, owner=Owner.FAMILY, formats=Formats.PDF)
            for name in ("Attestation CAF", "Justificatif de domicile", "Avis d'imposition")
        ]
        self.photo = DocumentTypeFactory(photo=True)
        for position, kind in enumerate([*self.proofs, self.photo]):
            PieceRuleFactory(document_type=kind, position=position)

    def settle_households(self) -> None:
        commune, password = CommuneFactory(), make_password(PASSWORD)
        numbers = range(self.shape.families)
        self.users = self._create(
            User(username=f"famille.{n}", email=f"f{n}@example.org", password=password)
            for n in numbers
        )
        self._create(
            User.establishments.through(user=user, establishment=self.site) for user in self.users
        )
        names = [LAST_NAMES[n % len(LAST_NAMES)] for n in numbers]
        self.families = self._create(
            Family(name=name, address=f"{n} rue des Anges", commune=commune)
            for n, name in enumerate(names)
        )
        self._create(
            Guardian(family=f, user=u, first_name="Claire", last_name=f.name, email=u.email)
            for f, u in zip(self.families, self.users, strict=True)
        )
        homes = [f for n, f in enumerate(self.families) for _ in range(self._children(n))]
        born = dt.date(self.year.starts_on.year - 9, 3, 14)
        self.students = self._create(
            Student(first_name=FIRST_NAMES[n % len(FIRST_NAMES)], last_name=f.name, birth_date=born)
            for n, f in enumerate(homes)
        )
        self._create(
            Custody(student=s, family=f) for s, f in zip(self.students, homes, strict=True)
        )
        self.children = {}
        for student, family in zip(self.students, homes, strict=True):
            self.children.setdefault(family.pk, []).append(student)

    def _children(self, number):
        return 2 if self.shape.siblings and number % 5 < 4 else 1

    def teach(self) -> None:
        """Each student follows a level of formation musicale, an instrument and an ensemble."""
        music = DisciplineFactory()
        self.levels = [
            [self._course(year, f"Formation musicale {n:03}", music) for year in self._years()]
            for n in range(self.shape.levels)
        ]
        others = [
            [self._course(year, name, DisciplineFactory(name=name), how) for year in self._years()]
            for name, how in [
                ("Piano", Scheduling.TEACHER),
                ("Orchestre", Scheduling.ADMINISTRATION),
            ]
        ]
        for courses in [*self.levels, *others]:
            _, this_year, coming = courses
            Course.objects.filter(pk=this_year.pk).update(next_course=coming)
        level_of = [self.levels[n % len(self.levels)] for n in range(len(self.students))]
        seats = self._seats(year=1, count=self._seats_needed())
        for year in (1, 0):  # this year's keys come first, student by student
            self._create(
                Enrolment(
                    student=student,
                    course=course,
                    place=next(seats[course.pk]) if course.pk in seats else None,
                    status=EnrolmentStatus.CONFIRMED,
                    cycle=Cycle.FIRST,
                    cycle_year=year + 1,
                )
                for student, level in zip(self.students, level_of, strict=True)
                for course in (level[year], *(other[year] for other in others))
            )
        self._fill_coming_year()
        self._create(
            RepertoirePiece(
                student=student, school_year=year, composer="Claude Debussy", title=f"Prélude {n}"
            )
            for student in self.students
            for year in (self.year, self.before)
            for n in (1, 2)
        )

    def _years(self):
        return self.before, self.year, self.coming

    def _course(self, year, name, discipline, scheduling=Scheduling.FAMILY):
        return CourseFactory(
            name=name, school_year=year, discipline=discipline, scheduling=scheduling
        )

    def _seats_needed(self):
        return -(-len(self.students) // len(self.levels) // self.shape.slots) + 1

    def _seats(self, year, count):
        """The places of each level that year, made with `count` for each slot."""
        places = self._make_slots([level[year] for level in self.levels], count)
        seats = {}
        for place in places:
            seats.setdefault(place.slot.course_id, []).append(place)
        return {course: iter(of_course) for course, of_course in seats.items()}

    def _make_slots(self, courses, places):
        hours = [
            (weekday, dt.time(hour))
            for weekday in list(Weekday)[:6]
            for hour in (9, 10, 14, 16, 17, 18)
        ]
        slots = self._create(
            Slot(
                course=course,
                group=f"{n + 1}",
                weekday=hours[n % len(hours)][0],
                starts_at=hours[n % len(hours)][1],
                ends_at=hours[n % len(hours)][1].replace(minute=50),
                room="Salle Ravel",
            )
            for course in courses
            for n in range(self.shape.slots)
        )
        return self._create(Place(slot=slot, number=n + 1) for slot in slots for n in range(places))

    def _fill_coming_year(self):
        """The places taken before the opening are newcomers'."""
        places = self._make_slots([level[2] for level in self.levels], self.shape.places)
        taken = [place for place in places if place.number <= self.shape.taken]
        newcomers = self._create(
            Student(first_name="Nouvel", last_name="Élève", birth_date=dt.date(2015, 1, 1))
            for _ in taken
        )
        self._create(
            Enrolment(
                student=student,
                course=place.slot.course,
                place=place,
                status=EnrolmentStatus.CONFIRMED,
                cycle=Cycle.FIRST,
            )
            for student, place in zip(newcomers, taken, strict=True)
        )

    def begin_dossiers(self) -> None:
        """Everybody has looked at the page, and saved it once."""
        dossiers = self._create(
            Reenrolment(campaign=self.campaign, student=student) for student in self.students
        )
        followed = {}
        ours = Enrolment.objects.filter(course__school_year=self.year).order_by("pk")
        for enrolment in ours:
            followed.setdefault(enrolment.student_id, []).append(enrolment)
        self._create(
            CourseChoice(reenrolment=dossier, enrolment=enrolment)
            for dossier in dossiers
            for enrolment in followed[dossier.student_id]
        )

    def hand_in_documents(self) -> None:
        """Of each household two proofs, of each student a photograph; the last proof is missing."""
        owners = [({"family": f}, kind) for f in self.families for kind in self.proofs[:2]]
        owners += [({"student": s}, self.photo) for s in self.students]
        self._create(
            DocumentFactory.build(type=kind, uploaded_by=self.clerk, file=f"{n}", **owner)
            for n, (owner, kind) in enumerate(owners)
        )

    def invoice(self) -> None:
        today, number = timezone.localdate(), count(1)
        due_on = today + dt.timedelta(days=30)
        invoices = self._create(
            Invoice(
                establishment=self.site,
                school_year=self.year,
                family=family,
                kind=kind,
                status=InvoiceStatus.ISSUED,
                year=today.year,
                number=next(number),
                issued_on=today,
                published_on=today,
                **dict.fromkeys(["due_on", "online_until", "counter_until"], due_on),
                payer_name=family.name,
            )
            for family in self.families
            for kind in (InvoiceKind.COTISATION, InvoiceKind.LOCATION)
        )
        self._create(
            InvoiceLine(invoice=invoice, label="Frais de dossier", amount="38.00")
            for invoice in invoices
        )
        self._create(
            Instalment(invoice=invoice, number=1, due_on=due_on, amount="38.00")
            for invoice in invoices
        )
        self.invoices = {invoice.family_id: invoice.pk for invoice in invoices}
        self.site.invoice_series.create(year=today.year, last_number=len(invoices))

    def household(self, number: int) -> dict:
        """What its browser needs."""
        user, family = self.users[number], self.families[number]
        student = self.children[family.pk][0]
        return {
            "username": user.username,
            "cookies": cookies_of_family(user),
            "student": student.pk,
            "invoice": self.invoices[family.pk],
            "photo": f"piece-{piece_key(self.photo.pk, None)}",
            "proof": f"piece-{piece_key(self.proofs[-1].pk, family.pk)}",
        }

    def _create(self, rows):
        rows = list(rows)
        return type(rows[0]).objects.bulk_create(rows, batch_size=BATCH) if rows else []


COMMANDS = {
    "reset": reset,
    "tick_all": tick_all,
    "verify": verify,
    "verify_uploads": verify_uploads,
    "pick_sql": pick_sql,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["build", "queries", *COMMANDS])
    parser.add_argument("argument", nargs="?", help="une forme de ville, ou un JSON")
    asked = parser.parse_args()
    match asked.command:
        case "build":
            answer = build(SHAPES[asked.argument])
        case "queries":
            answer = count_queries_of(**json.loads(asked.argument))
        case _:
            answer = COMMANDS[asked.command]()
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
