"""In how many parts a household pays: what is offered, chosen, drafted."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from billing import plans, services
from billing.absorbing import PaymentPlanChoices
from billing.models import Invoice, PaymentPlan, PaymentPlanChoice
from billing.money import euros
from billing.plans import parts_for, ways_of
from billing.runs import planning
from billing.runs.issuing import issue_next
from billing.schedule import months_later, spread
from billing.services.plans import choose_parts
from tests.billing.asking import ask, make_tariff
from tests.billing.pages import words
from tests.billing.pricing.test_properties import quick
from tests.billing.run_cases import Grid, enrol, make_run, prepare
from tests.factories import (
    CommuneFactory,
    EstablishmentFactory,
    FamilyFactory,
    PaymentPlanChoiceFactory,
    PaymentPlanFactory,
    SchoolYearFactory,
)

pytestmark = pytest.mark.django_db

FIRST = dt.date(2027, 10, 15)
ALL = PaymentPlan(in_two=True, in_three=True, in_four=True, in_six=True, minimum=15)
ALL.first_due_on = FIRST


def amounts(total, parts, highest=None):
    return next(
        way.amounts.replace("\u00a0", " ")
        for way in ways_of(ALL, Decimal(total), Decimal(highest or total))
        if way.parts == parts
    )


class TestWhatIsOffered:
    def test_the_amounts_are_written_as_the_invoice_would_ask_them(self):
        assert amounts("542.70", 1) == "542,70 €"
        assert amounts("542.70", 3) == "3 × 180,90 €"
        assert amounts("542.71", 3) == "180,91 €, puis 2 × 180,90 €"
        assert amounts("100.01", 2) == "50,01 €, puis 50,00 €"
        assert amounts("186", 3, highest="603") == "de 62,00 € à 201,00 € chacune"
        assert amounts("186", 1, highest="603") == "de 186,00 € à 603,00 €"

    def test_the_days_are_month_after_month(self):
        found = ways_of(ALL, Decimal(300), Decimal(300))
        days = {way.parts: way.days.replace("\u00a0", " ") for way in found}
        way = next(way for way in found if way.parts == 3)

        assert days[1] == "le 15 octobre 2027"
        assert days[3] == "les 15 octobre, 15 novembre et 15 décembre 2027"
        assert days[4] == "les 15 octobre, 15 novembre et 15 décembre 2027, 15 janvier 2028"
        assert (way.name, ways_of(ALL, Decimal(300), Decimal(300))[0].name) == (
            *("en 3\u00a0fois", "en une fois"),
        )

    @pytest.mark.parametrize(
        ("total", "offered"),
        [("0", []), ("10", [1]), ("29.99", [1]), ("30", [1, 2]), ("89.99", [1, 2, 3, 4]),
         ("90", [1, 2, 3, 4, 6])],
    )  # fmt: skip
    def test_no_part_is_under_the_minimum(self, total, offered):
        assert [way.parts for way in ways_of(ALL, Decimal(total), Decimal(total))] == offered

    @pytest.mark.parametrize(
        ("wanted", "total", "parts"),
        [(6, "600", 6), (6, "89.99", 4), (4, "20", 1), (1, "600", 1), (3, "0.02", 1), (2, "30", 2)],
    )
    def test_a_total_too_small_is_paid_in_fewer(self, wanted, total, parts):
        assert parts_for(ALL, wanted, Decimal(total)) == parts

    def test_what_is_not_offered_any_more_is_paid_in_the_most_below(self):
        plan = PaymentPlan(in_two=True, in_three=False, minimum=0, first_due_on=FIRST)

        assert parts_for(plan, 4, Decimal(100)) == 2

    @quick
    @given(st.decimals(0, 5000, places=2), st.decimals(0, 100, places=2), st.sampled_from([1, 6]))
    def test_the_parts_make_the_whole_and_reach_the_minimum(self, total, minimum, wanted):
        plan = PaymentPlan(
            in_two=True, in_three=True, in_four=True, in_six=True, minimum=minimum,
            first_due_on=FIRST,
        )  # fmt: skip

        number = parts_for(plan, wanted, total)
        parts = [amount for _, amount in spread(total, number, FIRST)]

        assert number <= wanted
        assert sum(parts) == total
        assert number == 1 or min(parts) >= minimum


class TestChoosing:
    def test_a_choice_is_kept_and_changed(self, family, parent):
        plan = PaymentPlanFactory()

        choose_parts(plan, family, parts=3, actor=parent)
        choice = choose_parts(plan, family, parts=1, actor=parent)

        assert PaymentPlanChoice.objects.get() == choice
        assert (choice.parts, choice.chosen_by) == (1, parent)

    @pytest.mark.parametrize("parts", [4, 6, 5, 0])
    def test_what_is_not_offered_is_refused(self, family, parent, parts):
        with pytest.raises(ValidationError) as caught:
            choose_parts(PaymentPlanFactory(), family, parts=parts, actor=parent)

        assert caught.value.code == "not_offered"
        assert not PaymentPlanChoice.objects.exists()

    def test_after_the_last_day_it_is_too_late(self, family, parent):
        plan = PaymentPlanFactory(choose_until=timezone.localdate())
        choose_parts(plan, family, parts=2, actor=parent)
        PaymentPlan.objects.update(choose_until=timezone.localdate() - dt.timedelta(days=1))

        with pytest.raises(ValidationError) as caught:
            choose_parts(plan, family, parts=3, actor=parent)

        assert caught.value.code == "too_late"
        assert PaymentPlanChoice.objects.get().parts == 2

    @pytest.mark.parametrize("fields", [{"parts": 5}, {"parts": 0}])
    def test_the_database_refuses_it_too(self, fields):
        with pytest.raises(IntegrityError), transaction.atomic():
            PaymentPlanChoiceFactory(**fields)

    def test_one_choice_of_a_household(self):
        choice = PaymentPlanChoiceFactory()

        with pytest.raises(IntegrityError), transaction.atomic():
            PaymentPlanChoiceFactory(plan=choice.plan, family=choice.family)

    @pytest.mark.parametrize(
        "fields",
        [
            {"minimum": -1},
            {"first_due_on": dt.date(2026, 1, 1), "choose_until": dt.date(2026, 1, 2)},
        ],
    )
    def test_a_setting_that_makes_no_sense_is_refused(self, fields):
        with pytest.raises(IntegrityError), transaction.atomic():
            PaymentPlanFactory(**fields)
        with pytest.raises(ValidationError):
            PaymentPlanFactory.build(
                establishment=EstablishmentFactory(), school_year=SchoolYearFactory(), **fields
            ).full_clean()


class TestThePage:
    @pytest.fixture
    def plan(self):
        return PaymentPlanFactory()

    def address(self, plan):
        return reverse("billing:payment_plan", args=[plan.pk])

    def test_the_household_chooses_and_reads_its_choice(self, client, parent, family, plan):
        client.force_login(parent)

        page = client.get(self.address(plan))
        assert page.text.count('type="radio"') == 3
        assert "Sans choix de votre part" in page.text
        answer = client.post(self.address(plan), {"parts": "3"}, follow=True)

        assert "Votre choix est enregistré." in answer.text
        choice = PaymentPlanChoice.objects.get()
        assert (choice.family, choice.parts, choice.chosen_by) == (family, 3, parent)
        tab = words(client.get(reverse("billing:cotisations")))
        assert "payer en 3&nbsp;fois, votre choix, jusqu'au" in tab

    @pytest.mark.parametrize("parts", ["", "4", "abc"])
    def test_anything_else_is_told(self, client, parent, plan, parts):
        client.force_login(parent)

        answer = client.post(self.address(plan), {"parts": parts})

        assert answer.context["form"].errors["parts"]
        assert not PaymentPlanChoice.objects.exists()

    def test_once_the_delay_is_over_it_is_only_read(self, client, parent, family, plan):
        PaymentPlanChoiceFactory(plan=plan, family=family, parts=2)
        PaymentPlan.objects.update(choose_until=timezone.localdate() - dt.timedelta(days=1))
        client.force_login(parent)

        page = client.get(self.address(plan))
        sent = client.post(self.address(plan), {"parts": "3"})

        assert "Vous avez choisi de payer" in page.text
        assert 'type="radio"' not in page.text
        assert "délai" in str(sent.context["form"].non_field_errors())
        assert PaymentPlanChoice.objects.get().parts == 2
        assert self.address(plan) not in client.get(reverse("billing:cotisations")).text

    def test_the_other_household_s_choice_is_not_shown(self, client, parent, plan):
        PaymentPlanChoiceFactory(plan=plan, parts=2)
        client.force_login(parent)

        assert "checked" not in client.get(self.address(plan)).text
        assert client.get(self.address(plan)).context["offer"].chosen is None

    def test_another_site_s_is_not_found(self, client, parent):
        elsewhere = PaymentPlanFactory(establishment=EstablishmentFactory(name="Annexe"))
        client.force_login(parent)

        assert client.get(self.address(elsewhere)).status_code == 404

    @pytest.mark.parametrize("years", [1, 2])
    def test_queries(self, client, parent, years, django_assert_num_queries):
        plan = [
            PaymentPlanFactory(school_year=SchoolYearFactory(offset=offset))
            for offset in range(years)
        ][0]
        client.force_login(parent)
        client.get(self.address(plan))

        with django_assert_num_queries(6):
            client.get(self.address(plan))


class TestARun:
    @pytest.fixture
    def engine(self, monkeypatch):
        return Grid(monkeypatch)

    @pytest.fixture
    def plan(self):
        return PaymentPlanFactory(in_six=True)

    def test_a_household_s_choice_prevails_and_the_others_have_the_run_s(
        self, engine, plan, family, accountant
    ):
        enrol(family)
        other = enrol().custodies.get().family
        PaymentPlanChoiceFactory(plan=plan, family=family, parts=3)

        run = prepare(accountant, parts=2)

        assert dict(run.invoices.values_list("family", "parts")) == {family.pk: 3, other.pk: 2}

    def test_at_once_is_a_choice_too(self, engine, plan, family, accountant):
        enrol(family)
        PaymentPlanChoiceFactory(plan=plan, family=family, parts=1)

        assert prepare(accountant, parts=3).invoices.get().parts == 1

    def test_a_small_amount_is_paid_in_fewer(self, engine, plan, family, accountant):
        enrol(family)
        PaymentPlanChoiceFactory(plan=plan, family=family, parts=6)
        engine.default = "50.00"

        run = prepare(accountant)

        assert run.invoices.get().parts == 3  # 16,67 € and no less than 15 €

    def test_the_choice_of_another_year_or_site_is_not_this_one_s(self, engine, family, accountant):
        enrol(family)
        for fields in (
            {"school_year": SchoolYearFactory(offset=1)},
            {"establishment": EstablishmentFactory(name="Annexe")},
        ):
            PaymentPlanChoiceFactory(plan=PaymentPlanFactory(**fields), family=family, parts=3)

        assert prepare(accountant).invoices.get().parts == 1

    def test_it_may_be_paid_until_its_own_last_part(self, engine, plan, family, accountant):
        enrol(family)
        PaymentPlanChoiceFactory(plan=plan, family=family, parts=3)
        due = timezone.localdate() + dt.timedelta(days=30)

        run = prepare(accountant, due_on=due, online_until=due, counter_until=None)
        draft = run.invoices.get()
        assert (draft.online_until, draft.counter_until) == (months_later(due, 2), None)
        planning.issue_all(run, actor=accountant, expected=1)
        issue_next()

        invoice = Invoice.objects.get()
        assert invoice.is_issued
        assert list(invoice.instalments.values_list("due_on", "amount")) == spread(
            Decimal(100), 3, due
        )
        assert invoice.counter_until == months_later(due, 2)

    def test_other_dates_leave_the_choices(self, engine, plan, family, accountant):
        enrol(family)
        other = enrol().custodies.get().family
        PaymentPlanChoiceFactory(plan=plan, family=family, parts=3)
        run = prepare(accountant)
        due = timezone.localdate() + dt.timedelta(days=60)

        planning.redate(
            run, actor=accountant, parts=2, published_on=None, due_on=due,
            online_until=months_later(due, 1), counter_until=None,
        )  # fmt: skip

        found = {i.family_id: (i.parts, i.due_on, i.online_until) for i in run.invoices.all()}
        assert found == {
            family.pk: (3, due, months_later(due, 2)),
            other.pk: (2, due, months_later(due, 1)),
        }

    def test_a_credit_note_shortens_the_last_parts(self, engine, plan, family, accountant):
        """The choice changes nothing to it (billing.schedule.parts_of)."""
        enrol(family)
        PaymentPlanChoiceFactory(plan=plan, family=family, parts=3)
        run = prepare(accountant)
        planning.issue_all(run, actor=accountant, expected=1)
        invoice = issue_next()

        services.credit(
            invoice,
            lines=[{"label": "Geste", "amount": Decimal(40)}],
            reason="Panne",
            actor=accountant,
        )

        assert invoice.instalments.count() == 3
        assert PaymentPlanChoice.objects.get().parts == 3

    @pytest.mark.parametrize("count", [1, 4])
    def test_the_choices_are_read_in_two_queries(
        self, plan, accountant, count, django_assert_num_queries, engine
    ):
        run = make_run_of(count, accountant, plan)
        keys = list(run.households.values_list("family", flat=True))

        with django_assert_num_queries(2):
            found = plans.chosen_by(run.establishment, run.school_year, keys)

        assert found == (plan, dict.fromkeys(keys, 3))


def make_run_of(count, actor, plan):
    for _ in range(count):
        PaymentPlanChoiceFactory(plan=plan, family=enrol().custodies.get().family)
    return make_run(actor)


class TestTheSimulator:
    def test_it_says_the_parts_and_their_days(self, client, director):
        tariff = make_tariff(director)
        commune = CommuneFactory(zone="resident")
        plan = PaymentPlanFactory(
            establishment=tariff.establishment, school_year=tariff.school_year
        )
        asked = ask(commune=commune.pk, e1_age="8", e1_cours1="cursus", quotient="743")

        page = client.get(asked)

        total = page.context["estimate"].bill.total
        assert [way.parts for way in page.context["ways"]] == [1, 2, 3]
        third = spread(total, 3, plan.first_due_on)[-1][1]
        assert f"×\u00a0{euros(third)}" in page.text

    def test_without_a_setting_it_says_nothing(self, client, director):
        make_tariff(director)
        commune = CommuneFactory(zone="resident")

        page = client.get(ask(commune=commune.pk, e1_age="8", e1_cours1="cursus"))

        assert page.context["estimate"]
        assert "ou plusieurs fois" not in page.text


def test_a_double_s_choice_follows_unless_the_household_has_chosen(family):
    double = FamilyFactory()
    first, second = (
        PaymentPlanFactory(school_year=SchoolYearFactory(offset=offset)) for offset in (0, 1)
    )
    kept = PaymentPlanChoiceFactory(plan=first, family=family, parts=2)
    PaymentPlanChoiceFactory(plan=first, family=double, parts=3)
    moved = PaymentPlanChoiceFactory(plan=second, family=double, parts=3)

    told = [line.text for line in PaymentPlanChoices().lines(family, double)]
    PaymentPlanChoices().absorb(family, double)

    assert [text.rpartition(": ")[2] for text in told] == [
        *("rejoint le foyer.", "le foyer a déjà choisi."),
    ]
    assert set(PaymentPlanChoice.objects.values_list("pk", "family")) == {
        (kept.pk, family.pk),
        (moved.pk, family.pk),
    }
