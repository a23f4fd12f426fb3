"""Nobody acts on an account above his own, wherever an account is touched."""

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError

from accounts import roles, services
from accounts.authority import may_act_on
from accounts.models import Mail, User
from tests.factories import EstablishmentFactory, GuardianFactory, UserFactory

USERS = "/admin/accounts/user/"
ABOVE = "ce compte est celui d'un agent, la direction de son site seule y touche."


@pytest.fixture
def annexe(establishment):
    return EstablishmentFactory(name="Annexe")


@pytest.fixture
def colleague(establishment):
    """Another agent of the same site, of no group yet."""
    return UserFactory(username="collegue", is_staff=True)


@pytest.fixture
def elsewhere(annexe):
    """An agent of the other site."""
    return UserFactory(username="annexe", is_staff=True, establishments=[annexe])


@pytest.fixture
def both(establishment, annexe):
    """An agent of both sites."""
    return UserFactory(username="deux.sites", is_staff=True, establishments=[establishment, annexe])


ACCOUNTS = ["parent", "colleague", "director", "superuser", "elsewhere", "both"]


@pytest.mark.parametrize(
    ("actor", "allowed"),
    [
        ("registrar", ["parent"]),
        ("accountant", ["parent"]),
        ("director", ["parent", "colleague", "director"]),
        ("superuser", ACCOUNTS),
    ],
)
def test_who_may_act_on_whom(request, actor, allowed):
    actor = request.getfixturevalue(actor)

    assert [
        name for name in ACCOUNTS if may_act_on(request.getfixturevalue(name), actor=actor)
    ] == allowed


@pytest.mark.parametrize("account", ["superuser", "both"])
def test_an_account_above_is_not_unlocked(request, director, account):
    with pytest.raises(ValidationError) as refused:
        services.unlock(request.getfixturevalue(account), actor=director)

    assert refused.value.code == "above"


def form_of(user, **changes):
    return {
        "username": user.username,
        "last_name": user.last_name,
        "first_name": "Claire",
        "email": user.email,
        "establishments": [site.pk for site in user.establishments.all()],
        "is_active": "on",
        **changes,
    }


def save(client, user, **changes):
    return client.post(f"{USERS}{user.pk}/change/", form_of(user, **changes))


def errors_of(response):
    assert response.status_code == 200
    return response.context["adminform"].form.errors


def group(name):
    return Group.objects.get(name=name).pk


def test_the_direction_makes_an_agent(client, director, parent):
    client.force_login(director)

    response = save(client, parent, is_staff="on", groups=[group(roles.REGIE)])

    parent.refresh_from_db()
    assert response.status_code == 302
    assert (parent.is_staff, [each.name for each in parent.groups.all()]) == (True, [roles.REGIE])


def test_the_direction_makes_no_superuser(client, director, parent):
    client.force_login(director)

    assert save(client, parent, is_superuser="on").status_code == 302

    parent.refresh_from_db()
    assert not parent.is_superuser


def test_the_direction_gives_no_group_that_is_not_in_the_code(client, director, parent):
    other = Group.objects.create(name="Autre")
    client.force_login(director)

    errors = errors_of(save(client, parent, is_staff="on", groups=[other.pk]))

    assert list(errors) == ["groups"]


def test_a_group_is_given_to_an_agent_only(client, director, parent):
    client.force_login(director)

    errors = errors_of(save(client, parent, groups=[group(roles.REGIE)]))

    assert errors == {
        "is_staff": ["Un groupe est celui d'un agent\u00a0: cochez aussi cette case."]
    }


def test_the_direction_gives_its_own_sites_only(client, director, parent, annexe):
    client.force_login(director)

    errors = errors_of(save(client, parent, establishments=[annexe.pk]))

    assert list(errors) == ["establishments"]


def test_the_direction_of_one_site_leaves_the_others_as_they_are(client, director, parent, annexe):
    parent.establishments.add(annexe)
    client.force_login(director)

    response = save(client, parent, establishments=[])

    assert response.status_code == 302
    assert list(parent.establishments.all()) == [annexe]


def test_an_account_keeps_a_site(client, director, parent):
    """Of none, it would be seen by nobody of a site."""
    client.force_login(director)

    assert errors_of(save(client, parent, establishments=[])) == {
        "establishments": ["Choisissez au moins un établissement."]
    }


def test_the_superuser_withdraws_every_site(client, superuser, parent):
    client.force_login(superuser)

    assert save(client, parent, establishments=[]).status_code == 302
    assert not parent.establishments.exists()


