"""The one door: site, identifiant, password."""

import pytest
from django.contrib.auth import get_user
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.asserts import assertRedirects

from accounts import one_time_passwords, throttling
from accounts.middleware import SESSION_KEY
from accounts.models import OneTimePassword, User
from accounts.views import REFUSED
from tests.factories import PASSWORD, EstablishmentFactory, UserFactory

URL = "/extranet/connexion/"


@pytest.fixture
def typed(parent, establishment):
    """What Claire Martin types."""
    return {"establishment": establishment.pk, "username": "martin.c", "password": PASSWORD}


def test_page_shows_the_only_site_chosen(client, establishment):
    response = client.get(URL)

    form = response.context["form"]
    assert reverse("accounts:sign_in") == URL
    assert form.fields["establishment"].choices == [(str(establishment.pk), establishment.name)]
    assert [field.label for field in form] == [
        "Sélectionnez le site",
        "Identifiant",
        "Mot de passe",
    ]


def test_page_lets_choose_between_sites(client, establishment):
    EstablishmentFactory(name="École de danse")

    form = client.get(URL).context["form"]

    assert [label for _, label in form["establishment"].field.widget.choices] == [
        "Choisissez…",
        "Conservatoire",
        "École de danse",
    ]


def test_password_opens_the_space_and_keeps_the_site(client, parent, typed, establishment):
    response = client.post(URL, typed)

    assertRedirects(response, reverse("imuse:enter"), fetch_redirect_response=False)
    assert get_user(client) == parent
    assert client.session[SESSION_KEY] == establishment.pk


def test_site_of_the_session_is_the_one_chosen(client, parent, typed):
    other = EstablishmentFactory(name="École de danse")
    parent.establishments.add(other)

    client.post(URL, typed | {"establishment": other.pk})

    assert client.session[SESSION_KEY] == other.pk
    assert client.get(reverse("accounts:change_password")).wsgi_request.establishment == other


@pytest.mark.parametrize("username", ["MARTIN.C", "  martin.c ", "Martin.C"])
def test_identifiant_is_forgiving(client, parent, typed, username):
    client.post(URL, typed | {"username": username})

    assert get_user(client) == parent


def test_session_id_changes(client, typed):
    session = client.session
    session["before"] = True
    session.save()
    before = session.session_key

    client.post(URL, typed)

    assert client.session.session_key != before
    assert not client.session.exists(before)


@pytest.mark.parametrize(
    "wrong", [{"username": "inconnu"}, {"password": "Conservatoire2"}, {"password": " " + PASSWORD}]
)
def test_wrong_identifiant_or_password_is_refused(client, typed, wrong):
    response = client.post(URL, typed | wrong)

    assert response.context["form"].non_field_errors() == [REFUSED]
    assert (response.status_code, get_user(client).is_authenticated) == (200, False)


@pytest.mark.parametrize("is_superuser", [False, True])
def test_other_site_is_refused_even_to_a_superuser(client, parent, typed, is_superuser):
    parent.is_superuser = parent.is_staff = is_superuser
    parent.save()

    response = client.post(URL, typed | {"establishment": EstablishmentFactory(name="Autre").pk})

    assert response.context["form"].non_field_errors() == [REFUSED]
    assert (response.status_code, get_user(client).is_authenticated) == (200, False)


def test_inactive_account_is_refused(client, parent, typed):
    parent.is_active = False
    parent.save()

    response = client.post(URL, typed)

    assert response.context["form"].non_field_errors() == [REFUSED]
    assert (response.status_code, get_user(client).is_authenticated) == (200, False)


def test_deactivated_account_is_out_at_its_next_request(client, parent, typed):
    client.post(URL, typed)
    parent.is_active = False
    parent.save()

    response = client.get(reverse("accounts:change_password"))

    assertRedirects(response, f"{URL}?next=/extranet/mot-de-passe/", fetch_redirect_response=False)


def test_account_of_no_site_any_more_is_out_at_its_next_request(client, parent, typed):
    client.post(URL, typed)
    parent.establishments.clear()

    response = client.get(reverse("accounts:change_password"))

    assertRedirects(response, f"{URL}?next=/extranet/mot-de-passe/", fetch_redirect_response=False)


@pytest.mark.parametrize(
    "situation", ["unknown", "wrong", "inactive", "other site", "one-time", "suspended"]
)
def test_every_refusal_costs_one_query_and_two_hashes(
    client, parent, typed, situation, monkeypatch
):
    match situation:
        case "unknown":
            typed["username"] = "inconnu"
        case "wrong":
            typed["password"] = "Conservatoire2"
        case "inactive":
            parent.is_active = False
            parent.save()
        case "other site":
            parent.establishments.set([])
        case "one-time":
            one_time_passwords.make(parent)
            typed["password"] = "Conservatoire2"
        case "suspended":
            for _ in range(5):
                throttling.begin("martin.c", "")
    hashes = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher,
        "encode",
        lambda self, password, salt: hashes.append(1) or encode(self, password, salt),
    )

    with CaptureQueriesContext(connection) as queries:
        client.post(URL, typed)

    # By its name, where PostgreSQL has prepared it.
    names = "accounts_user", "accounts.backends._accounts"
    on_users = [query for query in queries if any(name in query["sql"] for name in names)]
    assert (len(hashes), len(on_users)) == (2, 1)


