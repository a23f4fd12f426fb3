"""The first page, and the frame around every page."""

import pytest
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import User
from tests.factories import GuardianFactory, TeacherFactory, UserFactory

FAMILY_TABS = ["Accueil", "Famille", "Elèves", "Facturation", "Accessibilité", "Mot de passe"]


def test_two_doors_without_signing_in_nor_database(client):
    page = client.get(reverse("imuse:landing"))

    sign_in = reverse("accounts:sign_in")
    assert page.status_code == 200
    assert f'<a class="door" href="{sign_in}">' in page.text
    assert f'<a class="door" href="{sign_in}?espace=enseignant">' in page.text
    assert page.context["navigation"].tabs == []


@pytest.mark.parametrize("url", ["imuse:landing", "imuse:accessibility", "accounts:sign_in"])
def test_every_page_says_how_accessible_it_is(client, db, url):
    page = client.get(reverse(url))

    link = f'<a href="{reverse("imuse:accessibility")}">Accessibilité&nbsp;: non conforme</a>'
    assert link in page.text


def test_no_tab_but_sign_out_before_a_password_is_chosen(client, parent):
    User.objects.update(must_choose_password=True)
    client.force_login(parent)

    page = client.get(reverse("accounts:choose_password"))

    assert page.context["navigation"].tabs == []
    assert page.context["navigation"].other_spaces == []
    assert f'action="{reverse("accounts:sign_out")}"' in page.text


@pytest.mark.parametrize(
    ("url", "current"),
    [
        ("imuse:home", ["Accueil"]),
        ("families:identity", ["Famille"]),
        ("billing:locations", ["Facturation"]),
        ("imuse:accessibility", ["Accessibilité"]),
        ("accounts:change_password", ["Mot de passe"]),
        ("imuse:landing", []),
    ],
)
def test_the_tabs_of_a_family_and_the_one_that_is_open(client, parent, url, current):
    client.force_login(parent)

    page = client.get(reverse(url))

    tabs = page.context["navigation"].tabs
    assert [tab.label for tab in tabs] == FAMILY_TABS
    assert [tab.label for tab in tabs if tab.is_current] == current
    assert page.text.count('aria-current="page"') >= len(current)


def test_the_tabs_of_a_teacher(client, teacher):
    client.force_login(teacher.user)
    client.get(reverse("imuse:enter"))

    tabs = client.get(reverse("accounts:change_password")).context["navigation"].tabs

    assert [tab.label for tab in tabs] == [
        *["Ma semaine", "Mes classes", "Appels", "Évaluations", "Auditions", "Messages"],
        *["Accessibilité", "Mot de passe"],
    ]


def test_who_is_both_parent_and_teacher_goes_from_one_space_to_the_other(client, establishment):
    user = UserFactory()
    GuardianFactory(user=user)
    TeacherFactory(user=user)
    client.force_login(user)
    client.get(reverse("imuse:enter"))

    home = client.get(reverse("imuse:home")).context["navigation"]
    classes = client.get(reverse("teacher:index")).context["navigation"]

    assert [space.url for space in home.other_spaces] == [reverse("teacher:index")]
    assert [space.url for space in classes.other_spaces] == [reverse("imuse:home")]
    assert [tab.label for tab in classes.tabs if tab.is_current] == ["Ma semaine"]


def test_staff_who_came_straight_to_the_administration_have_no_family_tabs(client, registrar):
    client.force_login(registrar)

    tabs = client.get(reverse("imuse:landing")).context["navigation"].tabs

    assert [tab.label for tab in tabs] == ["Administration", "Accessibilité", "Mot de passe"]


def test_the_header_names_the_site_and_the_person(client, parent, establishment):
    client.force_login(parent)

    page = client.get(reverse("imuse:home"))

    assert f"<span>{establishment.name}</span>" in page.text
    assert "martin.c" in page.text
    assert f'href="mailto:{establishment.email}"' in page.text


@pytest.mark.parametrize(
    ("level", "css", "role"),
    [
        (constants.SUCCESS, "alert-success", "status"),
        (constants.WARNING, "alert-warning", "alert"),
        (constants.ERROR, "alert-danger", "alert"),
    ],
)
def test_a_message_is_announced_according_to_its_weight(level, css, role):
    html = render_to_string("layout/_messages.html", {"messages": [Message(level, "Bonjour")]})

    assert f'<div class="alert {css}"' in html
    assert f'role="{role}"' in html
