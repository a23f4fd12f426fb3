"""The pages of a run in the administration: prepared, controlled, issued."""

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from accounts.models import ListExport
from billing.enums import InvoiceStatus, RunOutcome, RunState
from billing.models import InvoiceRun, RunHousehold
from billing.pricing.bills import Bill
from billing.runs.drafting import clear_next, draft_next
from billing.runs.issuing import issue_next
from tests.billing.pages import words
from tests.billing.run_cases import Grid, enrol, make_run, prepare, tuition
from tests.factories import EstablishmentFactory, FamilyFactory, InvoiceRunFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def grid(monkeypatch):
    return Grid(monkeypatch)


@pytest.fixture
def desk(client, accountant):
    """The régie, signed in."""
    client.force_login(accountant)
    return client


def url(run, name="change", *more):
    return reverse(f"admin:billing_invoicerun_{name}", args=[run.pk, *more])


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def posted(establishment, year, **kwargs):
    return {
        "establishment": establishment.pk,
        "kind": "cotisation",
        "school_year": year.pk,
        "label": "Cotisations",
        "billed": "confirmed",
        "parts": 3,
        "due_on": timezone.localdate() + dt.timedelta(days=30),
        **kwargs,
    }


@pytest.fixture
def year(family):
    return enrol(family).enrolments.get().course.school_year


@pytest.fixture
def run_of_one(year, accountant):
    return prepare(accountant)


class TestPrepare:
    ADD = "/admin/billing/invoicerun/add/"

    def test_the_queue_does_the_rest(self, desk, establishment, year, accountant):
        response = desk.post(self.ADD, posted(establishment, year, state="issued"))

        run = InvoiceRun.objects.get()
        assert response.url == url(run)
        assert (run.state, run.parts, run.created_by) == (RunState.PREPARING, 3, accountant)
        page = desk.get(url(run)).text
        assert "0 foyer sur 1 calculé" in page
        assert "<progress" in page
        draft_next()
        assert "à contrôler" in desk.get(url(run)).text

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"due_on": "2020-01-01"}, "due_on"),
            ({"published_on": "2099-01-01"}, "published_on"),
            ({"online_until": "2020-01-01"}, "online_until"),
            ({"kind": "autre"}, "kind"),
        ],
    )
    def test_a_refusal_stands_beside_its_field(self, desk, establishment, year, changes, field):
        response = desk.post(self.ADD, posted(establishment, year, **changes))

        form = response.context["adminform"].form
        assert list(form.errors) == [field]
        assert not InvoiceRun.objects.exists()

    def test_the_year_under_way_is_chosen_and_the_button_says_what_it_does(self, desk, year):
        page = desk.get(self.ADD)

        form = page.context["adminform"].form
        assert form["school_year"].initial == year
        assert 'value="Préparer les brouillons"' in page.text
        assert "Enregistrer" not in words(page)

    def test_a_label_left_empty_is_that_of_the_kind(self, desk, establishment, year):
        desk.post(self.ADD, posted(establishment, year, label=""))

        assert InvoiceRun.objects.get().label == "Cotisations"

    def test_nobody_to_bill_or_one_under_way(self, desk, establishment, year, accountant):
        make_run(accountant)
        InvoiceRun.objects.update(label="La première")

        response = desk.post(self.ADD, posted(establishment, year))

        errors = response.context["adminform"].form.non_field_errors()
        assert errors == [
            "Une facturation de cette année est déjà en cours\u00a0: émettez-la ou abandonnez-la"
            " d'abord."
        ]
        assert InvoiceRun.objects.get().label == "La première"

    def test_another_site_is_no_choice(self, desk, year):
        annexe = EstablishmentFactory(name="Annexe")

        response = desk.post(self.ADD, posted(annexe, year))

        assert "establishment" in response.context["adminform"].form.errors


