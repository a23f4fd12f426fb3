"""The lists of families and of guardians: in, out, and in again."""

import pytest
from django.core.exceptions import ValidationError

from accounts.models import OneTimePassword
from accounts.spreadsheets.reading import read
from accounts.spreadsheets.writing import CSV, XLSX
from families.lists import FamilyList, GuardianList
from families.models import Family, Guardian
from students.lists import CustodyList
from tests.factories import (
    CommuneFactory,
    FamilyFactory,
    GuardianFactory,
    StudentFactory,
    UserFactory,
)
from tests.families.test_absorbing import absorb
from tests.lists import check, import_file, import_rows, refusals, xlsx_of

LE_GOFF = {
    "Référence": "F-1",
    "Nom": "Le Goff-d'Aux",
    "Adresse": "12 rue des Anges",
    "Code postal": "59200",
    "Commune": "TOURCOING",
}
NOLWENN = {
    "Référence de la famille": "F-1",
    "Référence": "R-1",
    "Nom": "Le Goff",
    "Prénom": "Nolwenn",
    "Adresse e-mail": "nolwenn@example.org",
    "Téléphone portable": "0612345678",
}


@pytest.fixture
def commune(db):
    return CommuneFactory()


@pytest.fixture
def family(commune):
    return FamilyFactory(name="Le Goff", reference="F-1", commune=commune)


