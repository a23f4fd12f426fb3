"""The comparison, side by side, and its button."""

import pytest
from django.urls import reverse

from families.models import Family, Guardian, Merge
from tests.factories import (
    CustodyFactory,
    DocumentFactory,
    FamilyFactory,
    GuardianFactory,
    StudentFactory,
    TeacherFactory,
)
from tests.queries import count_queries

CONFIRMED = {"confirm": "on"}


@pytest.fixture
def desk(client, registrar):
    client.force_login(registrar)
    return client


@pytest.fixture
def double(family):
    return FamilyFactory(name="Martin", address="14 rue des Anges")


@pytest.fixture
def twice(family):
    """Claire again, with another account."""
    return GuardianFactory(family=family, user__username="martin.c2")


def page_of(kept, absorbed):
    name = "families" if isinstance(kept, Family) else "guardians"
    return reverse(f"admin:families_family_merge_{name}", args=[kept.pk, absorbed.pk])


def seen(client, url):
    return {"seen": client.get(url).context["comparison"].fingerprint}


def told(response):
    return [str(message) for message in response.context["messages"]]


def errors_of(response):
    assert response.status_code == 200
    return response.context["form"].errors


def test_shows_both_and_what_follows(desk, family, double):
    StudentFactory(first_name="Zoé", family=double)
    url = page_of(family, double)

    response = desk.get(url)

    for text in (
        "12 rue des Anges",
        "14 rue des Anges",
        "n&#x27;est pas repris",
        "Zoé Martin rejoint",
    ):
        assert text in response.text
    assert f'href="{page_of(double, family)}"' in response.text
    assert not Merge.objects.exists()


def test_merges_then_shows_the_accounts(desk, registrar, family, double):
    GuardianFactory(family=double, first_name="Paul")
    url = page_of(family, double)

    response = desk.post(url, CONFIRMED | seen(desk, url), follow=True)

    accounts = reverse("admin:families_family_household_accounts", args=[family.pk])
    assert response.redirect_chain == [(accounts, 302)]
    assert told(response) == ["Martin\u00a0: le doublon est fusionné."]
    assert Merge.objects.get().actor == registrar


def test_goes_on_with_the_person_who_was_in_both(desk, family, parent, double):
    other = GuardianFactory(family=double, user=None)
    url = page_of(family, double)

    response = desk.post(url, CONFIRMED | seen(desk, url))

    assert response.url == page_of(parent.guardian, other)


def test_a_second_click_says_that_it_is_done(desk, family, double):
    url = page_of(family, double)
    data = CONFIRMED | seen(desk, url)
    desk.post(url, data)

    again = desk.post(url, data, follow=True)

    assert "Martin\u00a0: le doublon est déjà fusionné." in told(again)
    assert Merge.objects.count() == 1
    assert desk.get(url).status_code == 302


def test_is_not_done_without_the_tick(desk, family, double):
    url = page_of(family, double)

    response = desk.post(url, seen(desk, url))

    assert errors_of(response) == {"confirm": ["Cochez cette case pour fusionner."]}
    assert "Erreur" in response.text
    assert Family.objects.filter(pk=double.pk).exists()


def test_what_changed_meanwhile_is_read_again(desk, family, double):
    url = page_of(family, double)
    data = CONFIRMED | seen(desk, url)
    DocumentFactory(family=double)

    response = desk.post(url, data, follow=True)

    assert response.redirect_chain == [(url, 302)]
    assert "relisez la comparaison" in told(response)[0]
    assert not Merge.objects.exists()


def test_two_households_of_one_child_show_a_sentence_and_no_button(desk, family, student, double):
    CustodyFactory(student=student, family=double, rank=2)
    url = page_of(family, double)

    for response in (desk.get(url), desk.post(url, CONFIRMED | {"seen": "x"})):
        assert response.status_code == 200
        assert "garde alternée" in response.text
        assert 'value="Fusionner"' not in response.text
        assert "14 rue des Anges" not in response.text
    assert Family.objects.filter(pk=double.pk).exists()


def test_says_what_becomes_of_each_value(desk, parent, twice):
    Guardian.objects.filter(pk=twice.pk).update(home_phone="03 20 00 00 01", first_name="Clara")

    fields = desk.get(page_of(parent.guardian, twice)).context["comparison"].fields

    assert {label: note for label, _, _, note in fields if note} == {
        "prénom": "n'est pas repris",
        "adresse e-mail": "suit le compte gardé",
        "téléphone fixe": "repris",
        "compte": "à choisir",
    }


def test_of_two_accounts_one_is_chosen(desk, parent, twice):
    url = page_of(parent.guardian, twice)
    data = CONFIRMED | seen(desk, url)

    response = desk.post(url, data)
    assert errors_of(response) == {"account": ["Choisissez le compte à garder."]}
    assert "martin.c2 (martin.c2@example.org, jamais utilisé)" in response.text
    assert list(errors_of(desk.post(url, data | {"account": 999_999}))) == ["account"]

    desk.post(url, data | {"account": twice.user_id})

    guardian = Guardian.objects.select_related("user").get(pk=parent.guardian.pk)
    assert guardian.user.username == "martin.c2"
    parent.refresh_from_db()
    assert not parent.is_active


def test_a_refusal_is_a_sentence(desk, parent, twice):
    TeacherFactory(user=parent)
    url = page_of(parent.guardian, twice)

    response = desk.post(url, CONFIRMED | seen(desk, url) | {"account": twice.user_id}, follow=True)

    assert "seule la direction le ferme" in told(response)[0]
    assert Guardian.objects.filter(pk=twice.pk).exists()


def test_a_row_that_does_not_exist(desk, family):
    for name in ("families", "guardians"):
        url = reverse(f"admin:families_family_merge_{name}", args=[family.pk, 999_999])
        assert desk.get(url).status_code == desk.post(url).status_code == 404


@pytest.mark.parametrize(("who", "status"), [("accountant", 403), ("parent", 302)])
def test_others_do_neither(client, request, family, double, who, status):
    client.force_login(request.getfixturevalue(who))
    url = page_of(family, double)

    assert client.get(url).status_code == client.post(url, CONFIRMED).status_code == status
    assert Family.objects.filter(pk=double.pk).exists()


def test_the_log_is_read_by_the_secretariat_and_written_by_nobody(desk, director, family, double):
    StudentFactory(first_name="Zoé", family=double)
    url = page_of(family, double)
    desk.post(url, CONFIRMED | seen(desk, url))
    merge = Merge.objects.get()
    page = f"/admin/families/merge/{merge.pk}/change/"

    text = desk.get(page).text
    assert "12 rue des Anges / 14 rue des Anges" in text
    assert "élève Zoé Martin rejoint le foyer." in text
    assert desk.get("/admin/families/merge/").status_code == 200
    for user in (merge.actor, director):
        desk.force_login(user)
        assert desk.post(page, {"kept_name": "x"}).status_code == 403
        assert desk.get("/admin/families/merge/add/").status_code == 403


def test_as_many_queries_for_three_children_as_for_one(desk, family, double):
    url = page_of(family, double)
    StudentFactory(family=double)
    GuardianFactory(family=double, first_name="A")
    one = count_queries(desk, url)
    for name in "BC":
        StudentFactory(family=double)
        GuardianFactory(family=double, first_name=name)

    assert count_queries(desk, url) == one
