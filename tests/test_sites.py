"""Several sites: what the one chosen at sign-in shows, and what an agent's sites let him see."""

import pytest
from django.urls import reverse

from billing import services as billing
from families.models import Family
from families.selectors import families_of
from reenrolment.models import Reenrolment
from students.enums import Scheduling
from students.models import Enrolment, Student
from students.selectors import students_of
from tests.billing.pages import invoices_of
from tests.factories import (
    CampaignFactory,
    CourseFactory,
    CustodyFactory,
    DocumentFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    InstrumentFactory,
    InvoiceLineFactory,
    InvoiceRunFactory,
    PayFiPAccountFactory,
    PieceRuleFactory,
    RentalFactory,
    RentalTermsFactory,
    RepertoirePieceFactory,
    SchoolYearFactory,
    SlotFactory,
    StudentFactory,
    TariffCategoryFactory,
    TariffGridFactory,
    TariffRateFactory,
    TermsFactory,
)


@pytest.fixture
def annexe(establishment):
    return EstablishmentFactory(name="Annexe")


def switch(client, site):
    assert client.post(reverse("accounts:switch_site"), {"site": site.pk}).status_code == 302


def enrol(student, site, **course):
    return EnrolmentFactory(student=student, course__establishment=site, **course)


class TestFamily:
    @pytest.fixture(autouse=True)
    def _of_both_sites(self, client, parent, establishment, annexe):
        parent.establishments.add(annexe)
        client.force_login(parent)
        switch(client, establishment)

    @pytest.mark.parametrize(("tab", "offset"), [("courses", 0), ("history", -1)])
    def test_courses_are_those_of_the_site(
        self, client, student, establishment, annexe, tab, offset
    ):
        year = SchoolYearFactory(offset=offset)
        rows = {
            site: enrol(student, site, course__school_year=year) for site in (establishment, annexe)
        }
        address = reverse(f"students:{tab}", args=[student.pk])

        for site in rows:
            switch(client, site)
            assert list(client.get(address).context["enrolments"]) == [rows[site]]

    @pytest.mark.parametrize("tab", ["courses", "history"])
    def test_a_page_without_course_names_the_site(self, client, student, annexe, tab):
        SchoolYearFactory()
        switch(client, annexe)

        text = client.get(reverse(f"students:{tab}", args=[student.pk])).text

        assert "(site «&nbsp;Annexe&nbsp;»)" in text

    def test_the_children_are_those_of_the_household_everywhere(
        self, client, family, student, annexe
    ):
        """A new brother follows no course anywhere: he is not hidden from his own parents."""
        brother = StudentFactory(first_name="Aubin", family=family)
        enrol(student, annexe)

        page = client.get(reverse("students:identity", args=[student.pk]))

        assert set(page.context["selection"].students) == {student, brother}

    def test_the_campaign_and_the_tasks_are_those_of_the_site(
        self, client, student, establishment, annexe
    ):
        for site in (establishment, annexe):
            CampaignFactory(establishment=site, terms=TermsFactory(establishment=site))
        enrol(student, annexe)
        edit = reverse("reenrolment:edit", args=[student.pk])
        assert client.get(reverse("imuse:home")).context["to_do"] == []
        assert client.get(edit).context["page"].rows == []

        switch(client, annexe)

        assert len(client.get(reverse("imuse:home")).context["to_do"]) == 1
        page = client.get(edit).context["page"]
        assert (page.campaign.establishment, len(page.rows)) == (annexe, 1)

    def test_a_list_of_invoices_is_the_site_s_and_an_invoice_opens_by_its_address(
        self, client, family, director, establishment, annexe
    ):
        """It is the household's own, and a mail leads to it: the site only scopes lists."""
        invoices = {
            site: InvoiceLineFactory(invoice__family=family, invoice__establishment=site).invoice
            for site in (establishment, annexe)
        }
        for invoice in invoices.values():
            billing.issue(invoice, actor=director)

        page = client.get(reverse("billing:cotisations"))
        other = client.get(reverse("billing:invoice", args=[invoices[annexe].pk]))

        assert invoices_of(page) == [invoices[establishment]]
        assert (other.status_code, other.context["invoice"]) == (200, invoices[annexe])

    @pytest.mark.parametrize("view", ["edit", "pick", "submit", "complete", "withdraw", "take_up"])
    def test_a_form_of_the_other_site_changes_nothing(
        self, client, student, establishment, annexe, view
    ):
        """The other tab has switched meanwhile: the same student has another dossier there."""
        for site in (establishment, annexe):
            CampaignFactory(establishment=site, terms=TermsFactory(establishment=site))
            enrol(student, site)
        shown = client.get(
            reverse("reenrolment:edit", args=[student.pk])
        ).wsgi_request.establishment
        switch(client, annexe)
        address = reverse(f"reenrolment:{view}", args=[student.pk])

        response = client.post(address, {"site": shown.pk, "administrative": "on"})

        assert response.status_code == 409
        assert "Rien n'est enregistré" in response.text
        assert not Reenrolment.objects.exists()
        assert client.post(address, {"site": 999_999}).status_code == 404

    def test_every_form_of_a_dossier_says_its_site(self, client, student, establishment):
        CampaignFactory()
        enrol(student, establishment)

        html = client.get(reverse("reenrolment:edit", args=[student.pk])).text

        assert f'<input type="hidden" name="site" value="{establishment.pk}">' in html


