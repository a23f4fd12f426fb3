"""« Doublons »: what is proposed, what never is."""

import pytest
from django.urls import reverse

from families.doubles import likely_doubles
from tests.factories import CustodyFactory, FamilyFactory, GuardianFactory, StudentFactory
from tests.queries import count_queries

URL = "/admin/families/family/doublons/"


def add(family=None, **fields):
    """Nothing of him is like anybody else's."""
    number = add.number = getattr(add, "number", 0) + 1
    unique = {
        "family": family or FamilyFactory(),
        "user": None,
        "first_name": f"Prénom {number}",
        "email": f"{number}@example.org",
        "mobile_phone": f"06 00 00 {number // 100:02} {number % 100:02}",
    }
    return GuardianFactory(**unique | fields)


def found(reader):
    doubles = likely_doubles(reader=reader)
    return [({double.one.pk, double.other.pk}, list(double.reasons)) for double in doubles]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"last_name": "Nguyễn", "first_name": "ÉVA"}, "même nom"),
        ({"email": "EVA@example.org"}, "même adresse e-mail"),
        ({"mobile_phone": "06 39 98 00 01"}, "même téléphone portable"),
        ({"home_phone": "03 20 99 00 01"}, "même téléphone fixe"),
    ],
)
def test_two_households_alike(registrar, fields, reason):
    known = {
        "last_name": "Nguyen",
        "first_name": "Eva",
        "email": "eva@example.org",
        "mobile_phone": "06 39 98 00 01",
        "home_phone": "03 20 99 00 01",
    }
    one, other, _ = add(**known), add(**fields), add()

    assert found(registrar) == [({one.pk, other.pk}, [reason])]
    assert likely_doubles(reader=registrar)[0].is_household


def test_what_is_empty_is_not_alike(registrar):
    for _ in range(2):
        add(email="", mobile_phone="", home_phone="")

    assert found(registrar) == []


def test_a_couple_shares_its_phone_and_its_address(registrar, family):
    for _ in range(2):
        add(family, email="couple@example.org", mobile_phone="06 39 98 00 01")

    assert found(registrar) == []


def test_twice_in_one_household(registrar, family):
    one, other = add(family, first_name="Claire"), add(family, first_name="CLAIRE")

    assert found(registrar) == [({one.pk, other.pk}, ["même nom"])]
    assert not likely_doubles(reader=registrar)[0].is_household


def test_two_households_are_one_line_and_the_likeliest_come_first(registrar):
    ours, theirs = FamilyFactory(), FamilyFactory()
    for family in (ours, theirs):
        add(family, first_name="Claire", email="c@example.org")
        add(family, first_name="Paul")
    add(first_name="Zoé"), add(first_name="Zoé")

    doubles = likely_doubles(reader=registrar)

    assert [list(double.reasons) for double in doubles] == [
        ["même nom", "même adresse e-mail"],
        ["même nom"],
    ]
    assert {doubles[0].one.family, doubles[0].other.family} == {ours, theirs}


def test_the_two_households_of_one_child_are_never_proposed(registrar, student, family):
    """They may well share a phone, from before."""
    other = FamilyFactory()
    CustodyFactory(student=student, family=other, rank=2)
    for home in (family, other):
        add(home, home_phone="03 20 99 00 01")

    assert found(registrar) == []


def test_page_leads_to_the_comparisons(client, registrar, family):
    one, other = add(family, first_name="Claire"), add(family, first_name="Claire")
    far, away = add(first_name="Zoé"), add(first_name="Zoé")
    client.force_login(registrar)

    text = client.get(URL).text

    families = [far.family_id, away.family_id]
    assert reverse("admin:families_family_merge_families", args=families) in text
    assert reverse("admin:families_family_merge_guardians", args=[one.pk, other.pk]) in text
    assert URL in client.get("/admin/families/family/").text


def test_page_without_doubles(client, registrar):
    client.force_login(registrar)

    assert "Aucun doublon probable." in client.get(URL).text


@pytest.mark.parametrize(("who", "status"), [("accountant", 403), ("parent", 302)])
def test_others_do_not_see_it(client, request, who, status):
    client.force_login(request.getfixturevalue(who))

    assert client.get(URL).status_code == status


def test_as_many_queries_for_three_pairs_as_for_one(client, registrar):
    client.force_login(registrar)

    def pair(number):
        for _ in range(2):
            guardian = add(first_name=f"Jumeau {number}")
            CustodyFactory(student=StudentFactory(), family=guardian.family)

    pair(1)
    one = count_queries(client, URL)
    pair(2)
    pair(3)

    assert count_queries(client, URL) == one


def test_any_two_households_may_be_compared(client, registrar):
    client.force_login(registrar)
    one, other, third = FamilyFactory(), FamilyFactory(), FamilyFactory()

    def choose(*families):
        data = {"action": "compare", "_selected_action": [f.pk for f in families]}
        return client.post("/admin/families/family/", data)

    page = reverse("admin:families_family_merge_families", args=[one.pk, other.pk])
    assert choose(one, other).url == page
    assert choose(one).url == choose(one, other, third).url == "/admin/families/family/"
