"""The dullest valid rows; situations are traits or arguments of the test."""

import datetime as dt
import hashlib
from decimal import Decimal
from io import BytesIO

import factory
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image

from accounts.models import Establishment, User
from billing import services as billing
from billing.enums import SituationCode
from billing.models import (
    Instrument,
    InstrumentKind,
    Invoice,
    InvoiceLine,
    InvoiceRun,
    PayerShare,
    PayFiPAccount,
    PaymentAttempt,
    PaymentPlan,
    PaymentPlanChoice,
    Rental,
    RentalTerms,
    Situation,
    TariffCategory,
    TariffGrid,
    TariffRate,
)
from documents.enums import Formats, Owner, Verdict
from documents.models import Document, DocumentType, PieceRule
from families.models import Commune, Family, Guardian
from reenrolment.models import Campaign, Terms
from students.enums import Cycle, EnrolmentStatus, Scheduling, Weekday
from students.models import (
    Course,
    Custody,
    Discipline,
    Enrolment,
    Place,
    RepertoirePiece,
    SchoolYear,
    Slot,
    Student,
    Teacher,
)
from teaching.enums import ConcertState, EvaluationState
from teaching.models import (
    Concert,
    ConcertPerformer,
    ConcertTurn,
    Criterion,
    Evaluation,
    LessonTime,
    Period,
    Portrait,
    PortraitSource,
    Scale,
)

PASSWORD = "Conservatoire1"


class EstablishmentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Establishment
        django_get_or_create = ["name"]

    name = "Conservatoire"
    address = "6 rue de la Musique\n59200 Tourcoing"
    email = "scolarite@conservatoire.example"
    phone = "03 20 00 00 00"


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"personne.{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.org")
    password = factory.django.Password(PASSWORD)

    @factory.post_generation
    def establishments(self, create, extracted, **kwargs):
        if create:
            sites = [EstablishmentFactory()] if extracted is None else extracted
            self.establishments.set(sites)


class CommuneFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Commune
        django_get_or_create = ["insee_code"]

    insee_code = "59599"
    postal_code = "59200"
    name = "Tourcoing"


class FamilyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Family

    name = factory.Sequence(lambda n: f"Martin {n}")
    address = "12 rue des Anges"
    commune = factory.SubFactory(CommuneFactory)


class GuardianFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Guardian

    family = factory.SubFactory(FamilyFactory)
    user = factory.SubFactory(UserFactory)
    last_name = "Martin"
    first_name = "Claire"
    email = factory.LazyAttribute(lambda g: g.user.email if g.user else "")
    mobile_phone = "06 12 34 56 78"


class SchoolYearFactory(factory.django.DjangoModelFactory):
    """The year that holds today; `SchoolYearFactory.coming()` the next one."""

    class Meta:
        model = SchoolYear
        django_get_or_create = ["starts_on"]

    class Params:
        offset = 0

    starts_on = factory.LazyAttribute(lambda o: dt.date(this_year() + o.offset, 9, 1))
    ends_on = factory.LazyAttribute(lambda o: dt.date(this_year() + o.offset + 1, 8, 31))

    @classmethod
    def coming(cls):
        return cls(offset=1)


def this_year() -> int:
    """The calendar year in which the school year under way began."""
    today = timezone.localdate()
    return today.year if today.month >= 9 else today.year - 1


class TeacherFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Teacher

    user = factory.SubFactory(UserFactory)
    last_name = "Vasseur"
    first_name = "Cécile"


class StudentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Student
        skip_postgeneration_save = True

    last_name = "Martin"
    first_name = factory.Sequence(lambda n: f"Louise {n}")
    birth_date = factory.LazyFunction(lambda: dt.date(this_year() - 10, 3, 14))

    @factory.post_generation
    def family(self, create, extracted, **kwargs):
        """`family=` one household; `families=[a, b]` is two Custody rows made by the test."""
        if create and extracted is not None:
            CustodyFactory(student=self, family=extracted)


class CustodyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Custody

    student = factory.SubFactory(StudentFactory)
    family = factory.SubFactory(FamilyFactory)
    rank = 1


class DisciplineFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Discipline
        django_get_or_create = ["name"]

    name = "Formation musicale"


class CourseFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Course

    class Params:
        coming = factory.Trait(school_year=factory.LazyFunction(SchoolYearFactory.coming))

    establishment = factory.SubFactory(EstablishmentFactory)
    school_year = factory.SubFactory(SchoolYearFactory)
    discipline = factory.SubFactory(DisciplineFactory)
    name = factory.Sequence(lambda n: f"Formation musicale {n}")
    cycle = Cycle.FIRST
    scheduling = Scheduling.FAMILY


