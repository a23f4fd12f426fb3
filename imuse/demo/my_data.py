"""« Mes données »: a copy ready to be downloaded, and a household that asks to be forgotten."""

import datetime as dt

from accounts.services import create_account
from families import data_exports, erasures
from families.models import Family, Guardian
from imuse.demo.accounts import Register, address
from imuse.demo.clock import Clock
from imuse.demo.households import Household
from imuse.demo.town import Town
from students.models import Custody, Student


def ask_for_a_copy(home: Household, clock: Clock) -> None:
    with clock.at(clock.moment(-1, 20)):
        data_exports.ask(home.family, actor=home.user)
        data_exports.prepare_next()


def ask_to_be_forgotten(town: Town, register: Register, clock: Clock) -> None:
    """They moved away: nobody of the household follows a course any more."""
    name = "Vandamme"
    user = create_account(
        first_name="Élise",
        last_name=name,
        email=address("Élise", name),
        establishment=town.conservatoire,
    )
    user.password, user.date_joined = register.password, register.joined
    user.save(update_fields=["password", "date_joined"])
    family = Family.objects.create(
        name=name, address="8 rue du Fort", commune=town.communes["Roubaix"]
    )
    Guardian.objects.create(
        family=family,
        user=user,
        last_name=name,
        first_name="Élise",
        email=user.email,
        mobile_phone="06 39 98 12 34",
    )
    born = dt.date(town.current.starts_on.year - 13, 3, 14)
    student = Student.objects.create(first_name="Jules", last_name=name, birth_date=born)
    Custody.objects.create(student=student, family=family)
    with clock.at(clock.moment(-6, 18)):
        erasures.ask(
            family,
            text="Nous avons déménagé et Jules ne joue plus\u00a0: effacez tout le foyer, merci.",
            actor=user,
        )
