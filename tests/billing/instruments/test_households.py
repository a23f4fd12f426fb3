"""What becomes of a household's rentals: merged with its double, copied, erased."""

from decimal import Decimal

import pytest

from billing.instruments import deposits, rentals
from billing.instruments.enums import Condition
from billing.instruments.personal_data import RentalsPart
from families import absorbing
from tests.factories import FamilyFactory, GuardianFactory


def test_they_follow_the_household_that_absorbs_theirs(make_rental, family):
    rental = make_rental(family=FamilyFactory())

    lines = [line.text for line in absorbing.compare(family, rental.family).lines]

    assert f"Location {rental}, {rental.period}\u00a0: rejoint le foyer." in lines


def test_the_copy_holds_them_and_not_the_agent_s_name(make_rental, parent, family, accountant):
    make_rental(handed_over=True, deposit_held=True, family=family)
    copy = type("Copy", (), {"user": parent, "family": family})()
    copy.signature = lambda user: "l'administration"

    [rental] = RentalsPart().export(copy)["locations"]

    assert rental["instrument"].startswith("Violon 3/4 Stentor (")
    assert rental["compagnie d'assurance"] == "MAIF"
    assert {move["par"] for move in rental["mouvements"]} == {"l'administration"}
    assert accountant.username not in str(rental)


@pytest.fixture
def returned(make_rental, family, accountant, today):
    rental = make_rental(handed_over=True, deposit_held=True, family=family)
    return rentals.take_back(
        rental, on=today, condition=Condition.GOOD, note="Rendu par Claire.", actor=accountant
    )


def test_nothing_is_erased_while_an_instrument_or_a_deposit_is_out(
    make_rental, returned, family, accountant, today
):
    live = make_rental(family=family)

    assert sorted(RentalsPart().obstacles(family)) == sorted(
        [
            f"{live}\u00a0: cette location n'est pas terminée.",
            f"{returned}\u00a0: le dépôt de garantie n'est pas rendu.",
        ]
    )
    rentals.cancel(live, reason="x", actor=accountant)
    deposits.give_back(returned, on=today, actor=accountant)
    assert RentalsPart().obstacles(family) == []


def test_an_erasure_leaves_the_dates_and_the_amounts(returned, family, accountant, today):
    GuardianFactory(family=family)
    deposits.keep(
        returned, on=today, amount=Decimal(50), reason="Archet de Louise.", actor=accountant
    )

    RentalsPart().erase(family)

    returned.refresh_from_db()
    returned.full_clean()
    assert (returned.insurer, returned.policy_number) == ("effacé", "effacé")
    assert (returned.deposit_reason, returned.deposit_reference) == ("effacé", "")
    assert returned.deposit_kept == 50
    assert {move.details for move in returned.moves.all()} == {""}