class SlotFactory(factory.django.DjangoModelFactory):
    """A slot of one place; `places=12` for more."""

    class Meta:
        model = Slot
        skip_postgeneration_save = True

    course = factory.SubFactory(CourseFactory)
    group = "A"
    weekday = Weekday.MONDAY
    starts_at = dt.time(18, 30)
    ends_at = dt.time(19, 30)

    @factory.post_generation
    def places(self, create, extracted, **kwargs):
        if create:
            count = 1 if extracted is None else extracted
            Place.objects.bulk_create(Place(slot=self, number=n + 1) for n in range(count))


class EnrolmentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Enrolment

    student = factory.SubFactory(StudentFactory)
    course = factory.SubFactory(CourseFactory)
    status = EnrolmentStatus.CONFIRMED
    cycle = Cycle.FIRST
    cycle_year = 2


class RepertoirePieceFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = RepertoirePiece

    student = factory.SubFactory(StudentFactory)
    school_year = factory.SubFactory(SchoolYearFactory)
    composer = "Claude Debussy"
    title = "The Little Shepherd"


class DocumentTypeFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = DocumentType

    class Params:
        photo = factory.Trait(name="Photo d'identité", owner=Owner.STUDENT, formats=Formats.IMAGE)
        shown = factory.Trait(
            example=factory.django.ImageField(
                width=30, height=40, format="PNG", filename="exemple.png"
            ),
            example_alt="une quittance, le nom encadré.",
        )

    name = factory.Sequence(lambda n: f"Justificatif de domicile {n}")
    owner = Owner.FAMILY
    formats = Formats.PDF


class PieceRuleFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = PieceRule

    establishment = factory.SubFactory(EstablishmentFactory)
    school_year = factory.LazyFunction(SchoolYearFactory.coming)
    document_type = factory.SubFactory(DocumentTypeFactory)


class DocumentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Document

    type = factory.SubFactory(DocumentTypeFactory)
    name = "justificatif.pdf"
    file = factory.django.FileField(data=b"%PDF-1.4 dull", filename="justificatif.pdf")
    content_type = "application/pdf"
    size = 13
    pages = 1
    received_sha256 = sha256 = hashlib.sha256(b"%PDF-1.4 dull").hexdigest()
    uploaded_by = factory.SubFactory(UserFactory)


class ConcertFactory(factory.django.DjangoModelFactory):
    """A draft, in ten days; `published=True`: announced."""

    class Meta:
        model = Concert

    class Params:
        published = factory.Trait(
            state=ConcertState.PUBLISHED, published_at=factory.LazyFunction(timezone.now)
        )

    establishment = factory.SubFactory(EstablishmentFactory)
    school_year = factory.SubFactory(SchoolYearFactory)
    title = "Audition de printemps"
    starts_at = factory.LazyFunction(
        lambda: (timezone.now() + dt.timedelta(days=10)).replace(second=0, microsecond=0)
    )
    place = "Salle Ravel"


def make_turn(concert, *enrolments, **fields) -> ConcertTurn:
    """« Gymnopédie n° 1 », three minutes, at the end of the programme, by these students."""
    told_at = fields.pop("told_at", None)
    facts = {"composer": "Erik Satie", "title": "Gymnopédie n° 1", "minutes": 3}
    position = concert.turns.count() + 1
    turn = ConcertTurn.objects.create(concert=concert, **({"position": position} | facts | fields))
    for enrolment in enrolments:
        ConcertPerformer.objects.create(turn=turn, enrolment=enrolment, told_at=told_at)
    return turn


def make_time(course, enrolment=None, **kwargs) -> LessonTime:
    """An hour that a teacher fixed: Tuesday, 17:00 to 17:30, the whole year."""
    hour = {"weekday": Weekday.TUESDAY, "starts_at": dt.time(17), "ends_at": dt.time(17, 30)}
    return LessonTime.objects.create(course=course, enrolment=enrolment, **(hour | kwargs))


def make_portrait(student, **kwargs) -> Portrait:
    """One that may be shown: of an accepted photo, whose households all agreed."""
    kind = DocumentType.objects.filter(name="Photo d'identité").first()
    kind = kind or DocumentTypeFactory(photo=True)
    PortraitSource.objects.get_or_create(type=kind)
    photo = DocumentFactory(type=kind, student=student, verdict=Verdict.ACCEPTED, **kwargs)
    student.custodies.update(image_consent_at=timezone.now())
    portrait = Portrait(student=student, document=photo)
    drawn = BytesIO()
    Image.new("RGB", (240, 320), "grey").save(drawn, "JPEG")
    portrait.file.save("portrait.jpg", ContentFile(drawn.getvalue()))
    return portrait


