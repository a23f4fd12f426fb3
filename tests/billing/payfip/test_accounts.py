"""Who is paid: the checks before the site opens, the régie's and the direction's pages."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from billing.models import PayFiPAccount
from billing.payfip.simulator.operations import UNKNOWN_CLIENT
from billing.payfip.system_checks import check_no_test_in_production, check_url
from tests.factories import EstablishmentFactory, PayFiPAccountFactory


class TestSystemChecks:
    @pytest.mark.parametrize(
        ("url", "debug", "is_right"),
        [
            ("https://www.payfip.gouv.fr/tpa", False, True),
            ("", False, True),
            ("https://www.payfip.gouv.fr/tpa/", False, False),
            ("http://www.payfip.gouv.fr/tpa", False, False),
            ("http://www.payfip.gouv.fr/tpa", True, False),
            ("http://127.0.0.1:8001/tpa", False, False),
            ("https://127.0.0.1:8001/tpa", False, False),
            ("http://127.0.0.1:8001/tpa", True, True),
            ("www.payfip.gouv.fr", False, False),
            ("file:///etc/passwd", True, False),
            ("http://[/tpa", True, False),
        ],
    )
    def test_the_address_is_https_or_the_simulator_s(self, settings, url, debug, is_right):
        settings.PAYFIP_URL, settings.DEBUG = url, debug

        assert [error.id for error in check_url(None)] == ([] if is_right else ["billing.E001"])

    @pytest.mark.parametrize(
        ("saisie", "active", "allowed", "wrongs"),
        [
            ("T", True, False, ["billing.E002"]),
            ("T", False, False, []),
            ("T", True, True, []),
            ("X", True, False, []),
            ("W", True, False, []),
        ],
    )
    def test_a_test_account_is_not_open_in_production(
        self, db, settings, saisie, active, allowed, wrongs
    ):
        settings.PAYFIP_TEST_ALLOWED = allowed
        PayFiPAccountFactory(saisie=saisie, is_active=active)

        found = check_no_test_in_production(None, databases=["default"])

        assert [error.id for error in found] == wrongs

    def test_the_database_is_read_only_when_asked(self, django_assert_num_queries, db):
        with django_assert_num_queries(0):
            assert check_no_test_in_production(None) == []


class TestCheckPayfip:
    def test_it_says_who_is_paid(self, payfip, account):
        out = StringIO()
        call_command("check_payfip", stdout=out)

        assert "REGIE DE DEMONSTRATION / CONSERVATOIRE" in out.getvalue()
        assert "090909 (saisie T)" in out.getvalue()

    def test_a_wrong_number_is_a_failure(self, payfip, account):
        PayFiPAccountFactory(
            establishment=EstablishmentFactory(name="Annexe"), numcli=UNKNOWN_CLIENT
        )
        out = StringIO()

        with pytest.raises(CommandError, match="Comptes à corriger\xa0: 1"):
            call_command("check_payfip", stdout=out)
        assert "PayFiP répond T2" in out.getvalue()

    def test_payfip_away_is_a_failure(self, payfip, account):
        payfip.operations.moods.service = "unavailable"

        with pytest.raises(CommandError):
            call_command("check_payfip", stdout=StringIO())

    def test_without_an_account_or_an_address(self, payfip, db, settings):
        out = StringIO()
        call_command("check_payfip", stdout=out)
        assert out.getvalue() == "Aucun compte PayFiP.\n"

        settings.PAYFIP_URL = ""
        with pytest.raises(CommandError, match="PAYFIP_URL est vide"):
            call_command("check_payfip")


class TestTheDirectionsPage:
    def add(self, client, establishment, **changes):
        data = {"establishment": establishment.pk, "numcli": "123456", "saisie": "W"}
        return client.post(reverse("admin:billing_payfipaccount_add"), data | changes)

    def test_an_account_is_added(self, client, director, establishment):
        client.force_login(director)

        assert self.add(client, establishment, is_active="on").status_code == 302
        assert PayFiPAccount.objects.get().numcli == "123456"

    @pytest.mark.parametrize("numcli", ["12345", "12345a", "1234567", "١٢٣٤٥٦"])
    def test_six_digits(self, client, director, establishment, numcli):
        client.force_login(director)

        self.add(client, establishment, numcli=numcli)

        assert not PayFiPAccount.objects.exists()

    def test_a_test_account_is_not_opened_in_production(
        self, client, director, establishment, settings
    ):
        client.force_login(director)
        settings.PAYFIP_TEST_ALLOWED = False

        page = self.add(client, establishment, saisie="T", is_active="on")

        assert "ne s'ouvre pas aux familles" in page.context["adminform"].form.errors["saisie"][0]
        assert not PayFiPAccount.objects.exists()
        assert self.add(client, establishment, saisie="T").status_code == 302

    def test_the_action_says_who_is_paid(self, client, accountant, account, payfip):
        client.force_login(accountant)
        chosen = {"action": "ask_who_is_paid", "_selected_action": account.pk}
        url = reverse("admin:billing_payfipaccount_changelist")

        assert "REGIE DE DEMONSTRATION" in client.post(url, chosen, follow=True).text

        PayFiPAccount.objects.update(numcli=UNKNOWN_CLIENT)
        assert "PayFiP répond T2" in client.post(url, chosen, follow=True).text

        payfip.operations.moods.service = "unavailable"
        assert "PayFiP ne répond pas" in client.post(url, chosen, follow=True).text