def test_an_account_of_another_site_too_becomes_no_agent_here(client, director, parent, annexe):
    """It would open the administration of the other site."""
    parent.establishments.add(annexe)
    client.force_login(director)

    errors = errors_of(save(client, parent, establishments=director_sites(director), is_staff="on"))

    assert errors == {
        "is_staff": [
            "Ce compte appartient aussi à un site qui n'est pas le vôtre (Annexe)\u00a0:"
            " il ne peut pas devenir celui d'un agent ici."
        ]
    }


def director_sites(director):
    return [site.pk for site in director.establishments.all()]


def test_nobody_changes_his_own_rights(client, director, annexe):
    client.force_login(director)

    response = save(client, director, establishments=[annexe.pk], groups=[], is_active="")

    director.refresh_from_db()
    assert response.status_code == 302
    assert (director.first_name, director.is_staff, director.is_active) == ("Claire", True, True)
    assert [each.name for each in director.groups.all()] == [roles.DIRECTION]
    assert annexe not in director.establishments.all()


@pytest.mark.parametrize(("account", "status"), [("superuser", 403), ("both", 403)])
def test_an_account_above_is_read_only(client, request, director, account, status):
    account = request.getfixturevalue(account)
    client.force_login(director)

    assert save(client, account, email="voleur@example.org").status_code == status
    before = account.email
    account.refresh_from_db()
    assert account.email == before


def test_an_account_of_another_site_does_not_exist(client, director, elsewhere):
    client.force_login(director)
    missing = client.get(f"{USERS}999999/change/")

    answer = client.get(f"{USERS}{elsewhere.pk}/change/")

    assert (answer.status_code, answer.url) == (missing.status_code, missing.url)
    assert elsewhere not in client.get(USERS).context["cl"].queryset


def test_an_account_of_no_site_yet_is_seen(client, director):
    lost = UserFactory(establishments=[])
    client.force_login(director)

    assert lost in client.get(USERS).context["cl"].queryset


@pytest.mark.parametrize("action", ["send_one_time_password", "remove_second_factor"])
def test_the_actions_leave_an_account_above_alone(client, director, both, action):
    client.force_login(director)

    response = client.post(USERS, {"action": action, "_selected_action": [both.pk]}, follow=True)

    assert [str(message) for message in response.context["messages"]] == [f"{both}\u00a0: {ABOVE}"]
    assert not Mail.objects.exists()


def save_family(client, family, guardian, *, name="Martin", email):
    posted = {
        "name": name,
        "address": family.address,
        "commune": family.commune_id,
        "guardians-TOTAL_FORMS": 1,
        "guardians-INITIAL_FORMS": 1,
        "guardians-0-id": guardian.pk,
        "guardians-0-family": family.pk,
        "guardians-0-user": guardian.user_id,
        "guardians-0-last_name": "Martin",
        "guardians-0-first_name": "Claire",
        "guardians-0-email": email,
    }
    return client.post(f"/admin/families/family/{family.pk}/change/", posted)


def test_a_guardians_page_changes_no_address_above(client, director, family, superuser):
    """The computing service's clerk is also a mother: her account's address stays her own."""
    guardian = GuardianFactory(family=family, user=superuser)
    client.force_login(director)

    response = save_family(client, family, guardian, email="voleur@example.org")

    assert "la direction seule change son adresse" in response.text
    assert User.objects.get(pk=superuser.pk).email == "informatique@example.org"


def test_a_guardian_keeps_an_account_that_the_agent_does_not_see(
    client, director, family, elsewhere
):
    guardian = GuardianFactory(family=family, user=elsewhere)
    client.force_login(director)

    response = save_family(client, family, guardian, name="Martin-Duval", email=guardian.email)

    guardian.refresh_from_db()
    assert (response.status_code, guardian.user) == (302, elsewhere)


def test_an_agent_who_is_deactivated_is_out_at_his_next_request(client, registrar):
    client.force_login(registrar)
    assert client.get("/admin/").status_code == 200

    registrar.is_active = False
    registrar.save(update_fields=["is_active"])

    assert client.get("/admin/").url.startswith("/admin/login/")
    assert client.get("/extranet/mot-de-passe/").url.startswith("/extranet/connexion/")


def test_an_agent_who_leaves_his_group_does_nothing_more_at_his_next_request(client, registrar):
    client.force_login(registrar)
    assert client.get("/admin/students/student/").status_code == 200

    registrar.groups.clear()

    assert client.get("/admin/students/student/").status_code == 403


def test_an_agent_who_is_one_no_more_is_out_of_the_administration(client, registrar, student):
    client.force_login(registrar)
    registrar.is_staff = False
    registrar.save(update_fields=["is_staff"])

    assert client.get("/admin/").url.startswith("/admin/login/")
    assert client.get(f"/extranet/eleves/{student.pk}/guichet/").status_code == 404
