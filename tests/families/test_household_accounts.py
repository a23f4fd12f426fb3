"""« Comptes du foyer »: what the secretariat sees and does, and on whose account it may not."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import email_changes, mails
from accounts.models import EmailChange, Mail, User
from families.invitations import invite
from families.models import Guardian, Invitation
from tests.factories import FamilyFactory, GuardianFactory, TeacherFactory, UserFactory
from tests.queries import count_queries


def page_of(family):
    return reverse("admin:families_family_household_accounts", args=[family.pk])


def act(client, name, guardian, **typed):
    url = reverse(f"admin:families_family_{name}", args=[guardian.family_id, guardian.pk])
    response = client.post(url, typed, follow=True)
    assert response.redirect_chain == [(page_of(guardian.family), 302)]
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def desk(client, registrar):
    client.force_login(registrar)
    return client


@pytest.fixture
def paul(family):
    return GuardianFactory(family=family, user=None, first_name="Paul", email="paul@example.org")


def states(client, family):
    lines = client.get(page_of(family)).context["lines"]
    return {line.guardian.first_name: str(line.state) for line in lines}


def test_each_responsable_and_the_state_of_the_account(desk, family, registrar, establishment):
    def add(first_name, **fields):
        return GuardianFactory(family=family, first_name=first_name, **fields)

    add("Sans", user=None, email="")
    add("Seul", user=None, email="seul@example.org")
    add("Neuf")
    add("Vu", user__last_login=timezone.now())
    add("Clos", user__is_active=False)
    invite(add("Invité", user=None, email="i@e.org"), actor=registrar, establishment=establishment)

    assert states(desk, family) == {
        "Sans": "no_email",
        "Seul": "no_account",
        "Neuf": "never_used",
        "Vu": "used",
        "Clos": "closed",
        "Invité": "invited",
    }
    text = desk.get(page_of(family)).text
    assert "<strong>Invité</strong> le" in text
    assert "<strong>Compte fermé</strong>" in text


def test_an_invitation_that_could_not_leave_says_so(desk, paul, registrar, establishment):
    invitation = invite(paul, actor=registrar, establishment=establishment)
    mails.give_up(invitation.mail, "SMTPRecipientsRefused")

    assert "pas pu partir&nbsp;: SMTPRecipientsRefused" in desk.get(page_of(paul.family)).text


def test_the_page_of_a_family_leads_there(desk, family):
    assert page_of(family) in desk.get(f"/admin/families/family/{family.pk}/change/").text


def test_invites_then_says_that_it_just_did(desk, paul):
    assert act(desk, "invite", paul) == ["Paul Martin\u00a0: l'invitation part à paul@example.org."]
    assert act(desk, "invite", paul) == [
        "Paul Martin\u00a0: Une invitation vient de partir\u00a0: attendez une minute."
    ]
    assert Invitation.objects.count() == Mail.objects.count() == 1


def test_closes_with_a_reason_kept_in_the_log(desk, parent, registrar):
    elsewhere = Client()
    elsewhere.force_login(parent)
    email_changes.ask("ailleurs@example.net", actor=parent)

    told = act(desk, "close_account", parent.guardian, reason=" Départ ")

    assert told == ["Claire Martin\u00a0: le compte est fermé."]
    assert not get_user(elsewhere).is_authenticated  # out at its next request
    assert not EmailChange.objects.exists()
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (registrar, str(parent.pk))
    assert entry.get_change_message() == "Compte fermé\u00a0: Départ"


def test_opens_again(desk, parent):
    User.objects.filter(pk=parent.pk).update(is_active=False)

    assert act(desk, "reopen_account", parent.guardian) == [
        "Claire Martin\u00a0: le compte est rouvert."
    ]
    parent.refresh_from_db()
    assert parent.is_active
    assert LogEntry.objects.get().get_change_message() == "Compte rouvert."
    assert act(desk, "reopen_account", parent.guardian) == [
        "Claire Martin\u00a0: Ce compte est déjà ouvert."
    ]


def test_no_account_is_closed_without_a_reason_nor_twice(desk, parent):
    assert act(desk, "close_account", parent.guardian, reason=" ") == [
        "Claire Martin\u00a0: Indiquez pourquoi le compte est fermé."
    ]
    assert User.objects.get(pk=parent.pk).is_active

    act(desk, "close_account", parent.guardian, reason="Départ")
    assert act(desk, "close_account", parent.guardian, reason="Départ") == [
        "Claire Martin\u00a0: Ce compte est déjà fermé."
    ]


@pytest.mark.parametrize(
    ("flag", "unheard", "heard"),
    [("is_staff", [], "director"), ("is_superuser", ["director"], "superuser")],
)
def test_nobody_acts_on_an_account_above_his_own(desk, request, parent, flag, unheard, heard):
    User.objects.filter(pk=parent.pk).update(**{flag: True})
    refused = "Claire Martin\u00a0: Compte d'un agent\u00a0: seule la direction {}."

    for who in ["registrar", *unheard]:
        desk.force_login(request.getfixturevalue(who))
        User.objects.filter(pk=parent.pk).update(is_active=True)
        text = desk.get(page_of(parent.guardian.family)).text
        assert "seule la direction agit sur lui" in text
        assert "Fermer le compte" not in text
        assert act(desk, "close_account", parent.guardian, reason="Départ") == [
            refused.format("ferme ce compte")
        ]
        assert act(desk, "invite", parent.guardian) == [refused.format("invite cette personne")]
        User.objects.filter(pk=parent.pk).update(is_active=False)
        assert act(desk, "reopen_account", parent.guardian) == [refused.format("rouvre ce compte")]
        assert not User.objects.get(pk=parent.pk).is_active

    desk.force_login(request.getfixturevalue(heard))
    act(desk, "reopen_account", parent.guardian)
    assert User.objects.get(pk=parent.pk).is_active


def test_the_direction_alone_closes_a_teachers_account(desk, parent, director):
    TeacherFactory(user=parent)

    assert act(desk, "close_account", parent.guardian, reason="Départ") == [
        "Claire Martin\u00a0: Ce compte est aussi celui d'un enseignant\u00a0: seule la direction"
        " le ferme."
    ]
    assert User.objects.get(pk=parent.pk).is_active

    desk.force_login(director)
    act(desk, "close_account", parent.guardian, reason="Départ")
    assert not User.objects.get(pk=parent.pk).is_active


def test_nobody_closes_his_own(client, director, family):
    guardian = GuardianFactory(family=family, user=director)
    client.force_login(director)

    assert act(client, "close_account", guardian, reason="Par erreur") == [
        "Claire Martin\u00a0: Personne ne ferme son propre compte."
    ]


def test_a_responsable_of_another_household_is_not_found(desk, family, stranger):
    for name in ("invite", "close_account", "reopen_account"):
        url = reverse(f"admin:families_family_{name}", args=[family.pk, stranger.guardian.pk])
        assert desk.post(url, {"reason": "x"}).status_code == 404
        assert desk.get(url).status_code == 405
    assert User.objects.get(pk=stranger.pk).is_active


@pytest.mark.parametrize(("who", "status"), [("accountant", 403), ("parent", 302)])
def test_others_do_not_see_the_page(client, request, family, paul, who, status):
    client.force_login(request.getfixturevalue(who))

    assert client.get(page_of(family)).status_code == status
    for name in ("invite", "close_account", "reopen_account"):
        url = reverse(f"admin:families_family_{name}", args=[family.pk, paul.pk])
        assert client.post(url).status_code == status
    assert Guardian.objects.get(pk=paul.pk).user is None


def test_as_many_queries_for_three_as_for_one(desk, family, registrar, establishment):
    url = page_of(family)
    one = GuardianFactory(family=family, user=None, email="a@example.org")
    invite(one, actor=registrar, establishment=establishment)
    before = count_queries(desk, url)
    for number in range(2):
        other = GuardianFactory(family=family, user=None, email=f"{number}@example.org")
        invite(other, actor=registrar, establishment=establishment)

    assert count_queries(desk, url) == before


def test_empty_household(desk, establishment):
    assert "pas de responsable" in desk.get(page_of(FamilyFactory())).text


def test_two_responsables_of_one_household_have_each_an_account(client, family, establishment):
    """Each signs in for himself, and both see the household's students."""
    for username in ("martin.c", "martin.p"):
        user = UserFactory(username=username)
        GuardianFactory(family=family, user=user)
        client.force_login(user)
        assert client.get(reverse("families:identity")).status_code == 200