class TestControl:
    @pytest.fixture
    def run(self, grid, accountant):
        """100 €, 300 € at the top rate, 0 €, and one that cannot be priced."""
        homes = [FamilyFactory(name=name) for name in ("Arnaud", "Bernard", "Colin", "Dubois")]
        students = [enrol(home) for home in homes]
        grid.prices |= {
            homes[1].pk: Bill((tuition(students[1], "300.00", at_top_rate=True),)),
            homes[2].pk: Bill((tuition(students[2], "0.00"),)),
            homes[3].pk: "« Harpe » n'a pas de tarif.",
        }
        return prepare(accountant)

    def listed(self, desk, run, **query):
        page = desk.get(url(run), query)
        return [str(row.family) for row, _ in page.context["rows"]]

    def test_figures(self, desk, run):
        figures = desk.get(url(run)).context["figures"]

        assert (figures.drafts, figures.issued, figures.total) == (3, 0, Decimal("400.00"))
        assert (figures.least, figures.middle, figures.most) == (0, 100, 300)
        assert figures.kinds == (("droits d'inscription", 3, Decimal("400.00")),)
        assert figures.outcomes[RunOutcome.PROBLEM] == 1

    def test_who_cannot_be_priced_is_listed_with_the_sentence(self, desk, run):
        text = desk.get(url(run), {"voir": "impossibles"}).text

        assert "« Harpe » n&#x27;a pas de tarif." in text
        assert self.listed(desk, run, voir="impossibles") == ["Dubois"]

    @pytest.mark.parametrize(
        ("view", "homes"),
        [
            ("", ["Arnaud", "Bernard", "Colin", "Dubois"]),
            ("n'importe quoi", ["Arnaud", "Bernard", "Colin", "Dubois"]),
            ("plus-grands", ["Bernard", "Arnaud", "Colin"]),
            ("nuls", ["Colin"]),
            ("tarif-haut", ["Bernard"]),
            ("ecart", []),
            ("trop-factures", []),
            ("complements", []),
            ("refuses", []),
            ("retires", []),
        ],
    )
    def test_outliers(self, desk, run, view, homes):
        assert self.listed(desk, run, voir=view) == homes

    def test_far_from_the_year_before(self, desk, run):
        RunHousehold.objects.filter(family__name="Arnaud").update(last_year="80.00")
        RunHousehold.objects.filter(family__name="Bernard").update(last_year="299.00")

        assert self.listed(desk, run, voir="ecart") == ["Arnaud"]  # by 25 %
        assert self.listed(desk, run, voir="ecart", ecart=25) == []
        assert self.listed(desk, run, voir="ecart", ecart="x") == ["Arnaud"]

    def test_a_draft_is_removed(self, desk, run):
        draft = run.invoices.get(family__name="Arnaud")

        response = desk.post(url(run, "remove", draft.pk))

        assert said(response) == ["Le brouillon de Arnaud est retiré."]
        assert self.listed(desk, run, voir="retires") == ["Arnaud"]

    def test_a_draft_of_another_run_is_not(self, desk, run):
        other = InvoiceRunFactory(state=RunState.ABANDONED)

        answer = desk.post(url(other, "remove", run.invoices.first().pk))

        assert answer.status_code == 404
        assert run.invoices.count() == 3

    @pytest.mark.parametrize("count", [1, 12])
    def test_the_same_queries_whatever_the_number(
        self, desk, accountant, count, django_assert_num_queries
    ):
        for _ in range(count):
            enrol()
        run = prepare(accountant)
        desk.get(url(run))

        with django_assert_num_queries(14):
            desk.get(url(run))

    def test_exported_and_neutralised(self, desk, run, accountant):
        FamilyFactory._meta.model.objects.filter(name="Arnaud").update(name="=1+1")

        response = desk.post(url(run, "export"), {"format": "csv", "voir": "plus-grands"})

        rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig")), delimiter=";"))
        assert [row[0] for row in rows] == ["Famille", "Bernard", "'=1+1", "Colin"]
        assert rows[1][4:7] == ["brouillon", "300,00", "300,00"]
        assert ListExport.objects.get().rows == 3
        assert desk.post(url(run, "export"), {"format": "xlsx"}).content.startswith(b"PK")
        assert desk.post(url(run, "export"), {"format": "exe"}).status_code == 404

    def test_another_site_s_run_is_not_there(self, desk):
        run = InvoiceRunFactory(establishment=EstablishmentFactory(name="Annexe"))

        assert desk.get(url(run)).status_code == 404
        for name in ("issue_all", "redate"):
            assert desk.get(url(run, name)).status_code == 404
        for name in ("stop", "abandon", "export"):
            assert desk.post(url(run, name), {"format": "csv"}).status_code == 404

    @pytest.mark.parametrize("key", ["0", "x", "9" * 30])
    def test_no_such_run(self, desk, key):
        assert desk.get(f"/admin/billing/invoicerun/{key}/change/").status_code == 404


