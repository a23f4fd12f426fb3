"""What a secretariat mends: a household entered twice, a responsable who has no account yet."""

from families.models import Family, Guardian
from imuse.demo import people
from imuse.demo.accounts import address
from imuse.demo.households import Household

NAME = "Haddad"


def enter_twice(households: list[Household]) -> None:
    """In a hurry, at the counter: the same person and phone, another address."""
    household = next(each for each in households if each.family.name == NAME)
    parent = household.guardians[0]
    family = Family.objects.create(
        name=household.family.name, address="5 rue de la Gare", commune=household.family.commune
    )
    Guardian.objects.create(
        family=family,
        first_name=parent.first_name,
        last_name=parent.last_name,
        mobile_phone=parent.mobile_phone,
    )
    Guardian.objects.create(
        family=family,
        first_name="Karim",
        last_name=parent.last_name,
        email=address("Karim", parent.last_name, "example.com"),
        mobile_phone=people.mobile_phone(9_999),
    )