class TestFamilies:
    @pytest.mark.usefixtures("commune")
    def test_created_then_unchanged(self, registrar):
        assert import_rows(FamilyList, registrar, LE_GOFF) == (1, 0, 0)
        assert import_rows(FamilyList, registrar, LE_GOFF) == (0, 0, 1)

        family = Family.objects.get()
        assert (family.reference, family.name, family.sort_name) == (
            "F-1",
            "Le Goff-d'Aux",
            "le goff-d'aux",
        )
        assert family.commune.name == "Tourcoing"

    def test_changed_field_by_field(self, registrar, family):
        row = LE_GOFF | {"Adresse": family.address, "Complément d'adresse": "Bât. B"}

        (line,) = check(FamilyList, registrar, row).changed
        assert [(x.header, x.before, x.after) for x in line.changes] == [
            ("Nom", "Le Goff", "Le Goff-d'Aux"),
            ("Complément d'adresse", "", "Bât. B"),
        ]
        assert import_rows(FamilyList, registrar, row) == (0, 1, 0)
        family.refresh_from_db()
        assert (family.address_more, family.sort_name) == ("Bât. B", "le goff-d'aux")

    def test_checking_writes_nothing(self, registrar, family):
        check(FamilyList, registrar, LE_GOFF, LE_GOFF | {"Référence": "F-2", "Adresse": "1 rue"})

        assert Family.objects.get().name == "Le Goff"

    def test_an_empty_cell_changes_nothing(self, registrar, family):
        Family.objects.update(address_more="Bâtiment A")

        row = {"Référence": "F-1", "Nom": "", "Adresse": "", "Complément d'adresse": ""}

        assert import_rows(FamilyList, registrar, row) == (0, 0, 1)

    @pytest.mark.parametrize("typed", ["12 Rue des ANGES", "12  rue des Anges"])
    def test_one_typed_by_hand_takes_the_reference(self, registrar, commune, typed):
        FamilyFactory(name="LE GOFF-D’AUX", address=typed, commune=commune)

        assert import_rows(FamilyList, registrar, LE_GOFF) == (0, 1, 0)
        assert Family.objects.get().reference == "F-1"

    def test_no_double_under_another_reference(self, registrar, family):
        row = LE_GOFF | {"Nom": "Le Goff", "Adresse": family.address, "Référence": "F-2"}

        assert refusals(FamilyList, registrar, row) == [
            (
                2,
                "",
                "La même fiche existe déjà sous la référence «\u00a0F-1\u00a0»\u00a0: écrivez"
                " celle-là, ou corrigez la fiche dans l'administration.",
            )
        ]

    def test_two_alike_by_hand_are_not_guessed(self, registrar, commune):
        FamilyFactory.create_batch(2, name="Le Goff-d'Aux", commune=commune)

        ((_, _, message),) = refusals(FamilyList, registrar, LE_GOFF)

        assert message.startswith("Plusieurs fiches répondent à cette ligne")

    @pytest.mark.usefixtures("commune")
    @pytest.mark.parametrize(
        ("typed", "header", "message"),
        [
            ({"Référence": ""}, "Référence", "Donnez une référence à cette nouvelle fiche"),
            ({"Référence": "#12"}, "Référence", "Aucune fiche n'a ce numéro"),
            ({"Référence": "x" * 31}, "Référence", "Assurez-vous que cette valeur comporte au"),
            ({"Nom": ""}, "Nom", "Cette case est vide\u00a0: elle est obligatoire pour une nouv"),
            ({"Adresse": ""}, "Adresse", "Cette case est vide"),
            ({"Commune": "", "Code postal": ""}, "Commune", "Cette case est vide"),
            ({"Commune": "Tourcoin"}, "Commune", "La commune «\u00a059200 Tourcoin\u00a0» n'est"),
            ({"Code postal": "59000"}, "Commune", "La commune «\u00a059000 TOURCOING\u00a0» n'e"),
            ({"Code INSEE": "99999"}, "Commune", "La commune «\u00a099999 59200 TOURCOING\u00a0"),
        ],
    )
    def test_refuses(self, registrar, typed, header, message):
        ((number, where, why),) = refusals(FamilyList, registrar, LE_GOFF | typed)

        assert (number, where) == (2, header)
        assert why.startswith(message)

    @pytest.mark.usefixtures("commune")
    def test_refuses_the_same_twice_in_a_file(self, registrar):
        other = LE_GOFF | {"Nom": "Martin"}
        unnamed = LE_GOFF | {"Référence": "F-3"}

        assert refusals(FamilyList, registrar, LE_GOFF, other) == [
            (
                3,
                "",
                "Déjà donné à la ligne 2 de ce fichier\u00a0: gardez une seule des deux lignes.",
            )
        ]
        assert [number for number, _, _ in refusals(FamilyList, registrar, LE_GOFF, unnamed)] == [3]

    def test_a_commune_by_its_insee_code_or_by_its_name_alone(self, registrar, commune):
        CommuneFactory(insee_code="59360", postal_code="59200", name="Loos")
        by_code = LE_GOFF | {"Code INSEE": "59599", "Code postal": "", "Commune": ""}
        by_name = LE_GOFF | {"Référence": "F-2", "Adresse": "1 rue", "Code postal": ""}

        report = check(FamilyList, registrar, by_code, by_name)

        assert [line.row.commune_id for line in report.created] == [commune.pk, commune.pk]

    def test_two_communes_of_a_postal_code_are_not_guessed(self, registrar, commune):
        CommuneFactory(insee_code="59360", postal_code="59200", name="Loos")

        ((_, _, message),) = refusals(FamilyList, registrar, LE_GOFF | {"Commune": ""})

        assert message.startswith("Plusieurs communes répondent")

    def test_the_zeros_that_excel_takes_away_are_put_back_and_told(self, registrar):
        CommuneFactory(insee_code="01053", postal_code="01000", name="Bourg-en-Bresse")
        content = xlsx_of(
            ["Référence", "Nom", "Adresse", "Code postal", "Commune", "Code INSEE"],
            [1024, "Le Goff", "1 rue", 1000, "Bourg-en-Bresse", 1053.0],
        )

        report = FamilyList(registrar).check(read(content))

        assert (len(report.created), report.zeros) == (1, {"Code postal": 1, "Code INSEE": 1})
        assert report.created[0].row.reference == "1024"


class TestColumns:
    @pytest.mark.usefixtures("commune")
    def test_titles_are_read_without_capitals_nor_accents(self, registrar):
        row = {"REFERENCE *": "F-1", "nom": "A", "Adresse ": "1 rue", "commune": "Tourcoing"}

        assert len(check(FamilyList, registrar, row).created) == 1

    @pytest.mark.usefixtures("commune")
    def test_one_that_the_list_does_not_know_is_told(self, registrar):
        report = check(FamilyList, registrar, LE_GOFF | {"Quotient familial": "700"})

        assert (report.unread, len(report.created)) == (["Quotient familial"], 1)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (
                b"Nom;Prenom\nA;B\n",
                "Ce fichier n'a pas de colonne «\u00a0Adresse\u00a0». Les titres sont ceux du"
                " modèle, dans la première ligne remplie du fichier.",
            ),
            (
                b"Nom;nom;Adresse\nA;B;C\n",
                "Plusieurs colonnes s'appellent «\u00a0Nom\u00a0»\u00a0: gardez-en une.",
            ),
        ],
    )
    def test_refuses(self, registrar, content, message):
        with pytest.raises(ValidationError) as refused:
            FamilyList(registrar).check(read(content))

        assert refused.value.messages == [message]


