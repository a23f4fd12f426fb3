"""Two agents import at the same instant: one after the other, and no doubles."""

import pytest
from django.core.exceptions import ValidationError

from accounts.models import ListImport
from accounts.spreadsheets import services
from families.lists import FamilyList, GuardianList
from families.merging import Edit
from families.models import Family, Guardian
from families.services import save_household
from tests.factories import CommuneFactory, FamilyFactory, GuardianFactory, UserFactory
from tests.families.test_lists import LE_GOFF
from tests.lists import csv_of
from tests.races import run_together

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
ROUNDS = 20


@pytest.fixture
def agents(registrar):
    return [registrar, UserFactory(is_superuser=True)]


def received(list_, actor, *rows):
    """A file that the agent has checked, and what the check said."""
    file = services.receive(list_(actor), "liste.csv", csv_of(*rows))
    return file, list_(actor).check(services.sheet_of(file)).fingerprint


def import_together(list_, agents, files):
    def carry_out(number):
        file, fingerprint = files[number]
        return services.carry_out(
            ListImport.objects.get(pk=file.pk), list_(agents[number]), fingerprint=fingerprint
        )

    return run_together(carry_out, len(files))


def test_the_same_file_makes_no_doubles(agents):
    """Guardians without a reference: no constraint would stop the second one."""
    for number in range(ROUNDS):
        FamilyFactory(reference=f"F-{number}")
        rows = [
            {"Référence de la famille": f"F-{number}", "Nom": "Le Goff", "Prénom": first_name}
            for first_name in ("Nolwenn", "Yann")
        ]
        files = [received(GuardianList, agent, *rows) for agent in agents]

        results = import_together(GuardianList, agents, files)

        refused = [result for result in results if isinstance(result, ValidationError)]
        assert [error.code for error in refused] == ["changed"]
        assert sorted(type(result) for result in results if result not in refused) == [ListImport]
        assert Guardian.objects.count() == 2 * (number + 1)


def test_a_double_click_imports_once(registrar):
    CommuneFactory()
    for number in range(ROUNDS):
        row = LE_GOFF | {"Référence": f"F-{number}", "Adresse": f"{number} rue"}
        file = received(FamilyList, registrar, row)

        results = import_together(FamilyList, [registrar] * 2, [file] * 2)

        assert [result.created for result in results] == [1, 1]
        assert Family.objects.count() == number + 1


def test_a_family_that_saves_meanwhile_loses_nothing(registrar):
    """Its address and the file's name are both kept, or the agent is told."""
    commune = CommuneFactory()
    for number in range(ROUNDS):
        family = FamilyFactory(
            name="Avant", reference=f"F-{number}", address=f"{number} rue", commune=commune
        )
        GuardianFactory(family=family, user=None)
        row = LE_GOFF | {"Référence": f"F-{number}", "Nom": "Après", "Adresse": family.address}
        file = received(FamilyList, registrar, row)

        def play(which, family=family, file=file):
            if which:
                return services.carry_out(file[0], FamilyList(registrar), fingerprint=file[1])
            return Family.objects.filter(pk=family.pk).update(address_more="Bâtiment B")

        _, imported = run_together(play, 2)

        family.refresh_from_db()
        assert family.address_more == "Bâtiment B"
        if isinstance(imported, ValidationError):
            assert (imported.code, family.name) == ("changed", "Avant")
        else:
            assert family.name == "Après"


def test_a_household_that_saves_its_page_never_waits_for_ever(registrar):
    """Both lock the family before its guardians: no deadlock."""
    for number in range(ROUNDS):
        family = FamilyFactory(reference=f"F-{number}", address=f"{number} rue")
        mother = GuardianFactory(family=family, first_name="Nolwenn")
        about = {"Référence de la famille": f"F-{number}", "Nom": "Martin"}
        file = received(
            GuardianList,
            registrar,
            about | {"Prénom": "Nolwenn", "Téléphone fixe": "03 20 00 00 01"},
            about | {"Prénom": "Yann"},
        )

        def play(which, family=family, mother=mother, file=file):
            if which:
                return services.carry_out(file[0], GuardianList(registrar), fingerprint=file[1])
            seen, typed = {"mobile_phone": mother.mobile_phone}, {"mobile_phone": "06 00 00 00 02"}
            return save_household(
                Edit(family, seen={}, typed={}),
                [Edit(mother, seen=seen, typed=typed)],
                actor=mother.user,
            )

        saved, imported = run_together(play, 2)

        mother.refresh_from_db()
        assert (saved, mother.mobile_phone) == (None, "06 00 00 00 02")
        assert isinstance(imported, ListImport) or imported.code == "changed"
