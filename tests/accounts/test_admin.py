"""The admin pages of accounts and mails: who may do what, and what is never shown."""

import logging

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import email_changes, mails, one_time_passwords, services, throttling
from accounts.admin import ReadOnlyAdminMixin, SortNameSearchMixin
from accounts.admin_forms import AccountForm
from accounts.enums import MailKind
from accounts.models import EmailChange, Mail, OneTimePassword, User
from families.models import Commune
from tests.accounts.codes import set_up
from tests.factories import CommuneFactory, EstablishmentFactory, UserFactory

USERS = "/admin/accounts/user/"
MAILS = "/admin/accounts/mail/"


@pytest.fixture
def clerk(registrar):
    """Somebody who was given the accounts to edit, without managing agents."""
    codes = ["view_user", "add_user", "change_user"]
    registrar.user_permissions.set(Permission.objects.filter(codename__in=codes))
    return registrar


def form_of(user, **changes):
    return {
        "username": user.username,
        "last_name": "Martin",
        "first_name": "Claire",
        "email": user.email,
        "establishments": [site.pk for site in user.establishments.all()],
        "is_active": "on",
        **changes,
    }


def queue(number=1):
    mails.queue(
        MailKind.REFUSED,
        key=str(number),
        to=f"claire{number}@example.org",
        subject="Décision",
        body="Texte de la décision",
    )


@pytest.mark.parametrize("cast", ["parent", "accountant"])
def test_accounts_are_closed_to_families_and_to_the_regie(client, request, cast):
    user = request.getfixturevalue(cast)
    client.force_login(user)

    assert client.get(USERS).status_code in {302, 403}
    assert client.get(f"{USERS}{user.pk}/change/").status_code in {302, 403}


def test_secretariat_reads_the_accounts_and_writes_none(client, registrar, parent):
    client.force_login(registrar)

    page = client.get(USERS)
    assert [name for name, _ in page.context["action_form"].fields["action"].choices] == [
        *["", "unlock", "close_sessions"]
    ]
    assert client.get(f"{USERS}{parent.pk}/change/").status_code == 200
    response = client.post(f"{USERS}{parent.pk}/change/", form_of(parent, email="a@example.org"))
    assert response.status_code == 403
    assert client.get(f"{USERS}add/").status_code == 403


@pytest.mark.parametrize("count", [1, 3])
def test_list_of_accounts_makes_as_many_queries_whatever_the_count(
    client, director, count, django_assert_num_queries
):
    UserFactory.create_batch(count)
    client.force_login(director)

    with django_assert_num_queries(10):
        response = client.get(USERS)

    assert response.context["cl"].result_count == count + 1


def test_no_password_on_the_page(client, director, parent):
    client.force_login(director)

    html = client.get(f"{USERS}{parent.pk}/change/").content.decode()

    assert parent.password not in html
    assert 'type="password"' not in html


@pytest.mark.parametrize(
    "lookup",
    [
        "password__startswith",
        "one_time_password__hash__startswith",
        "email_change__hash__startswith",
        "totpdevice__key__startswith",
        "staticdevice__token_set__token__startswith",
    ],
)
def test_hashes_cannot_be_guessed_by_filters(client, director, lookup):
    client.force_login(director)

    assert client.get(USERS, {lookup: "m"}).status_code == 400


def test_new_account_has_no_password(client, director, establishment):
    client.force_login(director)
    typed = form_of(director, username="Zoé.Z", email="zoe@example.org")

    response = client.post(f"{USERS}add/", typed)

    user = User.objects.get(username="zoé.z")
    assert response.status_code == 302
    assert not user.has_usable_password()
    assert list(user.establishments.all()) == [establishment]


def test_identifiant_that_differs_by_capitals_is_refused(client, director, parent, stranger):
    client.force_login(director)

    response = client.post(f"{USERS}{stranger.pk}/change/", form_of(stranger, username="MARTIN.C"))

    assert response.context["adminform"].errors["username"] == ["Cet identifiant existe déjà."]


