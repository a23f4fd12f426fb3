from accounts.spreadsheets.reading import read
from accounts.spreadsheets.writing import CSV
from reenrolment.lists import ReenrolmentList
from reenrolment.models import Reenrolment
from tests.factories import CampaignFactory, EstablishmentFactory, StudentFactory


def test_the_dossiers_of_ones_own_establishments(
    registrar, case, parent, django_assert_max_num_queries
):
    case.fill_in()
    dossier = case.submit(parent)
    other = CampaignFactory(establishment=EstablishmentFactory(name="Ailleurs"))
    Reenrolment.objects.create(campaign=other, student=StudentFactory())

    with django_assert_max_num_queries(1):
        content, count = ReenrolmentList(registrar).file_of(ReenrolmentList(registrar).rows(), CSV)

    sheet = read(content)
    (row,) = sheet.rows.values()
    told = dict(zip(sheet.headers, row, strict=False))
    assert count == 1
    assert (told["Dossier"], told["Élève"], told["État"]) == (
        dossier.reference,
        "Louise Martin",
        dossier.get_status_display(),
    )
    assert told["Déposé le"]
    assert not ReenrolmentList.can_import
