"""What the recap says of the coming year's cost, before « Valider »."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse

from billing.models import CourseCategory, TariffCategory
from documents.enums import Verdict
from documents.models import Reading
from families.enums import Zone
from families.models import Commune
from reenrolment import costs
from reenrolment.costs import Cost, NoAmount, cost_of, wishes_of
from reenrolment.services import submission
from students.enums import EnrolmentStatus
from students.models import Course
from tests.billing.asking import make_tariff
from tests.factories import (
    CourseFactory,
    CustodyFactory,
    DocumentFactory,
    EnrolmentFactory,
    GuardianFactory,
    PieceRuleFactory,
    StudentFactory,
)
from tests.queries import FAMILY_PAGE, count_queries
from tests.reenrolment.conftest import make_case


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    return client


@pytest.fixture
def tariff(case, director):
    """Formation musicale is billed as the « cursus », the choir as such; Tourcoing is resident."""
    Commune.objects.update(zone=Zone.RESIDENT)
    tariff = make_tariff(director)
    categorise(case.slot.course, "cursus")
    categorise(case.choir_course, "chorale")
    return tariff


@pytest.fixture
def ready(case, tariff):
    case.fill_in()
    return case


def categorise(course, code):
    category = TariffCategory.objects.get(code=code)
    CourseCategory.objects.get_or_create(course=course, defaults={"category": category})


def note_quotient(family, amount, actor):
    """On an attestation that an agent has accepted."""
    document = DocumentFactory(
        family=family, type__shows_quotient=True, type__name="CAF", verdict=Verdict.ACCEPTED
    )
    Reading.objects.create(
        document=document,
        quotient=amount,
        quotient_month=dt.date(2026, 5, 1),
        confirmed_by=actor,
        confirmed_at=document.uploaded_at,
    )


def recap(client, case):
    return client.get(reverse("reenrolment:check", args=[case.student.pk]))


def words(response):
    return " ".join(response.text.split(" "))


def totals(cost):
    found = cost.estimate
    return [found.lowest, found.highest, found.top.total]


def test_without_a_quotient_the_recap_gives_the_range_and_the_top_rate(home, ready):
    page = recap(home, ready)

    # 300 € to 603 € and the choir, the fee; the top rate of the « cursus » is 909 €.
    assert totals(page.context["page"].cost) == [446, 749, 1055]
    assert "Avec votre attestation, selon le quotient" in page.text
    assert "de 446,00\u00a0€ à 749,00\u00a0€" in words(page)
    assert "Sans elle, ou s'il manque une autre pièce" in page.text
    assert "1\u202f055,00\u00a0€ (tarif haut)" in page.text
    assert "seule la facture fait foi" in page.text


def test_with_the_quotient_that_an_agent_noted_there_is_one_amount(home, ready, family, registrar):
    note_quotient(family, Decimal("743"), registrar)

    page = recap(home, ready)

    assert totals(page.context["page"].cost) == [596, 596, 1055]
    assert "QF 743 (CAF, mai 2026)" in page.text
    assert "Essayer avec votre quotient" not in page.text


def test_a_piece_that_lacks_does_not_hide_what_it_is_worth(home, ready):
    PieceRuleFactory()

    page = recap(home, ready)

    assert "le tarif haut sera appliqué" in page.text
    assert totals(page.context["page"].cost) == [446, 749, 1055]


def test_the_simulator_answers_the_same_to_the_same_question(home, ready, client):
    cost = recap(home, ready).context["page"].cost

    page = client.get(f"{reverse('billing:simulator')}?{cost.question}")

    found = page.context["estimate"]
    assert [found.lowest, found.highest, found.top.total] == totals(cost)
    assert f'?{cost.question.replace("&", "&amp;")}"' in recap(home, ready).text


def test_a_course_that_stops_costs_nothing(home, ready, family):
    ready.choice(ready.theory).delete()

    assert [course.name for course in wishes_of(ready.campaign, family)[ready.student.pk]] == [
        "Chœur, an prochain"
    ]


def test_the_household_s_other_students_count(ready, family):
    """One by his draft, one by the enrolment that the secretariat made; not one of elsewhere."""
    brother = make_case(StudentFactory(first_name="Hugo", family=family), slot=ready.slot)
    brother.fill_in()
    enrolled = StudentFactory(first_name="Zoé", family=family)
    EnrolmentFactory(student=enrolled, course=ready.choir_course)
    released = StudentFactory(first_name="Paul", family=family)
    EnrolmentFactory(student=released, course=ready.choir_course, status=EnrolmentStatus.RELEASED)
    make_case(StudentFactory(family=GuardianFactory().family), slot=ready.slot).fill_in()

    cost = cost_of(ready.campaign, family)

    assert sorted(cost.names.replace(" et ", ", ").split(", ")) == ["Hugo", "Louise", "Zoé"]
    assert len(cost.estimate.parts) == 4


def test_once_submitted_the_dossier_counts_by_its_enrolments(ready, parent, family):
    before = totals(cost_of(ready.campaign, family))

    ready.submit(parent)

    assert wishes_of(ready.campaign, family) == {}
    assert totals(cost_of(ready.campaign, family)) == before
    submission.withdraw(ready.reenrolment, actor=parent)
    assert cost_of(ready.campaign, family) == Cost(NoAmount.NOTHING)


def test_a_course_whose_next_one_is_not_known_counts_as_it_is(ready, family):
    Course.objects.filter(pk=ready.theory.course_id).update(next_course=None)
    categorise(ready.theory.course, "cursus")

    assert totals(cost_of(ready.campaign, family)) == [446, 749, 1055]


def test_without_a_published_tariff_no_amount_is_shown(home, case):
    case.fill_in()

    page = recap(home, case)

    assert page.context["page"].cost == Cost(NoAmount.NOT_VOTED)
    assert "n'est pas encore voté" in page.text
    assert "€" not in page.text


def test_a_course_without_a_category_shows_no_amount_and_is_logged(home, ready, caplog):
    CourseCategory.objects.filter(course=ready.choir_course).delete()

    page = recap(home, ready)

    assert page.context["page"].cost == Cost(NoAmount.NOT_PRICED)
    assert "Le tarif d'un des cours demandés n'est pas encore voté" in page.text
    assert "n'a pas de catégorie tarifaire" in caplog.text


def test_whatever_is_wrong_the_dossier_can_be_sent(home, ready, parent, caplog, monkeypatch):
    def broken(*args):
        raise ArithmeticError("division by zero")

    monkeypatch.setattr(costs, "estimate", broken)

    page = recap(home, ready)

    assert "L'estimation n'est pas disponible pour le moment" in page.text
    assert "division by zero" in caplog.text
    address = reverse("reenrolment:submit", args=[ready.student.pk])
    sent = {name: page.context["form"].initial[name] for name in ("terms", "fingerprint")}
    assert home.post(address, {**sent, "accept": "on"}).status_code == 302
    assert ready.reenrolment.status == "submitted"


def test_the_recap_shown_again_says_it_again(home, ready):
    """« J'accepte » was not ticked."""
    page = home.post(reverse("reenrolment:submit", args=[ready.student.pk]), {})

    assert "de 446,00\u00a0€ à 749,00\u00a0€" in words(page)