def test_one_time_password_by_the_action(client, director, parent, stranger):
    stranger.is_active = False
    stranger.save()
    client.force_login(director)

    response = client.post(
        USERS,
        {"action": "send_one_time_password", "_selected_action": [parent.pk, stranger.pk]},
        follow=True,
    )

    assert [mail.user for mail in Mail.objects.all()] == [parent]
    assert [str(message) for message in response.context["messages"]] == [
        "autre.f\u00a0: compte inactif ou sans adresse e-mail, rien n'est envoyé.",
        "martin.c\u00a0: le message part à martin.c@example.org.",
    ]


def remove_second_factor(client, *users):
    chosen = [user.pk for user in users]
    data = {"action": "remove_second_factor", "_selected_action": chosen}
    return client.post(USERS, data, follow=True)


def test_the_direction_removes_a_second_factor_and_signs_for_it(
    client, director, registrar, stranger
):
    set_up(registrar)
    client.force_login(director)

    response = remove_second_factor(client, registrar, stranger)

    assert not TOTPDevice.objects.exists()
    assert not StaticDevice.objects.exists()
    assert [str(message) for message in response.context["messages"]] == [
        "autre.f\u00a0: pas de validation en deux étapes, rien n'est changé.",
        "secretariat\u00a0: la validation en deux étapes est retirée.",
    ]
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.change_message) == (
        director,
        str(registrar.pk),
        "Validation en deux étapes retirée.",
    )


def test_an_agent_removes_no_other_agents_second_factor(client, clerk, director, parent):
    set_up(director)
    set_up(parent)
    client.force_login(clerk)

    remove_second_factor(client, director, parent)

    assert [device.user for device in TOTPDevice.objects.all()] == [director]


def test_who_may_not_change_accounts_removes_nothing(client, registrar, parent):
    registrar.user_permissions.set(Permission.objects.filter(codename="view_user"))
    set_up(parent)
    client.force_login(registrar)

    remove_second_factor(client, parent)

    assert TOTPDevice.objects.count() == 1


@pytest.mark.parametrize("device", [TOTPDevice, StaticDevice])
def test_secrets_of_the_second_factor_have_no_page(device):
    assert not admin.site.is_registered(device)


def suspend(user):
    for _ in range(5):
        throttling.begin(user.username, "")


def test_secretariat_unlocks_a_family(client, registrar, parent, caplog):
    caplog.set_level(logging.INFO, logger="accounts.security")
    suspend(parent)
    client.force_login(registrar)
    page = f"{USERS}{parent.pk}/change/"
    assert "Non suspendu" not in client.get(page).content.decode()

    response = client.post(
        USERS, {"action": "unlock", "_selected_action": [parent.pk]}, follow=True
    )

    assert [str(message) for message in response.context["messages"]] == [
        "martin.c\u00a0: le compte est débloqué."
    ]
    assert throttling.suspended_until(parent) is None
    assert "Non suspendu" in client.get(page).content.decode()
    assert caplog.messages == ["Unlocked by secretariat: account martin.c"]


def test_secretariat_does_not_unlock_the_direction(client, registrar, director):
    suspend(director)
    client.force_login(registrar)

    response = client.post(
        USERS, {"action": "unlock", "_selected_action": [director.pk]}, follow=True
    )

    assert [str(message) for message in response.context["messages"]] == [
        "direction\u00a0: Compte d'un agent\u00a0: seule la direction débloque ce compte."
    ]
    assert throttling.suspended_until(director)


def test_direction_unlocks_the_staff(client, registrar, director):
    suspend(registrar)
    client.force_login(director)

    client.post(USERS, {"action": "unlock", "_selected_action": [registrar.pk]})

    assert throttling.suspended_until(registrar) is None


