"""« Droit à l'image »: each household's word, on the page of the student's identity."""

import pytest
from django.urls import reverse

from families.holdings import Copy
from students import image_consent
from students.models import Student
from students.personal_data import StudentsPart
from tests.factories import CustodyFactory, FamilyFactory, GuardianFactory, StudentFactory


def url(student):
    return reverse("students:image_consent", args=[student.pk])


def word(student, family):
    return student.custodies.get(family=family).image_consent_at is not None


@pytest.fixture
def other(student):
    """The other household of the student."""
    guardian = GuardianFactory(user__username="durand.p")
    CustodyFactory(student=student, family=guardian.family, rank=2)
    return guardian


def agreed():
    return list(Student.objects.filter(image_consent.agreed("pk")))


def test_no_by_default(client, parent, student, family):
    client.force_login(parent)

    page = client.get(reverse("students:identity", args=[student.pk])).text

    assert not word(student, family)
    assert "Permettre à ses enseignants de voir sa photo" in page
    assert "deux foyers" not in page


def test_a_household_agrees_then_takes_its_word_back(client, parent, student, family):
    client.force_login(parent)

    response = client.post(url(student), {"accord": "oui"}, follow=True)
    assert word(student, family)
    assert "Retirer mon accord" in response.text

    response = client.post(url(student), {"accord": "non"}, follow=True)
    assert not word(student, family)
    assert "n&#x27;est plus montrée" in response.text


def test_anything_else_than_a_yes_is_a_no(client, parent, student, family):
    client.force_login(parent)
    client.post(url(student), {"accord": "oui"})

    client.post(url(student))

    assert not word(student, family)


def test_a_second_yes_keeps_the_date_of_the_first(student, family):
    image_consent.set_consent(student, family, agrees=True)
    first = student.custodies.get().image_consent_at

    image_consent.set_consent(student, family, agrees=True)

    assert student.custodies.get().image_consent_at == first


def test_both_households_must_agree(student, family, other):
    image_consent.set_consent(student, family, agrees=True)
    assert agreed() == []

    image_consent.set_consent(student, other.family, agrees=True)

    assert agreed() == [student]


def test_a_student_of_no_household_agreed_to_nothing(db):
    StudentFactory()

    assert agreed() == []


def test_neither_reads_the_other_s_word(client, parent, student, family, other):
    client.force_login(parent)
    page = reverse("students:identity", args=[student.pk])
    before = client.get(page).text
    assert "Il faut l'accord de chacun des deux foyers." in before

    image_consent.set_consent(student, other.family, agrees=True)

    after = client.get(page).text
    assert "Permettre à ses enseignants de voir sa photo" in after
    assert not word(student, family)


def test_somebody_else_s_student_is_not_found(client, stranger, student, family):
    client.force_login(stranger)

    assert client.post(url(student), {"accord": "oui"}).status_code == 404
    assert not word(student, family)


def test_a_household_that_is_not_his_may_not(student):
    with pytest.raises(student.custodies.model.DoesNotExist):
        image_consent.set_consent(student, FamilyFactory(), agrees=True)


def test_reading_changes_nothing(client, parent, student):
    client.force_login(parent)

    assert client.get(url(student), {"accord": "oui"}).status_code == 405


def test_the_copy_tells_one_s_own_word_alone(parent, student, family, other):
    image_consent.set_consent(student, other.family, agrees=True)

    [copied] = StudentsPart().export(Copy(parent.guardian))["élèves"]

    assert copied["garde"] == [
        {"foyer": "premier foyer", "photo autorisée le": None, "lequel": "le vôtre"},
        {"foyer": "second foyer", "lequel": "un autre foyer"},
    ]


def test_it_goes_with_an_erasure(student, family):
    image_consent.set_consent(student, family, agrees=True)

    StudentsPart().erase(family)

    assert not word(student, family)
