"""Households by the thousand, with as many homonyms as in a town."""

from documents.models import Document
from families.models import Family, Guardian
from reenrolment.models import Campaign
from students.enums import Cycle, EnrolmentStatus
from students.models import Custody, Enrolment, Student
from tests.factories import (
    CampaignFactory,
    CommuneFactory,
    CourseFactory,
    DocumentFactory,
    DocumentTypeFactory,
    PieceRuleFactory,
    UserFactory,
)

LAST_NAMES = [
    "Martin", "Bernard", "Benali", "Dubois", "Nguyễn", "Lefèvre", "O'Brien", "Delahaye", "Wacquez",
    "Van Den Berghe", "Le Goff-d'Aux", "Haddad", "Lemaire", "Desmet", "Ben Salah", "Da Silva",
]  # fmt: skip
FIRST_NAMES = [
    "Claire", "Paul", "Inès", "Éloïse", "Samir", "Nadia", "Hugo", "Zoé", "Thi Mai",
    "Jean-Baptiste", "Léa", "Karim", "Anaïs",
]  # fmt: skip


def make_town(addresses: list[str]) -> Campaign:
    """A campaign, and for each address a household, its responsable and its student.

    An empty address is a household without e-mail. One household in three has sent its proof of
    address already.
    """
    campaign = CampaignFactory()
    course = CourseFactory(name="Piano")
    home = DocumentTypeFactory(name="Justificatif de domicile")
    for position, kind in enumerate([home, *DocumentTypeFactory.create_batch(3)]):
        PieceRuleFactory(document_type=kind, position=position)
    people = [(*_name(number), address) for number, address in enumerate(addresses)]
    commune = CommuneFactory()
    families = Family.objects.bulk_create(
        Family(name=last, address=f"{number} rue des Anges", commune=commune)
        for number, (_, last, _) in enumerate(people)
    )
    Guardian.objects.bulk_create(
        Guardian(family=family, first_name=first, last_name=last, email=address)
        for family, (first, last, address) in zip(families, people, strict=True)
    )
    born = campaign.previous_year.starts_on.replace(year=campaign.previous_year.starts_on.year - 9)
    students = Student.objects.bulk_create(
        Student(first_name="Louise", last_name=last, birth_date=born) for _, last, _ in people
    )
    Custody.objects.bulk_create(
        Custody(student=student, family=family)
        for student, family in zip(students, families, strict=True)
    )
    Enrolment.objects.bulk_create(
        Enrolment(
            student=student,
            course=course,
            status=EnrolmentStatus.CONFIRMED,
            cycle=Cycle.FIRST,
            cycle_year=2,
        )
        for student in students
    )
    clerk = UserFactory(username="depot")
    Document.objects.bulk_create(
        DocumentFactory.build(type=home, family=family, uploaded_by=clerk)
        for family in families[::3]
    )
    return campaign


def _name(number):
    """Every pair in turn: a thousand households are five of each."""
    rest, first = divmod(number, len(FIRST_NAMES))
    return FIRST_NAMES[first], LAST_NAMES[rest % len(LAST_NAMES)]
