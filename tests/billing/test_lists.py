from accounts.spreadsheets.reading import read
from accounts.spreadsheets.writing import CSV
from billing.lists import InvoiceList
from tests.factories import EstablishmentFactory, InvoiceFactory


def test_the_invoices_of_ones_own_establishments(
    accountant, family, make_issued, django_assert_max_num_queries
):
    issued = make_issued(amounts=("1200.50", "34.00"), family=family)
    InvoiceFactory(family=family)
    InvoiceFactory(establishment=EstablishmentFactory(name="Ailleurs"))

    with django_assert_max_num_queries(1):
        content, count = InvoiceList(accountant).file_of(InvoiceList(accountant).rows(), CSV)

    sheet = read(content)
    rows = {row[0]: dict(zip(sheet.headers, row, strict=False)) for row in sheet.rows.values()}
    assert count == 2
    assert set(rows) == {issued.reference, "brouillon"}
    told = rows[issued.reference]
    assert (told["Famille"], told["Référence de la famille"]) == ("Martin", f"#{family.pk}")
    assert (told["Total"], told["Reste à payer"], told["Règlement"]) == (
        "1234,50",
        "1234,50",
        "à payer",
    )
    assert not InvoiceList.can_import
