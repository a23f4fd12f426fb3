"""The pages by which a whole grid goes out and comes in."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import ListImport
from accounts.spreadsheets.reading import read_all
from accounts.spreadsheets.writing import XLSX, Table, write_all
from billing.models import TariffFee
from billing.tariffs.files.parts import PARTS
from tests.billing.tariffs.making import make_draft, make_published
from tests.factories import EstablishmentFactory, SchoolYearFactory

FEES = ["Libellé", "Montant", "Dû"]


def page(name, *keys):
    return reverse(f"admin:billing_tariffgrid_{name}_grid", args=keys)


def fees(*rows):
    return write_all(XLSX, [Table("Frais", FEES, [list(row) for row in rows])])


def send(client, grid, content, name="grille.xlsx"):
    return client.post(page("import", grid.pk), {"file": SimpleUploadedFile(name, content)})


@pytest.fixture
def grid(client, accountant):
    client.force_login(accountant)
    return make_draft()


@pytest.mark.parametrize("format_", ["xlsx", "zip"])
def test_the_whole_grid_is_taken_out_published_or_not(client, grid, director, format_):
    published = make_published(director, school_year=SchoolYearFactory(offset=1))

    for each in (grid, published):
        answer = client.get(page("export", each.pk, format_))

        assert list(read_all(answer.content)) == [part.title for part in PARTS]
        assert answer["Content-Disposition"].endswith(f'-conservatoire.{format_}"')
        assert answer["X-Content-Type-Options"] == "nosniff"
    assert client.get(page("export", grid.pk, "csv")).status_code == 404


def test_a_file_is_checked_then_imported(client, grid):
    answer = send(client, grid, fees(["Adhésion", "20", "par foyer"]))
    check = client.get(answer.url)

    assert "Rien n'est encore écrit" in check.text
    assert "Adhésion" in check.text
    assert not grid.fees.exists()

    told = check.context["report"].fingerprint
    done = client.post(answer.url, {"fingerprint": told}, follow=True)

    assert grid.fees.get().amount == 20
    assert "importé le" in done.text
    received = ListImport.objects.get()
    assert (received.created, bool(received.file)) == (1, False)


def test_what_is_wrong_is_shown_and_leaves_nothing_to_press(client, grid):
    answer = send(client, grid, fees(["Adhésion", "vingt", "par foyer"]))

    check = client.get(answer.url)

    assert "Écrivez un nombre comme 603" in check.text
    assert "Frais, 2" in check.text
    assert 'name="fingerprint"' not in check.text


def test_another_state_than_the_one_read_imports_nothing(client, grid):
    answer = send(client, grid, fees(["Adhésion", "20", "par foyer"]))
    told = client.get(answer.url).context["report"].fingerprint
    TariffFee.objects.create(grid=grid, label="Adhésion", amount=5)

    page_after = client.post(answer.url, {"fingerprint": told}, follow=True)

    assert "Les données ont changé" in page_after.text
    assert grid.fees.get().amount == 5


def test_a_file_that_is_no_grid_is_told_at_once(client, grid):
    answer = send(client, grid, b"nom;age\nLouise;8\n", "x.csv")

    assert "celui d'une grille" in answer.context["form"].errors["file"][0]
    assert not ListImport.objects.exists()


def test_a_file_is_of_its_sender_and_its_grid(client, grid, director):
    answer = send(client, grid, fees())
    other = make_draft(school_year=SchoolYearFactory(offset=2))
    key = ListImport.objects.get().pk

    assert client.get(page("check", other.pk, key)).status_code == 404
    client.force_login(director)
    assert client.get(answer.url).status_code == 404
    assert client.post(answer.url).status_code == 404


def test_a_published_grid_offers_no_import(client, grid, director):
    published = make_published(director, school_year=SchoolYearFactory(offset=1))

    answer = client.get(page("import", published.pk), follow=True)

    assert "elle ne change plus" in answer.text
    assert page("import", published.pk) not in answer.text


def test_the_grids_of_another_site_are_not_there(client, grid):
    elsewhere = make_draft(establishment=EstablishmentFactory(name="Annexe"))

    for address in (page("export", elsewhere.pk, "xlsx"), page("import", elsewhere.pk)):
        assert client.get(address).status_code == 404
