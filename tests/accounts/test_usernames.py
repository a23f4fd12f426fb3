"""Identifiants: readable aloud, unique, whatever the name."""

from itertools import islice

import pytest
from django.core.exceptions import ValidationError

from accounts import usernames
from accounts.models import User
from accounts.services import create_account, let_in
from tests.factories import EstablishmentFactory, UserFactory
from tests.races import run_together


@pytest.mark.parametrize(
    ("first_name", "last_name", "expected"),
    [
        ("Claire", "Martin", ["martin.c", "martin.cl", "martin.claire", "martin.c2", "martin.c3"]),
        ("Éloïse", "Nguyễn", ["nguyen.e", "nguyen.el", "nguyen.eloise", "nguyen.e2", "nguyen.e3"]),
        ("Anne-Marie", "Le Goff-d'Aux", ["legoffdaux.a", "legoffdaux.an", "legoffdaux.annemarie"]),
        ("Jean", "de La Fontaine", ["delafontaine.j"]),
        ("Sean", "O’Brien", ["obrien.s"]),
        ("Łukasz", "Œuvré", ["oeuvre.l"]),
        ("Jo", "Weiß", ["weiss.j", "weiss.jo", "weiss.j2"]),
        ("A", "Li", ["li.a", "li.a2"]),
        ("伟", "李", ["famille", "famille2"]),
        ("伟", "Li", ["li", "li2"]),
    ],
)
def test_wishes(first_name, last_name, expected):
    assert list(islice(usernames.wishes(first_name, last_name), len(expected))) == expected


def test_three_thousand_names_have_three_thousand_identifiants():
    people = [
        (first, last)
        for first in ["Claire", "Clara", "Chloé", "Éric", "Erik", "Zoé"]
        for last in ["Martin", "Màrtin", "d'Hondt", "Dhondt", "Nguyễn"]
    ] * 100
    taken = set()
    for person in people:
        taken.add(usernames.free_username(*person, taken=taken))

    assert len(taken) == len(people) == 3000
    for username in taken:
        assert username.isascii()
        assert username == username.lower()


def test_a_very_long_name_fits():
    username = next(usernames.wishes("A" * 100, "Z" * 100))

    User(username=username).clean_fields(exclude=["password", "establishments"])
    assert len(list(islice(usernames.wishes("A" * 100, "Z" * 100), 3))[2]) < 140


def make(site, first_name="Claire", last_name="Martin"):
    return create_account(
        first_name=first_name, last_name=last_name, email="c@example.org", establishment=site
    )


def test_account_is_of_the_site_and_has_no_password(establishment):
    UserFactory(username="martin.c")

    user = make(establishment)

    assert user.username == "martin.cl"
    assert list(user.establishments.all()) == [establishment]
    assert not user.has_usable_password()
    user.full_clean(exclude=["password"])


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_homonyms_at_the_same_moment_all_have_an_account():
    site = EstablishmentFactory()
    for turn in range(10):
        name = f"Lam{'a' * turn}"
        results = run_together(lambda number, name=name: make(site, last_name=name).username, 4)

        assert len({*results}) == 4
        assert all(isinstance(result, str) for result in results)


def test_an_account_that_exists_enters_the_site_too(parent):
    annexe = EstablishmentFactory(name="Annexe")

    let_in(parent, annexe)

    assert annexe in parent.establishments.all()


def test_a_closed_account_stays_closed(parent, establishment):
    parent.is_active = False

    with pytest.raises(ValidationError) as refused:
        let_in(parent, establishment)

    assert refused.value.code == "inactive"


@pytest.mark.parametrize("cast", ["registrar", "director"])
def test_an_agent_gains_no_other_site(request, superuser, cast):
    agent, annexe = request.getfixturevalue(cast), EstablishmentFactory(name="Annexe")

    with pytest.raises(ValidationError) as refused:
        let_in(agent, annexe)
    let_in(superuser, annexe)

    assert refused.value.code == "staff"
    assert annexe not in agent.establishments.all()
    assert annexe in superuser.establishments.all()
