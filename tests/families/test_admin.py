import pytest
from django.urls import reverse

from accounts.enums import MailKind
from accounts.models import Mail, OneTimePassword
from families.models import Family, Guardian
from tests.factories import CommuneFactory, GuardianFactory, UserFactory
from tests.queries import count_queries

FAMILIES = "/admin/families/family/"


@pytest.fixture
def mother(parent):
    return parent.guardian


def posted(family, *guardians, **typed):
    """The page of a family with its guardians, `typed` being about the first."""
    data = {
        "name": family.name,
        "address": family.address,
        "address_more": family.address_more,
        "commune": family.commune_id,
        "guardians-TOTAL_FORMS": len(guardians),
        "guardians-INITIAL_FORMS": len(guardians),
    }
    for number, guardian in enumerate(guardians):
        for name in ("last_name", "first_name", "email", "mobile_phone", "home_phone", "user_id"):
            data[f"guardians-{number}-{name.removesuffix('_id')}"] = getattr(guardian, name) or ""
        data |= {f"guardians-{number}-id": guardian.pk, f"guardians-{number}-family": family.pk}
    return data | {f"guardians-0-{name}": value for name, value in typed.items()}


def save(client, family, *guardians, **typed):
    return client.post(f"{FAMILIES}{family.pk}/change/", posted(family, *guardians, **typed))


def errors_of(response):
    assert response.status_code == 200
    return response.context["errors"]


def test_the_secretariat_corrects_a_guardian(client, registrar, family, mother):
    client.force_login(registrar)
    OneTimePassword.objects.create(user=mother.user, hash="x", expires_at="2099-01-01T00:00Z")

    response = save(
        client, family, mother, email="claire@example.net", mobile_phone="+33 7 11 22 33 44"
    )

    assert response.status_code == 302
    mother = Guardian.objects.select_related("user").get(pk=mother.pk)
    assert mother.email == mother.user.email == "claire@example.net"
    assert mother.mobile_phone == "07 11 22 33 44"
    assert not OneTimePassword.objects.exists()  # it went to the former address
    assert list(Mail.objects.values_list("kind", "to")) == [
        (MailKind.EMAIL_CHANGED, "martin.c@example.org")
    ]


def test_the_address_of_a_colleague_is_the_direction_s(client, registrar, director, family, mother):
    mother.user.is_staff = True
    mother.user.save(update_fields=["is_staff"])
    before = mother.user.email

    client.force_login(registrar)
    assert errors_of(save(client, family, mother, email="voleur@example.org")) == [
        ["Ce compte est celui d'un agent\u00a0: la direction seule change son adresse."]
    ]
    mother.user.refresh_from_db()
    assert mother.user.email == before
    assert save(client, family, mother, first_name="Clara").status_code == 302

    client.force_login(director)
    assert save(client, family, mother, email="claire@example.net").status_code == 302
    mother.user.refresh_from_db()
    assert mother.user.email == "claire@example.net"


def test_the_secretariat_links_no_account(client, registrar, family):
    """It sees the accounts to unlock them, and changes none (accounts.roles)."""
    guardian = GuardianFactory(family=family, user=None)
    client.force_login(registrar)

    assert save(client, family, guardian, user=UserFactory().pk).status_code == 302

    guardian.refresh_from_db()
    assert guardian.user is None


def test_the_direction_links_an_account_which_takes_the_address(client, director, family):
    guardian = GuardianFactory(family=family, user=None, email="rose@example.org")
    user = UserFactory()
    client.force_login(director)

    assert save(client, family, guardian, user=user.pk).status_code == 302

    guardian.refresh_from_db()
    user.refresh_from_db()
    assert (guardian.user, user.email) == (user, "rose@example.org")


def test_refuses_a_number_that_is_none(client, registrar, family, mother):
    client.force_login(registrar)

    response = save(client, family, mother, home_phone="03 20")

    assert errors_of(response) == [
        ["Un numéro français compte 10 chiffres\u00a0: vous en avez saisi 4."]
    ]


def test_adds_a_family_with_its_guardian(client, registrar):
    client.force_login(registrar)
    data = {
        "name": "O'Brien",
        "address": "1 quai du Port",
        "commune": CommuneFactory().pk,
        "guardians-TOTAL_FORMS": 1,
        "guardians-INITIAL_FORMS": 0,
        "guardians-0-last_name": "O'Brien",
        "guardians-0-first_name": "Seán",
    }

    assert client.post(f"{FAMILIES}add/", data).status_code == 302

    assert Family.objects.values_list("sort_name", "guardians__sort_name").get() == (
        "o'brien",
        "o'brien sean",
    )


@pytest.mark.parametrize("typed", ["nguyen", "NGUYỄN", "Nguyễn", "eva"])
def test_finds_a_household_without_accents(client, registrar, typed):
    client.force_login(registrar)
    wanted = GuardianFactory(family__name="Nguyễn", first_name="Éva", user=None).family
    GuardianFactory(user=None)

    response = client.get(FAMILIES, {"q": typed})

    assert list(response.context["cl"].queryset) == [wanted]


def test_leads_to_the_students_of_the_household(client, registrar, family, student):
    client.force_login(registrar)

    text = client.get(f"{FAMILIES}{family.pk}/change/").text

    url = f"{reverse('admin:students_student_changelist')}?families__id__exact={family.pk}"
    assert f'<a href="{url}">Voir les élèves de ce foyer</a>' in text
    assert list(client.get(url).context["cl"].queryset) == [student]


def test_the_regie_only_reads(client, accountant, family, mother):
    client.force_login(accountant)

    assert client.get(f"{FAMILIES}{family.pk}/change/").status_code == 200
    assert save(client, family, mother, first_name="X").status_code == 403


@pytest.mark.parametrize("model", ["family", "commune"])
def test_a_list_makes_as_many_queries_for_three_rows_as_for_one(client, director, model):
    client.force_login(director)
    url = f"/admin/families/{model}/"
    GuardianFactory(family__commune=CommuneFactory(insee_code="1"))
    one = count_queries(client, url)
    for code in ("2", "3"):
        GuardianFactory(family__commune=CommuneFactory(insee_code=code))

    assert count_queries(client, url) == one


class TestLinksToWhatTheHouseholdHas:
    """No inline of an app on the right: a link, for whoever may follow it."""

    STUDENTS = "Voir les élèves de ce foyer"
    BILLING = ["billing_invoice", "billing_payment", "billing_paymentattempt"]

    @pytest.mark.parametrize(
        ("agent", "students", "billing"),
        [
            ("registrar", True, False),
            ("accountant", False, True),
            ("director", True, True),
        ],
    )
    def test_to_whoever_may_follow_them(self, client, family, request, agent, students, billing):
        client.force_login(request.getfixturevalue(agent))

        page = client.get(f"{FAMILIES}{family.pk}/change/").text

        assert (self.STUDENTS in page) == students
        for name in self.BILLING:
            link = f"{reverse(f'admin:{name}_changelist')}?foyer={family.pk}&amp;site=tous"
            assert (f'href="{link}"' in page) == billing

    def test_a_household_that_is_being_typed_has_none(self, client, registrar):
        client.force_login(registrar)

        assert self.STUDENTS not in client.get(f"{FAMILIES}add/").text
