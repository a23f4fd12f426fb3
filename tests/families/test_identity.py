"""« Famille »: what a guardian corrects, and what two of them do not destroy for each other."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts import email_changes
from accounts.forms import EMAIL_INVALID
from families import services
from families.merging import Edit
from families.models import Family, Guardian
from tests.factories import CommuneFactory, GuardianFactory, UserFactory
from tests.queries import FAMILY_PAGE, count_queries

URL = "/extranet/famille/"
STALE = (
    "Une autre personne vient d'enregistrer «\u00a0{}\u00a0». Vous aviez saisi «\u00a0{}\u00a0»."
    " Enregistrez de nouveau pour garder votre saisie, ou corrigez-la."
)


@pytest.fixture
def mother(parent):
    return parent.guardian


@pytest.fixture
def father(family):
    return GuardianFactory(
        family=family, user__username="martin.p", first_name="Paul", mobile_phone="06 99 99 99 99"
    )


@pytest.fixture
def signed_in(client, parent):
    client.force_login(parent)
    return client


def page_of(client):
    """What a browser posts when nothing is typed: each field, and the value that it showed."""
    form = client.get(URL).context["form"]
    return posted(form)


def posted(form):
    data = {}
    for field in form:
        value = field.value()
        if not field.field.disabled:
            data[field.html_name] = "" if value is None else value
            hidden = form.data.get(field.html_initial_name, value)
            data[field.html_initial_name] = "" if hidden is None else hidden
    return data


def name_of(guardian, field):
    return f"guardian-{guardian.pk}-{field}"


def errors_of(response):
    assert response.status_code == 200
    return response.context["form"].errors


def test_shows_the_household(signed_in, mother, father):
    response = signed_in.get(URL)

    form = response.context["form"]
    assert [guardian for guardian, _ in form.guardian_groups] == [mother, father]
    assert form[name_of(mother, "mobile_phone")].value() == "06 12 34 56 78"
    assert form["address"].value() == "12 rue des Anges"
    assert "<h1>Famille</h1>" in response.text


def test_saves_and_says_so(signed_in, mother):
    roubaix = CommuneFactory(insee_code="59512", postal_code="59100", name="Roubaix")
    page = page_of(signed_in)

    response = signed_in.post(
        URL,
        page
        | {
            name_of(mother, "last_name"): "Nguyễn",
            name_of(mother, "first_name"): " Éva ",
            name_of(mother, "mobile_phone"): "+33 (0)7.11.22.33.44",
            name_of(mother, "home_phone"): "0032 470 12 34 56",
            "address": "1 place d'Armes",
            "address_more": "Bâtiment B",
            "commune": roubaix.pk,
        },
        follow=True,
    )

    assert response.redirect_chain == [(URL, 302)]
    assert [str(message) for message in response.context["messages"]] == [
        "Vos informations sont enregistrées."
    ]
    saved = Guardian.objects.select_related("family").get(pk=mother.pk)
    assert (saved.last_name, saved.first_name, saved.sort_name) == ("Nguyễn", "Éva", "nguyen eva")
    assert (saved.mobile_phone, saved.home_phone) == ("07 11 22 33 44", "+32 470 12 34 56")
    assert (saved.family.address, saved.family.address_more, saved.family.commune) == (
        "1 place d'Armes",
        "Bâtiment B",
        roubaix,
    )


def test_the_address_of_an_account_is_not_changed_here(signed_in, parent, mother):
    """Its owner changes it on a page of its own, and confirms it from the new one."""
    email, name = mother.email, name_of(mother, "email")
    page = page_of(signed_in)

    assert name not in page
    signed_in.post(URL, page | {name: "voleur@example.org", f"initial-{name}": email})

    mother.refresh_from_db()
    parent.refresh_from_db()
    assert mother.email == parent.email == email
    change = reverse("accounts:change_email")
    assert f'<a href="{change}">Modifier l\'adresse e-mail</a>' in signed_in.get(URL).text


def test_a_service_refuses_the_address_of_an_account(family, parent, mother):
    """Whatever form asks."""
    household = Edit(family, seen={}, typed={})
    edit = Edit(mother, seen={"email": mother.email}, typed={"email": "a@example.org"}, prefix="x-")

    with pytest.raises(ValidationError) as refused:
        services.save_household(household, [edit], actor=parent)

    (error,) = refused.value.error_dict["x-email"]
    assert error.code == "email_of_an_account"


def test_an_address_to_confirm_is_shown_with_its_buttons(signed_in, parent):
    email_changes.ask("claire@example.net", actor=parent)

    text = signed_in.get(URL).text

    assert '<strong class="text-break">claire@example.net</strong> attend' in text
    for name in ("resend_email_change", "cancel_email_change"):
        assert f'action="{reverse(f"accounts:{name}")}"' in text


def test_the_account_of_the_other_guardian_is_his(signed_in, mother, father):
    """His password could be asked for at an address that is not his."""
    email = father.email
    page = page_of(signed_in)

    assert name_of(father, "email") not in page
    signed_in.post(
        URL,
        page
        | {
            name_of(father, "email"): "voleur@example.org",
            f"initial-{name_of(father, 'email')}": email,
            name_of(father, "first_name"): "Paulo",
        },
    )

    father.refresh_from_db()
    father.user.refresh_from_db()
    assert (father.first_name, father.email, father.user.email) == ("Paulo", email, email)


def test_a_guardian_without_account_may_have_no_email(signed_in, family, mother):
    other = GuardianFactory(family=family, user=None, first_name="Rose")
    page = page_of(signed_in)

    response = signed_in.post(URL, page | {name_of(other, "first_name"): "Rosa"})

    assert response.status_code == 302
    other.refresh_from_db()
    assert (other.first_name, other.email) == ("Rosa", "")


def test_the_household_writes_the_address_of_who_has_no_account(signed_in, family, mother):
    other = GuardianFactory(family=family, user=None, first_name="Rose")
    name = name_of(other, "email")
    page = page_of(signed_in)

    assert errors_of(signed_in.post(URL, page | {name: "rose"})) == {name: [EMAIL_INVALID]}
    assert signed_in.post(URL, page | {name: "rose@example.org"}).status_code == 302

    other.refresh_from_db()
    assert other.email == "rose@example.org"


def test_what_was_missing_about_another_does_not_stop_the_reader(signed_in, family, mother):
    GuardianFactory(family=family, user=None, first_name="Rose", mobile_phone="")
    page = page_of(signed_in)

    response = signed_in.post(URL, page | {"address": "3 rue Neuve"})

    assert response.status_code == 302
    assert Family.objects.get(pk=family.pk).address == "3 rue Neuve"


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("last_name", " ", "Indiquez le nom du responsable."),
        (
            "mobile_phone",
            "",
            "Indiquez au moins un numéro, portable ou fixe\u00a0:"
            " le conservatoire doit pouvoir appeler.",
        ),
        (
            "mobile_phone",
            "06 12",
            "Un numéro français compte 10 chiffres\u00a0: vous en avez saisi 4.",
        ),
        (
            "home_phone",
            "03 20 00 00 0o",
            "Un numéro de téléphone ne contient que des chiffres\u00a0: retirez «\u00a0o\u00a0».",
        ),
    ],
)
def test_refuses_and_keeps_what_was_typed(signed_in, mother, field, typed, sentence):
    name = name_of(mother, field)
    page = page_of(signed_in)

    response = signed_in.post(URL, page | {name: typed, "address": "Ailleurs"})

    assert errors_of(response) == {name: [sentence]}
    assert response.context["form"]["address"].value() == "Ailleurs"
    assert "Erreur\u00a0: Famille" in response.text.replace("&nbsp;", "\u00a0")
    assert Family.objects.get(pk=mother.family_id).address == "12 rue des Anges"


def test_refuses_a_commune_that_is_not_in_the_list(signed_in, mother):
    page = page_of(signed_in)

    response = signed_in.post(URL, page | {"commune": 999999})

    assert list(errors_of(response)) == ["commune"]


def test_removing_the_only_number_of_the_other_guardian_is_refused(signed_in, mother, father):
    name = name_of(father, "mobile_phone")
    page = page_of(signed_in)

    assert list(errors_of(signed_in.post(URL, page | {name: ""}))) == [name]


class TestTwoTabs:
    def test_what_i_did_not_touch_keeps_theirs(self, signed_in, family, mother):
        page = page_of(signed_in)
        Family.objects.update(address="Chez l'autre parent")

        response = signed_in.post(URL, page | {name_of(mother, "first_name"): "Clara"})

        assert response.status_code == 302
        mother.refresh_from_db()
        family.refresh_from_db()
        assert (mother.first_name, family.address) == ("Clara", "Chez l'autre parent")

    def test_both_say_the_same(self, signed_in, family, mother):
        page = page_of(signed_in)
        Family.objects.update(address="3 rue Neuve")

        assert signed_in.post(URL, page | {"address": "3 rue Neuve"}).status_code == 302

    def test_both_changed_shows_both_and_saves_nothing(self, signed_in, family, mother):
        page = page_of(signed_in)
        Family.objects.update(address="3 rue Neuve")

        response = signed_in.post(
            URL, page | {"address": "4 rue Basse", name_of(mother, "first_name"): "Clara"}
        )

        assert errors_of(response) == {"address": [STALE.format("3 rue Neuve", "4 rue Basse")]}
        form = response.context["form"]
        assert form["address"].value() == "4 rue Basse"
        assert form[name_of(mother, "first_name")].value() == "Clara"
        mother.refresh_from_db()
        family.refresh_from_db()
        assert (mother.first_name, family.address) == ("Claire", "3 rue Neuve")

    def test_saving_again_means_mine(self, signed_in, family, mother):
        page = page_of(signed_in)
        Family.objects.update(address="3 rue Neuve", address_more="Escalier C")
        refused = signed_in.post(URL, page | {"address": "4 rue Basse"})
        assert 'name="initial-address" value="3 rue Neuve"' in refused.text

        response = signed_in.post(URL, posted(refused.context["form"]))

        assert response.status_code == 302
        family.refresh_from_db()
        assert (family.address, family.address_more) == ("4 rue Basse", "Escalier C")

    def test_saving_again_is_refused_when_they_changed_it_again(self, signed_in, family, mother):
        page = page_of(signed_in)
        Family.objects.update(address="3 rue Neuve")
        refused = signed_in.post(URL, page | {"address": "4 rue Basse"})
        Family.objects.update(address="5 rue Haute")

        again = signed_in.post(URL, posted(refused.context["form"]))

        assert errors_of(again) == {"address": [STALE.format("5 rue Haute", "4 rue Basse")]}

    def test_names_the_commune_and_the_empty_field(self, signed_in, family, mother):
        lille = CommuneFactory(insee_code="59350", postal_code="59000", name="Lille")
        roubaix = CommuneFactory(insee_code="59512", postal_code="59100", name="Roubaix")
        Family.objects.update(address_more="Escalier C")
        page = page_of(signed_in)
        Family.objects.update(commune=lille, address_more="")

        response = signed_in.post(URL, page | {"commune": roubaix.pk, "address_more": "Porte 2"})

        assert errors_of(response) == {
            "commune": [STALE.format("Lille (59000)", "Roubaix (59100)")],
            "address_more": [
                STALE.format("Escalier C", "Porte 2").replace(
                    "«\u00a0Escalier C\u00a0»", "un champ vide"
                )
            ],
        }

    def test_without_the_values_seen_nothing_is_overwritten(self, signed_in, family, mother):
        page = {key: value for key, value in page_of(signed_in).items() if "initial-" not in key}

        response = signed_in.post(URL, page | {"address": "4 rue Basse"})

        assert errors_of(response)["address"] == [STALE.format("12 rue des Anges", "4 rue Basse")]

    def test_a_number_written_otherwise_by_the_staff_is_not_a_change(self, signed_in, mother):
        Guardian.objects.update(mobile_phone="0612345678")
        page = page_of(signed_in)
        Guardian.objects.update(mobile_phone="0711223344")

        assert signed_in.post(URL, page).status_code == 302
        mother.refresh_from_db()
        assert mother.mobile_phone == "0711223344"

    def test_the_two_removals_that_leave_nobody_to_call(self, signed_in, mother):
        """Each was right about what it saw: the rule holds for what is saved."""
        Guardian.objects.update(home_phone="03 20 00 00 00")
        page = page_of(signed_in)
        Guardian.objects.update(home_phone="")
        name = name_of(mother, "mobile_phone")

        response = signed_in.post(URL, page | {name: ""})

        assert list(errors_of(response)) == [name]

    def test_a_guardian_removed_meanwhile(self, signed_in, mother, family):
        other = GuardianFactory(family=family, user=None, first_name="Rose")
        page = page_of(signed_in)
        other.delete()

        assert signed_in.post(URL, page).status_code == 302


def test_a_field_of_another_household_changes_nothing(signed_in, mother, stranger):
    page = page_of(signed_in)

    signed_in.post(
        URL,
        page
        | {
            name_of(stranger.guardian, "first_name"): "Volée",
            f"initial-{name_of(stranger.guardian, 'first_name')}": "Fanny",
            "family": stranger.guardian.family_id,
        },
    )

    stranger.guardian.refresh_from_db()
    assert stranger.guardian.first_name == "Fanny"


def test_an_account_without_family_has_no_such_page(client, teacher):
    client.force_login(teacher.user)

    assert client.get(URL).status_code == 404
    assert client.post(URL, {"address": "x"}).status_code == 404


def test_asks_to_sign_in(client, db):
    assert client.get(URL).url == f"{reverse('accounts:sign_in')}?next={URL}"


def test_names_are_escaped_and_whole(client, family):
    user = UserFactory(username="obrien.s")
    GuardianFactory(family=family, user=user, last_name="O'Brien", first_name="Seán")
    GuardianFactory(family=family, last_name="<b>Nguyễn</b>", first_name="Lê")
    client.force_login(user)

    text = client.get(URL).text

    assert "Seán O&#x27;Brien" in text
    assert "Elle sert au compte de Lê &lt;b&gt;Nguyễn&lt;/b&gt;, qui seul peut la changer." in text
    assert "<b>" not in text


def test_the_number_of_queries_does_not_follow_the_rows(signed_in, family, mother):
    one = count_queries(signed_in, URL)
    GuardianFactory.create_batch(2, family=family)

    assert count_queries(signed_in, URL) == one <= FAMILY_PAGE