@pytest.mark.parametrize("missing", ["establishment", "username", "password"])
def test_empty_field_is_an_error_beside_it(client, typed, missing):
    response = client.post(URL, typed | {missing: ""})

    assert list(response.context["form"].errors) == [missing]
    assert not get_user(client).is_authenticated


@pytest.mark.parametrize("text", ["a\0b", "é" * 200, "😀", "' OR 1=1 --"])
def test_strange_input_is_no_error_of_ours(client, typed, text):
    assert client.post(URL, typed | {"username": text}).status_code == 200
    assert client.post(URL, typed | {"password": text}).status_code == 200
    assert client.post(URL, typed | {"establishment": text}).status_code == 200


def test_password_is_never_sent_back(client, typed):
    response = client.post(URL, typed | {"password": "Conservatoire2"})

    assert "Conservatoire2" not in response.content.decode()
    assert 'value="martin.c"' in response.content.decode()


def test_teacher_lands_in_the_teachers_space(client, typed):
    page = client.get(f"{URL}?espace=enseignant")
    response = client.post(URL, typed | {"espace": page.context["space"]})

    assert page.context["space"] == "enseignant"
    assert '<input type="hidden" name="espace" value="enseignant">' in page.content.decode()
    assertRedirects(
        response, f"{reverse('imuse:enter')}?espace=enseignant", fetch_redirect_response=False
    )


def test_unknown_space_is_ignored(client, typed):
    response = client.post(URL, typed | {"espace": "//autre.example"})

    assertRedirects(response, reverse("imuse:enter"), fetch_redirect_response=False)


def test_page_asked_for_opens_after_signing_in(client, typed):
    page = client.get(f"{URL}?next=/extranet/mot-de-passe/")
    response = client.post(URL, typed | {"next": page.context["next"]}, follow=True)

    assert [url for url, _ in response.redirect_chain] == [
        f"{reverse('imuse:enter')}?next=%2Fextranet%2Fmot-de-passe%2F",
        "/extranet/mot-de-passe/",
    ]


@pytest.mark.parametrize(
    "target",
    [
        "https://autre.example/",
        "//autre.example/",
        "/\\autre.example",
        "///autre.example",
        "javascript:alert(1)",
        "http:///autre.example",
        "imuse:home",
        "autre",
        "",
    ],
)
def test_redirection_stays_on_the_host(client, typed, target):
    response = client.post(URL, typed | {"next": target})

    assertRedirects(response, reverse("imuse:enter"), fetch_redirect_response=False)


def test_line_feeds_do_not_reach_the_header(client, typed):
    response = client.post(URL, typed | {"next": "/a\r\nSet-Cookie: b=c"})

    response = client.get(response.headers["Location"])

    assert response.headers["Location"] == "/a%0D%0ASet-Cookie:%20b=c"


def test_signed_in_already_goes_to_the_space(client, parent):
    client.force_login(parent)

    for response in [client.get(URL), client.post(URL, {})]:
        assertRedirects(response, reverse("imuse:enter"), fetch_redirect_response=False)


def test_one_time_password_opens_one_page_only(client, parent, typed):
    password, _ = one_time_passwords.make(parent)

    client.post(URL, typed | {"password": password})

    assert get_user(client) == parent
    assert not OneTimePassword.objects.exists()
    for name in ["imuse:enter", "imuse:home", "imuse:landing", "accounts:change_password"]:
        response = client.get(reverse(name))
        assertRedirects(response, reverse("accounts:choose_password"))


def test_one_time_password_is_not_spent_on_the_wrong_site(client, parent, typed):
    password, _ = one_time_passwords.make(parent)
    other = EstablishmentFactory(name="Autre")

    client.post(URL, typed | {"password": password, "establishment": other.pk})

    assert not get_user(client).is_authenticated
    assert OneTimePassword.objects.filter(user=parent).exists()


def test_post_without_csrf_token_is_refused(typed, settings):
    settings.CSRF_FAILURE_VIEW = "django.views.csrf.csrf_failure"
    assert Client(enforce_csrf_checks=True).post(URL, typed).status_code == 403


@pytest.mark.django_db
def test_identifiant_is_kept_without_capitals():
    user = User.objects.create_user(" Direction.A ", password=PASSWORD)

    assert user.username == "direction.a"


@pytest.mark.django_db
def test_the_database_refuses_an_identifiant_with_capitals():
    with pytest.raises(IntegrityError, match="user_username_lower_case"), transaction.atomic():
        UserFactory(username="Direction")