@pytest.mark.usefixtures("family")
class TestGuardians:
    def test_created_then_unchanged(self, registrar):
        two = [NOLWENN, NOLWENN | {"Référence": "", "Prénom": "Yann", "Adresse e-mail": ""}]

        assert import_rows(GuardianList, registrar, *two) == (2, 0, 0)
        assert import_rows(GuardianList, registrar, *two) == (0, 0, 2)
        assert list(
            Guardian.objects.values_list("family__reference", "sort_name", "mobile_phone")
        ) == [
            ("F-1", "le goff nolwenn", "06 12 34 56 78"),
            ("F-1", "le goff yann", "06 12 34 56 78"),
        ]

    def test_the_account_follows_and_its_one_time_password_dies(self, registrar, family):
        guardian = GuardianFactory(family=family, last_name="Le Goff", first_name="Nolwenn")
        OneTimePassword.objects.create(user=guardian.user, hash="x", expires_at="2099-01-01T00:00Z")

        assert import_rows(GuardianList, registrar, NOLWENN) == (0, 1, 0)

        guardian.user.refresh_from_db()
        assert guardian.user.email == "nolwenn@example.org"
        assert not OneTimePassword.objects.exists()

    def test_the_address_of_a_colleague_is_the_directions(self, registrar, director, family):
        agent = UserFactory(is_staff=True)
        GuardianFactory(family=family, user=agent, last_name="Le Goff", first_name="Nolwenn")

        assert refusals(GuardianList, registrar, NOLWENN) == [
            (
                2,
                "Adresse e-mail",
                "Ce compte est celui d'un agent\u00a0: la direction seule change son adresse.",
            )
        ]
        assert import_rows(GuardianList, director, NOLWENN) == (0, 1, 0)

    @pytest.mark.parametrize(
        ("typed", "header", "message"),
        [
            (
                {"Référence de la famille": "F-9"},
                "Référence de la famille",
                "Cette référence n'est",
            ),
            ({"Référence de la famille": ""}, "Référence de la famille", "Cette case est vide"),
            ({"Adresse e-mail": "nolwenn@"}, "Adresse e-mail", "Cette adresse n'est pas complète"),
            (
                {"Téléphone fixe": "03 20"},
                "Téléphone fixe",
                "Un numéro français compte 10 chiffres",
            ),
            ({"Prénom": ""}, "Prénom", "Cette case est vide"),
        ],
    )
    def test_refuses(self, registrar, typed, header, message):
        ((number, where, why),) = refusals(GuardianList, registrar, NOLWENN | typed)

        assert (number, where) == (2, header)
        assert why.startswith(message)

    def test_every_fault_of_a_row_is_told_at_once(self, registrar):
        row = NOLWENN | {"Adresse e-mail": "x", "Téléphone fixe": "1", "Téléphone portable": "z"}

        assert [header for _, header, _ in refusals(GuardianList, registrar, row)] == [
            "Adresse e-mail",
            "Téléphone portable",
            "Téléphone fixe",
        ]

    def test_refuses_to_move_one_to_another_household(self, registrar):
        import_rows(GuardianList, registrar, NOLWENN)
        FamilyFactory(reference="F-2")

        ((_, header, message),) = refusals(
            GuardianList, registrar, NOLWENN | {"Référence de la famille": "F-2"}
        )

        assert header == "Référence de la famille"
        assert message.startswith("Ce responsable est d'une autre famille")

    def test_phones_that_lost_their_zero(self, registrar):
        titles = [*NOLWENN]
        content = xlsx_of(titles, [*list(NOLWENN.values())[:-1], 612345678])

        import_file(GuardianList, registrar, content)

        assert Guardian.objects.get().mobile_phone == "06 12 34 56 78"


