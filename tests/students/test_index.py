import pytest

from tests.factories import CustodyFactory, StudentFactory

INDEX = "/extranet/eleves/"
PICK = "/extranet/eleves/choisir/"


def test_opens_on_the_first_student_by_name(client, parent, family, student):
    first = StudentFactory(last_name="Étienne", first_name="Zoé", family=family)
    StudentFactory(last_name="Abadie")  # another household's
    client.force_login(parent)

    response = client.get(INDEX)

    assert response.url == f"/extranet/eleves/{first.pk}/identite/"


def test_a_household_without_student_is_told_whom_to_ask(client, parent, establishment):
    client.force_login(parent)

    response = client.get(INDEX)

    assert response.status_code == 200
    assert "Aucun élève n'est rattaché à votre compte." in response.text
    assert f'href="mailto:{establishment.email}"' in response.text


def test_an_account_without_family_has_no_student(client, teacher):
    client.force_login(teacher.user)

    assert "Aucun élève n'est rattaché à votre compte." in client.get(INDEX).text


class TestPick:
    @pytest.mark.parametrize(
        ("tab", "page"),
        [
            ("identite", "identite"),
            ("cours", "cours"),
            ("historique", "historique"),
            ("repertoire", "repertoire"),
            ("reinscription", "reinscription"),
            ("documents", "documents"),
            ("", "identite"),
            ("https://ailleurs.example", "identite"),
        ],
    )
    def test_keeps_the_tab(self, client, parent, student, tab, page):
        client.force_login(parent)

        response = client.get(PICK, {"eleve": student.pk, "onglet": tab})

        assert (response.status_code, response.url) == (
            302,
            f"/extranet/eleves/{student.pk}/{page}/",
        )

    def test_the_student_of_others_does_not_exist(self, client, stranger, student):
        client.force_login(stranger)

        assert client.get(PICK, {"eleve": student.pk}).status_code == 404

    @pytest.mark.parametrize("key", ["", "x", "-1", "0", "1 OR 1", "٣", "²", "9" * 400])
    def test_what_is_no_student_is_not_found(self, client, parent, student, key):
        client.force_login(parent)

        assert client.get(PICK, {"eleve": key}).status_code == 404

    def test_without_a_student_it_is_not_found(self, client, parent):
        client.force_login(parent)

        assert client.get(PICK).status_code == 404


def test_both_households_find_their_child(client, parent, stranger, student):
    CustodyFactory(student=student, family=stranger.guardian.family, rank=2)

    for user in (parent, stranger):
        client.force_login(user)
        assert client.get(INDEX).url == f"/extranet/eleves/{student.pk}/identite/"