class InvoiceFactory(factory.django.DjangoModelFactory):
    """A draft; `billing.services.issue` makes it an invoice."""

    class Meta:
        model = Invoice

    establishment = factory.SubFactory(EstablishmentFactory)
    school_year = factory.SubFactory(SchoolYearFactory)
    family = factory.SubFactory(FamilyFactory)
    kind = "cotisation"
    due_on = factory.LazyFunction(lambda: timezone.localdate() + dt.timedelta(days=30))


class InvoiceLineFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = InvoiceLine

    invoice = factory.SubFactory(InvoiceFactory)
    label = "Frais de dossier"
    amount = Decimal("38.00")


class InstrumentKindFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = InstrumentKind
        django_get_or_create = ["name"]

    name = "Violon"


class InstrumentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Instrument

    establishment = factory.SubFactory(EstablishmentFactory)
    kind = factory.SubFactory(InstrumentKindFactory)
    inventory_number = factory.Sequence(lambda n: f"V-{n:03}")
    size = "3/4"
    brand = "Stentor"


class RentalTermsFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = RentalTerms
        django_get_or_create = ["establishment", "version"]

    establishment = factory.SubFactory(EstablishmentFactory)
    version = "1"
    text = "L'instrument est assuré par le foyer.\n\nIl est rendu dans l'état noté à la remise."


class RentalFactory(factory.django.DjangoModelFactory):
    """Reserved from a month ago to the end of the school year; `family=` is the household's.

    billing.instruments moves it on; `insured=True` lets it be handed over.
    """

    class Meta:
        model = Rental

    class Params:
        insured = factory.Trait(
            insurer="MAIF",
            policy_number="1234567 M",
            insured_until=factory.SelfAttribute("ends_on"),
        )

    instrument = factory.SubFactory(InstrumentFactory)
    family = factory.SubFactory(FamilyFactory)
    student = factory.LazyAttribute(lambda rental: StudentFactory(family=rental.family))
    school_year = factory.SubFactory(SchoolYearFactory)
    terms = factory.SubFactory(
        RentalTermsFactory, establishment=factory.SelfAttribute("..instrument.establishment")
    )
    starts_on = factory.LazyAttribute(
        lambda o: max(o.school_year.starts_on, timezone.localdate() - dt.timedelta(days=30))
    )
    ends_on = factory.SelfAttribute("school_year.ends_on")
    rent = Decimal("150.00")
    deposit = Decimal("200.00")
    deposit_state = "due"


class InvoiceRunFactory(factory.django.DjangoModelFactory):
    """Prepared, of no household; tests/billing/run_cases.py makes whole ones."""

    class Meta:
        model = InvoiceRun

    establishment = factory.SubFactory(EstablishmentFactory)
    school_year = factory.SubFactory(SchoolYearFactory)
    grid = factory.LazyAttribute(
        lambda run: TariffGridFactory(establishment=run.establishment, school_year=run.school_year)
    )
    label = "Cotisations"
    state = "to_check"
    due_on = factory.LazyFunction(lambda: timezone.localdate() + dt.timedelta(days=30))
    created_by = factory.SubFactory(UserFactory)


class SituationFactory(factory.django.DjangoModelFactory):
    """A household's, or a student's: `family=` or `student=`."""

    class Meta:
        model = Situation

    school_year = factory.SubFactory(SchoolYearFactory)
    code = SituationCode.MINIMA
    seen_on = factory.LazyFunction(timezone.localdate)
    noted_by = factory.SubFactory(UserFactory)


class PayerShareFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = PayerShare

    custody = factory.SubFactory(CustodyFactory)
    percent = 50


class PaymentPlanFactory(factory.django.DjangoModelFactory):
    """In 1, 2 or 3 times, that families may choose today."""

    class Meta:
        model = PaymentPlan
        django_get_or_create = ["establishment", "school_year"]

    establishment = factory.SubFactory(EstablishmentFactory)
    school_year = factory.SubFactory(SchoolYearFactory)
    choose_until = factory.LazyFunction(lambda: timezone.localdate() + dt.timedelta(days=30))
    first_due_on = factory.LazyAttribute(lambda plan: plan.choose_until + dt.timedelta(days=30))


class PaymentPlanChoiceFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = PaymentPlanChoice

    plan = factory.SubFactory(PaymentPlanFactory)
    family = factory.SubFactory(FamilyFactory)
    parts = 3
    chosen_by = factory.SubFactory(UserFactory)
    chosen_at = factory.LazyFunction(timezone.now)


class PayFiPAccountFactory(factory.django.DjangoModelFactory):
    """Open to the families, in test (saisie T)."""

    class Meta:
        model = PayFiPAccount
        django_get_or_create = ["establishment"]

    establishment = factory.SubFactory(EstablishmentFactory)
    numcli = "090909"
    is_active = True