class TestMergedDoubles:
    """The town's own list still has them: no import brings them back."""

    @pytest.fixture
    def merged(self, family, registrar):
        double = FamilyFactory(name="Legoff", reference="F-9", commune=family.commune)
        kept, twice = (
            GuardianFactory(family=each, user=None, reference=reference)
            for each, reference in [(family, "R-1"), (double, "R-9")]
        )
        student = StudentFactory(family=double, reference="E-9")
        absorb(family, double, actor=registrar)
        absorb(kept, twice, actor=registrar)
        return student

    @pytest.mark.usefixtures("merged")
    def test_their_lines_are_refused_with_what_they_became(self, registrar):
        home = LE_GOFF | {"Référence": "F-9", "Nom": "Legoff"}
        person = NOLWENN | {"Référence de la famille": "F-9", "Référence": "R-9"}

        for list_, row, kept in [
            (FamilyList, home, "«\u00a0Le Goff\u00a0» (référence F-1)"),
            (GuardianList, person, "«\u00a0Claire Martin\u00a0» (référence R-1)"),
        ]:
            assert refusals(list_, registrar, row) == [
                (
                    2,
                    "Référence",
                    f"Cette fiche était un doublon, fusionné avec {kept}\u00a0: retirez cette"
                    " ligne de votre liste.",
                )
            ]

    def test_what_names_one_means_the_household_that_it_became(self, registrar, family, merged):
        row = {"Référence de l'élève": "E-9", "Référence de la famille": "F-9"}

        assert import_rows(CustodyList, registrar, row) == (0, 0, 1)
        assert import_rows(
            GuardianList, registrar, NOLWENN | {"Référence de la famille": "F-9", "Référence": ""}
        ) == (1, 0, 0)
        assert family.guardians.filter(first_name="Nolwenn").exists()

    def test_a_double_merged_twice_is_what_it_became_in_the_end(self, registrar, family, merged):
        last = FamilyFactory(name="Le Goff", reference="F-2", commune=family.commune)
        absorb(last, family, actor=registrar)
        row = {"Référence de l'élève": "E-9", "Référence de la famille": "F-9"}

        assert import_rows(CustodyList, registrar, row) == (0, 0, 1)

    def test_a_reference_that_the_kept_one_took_is_its_own(self, registrar, family):
        Family.objects.update(reference=None)
        double = FamilyFactory(reference="F-1", commune=family.commune)
        absorb(family, double, actor=registrar)

        assert import_rows(FamilyList, registrar, LE_GOFF) == (0, 1, 0)


@pytest.mark.parametrize("format_", [CSV, XLSX])
@pytest.mark.parametrize(
    ("list_", "factory"), [(FamilyList, FamilyFactory), (GuardianList, GuardianFactory)]
)
def test_what_goes_out_comes_back_unchanged(registrar, list_, factory, format_):
    """With a reference or not, with an account or not, whatever the name."""
    family = FamilyFactory(
        name="=Nguyễn", address="@12 rue d'O'Brien", address_more="-B", reference="01"
    )
    GuardianFactory(family=family, last_name="+O'Brien", home_phone="+32 470 12 34 56", user=None)
    factory(reference="R-1")

    content, count = list_(registrar).file_of(list_(registrar).rows(), format_)
    report = list_(registrar).check(read(content))

    assert (len(report.unchanged), report.refused, report.changed) == (count, [], [])
    assert count == list_.model.objects.count() > 1


@pytest.mark.parametrize(("list_", "at_most"), [(FamilyList, 6), (GuardianList, 8)])
def test_the_queries_do_not_grow_with_the_rows(
    registrar, list_, at_most, django_assert_max_num_queries
):
    GuardianFactory(user=None)
    for _ in range(2):
        with django_assert_max_num_queries(at_most):
            content, _ = list_(registrar).file_of(list_(registrar).rows(), CSV)
            list_(registrar).check(read(content))
        GuardianFactory.create_batch(4)


@pytest.mark.parametrize("list_", [FamilyList, GuardianList])
@pytest.mark.parametrize("format_", [CSV, XLSX])
def test_the_template_is_a_file_that_can_be_imported(registrar, list_, format_):
    CommuneFactory()
    FamilyFactory(reference="F-1024")
    if list_ is FamilyList:
        Family.objects.update(reference=None)

    report = list_(registrar).check(read(list_.template(format_)))

    assert [line.refusals for line in report.lines] == [[]]
    assert report.unread == []