def test_new_address_kills_what_was_mailed_and_is_told_to_the_former_one(client, director, parent):
    one_time_passwords.make(parent)
    mails.queue_one_time_password(parent)
    email_changes.ask("ailleurs@example.net", actor=parent)
    former = parent.email
    client.force_login(director)
    Mail.objects.filter(kind=MailKind.EMAIL_CHANGE_ASKED).delete()

    client.post(f"{USERS}{parent.pk}/change/", form_of(parent, email="claire@example.org"))

    parent.refresh_from_db()
    assert parent.email == parent.guardian.email == "claire@example.org"
    assert not OneTimePassword.objects.exists()
    assert not EmailChange.objects.exists()
    (mail,) = Mail.objects.all()
    assert (mail.kind, mail.to) == (MailKind.EMAIL_CHANGED, former)
    assert "par l'administration du conservatoire" in mail.body
    assert "claire@example.org" not in mail.body


def test_closed_account_keeps_no_address_to_confirm(client, director, parent):
    email_changes.ask("ailleurs@example.net", actor=parent)
    client.force_login(director)

    client.post(f"{USERS}{parent.pk}/change/", form_of(parent, is_active=""))

    parent.refresh_from_db()
    assert not parent.is_active
    assert not EmailChange.objects.exists()


def test_what_may_forbid_to_close_an_account_forbids_it_here_too(client, clerk, teacher):
    """The direction alone closes a teacher's: he would lose his class lists."""
    client.force_login(clerk)

    response = client.post(f"{USERS}{teacher.user.pk}/change/", form_of(teacher.user, is_active=""))

    errors = response.context["adminform"].form.errors.as_data()
    assert [error.code for error in errors["is_active"]] == ["teacher"]
    teacher.user.refresh_from_db()
    assert teacher.user.is_active


def test_nobody_closes_his_own_account(client, superuser):
    client.force_login(superuser)

    response = client.post(
        f"{USERS}{superuser.pk}/change/",
        form_of(superuser, is_active="", is_staff="on", is_superuser="on"),
    )

    errors = response.context["adminform"].form.errors.as_data()
    assert [error.code for error in errors["is_active"]] == ["own"]


def test_a_password_chosen_while_the_account_is_edited_stays(client, director, parent, monkeypatch):
    """The page writes what the agent changed, not the row as it was read before."""
    clean = AccountForm.clean

    def clean_slowly(form):
        services.choose_password("Tambourin9", actor=parent)
        return clean(form)

    monkeypatch.setattr(AccountForm, "clean", clean_slowly)
    client.force_login(director)

    client.post(f"{USERS}{parent.pk}/change/", form_of(parent, last_name="Martin-Duval"))

    parent.refresh_from_db()
    assert (parent.last_name, parent.session_generation) == ("Martin-Duval", 1)
    assert parent.check_password("Tambourin9")


def test_who_manages_no_agents_promotes_nobody(client, clerk, parent):
    client.force_login(clerk)
    group = Group.objects.get(name="Secrétariat")

    response = client.post(
        f"{USERS}{parent.pk}/change/",
        form_of(parent, is_staff="on", is_superuser="on", groups=[group.pk]),
    )

    parent.refresh_from_db()
    assert (response.status_code, parent.first_name) == (302, "Claire")
    assert (parent.is_staff, parent.is_superuser, parent.groups.count()) == (False, False, 0)


@pytest.mark.parametrize("cast", ["director", "accountant", "clerk"])
def test_accounts_of_agents_are_not_edited_by_who_manages_no_agents(client, clerk, request, cast):
    target = request.getfixturevalue(cast)
    client.force_login(clerk)

    response = client.post(f"{USERS}{target.pk}/change/", form_of(target, email="a@example.org"))

    before = target.email
    target.refresh_from_db()
    assert (response.status_code, target.email) == (403, before)


