"""« Accueil » and the way into one's own space."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.dates import day
from billing import services as billing
from billing.models import Invoice
from documents.enums import Verdict
from imuse.tasks import State
from reenrolment.models import Campaign
from students.models import SchoolYear
from teaching.absences import services as absences
from teaching.models import Register
from tests.factories import (
    CampaignFactory,
    DocumentFactory,
    EnrolmentFactory,
    GuardianFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    StudentFactory,
    TeacherFactory,
    UserFactory,
)
from tests.reenrolment.conftest import make_case
from tests.teaching.register_cases import ABSENT, LATE, Case, make_absence, make_home


def tasks(client):
    return [
        (task.title, task.state.label)
        for task in client.get(reverse("imuse:home")).context["tasks"]
    ]


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    return client


def test_each_child_with_a_course_has_its_task(home, student, family):
    campaign = CampaignFactory()
    EnrolmentFactory(student=student)
    StudentFactory(family=family)  # follows no course: not a re-enrolment

    assert tasks(home) == [(f"Réinscription de Louise pour {campaign.school_year}", "À faire")]


def test_a_draft_is_started_a_submitted_dossier_sent(home, student, parent):
    case = make_case(student)
    case.fill_in()
    assert [state for _, state in tasks(home)] == ["En cours"]

    case.submit(parent)

    assert [state for _, state in tasks(home)] == ["Envoyée"]


@pytest.mark.parametrize("hours", [(1, 2), (-2, -1)])
def test_outside_the_period_nothing_can_be_done(home, student, hours):
    CampaignFactory()
    EnrolmentFactory(student=student)
    opens, closes = (timezone.now() + dt.timedelta(hours=h) for h in hours)
    Campaign.objects.update(opens_at=opens, closes_at=closes)

    assert [state for _, state in tasks(home)] == ["Impossible pour l'instant"]


def test_a_refused_piece_and_an_unpaid_invoice_are_to_do(home, family, director):
    DocumentFactory(family=family, verdict=Verdict.REFUSED, refusal="Illisible.")
    invoice = InvoiceLineFactory(invoice__family=family).invoice
    billing.issue(invoice, actor=director)

    titles = [title for title, _ in tasks(home)]

    assert titles[0].startswith("Pièce refusée\u00a0: Justificatif de domicile")
    assert titles[1].endswith("38,00\u00a0€")


def test_what_is_overdue_first_then_each_next_instalment(home, family, director):
    def bill(*days, **kwargs):
        draft = InvoiceLineFactory(invoice__family=family, amount=90, **kwargs).invoice
        invoice = billing.issue(draft, actor=director)
        for number, offset in enumerate(days, start=1):
            due_on = today + dt.timedelta(days=offset)
            invoice.instalments.filter(number=number).update(due_on=due_on)
        return invoice

    today = timezone.localdate()
    coming = bill(20, 50, invoice__parts=2)
    late = bill(-9, 20, 50, invoice__parts=3)
    now = bill(0)
    whole = bill(20)

    found = [(task.title, task.hint) for task in home.get(reverse("imuse:home")).context["tasks"]]

    later = f"À payer jusqu'au {day(today + dt.timedelta(days=20))}."
    since = f"En retard\u00a0: à payer depuis le {day(today - dt.timedelta(days=9))}."
    assert found == [
        (f"Facture {late}\u00a0: 30,00\u00a0€", since),
        (f"Facture {now}\u00a0: 90,00\u00a0€", "À payer aujourd'hui."),
        (f"Facture {coming}\u00a0: prochaine échéance de 45,00\u00a0€", later),
        (f"Facture {whole}\u00a0: 90,00\u00a0€", later),
    ]


def test_what_is_late_comes_before_the_re_enrolments(home, family, student, director):
    CampaignFactory()
    EnrolmentFactory(student=student)
    late, coming = (
        billing.issue(InvoiceLineFactory(invoice__family=family).invoice, actor=director)
        for _ in range(2)
    )
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    late.instalments.update(due_on=yesterday)
    Invoice.objects.filter(pk=late.pk).update(due_on=yesterday)

    response = home.get(reverse("imuse:home"))

    assert [(task.title.split(" ")[0], task.state) for task in response.context["tasks"]] == [
        ("Facture", State.LATE),
        ("Réinscription", State.TO_DO),
        ("Facture", State.TO_DO),
    ]
    assert response.context["tasks"][0].url == reverse("billing:invoice", args=[late.pk])
    assert 'text-bg-danger">En retard<' in response.text
    assert "Il vous reste 3 choses à faire." in response.text


def test_a_refused_piece_of_the_household_leads_to_the_documents_of_a_child(home, family, student):
    DocumentFactory(family=family, verdict=Verdict.REFUSED, refusal="Illisible.")

    task = home.get(reverse("imuse:home")).context["tasks"][-1]

    assert task.url == reverse("documents:supplied", args=[student.pk])


class TestAbsences:
    """Those that the household still has to justify, of the year under way."""

    def tasks(self, home):
        return [task for task in home.get(reverse("imuse:home")).context["tasks"] if task.url]

    def test_one_leads_to_its_own_page(self, home, student, teacher):
        _, absence = make_absence(student, teacher)

        [task] = self.tasks(home)

        assert (task.title, task.state) == ("Absence de Louise à justifier", State.TO_DO)
        assert task.hint == f"Atelier d'appel, le {day(timezone.localdate())}."
        assert task.url == reverse("teaching:justify_absence", args=[student.pk, absence.pk])

    def test_a_justification_that_is_refused_is_to_do_again(
        self, home, student, family, teacher, parent, director
    ):
        _, absence = make_absence(student, teacher)
        absences.justify(absence, family, text="Bus.", actor=parent)
        assert self.tasks(home) == []  # the administration has it

        absences.refuse(absence, reason="Sans certificat.", actor=director)

        [task] = self.tasks(home)
        assert task.hint.endswith("\u00a0: la justification est refusée.")

    def test_once_accepted_it_is_done(self, home, student, teacher, director):
        _, absence = make_absence(student, teacher)
        absences.note(absence, text="Appel.", actor=director)

        assert self.tasks(home) == []

    def test_several_of_a_child_are_one_task(self, home, student, teacher):
        for number in range(3):
            case = Case(teacher, students=0, name=f"Cours {number}")
            case.enrolments = [case.enrol("", student=student)]
            case.call(ABSENT)
        yesterday = timezone.localdate() - dt.timedelta(days=1)
        Register.objects.filter(course__name="Cours 1").update(held_on=yesterday)

        [task] = self.tasks(home)

        assert task.title == "3 absences de Louise à justifier"
        assert task.hint == f"La plus ancienne\u00a0: Cours 1, le {day(yesterday)}."
        assert task.url == reverse("teaching:absences", args=[student.pk])

    def test_who_was_late_has_nothing_to_do(self, home, student, teacher):
        case = Case(teacher, students=0)
        case.enrolments = [case.enrol("", student=student)]
        case.call(LATE)

        assert self.tasks(home) == []

    def test_not_those_of_another_year(self, home, student, teacher):
        make_absence(student, teacher)
        today = timezone.localdate()
        days = [today - dt.timedelta(days=number) for number in (400, 40)]
        SchoolYear.objects.update(starts_on=days[0], ends_on=days[1])

        assert self.tasks(home) == []

    def test_not_another_household_s(self, home, teacher):
        other = StudentFactory()
        make_home(other)
        make_absence(other, teacher)

        assert self.tasks(home) == []

    def test_both_households_of_a_child_have_it(self, client, student, teacher):
        other = make_home(student, rank=2)
        make_absence(student, teacher)
        client.force_login(other)

        assert len(self.tasks(client)) == 1

    def test_what_is_late_comes_first(self, home, student, family, teacher, director):
        make_absence(student, teacher)
        late = billing.issue(InvoiceLineFactory(invoice__family=family).invoice, actor=director)
        yesterday = timezone.localdate() - dt.timedelta(days=1)
        late.instalments.update(due_on=yesterday)
        Invoice.objects.filter(pk=late.pk).update(due_on=yesterday)

        assert [task.title.split(" ")[0] for task in self.tasks(home)] == ["Facture", "Absence"]


def test_another_households_affairs_do_not_show(home, stranger, director):
    EnrolmentFactory(student=StudentFactory(family=stranger.guardian.family))
    CampaignFactory()
    DocumentFactory(family=stranger.guardian.family, verdict=Verdict.REFUSED, refusal="Illisible.")
    billing.issue(
        InvoiceLineFactory(invoice__family=stranger.guardian.family).invoice, actor=director
    )

    assert tasks(home) == []


@pytest.mark.parametrize("count", [1, 3])
def test_home_makes_fifteen_queries_whatever_the_count(
    home, family, count, director, teacher, django_assert_num_queries
):
    CampaignFactory()
    case = Case(teacher, students=0, name="Atelier")
    for student in StudentFactory.create_batch(count, family=family):
        case.enrolments.append(case.enrol("", student=student))
        EnrolmentFactory(student=student)
        DocumentFactory(family=family, verdict=Verdict.REFUSED, refusal="Illisible.")
        billing.issue(
            InvoiceLineFactory(invoice=InvoiceFactory(family=family)).invoice, actor=director
        )
    case.call(*[ABSENT] * count)

    with django_assert_num_queries(15):
        home.get(reverse("imuse:home"))


def test_home_of_somebody_without_household_is_not_found(client, teacher):
    client.force_login(teacher.user)

    assert client.get(reverse("imuse:home")).status_code == 404


@pytest.mark.parametrize(
    ("who", "query", "target"),
    [
        ("parent", "", "imuse:home"),
        ("parent", "?espace=enseignant", "imuse:home"),
        ("teacher", "", "teacher:index"),
        ("both", "", "imuse:home"),
        ("both", "?espace=enseignant", "teacher:index"),
        ("registrar", "", "admin:index"),
    ],
)
def test_enter_opens_the_space_that_is_ones_own(client, request, db, who, query, target):
    user = _both() if who == "both" else request.getfixturevalue(who)
    client.force_login(getattr(user, "user", user))

    response = client.get(reverse("imuse:enter") + query)

    assert response.url == reverse(target)


@pytest.mark.parametrize("target", ["https://autre.example/", "//autre.example/", "autre"])
def test_enter_leads_to_no_other_host(client, parent, target):
    client.force_login(parent)

    response = client.get(reverse("imuse:enter"), {"next": target})

    assert response.url == reverse("imuse:home")


def test_the_header_shows_who_is_signed_in(client, parent):
    client.force_login(parent)

    response = client.get(reverse("imuse:enter"), follow=True)

    assert "Claire Martin" in response.content.decode()


def test_enter_tells_that_one_is_no_teacher(client, parent):
    client.force_login(parent)

    response = client.get(reverse("imuse:enter") + "?espace=enseignant", follow=True)

    assert [str(m) for m in response.context["messages"]] == [
        "Votre compte n'est pas celui d'un enseignant\u00a0: voici votre espace."
    ]


def test_enter_without_any_space_says_where_to_ask(client, establishment):
    client.force_login(UserFactory())

    response = client.get(reverse("imuse:enter"))

    assert establishment.phone in response.content.decode()


def _both():
    user = GuardianFactory().user
    TeacherFactory(user=user)
    return user