class TestIssue:
    @pytest.fixture
    def run(self, accountant):
        for _ in range(2):
            enrol()
        return prepare(accountant)

    def test_one_page_says_how_many_and_how_much_and_one_button_begins(self, desk, run):
        page = desk.get(url(run, "issue_all")).text
        assert "2 factures" in page
        assert "200,00" in page

        response = desk.post(url(run, "issue_all"), {"expected": 2, "confirm": "on"})

        assert response.url == url(run)
        run.refresh_from_db()
        assert run.state == RunState.ISSUING
        issue_next()
        assert "1 facture émise sur 2" in desk.get(url(run)).text
        assert LogEntry.objects.filter(change_message="Émission de 2 factures lancée.").exists()

    def test_the_box_must_be_ticked(self, desk, run):
        response = desk.post(url(run, "issue_all"), {"expected": 2})

        assert response.context["form"].errors == {"confirm": ["Cochez cette case pour émettre."]}
        run.refresh_from_db()
        assert run.state == RunState.TO_CHECK

    @pytest.mark.parametrize("expected", [1, 3])
    def test_another_number_than_the_page_announced(self, desk, run, expected):
        response = desk.post(url(run, "issue_all"), {"expected": expected, "confirm": "on"})

        assert "elles sont 2" in said(response)[0]
        assert not run.invoices.filter(status=InvoiceStatus.ISSUED).exists()

    def test_stopped_and_resumed(self, desk, run):
        desk.post(url(run, "issue_all"), {"expected": 2, "confirm": "on"})
        issue_next()
        desk.post(url(run, "stop"))
        assert issue_next() is None
        assert "Reprendre l'émission" in desk.get(url(run)).text

        desk.post(url(run, "issue_all"), {"expected": 1, "confirm": "on"})
        while issue_next():
            pass

        run.refresh_from_db()
        assert run.state == RunState.ISSUED

    def test_stopped_what_is_left_may_be_given_up_and_what_is_issued_stays(self, desk, run):
        desk.post(url(run, "issue_all"), {"expected": 2, "confirm": "on"})
        issue_next()
        assert "Renoncer" not in desk.get(url(run)).text
        assert said(desk.post(url(run, "abandon"))) == ["Action déjà faite ou impossible."]
        desk.post(url(run, "stop"))
        assert "Renoncer au brouillon qui reste" in desk.get(url(run)).text

        desk.post(url(run, "abandon"))

        run.refresh_from_db()
        assert (run.state, run.issued_by is None) == (RunState.ABANDONED, False)
        assert clear_next() == 1
        assert run.invoices.get().status == InvoiceStatus.ISSUED
        assert sorted(run.households.values_list("outcome", flat=True)) == [
            RunOutcome.ISSUED,
            RunOutcome.REMOVED,
        ]
        assert "1 facture émise, qui reste" in words(desk.get(url(run)))
        assert issue_next() is None
        for name in ("issue_all", "redate"):
            desk.post(url(run, name), {"expected": 0, "confirm": "on"})
        run.refresh_from_db()
        assert run.state == RunState.ABANDONED

    def test_abandoned(self, desk, run):
        response = desk.post(url(run, "abandon"))

        assert said(response) == ["Facturation abandonnée\u00a0: ses brouillons s'effacent."]
        assert desk.post(url(run, "abandon")).status_code == 302
        run.refresh_from_db()
        assert run.state == RunState.ABANDONED

    def test_other_dates(self, desk, run):
        day = timezone.localdate() + dt.timedelta(days=60)

        desk.post(url(run, "redate"), {"due_on": day, "parts": 2})

        assert set(run.invoices.values_list("due_on", "parts")) == {(day, 2)}
        response = desk.post(url(run, "redate"), {"due_on": "2020-01-01", "parts": 2})
        assert response.context["form"].errors == {
            "due_on": ["La date limite de paiement est déjà passée."]
        }

    def test_without_the_right_to_issue(self, client, registrar, run):
        client.force_login(registrar)

        for name in ("issue_all", "stop"):
            assert client.post(url(run, name)).status_code == 403


def test_the_draft_of_a_run_is_changed_and_stays_to_its_household(desk, run_of_one, family):
    draft = run_of_one.invoices.get()
    address = reverse("admin:billing_invoice_change", args=[draft.pk])

    page = desk.get(address)
    response = desk.post(
        address,
        {
            "family": FamilyFactory().pk,
            "parts": 2,
            "due_on": draft.due_on,
            "lines-TOTAL_FORMS": 0,
            "lines-INITIAL_FORMS": 0,
        },
    )

    assert response.status_code == 302, response.context["adminform"].form.errors
    draft.refresh_from_db()
    assert (draft.family, draft.parts) == (family, 2)
    assert "family" not in page.context["adminform"].form.fields