class TestTeacher:
    def test_a_class_of_a_site_that_left_the_account_is_not_found(self, client, teacher, annexe):
        slot = SlotFactory(teacher=teacher, course__establishment=annexe)
        course = CourseFactory(teacher=teacher, scheduling=Scheduling.TEACHER, establishment=annexe)
        addresses = [
            reverse("teacher:slot", args=[slot.pk]),
            reverse("teacher:course", args=[course.pk]),
        ]
        client.force_login(teacher.user)
        assert [client.get(address).status_code for address in addresses] == [404, 404]

        teacher.user.establishments.add(annexe)

        assert [client.get(address).status_code for address in addresses] == [200, 200]


@pytest.fixture
def world(establishment, annexe):
    """By site, and of none: a student with his household, his piece and his repertoire."""
    rows = {}
    for site in (establishment, annexe, None):
        family = FamilyFactory(name=f"Foyer {site}")
        student = StudentFactory(family=family)
        if site:
            enrol(student, site)
        rows[site] = {
            "families_family": family,
            "students_student": student,
            "documents_document": DocumentFactory(family=family),
            "students_repertoirepiece": RepertoirePieceFactory(student=student),
        }
    return rows


class TestAgent:
    @pytest.mark.parametrize(
        "model",
        [
            "families_family",
            "students_student",
            "documents_document",
            "students_repertoirepiece",
        ],
    )
    def test_people_are_those_of_his_sites_or_of_none_yet(
        self, client, registrar, establishment, annexe, world, model
    ):
        client.force_login(registrar)
        missing = {"documents_document": "0" * 32}.get(model, 999_999)

        listed = set(client.get(reverse(f"admin:{model}_changelist")).context["cl"].queryset)
        other = client.get(reverse(f"admin:{model}_change", args=[world[annexe][model].pk]))
        nobody = client.get(reverse(f"admin:{model}_change", args=[missing]))

        assert listed == {world[establishment][model], world[None][model]}
        assert (other.status_code, other.url) == (nobody.status_code, nobody.url)

    def test_a_piece_of_another_site_is_not_opened(self, client, registrar, annexe, world):
        document = world[annexe]["documents_document"]
        client.force_login(registrar)

        address = reverse("admin:documents_document_file", args=[document.pk])

        assert client.get(address).status_code == 404

    def test_a_household_is_seen_with_any_of_its_students(self, registrar, annexe):
        """Every household of a student seen is seen; the brother of another site is not."""
        family = FamilyFactory()
        here, there = StudentFactory(family=family), StudentFactory(family=family)
        CustodyFactory(student=here, family=(second := FamilyFactory()), rank=2)
        enrol(here, registrar.establishments.get())
        enrol(there, annexe)

        assert set(families_of(registrar)) == {family, second}
        assert list(students_of(registrar)) == [here]

    def test_a_household_stays_seen_where_it_was_invoiced(self, accountant, annexe):
        family = FamilyFactory()
        enrol(StudentFactory(family=family), annexe)
        assert family not in families_of(accountant)

        InvoiceLineFactory(invoice__family=family)

        assert family in families_of(accountant)

    def test_a_superuser_sees_everybody(self, superuser, world):
        assert families_of(superuser).count() == Family.objects.count() == 3
        assert students_of(superuser).count() == Student.objects.count() == 3

    def test_the_page_of_a_student_shows_the_courses_of_his_sites(
        self, client, registrar, establishment, annexe, student
    ):
        mine = enrol(student, establishment)
        enrol(student, annexe)
        client.force_login(registrar)

        page = client.get(reverse("admin:students_student_change", args=[student.pk]))

        [formset] = [
            inline.formset
            for inline in page.context["inline_admin_formsets"]
            if inline.formset.model is Enrolment
        ]
        assert list(formset.queryset) == [mine]

    def test_a_teacher_keeps_an_account_that_the_agent_does_not_see(
        self, client, registrar, annexe, teacher
    ):
        teacher.user.establishments.set([annexe])
        client.force_login(registrar)
        address = reverse("admin:students_teacher_change", args=[teacher.pk])

        response = client.post(address, {"last_name": "Vasseur-Petit", "first_name": "Cécile"})

        teacher.refresh_from_db()
        assert (response.status_code, teacher.last_name) == (302, "Vasseur-Petit")
        assert teacher.user.username == "vasseur.c"