def make_paid_attempt(invoice, **facts) -> PaymentAttempt:
    """Of 1 €, paid by card through PayFiP."""
    now = timezone.now()
    number = invoice.attempts.count() + 1
    refdet = f"E{invoice.establishment_id}F{invoice.year}{invoice.number:05}N{number}"
    payment = billing.record_online_payment(
        invoice, amount=Decimal(1), means="online", paid_on=now.date(), reference=refdet
    )
    return PaymentAttempt.objects.create(
        invoice=invoice,
        number=number,
        refdet=refdet,
        idop=f"idop-{refdet}",
        amount=100,
        numcli="090909",
        saisie="T",
        created_at=now,
        **{"state": "paid", "settled_at": now, "payment": payment, **facts},
    )


class TermsFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Terms
        django_get_or_create = ["establishment", "version"]

    establishment = factory.SubFactory(EstablishmentFactory)
    version = "1"
    text = "Les droits d'inscription sont dus pour l'année entière."


class CampaignFactory(factory.django.DjangoModelFactory):
    """Open since yesterday, for another week."""

    class Meta:
        model = Campaign
        django_get_or_create = ["establishment", "school_year"]

    class Params:
        closed = factory.Trait(
            opens_at=factory.LazyFunction(lambda: timezone.now() - dt.timedelta(days=9)),
            closes_at=factory.LazyFunction(lambda: timezone.now() - dt.timedelta(minutes=1)),
        )
        to_come = factory.Trait(
            opens_at=factory.LazyFunction(lambda: timezone.now() + dt.timedelta(days=1)),
            closes_at=factory.LazyFunction(lambda: timezone.now() + dt.timedelta(days=9)),
        )

    establishment = factory.SubFactory(EstablishmentFactory)
    previous_year = factory.SubFactory(SchoolYearFactory)
    school_year = factory.LazyFunction(SchoolYearFactory.coming)
    opens_at = factory.LazyFunction(lambda: timezone.now() - dt.timedelta(days=1))
    closes_at = factory.LazyFunction(lambda: timezone.now() + dt.timedelta(days=7))
    terms = factory.SubFactory(TermsFactory)


class TariffCategoryFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = TariffCategory
        django_get_or_create = ["establishment", "code"]

    establishment = factory.SubFactory(EstablishmentFactory)
    code = "cursus"
    label = factory.LazyAttribute(lambda category: category.code.capitalize())


class TariffGridFactory(factory.django.DjangoModelFactory):
    """A draft that has all it needs to be published, but its rates."""

    class Meta:
        model = TariffGrid

    establishment = factory.SubFactory(EstablishmentFactory)
    school_year = factory.SubFactory(SchoolYearFactory)
    label = factory.Sequence(lambda n: f"Tarifs {n}")
    valid_from = factory.LazyAttribute(lambda grid: grid.school_year.starts_on)
    valid_until = factory.LazyAttribute(lambda grid: grid.school_year.ends_on)
    deliberation_number = "2026-041"
    deliberation_date = dt.date(2026, 6, 12)


class TariffRateFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = TariffRate

    grid = factory.SubFactory(TariffGridFactory)
    category = factory.SubFactory(
        TariffCategoryFactory, establishment=factory.SelfAttribute("..grid.establishment")
    )
    amount = Decimal("603.00")


class PeriodFactory(factory.django.DjangoModelFactory):
    """The whole of this year, to be published by nobody yet."""

    class Meta:
        model = Period

    establishment = factory.SubFactory(EstablishmentFactory)
    school_year = factory.SubFactory(SchoolYearFactory)
    name = factory.Sequence(lambda n: f"Période {n}")
    starts_on = factory.LazyAttribute(lambda o: o.school_year.starts_on)
    ends_on = due_on = factory.LazyAttribute(lambda o: o.school_year.ends_on)


class ScaleFactory(factory.django.DjangoModelFactory):
    """Of two levels, or of a mark: `maximum=20`."""

    class Meta:
        model = Scale
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Barème {n}")

    @factory.post_generation
    def levels(self, create, extracted, **kwargs):
        if create and not self.maximum:
            for position, name in enumerate(extracted or ["fragile", "acquis"], start=1):
                self.levels.create(position=position, name=name)


class CriterionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Criterion

    establishment = factory.SubFactory(EstablishmentFactory)
    name = factory.Sequence(lambda n: f"Critère {n}")
    scale = factory.SubFactory(ScaleFactory)


class EvaluationFactory(factory.django.DjangoModelFactory):
    """A draft; `published=True` for one that families read."""

    class Meta:
        model = Evaluation

    class Params:
        published = factory.Trait(
            state=EvaluationState.PUBLISHED, published_at=factory.LazyFunction(timezone.now)
        )

    enrolment = factory.SubFactory(EnrolmentFactory)
    period = factory.SubFactory(PeriodFactory)
    comment = "De beaux progrès."
    teacher_name = "Cécile Vasseur"
    updated_at = factory.LazyFunction(timezone.now)