def test_the_household_that_pays_nothing_is_told_so(client, ready, family, registrar):
    """The first household pays it all; its quotient stays there."""
    note_quotient(family, Decimal("743"), registrar)
    other = GuardianFactory(user__username="durand.p")
    CustodyFactory(student=ready.student, family=other.family, rank=2)
    client.force_login(other.user)

    page = recap(client, ready)

    assert "Rien ne serait facturé à votre foyer." in page.text
    assert "743" not in page.text


def test_a_course_asked_and_enrolled_is_counted_once(ready, family):
    EnrolmentFactory(student=ready.student, course=ready.choir_course)

    assert totals(cost_of(ready.campaign, family)) == [446, 749, 1055]


@pytest.mark.parametrize("others", [0, 3])
def test_the_queries_of_the_recap_do_not_grow(home, ready, family, others):
    for _ in range(others):
        child = make_case(StudentFactory(family=family), slot=ready.slot)
        child.fill_in(slot_id=None)
        for course in CourseFactory.create_batch(2, coming=True):
            categorise(course, "chorale")
            EnrolmentFactory(student=child.student, course=course)
    address = reverse("reenrolment:check", args=[ready.student.pk])

    home.get(address)  # the grid is kept for a minute

    # The page's ten; the grid that is published, the wishes, what is known of the household (8),
    # in how many parts it may pay.
    assert count_queries(home, address) <= FAMILY_PAGE + 11
