"""« Payer en combien de fois », asked before « Valider », kept by billing."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.models import CourseCategory, PaymentPlan, PaymentPlanChoice, TariffCategory
from families.enums import Zone
from families.models import Commune
from reenrolment.enums import Status
from tests.billing.asking import make_tariff
from tests.factories import CustodyFactory, GuardianFactory, PaymentPlanFactory
from tests.queries import FAMILY_PAGE, count_queries


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    return client


@pytest.fixture
def ready(case, director):
    """446 € to 749 € for the household, by its quotient."""
    Commune.objects.update(zone=Zone.RESIDENT)
    make_tariff(director)
    for course, code in ((case.slot.course, "cursus"), (case.choir_course, "chorale")):
        category = TariffCategory.objects.get(code=code)
        CourseCategory.objects.create(course=course, category=category)
    case.fill_in()
    return case


@pytest.fixture
def plan(ready):
    campaign = ready.campaign
    return PaymentPlanFactory(
        establishment=campaign.establishment, school_year=campaign.school_year
    )


def recap(client, case):
    return client.get(reverse("reenrolment:check", args=[case.student.pk]))


def submit(client, case, **more):
    form = recap(client, case).context["form"].initial
    return client.post(
        reverse("reenrolment:submit", args=[case.student.pk]), {**form, "accept": "on", **more}
    )


def status(case):
    case.reenrolment.refresh_from_db()
    return case.reenrolment.status


def test_the_recap_says_the_amounts_of_each_way(home, ready, plan):
    page = recap(home, ready)

    assert [way.parts for way in page.context["page"].payment.ways] == [1, 2, 3]
    assert "de 148,66\u00a0€ à 249,68\u00a0€ chacune" in page.text
    assert "checked" not in page.text.partition("Payer en combien de fois")[2]


def test_the_choice_is_kept_for_the_household_with_the_dossier(home, ready, plan, family, parent):
    submit(home, ready, parts="3")

    assert status(ready) == Status.SUBMITTED
    choice = PaymentPlanChoice.objects.get()
    assert (choice.plan, choice.family, choice.parts) == (plan, family, 3)
    assert choice.chosen_by == parent


def test_nothing_chosen_keeps_nothing(home, ready, plan):
    submit(home, ready)

    assert status(ready) == Status.SUBMITTED
    assert not PaymentPlanChoice.objects.exists()


def test_a_choice_made_before_is_ticked(home, ready, plan, family, parent):
    PaymentPlanChoice.objects.create(
        plan=plan, family=family, parts=2, chosen_by=parent, chosen_at=timezone.now()
    )

    page = recap(home, ready).text

    assert page.partition('id="id_parts_2"')[2].partition(">")[0].count("checked") == 1
    assert page.partition('id="id_parts_3"')[2].partition(">")[0].count("checked") == 0


def test_what_was_typed_stays_when_the_terms_are_not_accepted(home, ready, plan):
    page = submit(home, ready, parts="3", accept="")

    assert page.text.partition('id="id_parts_3"')[2].partition(">")[0].count("checked") == 1
    assert status(ready) == Status.DRAFT


def test_what_is_not_offered_any_more_leads_back_to_the_recap(home, ready, plan):
    PaymentPlan.objects.update(in_three=False)

    answer = submit(home, ready, parts="3")

    assert answer.url == reverse("reenrolment:check", args=[ready.student.pk])
    assert status(ready) == Status.DRAFT
    assert not PaymentPlanChoice.objects.exists()


def test_a_setting_taken_away_leads_back_to_the_recap(home, ready, plan):
    PaymentPlan.objects.all().delete()

    answer = submit(home, ready, parts="3")

    assert answer.url == reverse("reenrolment:check", args=[ready.student.pk])
    assert status(ready) == Status.DRAFT


@pytest.mark.parametrize(
    "fields",
    [
        {"in_two": False, "in_three": False},
        {"choose_until": timezone.localdate() - dt.timedelta(days=1)},
        {"minimum": 500},
    ],
)
def test_with_nothing_to_choose_nothing_is_asked(home, ready, plan, fields):
    PaymentPlan.objects.update(**fields)

    page = recap(home, ready)

    assert page.context["page"].payment is None
    assert "Payer en combien de fois" not in page.text


def test_each_household_of_a_shared_custody_chooses_for_itself(client, home, ready, plan, family):
    other = CustodyFactory(student=ready.student, rank=2).family
    submit(home, ready, parts="3")

    client.force_login(GuardianFactory(family=other).user)
    page = client.get(reverse("billing:payment_plan", args=[plan.pk]))
    assert page.context["offer"].chosen is None
    client.post(reverse("billing:payment_plan", args=[plan.pk]), {"parts": "1"})

    assert dict(PaymentPlanChoice.objects.values_list("family", "parts")) == {
        family.pk: 3,
        other.pk: 1,
    }


def test_the_recap_makes_one_query_more(home, ready, plan):
    address = reverse("reenrolment:check", args=[ready.student.pk])
    count_queries(home, address)  # the grid is kept for a minute
    with_plan = count_queries(home, address)
    PaymentPlan.objects.all().delete()

    assert with_plan == count_queries(home, address)
    assert with_plan <= FAMILY_PAGE + 11
