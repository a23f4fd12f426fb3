"""A town of households to bill: students, lessons, a published grid, last year's invoices.

Nothing of it is drawn at random: two runs of the bench bill the same.
"""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Establishment, User
from bench.households import FIRST_NAMES, LAST_NAMES
from billing.enums import InvoiceKind, InvoiceStatus, LineKind
from billing.models import (
    CourseCategory,
    Instalment,
    Invoice,
    InvoiceLine,
    PayerShare,
    TariffCategory,
    TariffFee,
    TariffModifier,
    TariffRate,
)
from billing.tariffs import publishing
from billing.tariffs.enums import FeePer, ModifierReason
from documents.enums import Formats, Owner, Preview, Verdict
from documents.models import Document, Reading
from families.enums import Zone
from families.models import Family, Guardian
from students.enums import Cycle, EnrolmentStatus, Scheduling
from students.models import Course, Custody, Enrolment, SchoolYear, Student
from tests.factories import (
    CommuneFactory,
    CourseFactory,
    DisciplineFactory,
    DocumentFactory,
    DocumentTypeFactory,
    EstablishmentFactory,
    PieceRuleFactory,
    SchoolYearFactory,
    TariffGridFactory,
    UserFactory,
)

BATCH = 2000  # rows of one INSERT
CHILDREN = [1, 1, 2, 1, 2, 3]  # of the households, in turn
# Code, how many courses, euros a year by zone: of the town, with a convention, from elsewhere.
CATEGORIES = [("cursus", 12, (603, 720, 909)), ("fm", 40, (264, 324, 396))]
BANDS = [(None, 500, "0.3"), (500, 1000, "0.6"), (1000, None, "1")]
FILE_FEE = 38


@transaction.atomic
def settle(households: int) -> tuple[Establishment, SchoolYear]:
    """Writes them all; gives where and of which year they are to be billed.

    One student in twenty has two households, half each. One household in ten has not sent the piece
    that sets the « tarif haut », one in twenty has no e-mail address, one student in five hundred a
    course that the grid does not price; seven households in ten were billed last year.
    """
    site, year = EstablishmentFactory(), SchoolYearFactory()
    clerk = UserFactory(username="secretariat", is_staff=True)
    families = _make_households(households)
    courses = _make_courses(site, year)
    _publish_grid(site, year, clerk, courses)
    _teach(_make_students(families, year), courses)
    _hand_in(families, clerk, site, year)
    _bill_last_year(families, site)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return site, year