def test_accounts_are_never_deleted(client, director, parent):
    client.force_login(director)

    assert client.post(f"{USERS}{parent.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in client.get(USERS).content.decode()


def test_groups_are_code(client, director):
    assert not admin.site.is_registered(Group)


@pytest.mark.parametrize("count", [1, 3])
def test_list_of_mails_makes_as_many_queries_whatever_the_count(
    client, registrar, count, django_assert_num_queries
):
    for number in range(count):
        queue(number)
    client.force_login(registrar)

    with django_assert_num_queries(10):
        response = client.get(MAILS)

    assert response.context["cl"].result_count == count


@pytest.mark.parametrize(
    ("state", "found"), [("envoye", [1]), ("attente", [2]), ("abandonne", [3]), ("?", [3, 2, 1])]
)
def test_mails_by_state(client, registrar, state, found):
    for number in [1, 2, 3]:
        queue(number)
    mails.send_due(limit=1)
    Mail.objects.filter(key="refused:3").update(attempts=mails.MAX_ATTEMPTS)
    client.force_login(registrar)

    rows = client.get(MAILS, {"etat": state}).context["cl"].result_list

    assert [row.key for row in rows] == [f"refused:{number}" for number in found]
    model_admin = admin.site.get_model_admin(Mail)
    labels = {1: "envoyé", 2: "en attente", 3: "abandonné"}
    assert [model_admin.state(row) for row in rows] == [labels[number] for number in found]


def test_mail_is_read_and_never_written(client, director):
    queue()
    mail = Mail.objects.get()
    client.force_login(director)

    page = client.get(f"{MAILS}{mail.pk}/change/")
    assert "Texte de la décision" in page.content.decode()
    assert client.get(f"{MAILS}add/").status_code == 403
    assert client.post(f"{MAILS}{mail.pk}/change/", {"body": "autre"}).status_code == 403
    assert client.post(f"{MAILS}{mail.pk}/delete/", {"post": "yes"}).status_code == 403


def test_mail_of_a_one_time_password_has_no_text(client, director, parent, mailoutbox):
    mails.queue_one_time_password(parent)
    mails.send_due()
    client.force_login(director)

    html = client.get(f"{MAILS}{Mail.objects.get().pk}/change/").content.decode()

    assert mailoutbox[0].body.split("\n    ")[1].split("\n")[0] not in html


def test_families_have_no_admin(client, parent):
    client.force_login(parent)

    response = client.get(MAILS)

    assert response.status_code == 302
    assert response.headers["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize("typed", ["eperlecques", "ÉPERLECQUES", "Eperl"])
def test_search_forgets_accents_and_capitals(rf, db, typed):
    class CommuneAdmin(SortNameSearchMixin, admin.ModelAdmin):
        search_fields = ["sort_name"]

    commune = CommuneFactory(name="Éperlecques")
    CommuneFactory(name="Tourcoing", insee_code="59600")

    found, _ = CommuneAdmin(Commune, admin.site).get_search_results(
        rf.get("/"), Commune.objects.all(), typed
    )

    assert list(found) == [commune]


def test_read_only_mixin_refuses_a_superuser_too(rf, director):
    class CommuneAdmin(ReadOnlyAdminMixin, admin.ModelAdmin):
        pass

    request = rf.get("/")
    request.user = director
    assert CommuneAdmin(Commune, admin.site).get_model_perms(request) == {
        "add": False,
        "change": False,
        "delete": False,
        "view": True,
    }


def test_establishment_is_edited_by_the_direction(client, director, registrar):
    site = EstablishmentFactory()
    url = f"/admin/accounts/establishment/{site.pk}/change/"
    typed = {"name": "Conservatoire", "address": "1 rue", "email": "a@example.org", "phone": "03"}

    client.force_login(registrar)
    assert client.post(url, typed).status_code == 403
    client.force_login(director)
    assert client.post(url, typed).status_code == 302
    site.refresh_from_db()
    assert site.phone == "03"
