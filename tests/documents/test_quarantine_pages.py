"""What the family and the staff read of a piece that the antivirus has not seen, or refused."""

import pytest
from django.core.management import call_command
from django.urls import reverse

from documents.enums import Scan, Verdict
from documents.models import Access, Document
from documents.personal_data import DocumentsPart
from families.holdings import Copy
from families.models import Guardian
from tests.documents.builders import make_pdf
from tests.factories import DocumentFactory, FamilyFactory
from tests.fake_clamd import FOUND, SIGNATURE

LIST = "/admin/documents/document/"
WAITING = "reçue, contrôle de sécurité en attente"
BANNER = "en quarantaine depuis le"


@pytest.fixture
def quarantined(proof, family):
    return DocumentFactory(
        type=proof, family=family, scan=Scan.WAITING, file__data=make_pdf() + SIGNATURE
    )


@pytest.fixture
def infected(quarantined, clamd):
    call_command("scan_documents")
    return Document.objects.get(pk=quarantined.pk)


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    return client


@pytest.fixture
def desk(client, registrar):
    client.force_login(registrar)
    return client


def download(document):
    return reverse("documents:download", args=[document.pk])


def page(document, action="change"):
    return f"{LIST}{document.pk}/{action}/"


class TestFamily:
    def test_it_has_nothing_to_do(self, home, quarantined, student):
        response = home.get(reverse("documents:supplied", args=[student.pk]))

        assert WAITING in response.text
        assert "vous n'avez rien à faire" in response.text
        assert download(quarantined) not in response.text
        assert quarantined.name in response.text

    def test_nor_is_it_told_to_on_its_home_page(self, home, quarantined):
        assert quarantined.type.name not in home.get(reverse("imuse:home")).text

    def test_it_is_not_lent_its_own_file(self, home, quarantined):
        response = home.get(download(quarantined))

        assert response.status_code == 409
        assert "Contrôle de sécurité en attente" in response.text
        assert "Vous n'avez rien à envoyer à nouveau" in response.text

    def test_of_a_stranger_nothing_is_told(self, client, stranger, quarantined):
        client.force_login(stranger)

        assert client.get(download(quarantined)).status_code == 404

    def test_without_an_antivirus_it_reads_nothing_of_it(self, home, proof, family, student):
        document = DocumentFactory(type=proof, family=family)

        text = home.get(reverse("documents:supplied", args=[student.pk])).text

        assert "reçue, à examiner" in text
        assert download(document) in text
        assert "analysé" not in text
        assert "sécurité" not in text

    def test_found_infected_later_it_is_a_refused_piece_with_its_reason(
        self, home, infected, student
    ):
        text = home.get(reverse("documents:supplied", args=[student.pk])).text
        assert "Le contrôle de sécurité a trouvé un programme malveillant" in text
        assert FOUND not in text
        assert download(infected) not in text

        assert "Pièce refusée" in home.get(reverse("imuse:home")).text

        response = home.get(download(infected))
        assert response.status_code == 410
        assert "Fichier effacé" in response.text

    @pytest.mark.parametrize("found", [False, True])
    def test_its_copy_of_my_data_tells_it_without_the_file(
        self, quarantined, parent, request, found
    ):
        if found:
            request.getfixturevalue("infected")
        copy = Copy(Guardian.objects.get(user=parent))

        [row] = DocumentsPart().export(copy)["documents"]

        assert row["fichier"] is None
        assert row["contrôle de sécurité"] == (
            "programme malveillant, effacé" if found else "en quarantaine"
        )
        assert [review["par"] for review in row["examens"]] == ["contrôle automatique"] * found


class TestStaff:
    def test_its_page_says_so_and_offers_nothing(self, desk, quarantined):
        text = desk.get(page(quarantined)).text

        assert "en quarantaine\u00a0: ne peut être ni ouvert ni accepté" in text
        assert "/fichier/" not in text
        assert "Accepter cette pièce" not in text

    def test_it_is_not_lent_and_no_access_is_logged(self, desk, quarantined):
        response = desk.get(page(quarantined, "fichier"))

        assert response.status_code == 409
        assert "tant que l'antivirus ne" in response.text
        assert not Access.objects.exists()

    def test_nor_accepted(self, desk, quarantined):
        response = desk.post(page(quarantined, "accepter"), follow=True)

        assert [str(message) for message in response.context["messages"]] == [
            f"{quarantined}\u00a0: Cette pièce est en quarantaine\u00a0: elle ne peut être acceptée"
            " qu'une fois le contrôle de sécurité passé."
        ]
        assert Document.objects.get().verdict == Verdict.PENDING

    def test_not_analysed_is_said(self, desk, proof, family):
        document = DocumentFactory(type=proof, family=family)

        assert "non analysé" in desk.get(page(document)).text
        assert desk.get(page(document, "fichier")).status_code == 200

    def test_an_infected_one_shows_by_what_and_that_no_agent_refused_it(self, desk, infected):
        text = desk.get(page(infected)).text

        assert "effacé par le contrôle de sécurité" in text
        assert FOUND in text
        assert "contrôle automatique" in text
        assert "Accepter cette pièce" not in text
        response = desk.get(page(infected, "fichier"))
        assert response.status_code == 410
        assert "qui a été effacé" in response.text

    def test_the_list_says_how_many_wait_and_why(self, desk, quarantined, clamd):
        text = desk.get(LIST).text

        assert f"1 pièce {BANNER}" in " ".join(text.split())
        assert "l'antivirus ne répondait pas" in text

    def test_and_that_it_was_switched_off(self, desk, quarantined):
        assert "l'antivirus a été éteint" in desk.get(LIST).text

    def test_the_link_leads_to_them(self, desk, quarantined, proof, clamd):
        DocumentFactory(type=proof, family=FamilyFactory())

        response = desk.get(LIST + "?scan__exact=waiting")

        assert [*response.context["cl"].result_list] == [quarantined]
        assert '<td class="field-state">en quarantaine</td>' in response.text

    def test_nothing_when_none_waits(self, desk, infected):
        assert BANNER not in desk.get(LIST).text