ROWS = {
    "students_course": lambda site: CourseFactory(establishment=site),
    "students_slot": lambda site: SlotFactory(course__establishment=site),
    "students_enrolment": lambda site: EnrolmentFactory(course__establishment=site),
    "documents_piecerule": lambda site: PieceRuleFactory(establishment=site),
    "reenrolment_terms": lambda site: TermsFactory(establishment=site),
    "reenrolment_campaign": lambda site: CampaignFactory(
        establishment=site, terms=TermsFactory(establishment=site)
    ),
    "reenrolment_reenrolment": lambda site: Reenrolment.objects.create(
        campaign=ROWS["reenrolment_campaign"](site), student=StudentFactory()
    ),
    "billing_rentalterms": lambda site: RentalTermsFactory(establishment=site),
    "billing_invoice": lambda site: InvoiceLineFactory(invoice__establishment=site).invoice,
    "billing_invoicerun": lambda site: InvoiceRunFactory(establishment=site),
    "billing_tariffcategory": lambda site: TariffCategoryFactory(establishment=site),
    "billing_tariffgrid": lambda site: TariffGridFactory(establishment=site),
    "billing_tariffrate": lambda site: TariffRateFactory(grid__establishment=site),
    "billing_instrument": lambda site: InstrumentFactory(establishment=site),
    "billing_rental": lambda site: RentalFactory(instrument__establishment=site),
    "billing_payfipaccount": lambda site: PayFiPAccountFactory(establishment=site),
}


@pytest.mark.parametrize("model", ROWS)
def test_a_list_is_that_of_the_site_chosen_unless_another_is_asked_for(
    client, director, establishment, annexe, model
):
    director.establishments.add(annexe)
    rows = {site: ROWS[model](site) for site in (establishment, annexe)}
    client.force_login(director)
    address = reverse(f"admin:{model}_changelist")

    def listed(**query):
        return set(client.get(address, query).context["cl"].queryset)

    switch(client, establishment)
    assert listed() == {rows[establishment]}
    assert listed(site=annexe.pk) == {rows[annexe]}
    assert listed(site="tous") == {rows[establishment], rows[annexe]}
    switch(client, annexe)
    assert listed() == {rows[annexe]}
    assert listed(site="n'importe quoi") == {rows[annexe]}
    page = client.get(reverse(f"admin:{model}_change", args=[rows[establishment].pk]))
    assert page.status_code == 200  # a link leads there: the site chosen only scopes lists


@pytest.mark.parametrize("model", ROWS)
def test_an_agent_of_one_site_is_shown_no_filter_and_no_other_row(
    client, director, establishment, annexe, model
):
    rows = {site: ROWS[model](site) for site in (establishment, annexe)}
    client.force_login(director)

    page = client.get(reverse(f"admin:{model}_changelist"), {"site": annexe.pk})

    assert set(page.context["cl"].queryset) == {rows[establishment]}
    assert "Par établissement" not in page.text


def test_the_figures_of_the_home_page_are_the_site_s(
    client, director, parent, establishment, annexe
):
    director.establishments.add(annexe)
    ROWS["reenrolment_reenrolment"](establishment)
    Reenrolment.objects.update(
        status="submitted",
        submitted_at="2026-01-01T00:00Z",
        submitted_by=parent,
        terms=TermsFactory(),
    )
    client.force_login(director)

    def submitted():
        return client.get("/admin/").context["todo"][0].number

    switch(client, establishment)
    assert submitted() == 1
    switch(client, annexe)
    assert submitted() == 0