def _make_households(count: int) -> list[Family]:
    communes = [
        CommuneFactory(insee_code=f"5900{rank}", name=f"Ville {rank}", zone=zone)
        for rank, zone in enumerate(Zone.values)
    ]
    families = _create(
        Family(
            name=f"{LAST_NAMES[number % len(LAST_NAMES)]} {number:05}",
            address=f"{number} rue des Anges",
            commune=communes[0 if number % 4 else number // 4 % 3],
        )
        for number in range(count)
    )
    _create(
        Guardian(
            family=family,
            first_name=FIRST_NAMES[(number + rank) % len(FIRST_NAMES)],
            last_name=family.name,
            email="" if number % 20 == 7 else f"r{number}.{rank}@example.org",
        )
        for number, family in enumerate(families)
        for rank in range(2 if number % 3 == 0 else 1)
    )
    return families


def _make_courses(site, year) -> dict[str, list[Course]]:
    courses = {
        code: [
            CourseFactory(
                establishment=site,
                school_year=year,
                discipline=DisciplineFactory(name=code),
                name=f"{code} {number:02}",
                scheduling=Scheduling.TEACHER,
            )
            for number in range(count)
        ]
        for code, count, _ in [*CATEGORIES, ("sans tarif", 1, ())]
    }
    categories = {
        code: TariffCategory.objects.create(establishment=site, code=code, label=code, once=True)
        for code, *_ in CATEGORIES
    }
    _create(
        CourseCategory(course=course, category=category)
        for code, category in categories.items()
        for course in courses[code]
    )
    return courses


def _publish_grid(site, year, clerk, courses) -> None:
    grid = TariffGridFactory(establishment=site, school_year=year, top_within_zone=True)
    for code, _, amounts in CATEGORIES:
        category = courses[code][0].tariff_category.category
        TariffRate.objects.bulk_create(
            TariffRate(
                grid=grid,
                category=category,
                zone=zone,
                band_low=low,
                band_high=high,
                amount=amount * Decimal(share),
            )
            for zone, amount in zip(Zone.values, amounts, strict=True)
            for low, high, share in BANDS
        )
    TariffModifier.objects.create(
        grid=grid, reason=ModifierReason.RANK, label="Deuxième élève et suivants", percent=10
    )
    TariffFee.objects.create(
        grid=grid, label="Frais de dossier", amount=FILE_FEE, per=FeePer.HOUSEHOLD
    )
    publishing.publish(grid, actor=clerk)


def _make_students(families, year) -> list[Student]:
    homes = [
        (rank, family)
        for rank, family in enumerate(families)
        for _ in range(CHILDREN[rank % len(CHILDREN)])
    ]
    born_on = dt.date(year.starts_on.year - 9, 3, 14)
    students = _create(
        Student(
            first_name=FIRST_NAMES[number % len(FIRST_NAMES)],
            last_name=family.name,
            birth_date=born_on + dt.timedelta(days=number % 900),
        )
        for number, (_, family) in enumerate(homes)
    )
    custodies = _create(_custodies(homes, students, families))
    shared = [custody for custody in custodies if custody.rank == 2]
    shared += [custodies[place - 1] for place, row in enumerate(custodies) if row.rank == 2]
    _create(PayerShare(custody=custody, percent=50) for custody in shared)
    return students


def _custodies(homes, students, families) -> Iterator[Custody]:
    for number, ((rank, family), student) in enumerate(zip(homes, students, strict=True)):
        yield Custody(student=student, family=family, rank=1)
        if number % 20 == 3 and len(families) > 1:
            yield Custody(student=student, family=families[rank - 1], rank=2)


def _teach(students, courses) -> None:
    music, lessons = courses["fm"], courses["cursus"]
    _create(
        Enrolment(
            student=student,
            course=course,
            status=EnrolmentStatus.CONFIRMED,
            cycle=Cycle.FIRST,
            cycle_year=2,
        )
        for number, student in enumerate(students)
        for course in [
            music[number % len(music)],
            *([lessons[number % len(lessons)]] if number % 3 else []),
            *(courses["sans tarif"] if number % 500 == 250 else []),
        ]
    )


def _hand_in(families, clerk: User, site, year) -> None:
    kind = DocumentTypeFactory(
        name="Attestation CAF", owner=Owner.FAMILY, formats=Formats.PDF, shows_quotient=True
    )
    PieceRuleFactory(establishment=site, school_year=year, document_type=kind)
    month = year.starts_on.replace(month=5)
    sent_at = timezone.make_aware(dt.datetime.combine(month, dt.time(12)))
    documents = _create(
        DocumentFactory.build(
            type=kind,
            family=family,
            uploaded_by=clerk,
            uploaded_at=sent_at,
            verdict=Verdict.ACCEPTED,
            preview=Preview.FAILED,  # a row alone, without its file
            file=f"{number}",
        )
        for number, family in enumerate(families)
        if number % 10
    )
    Document.objects.update(uploaded_at=sent_at)
    _create(
        Reading(
            document=document,
            quotient=200 + number * 37 % 1500,
            quotient_month=month,
            confirmed_by=clerk,
            confirmed_at=sent_at,
        )
        for number, document in enumerate(documents)
    )


def _bill_last_year(families, site) -> None:
    """Of amounts that some of this year's are far from."""
    before = SchoolYearFactory(offset=-1)
    day = before.starts_on + dt.timedelta(days=40)
    billed = [family for number, family in enumerate(families) if number % 10 < 7]
    invoices = _create(
        Invoice(
            establishment=site,
            school_year=before,
            family=family,
            kind=InvoiceKind.COTISATION,
            status=InvoiceStatus.ISSUED,
            year=day.year,
            number=number,
            issued_on=day,
            published_on=day,
            **dict.fromkeys(["due_on", "online_until", "counter_until"], day),
            payer_name=family.name,
        )
        for number, family in enumerate(billed, start=1)
    )
    amounts = [Decimal(150 + 73 * number % 800) for number in range(len(invoices))]
    _create(
        InvoiceLine(invoice=invoice, kind=LineKind.TUITION, label="Cursus", amount=amount)
        for invoice, amount in zip(invoices, amounts, strict=True)
    )
    _create(
        Instalment(invoice=invoice, number=1, due_on=day, amount=amount)
        for invoice, amount in zip(invoices, amounts, strict=True)
    )
    site.invoice_series.create(year=day.year, last_number=len(invoices))


def _create(rows):
    rows = list(rows)
    return type(rows[0]).objects.bulk_create(rows, batch_size=BATCH) if rows else []
