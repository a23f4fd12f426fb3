import pytest

from accounts.forms import EMAIL_INVALID
from families.models import Guardian
from students.models import Student
from tests.factories import CustodyFactory, FamilyFactory, GuardianFactory, StudentFactory
from tests.queries import FAMILY_PAGE, count_queries

FIELDS = ["email", "phone", "school", "school_class"]


@pytest.fixture
def signed_in(client, parent):
    client.force_login(parent)
    return client


def url_of(student):
    return f"/extranet/eleves/{student.pk}/identite/"


def posted(student, **typed):
    """What a browser posts from a page shown when the student was as given."""
    seen = {name: getattr(student, name) for name in FIELDS}
    return seen | typed | {f"initial-{name}": value for name, value in seen.items()}


def test_shows_the_student(signed_in, student):
    response = signed_in.get(url_of(student))

    assert response.context["selection"].student == student
    assert f"<h1>{student}</h1>" in response.text
    assert f"14\u00a0mars {student.birth_date.year}" in response.text


def test_saves_and_says_so(signed_in, student):
    response = signed_in.post(
        url_of(student),
        posted(
            student,
            email="louise@example.org",
            phone="+33612345678",
            school="Collège Lucie-Aubrac",
            school_class="6e B",
        ),
        follow=True,
    )

    assert response.redirect_chain == [(url_of(student), 302)]
    assert [str(message) for message in response.context["messages"]] == [
        f"Les informations de {student} sont enregistrées."
    ]
    student.refresh_from_db()
    assert [getattr(student, name) for name in FIELDS] == [
        "louise@example.org",
        "06 12 34 56 78",
        "Collège Lucie-Aubrac",
        "6e B",
    ]


def test_everything_may_be_emptied(signed_in, student):
    Student.objects.update(phone="06 12 34 56 78", school="Lycée")
    student.refresh_from_db()

    signed_in.post(url_of(student), posted(student, phone="", school=""))

    student.refresh_from_db()
    assert (student.phone, student.school) == ("", "")


def test_name_and_birth_date_are_the_secretariat_s(signed_in, student):
    before = (student.last_name, student.first_name, student.birth_date)

    signed_in.post(
        url_of(student),
        posted(student, last_name="X", first_name="Y", birth_date="2001-01-01", school="Lycée"),
    )

    student.refresh_from_db()
    assert (student.last_name, student.first_name, student.birth_date) == before
    assert student.school == "Lycée"


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"email": "louise@"}, {"email": [EMAIL_INVALID]}),
        (
            {"phone": "06"},
            {"phone": ["Un numéro français compte 10 chiffres\u00a0: vous en avez saisi 2."]},
        ),
        ({"school": "a\x00b"}, {"school": ["Le caractère nul n’est pas autorisé."]}),
    ],
)
def test_refuses_and_keeps_what_was_typed(signed_in, student, typed, errors):
    response = signed_in.post(url_of(student), posted(student, school_class="6e C") | typed)

    assert response.context["form"].errors == errors
    assert response.context["form"]["school_class"].value() == "6e C"
    assert f"<title>Erreur&nbsp;: Identité de {student}" in response.text
    student.refresh_from_db()
    assert student.school_class == ""


def test_two_households_do_not_destroy_each_other_s_entries(signed_in, student):
    page = posted(student, school="Collège Brel", school_class="6e C")
    Student.objects.update(school="Collège Lucie-Aubrac", phone="06 12 34 56 78")

    refused = signed_in.post(url_of(student), page)

    assert refused.context["form"].errors == {
        "school": [
            "Une autre personne vient d'enregistrer «\u00a0Collège Lucie-Aubrac\u00a0»."
            " Vous aviez saisi «\u00a0Collège Brel\u00a0»."
            " Enregistrez de nouveau pour garder votre saisie, ou corrigez-la."
        ]
    }
    student.refresh_from_db()
    assert (student.school, student.school_class) == ("Collège Lucie-Aubrac", "")

    page["initial-school"] = "Collège Lucie-Aubrac"  # as the page now says
    assert 'name="initial-school" value="Collège Lucie-Aubrac"' in refused.text
    signed_in.post(url_of(student), page)

    student.refresh_from_db()
    assert (student.school, student.school_class, student.phone) == (
        "Collège Brel",
        "6e C",
        "06 12 34 56 78",
    )


def test_either_household_edits_and_neither_sees_the_other_s_address(client, parent, student):
    second = GuardianFactory(family=FamilyFactory(address="99 rue Secrète", name="Benali"))
    CustodyFactory(student=student, family=second.family, rank=2)

    for number, user in enumerate([parent, second.user]):
        client.force_login(user)
        student.refresh_from_db()
        client.post(url_of(student), posted(student, school_class=f"CM{number}"))
        student.refresh_from_db()
        assert student.school_class == f"CM{number}"

    client.force_login(parent)
    text = client.get(url_of(student)).text
    assert [word in text for word in ("99 rue Secrète", "Benali", second.email)] == [False] * 3


def test_the_student_of_others_does_not_exist(client, stranger, student):
    client.force_login(stranger)

    assert client.get(url_of(student)).status_code == 404
    assert client.post(url_of(student), posted(student, school="X")).status_code == 404
    assert Student.objects.get(pk=student.pk).school == ""


def test_names_are_escaped_and_whole(signed_in, parent):
    family = Guardian.objects.get(user=parent).family
    student = StudentFactory(last_name="Nguyễn", first_name="D'Arcy <b>", family=family)

    text = signed_in.get(url_of(student)).text

    assert "<h1>D&#x27;Arcy &lt;b&gt; Nguyễn</h1>" in text


class TestHeader:
    def test_the_drop_down_holds_the_household_s_students(self, signed_in, family, student):
        brother = StudentFactory(first_name="Élie", family=family)
        StudentFactory()

        text = " ".join(signed_in.get(url_of(student)).text.split())

        assert f'<option value="{brother.pk}" >{brother}</option>' in text
        assert f'<option value="{student.pk}" selected>{student}</option>' in text
        assert text.count("<option") == 2

    def test_the_six_tabs_of_the_manual(self, signed_in, student):
        text = signed_in.get(url_of(student)).text

        labels = [
            part.split("</a>")[0].rsplit(">", 1)[1] for part in text.split('class="nav-link')[1:]
        ]
        assert labels[-6:] == [
            "identité",
            "cours",
            "historique",
            "répertoire",
            "réinscription",
            "documents fournis",
        ]


def test_the_number_of_queries_does_not_follow_the_rows(signed_in, family, student):
    one = count_queries(signed_in, url_of(student))
    StudentFactory.create_batch(2, family=family)

    assert count_queries(signed_in, url_of(student)) == one <= FAMILY_PAGE
