"""The pages of the administration for grids and categories."""

from decimal import Decimal

import pytest
from django.urls import reverse

from billing.models import CourseCategory, TariffCategory, TariffGrid, TariffModifier, TariffRate
from tests.billing.tariffs.making import make_draft, make_published
from tests.factories import (
    CourseFactory,
    EstablishmentFactory,
    SchoolYearFactory,
    TariffCategoryFactory,
    TariffGridFactory,
    TariffRateFactory,
)


def page(name, *keys):
    return reverse(f"admin:billing_tariff{name}", args=keys)


def told(response):
    return [str(message) for message in response.context["messages"]]


def rate_rows(*rows, initial=0):
    data = {"rates-TOTAL_FORMS": len(rows), "rates-INITIAL_FORMS": initial}
    for number, row in enumerate(rows):
        data |= {f"rates-{number}-audience": "all"}
        data |= {f"rates-{number}-{name}": value for name, value in row.items()}
    return data


class TestTheRatesOfACategory:
    @pytest.fixture
    def grid(self, client, accountant):
        client.force_login(accountant)
        return make_draft()

    def address(self, grid, category=None):
        category = category or TariffCategory.objects.get(code="cursus")
        return page("grid_rates", grid.pk, category.pk)

    def test_lines_are_changed_added_and_taken_away(self, client, grid):
        first = grid.rates.get()
        second = TariffRateFactory(grid=grid, zone="outside", amount=909)
        data = rate_rows(
            {"id": first.pk, "amount": "612,50", "zone": "resident"},
            {"id": second.pk, "zone": "outside", "amount": "909", "DELETE": "on"},
            {
                "zone": "conventioned",
                "effort_percent": "6,4",
                "effort_floor": "76",
                "effort_ceiling": "285",
            },
            {},  # a free line that stays free
            initial=2,
        )

        response = client.post(self.address(grid), data, follow=True)

        assert told(response) == ["Tarifs de «\u00a0Cursus\u00a0» enregistrés."]
        resident, conventioned = grid.rates.all()
        assert (resident.pk, resident.zone, resident.amount) == (
            *(first.pk, "resident", Decimal("612.50")),
        )
        assert (conventioned.category.code, conventioned.effort_percent) == (
            *("cursus", Decimal("6.40")),
        )

    def test_a_case_typed_twice_is_told_beside_it_and_nothing_is_written(self, client, grid):
        first = grid.rates.get()
        data = rate_rows(
            {"id": first.pk, "amount": "603"}, {"amount": "700", "rank": ""}, initial=1
        )

        response = client.post(self.address(grid), data)

        errors = response.context["formset"].forms[1].errors
        assert errors == {"zone": ["Ce cas a déjà son tarif, plus haut dans la page."]}
        assert "700" in response.text
        assert grid.rates.count() == 1

    def test_two_lines_may_change_places(self, client, grid):
        """The second takes the case that the first leaves."""
        first = grid.rates.get()
        second = TariffRateFactory(grid=grid, zone="outside")
        data = rate_rows(
            {"id": second.pk, "zone": "", "amount": "1"},
            {"id": first.pk, "zone": "", "amount": "603", "DELETE": "on"},
            initial=2,
        )

        client.post(self.address(grid), data)

        assert [(rate.pk, rate.zone) for rate in grid.rates.all()] == [(second.pk, "")]

    def test_one_goes_on_to_the_next_category(self, client, grid):
        following = TariffCategoryFactory(code="danse", position=2)

        response = client.post(self.address(grid), rate_rows() | {"suivante": "1"})

        assert response.url == self.address(grid, following)

    def test_a_published_grid_sends_back(self, client, director, grid):
        published = make_published(director, school_year=SchoolYearFactory(offset=1))

        response = client.get(self.address(published), follow=True)

        assert told(response) == ["Cette grille est publiée\u00a0: elle ne change plus."]

    def test_a_rate_of_another_grid_is_as_nobodys(self, client, grid):
        other = make_draft(amount="1")
        answers = []
        for key in (other.rates.get().pk, 987_654):
            data = rate_rows({"id": key, "amount": "9"}, initial=1)
            response = client.post(self.address(grid), data)
            answers.append(
                (response.status_code, response.context["formset"].forms[0].errors.as_data().keys())
            )

        assert answers[0] == answers[1]
        assert TariffRate.objects.filter(amount=9).count() == 0

    def test_another_site_s_grid_or_category_is_not_found(self, client, grid):
        annexe = EstablishmentFactory(name="Annexe")
        other = make_draft(establishment=annexe)
        elsewhere = TariffCategory.objects.get(establishment=annexe)

        assert client.get(self.address(other, elsewhere)).status_code == 404
        assert client.get(self.address(grid, elsewhere)).status_code == 404

    @pytest.mark.parametrize("count", [1, 12])
    def test_the_queries_do_not_grow_with_the_lines(
        self, client, grid, count, django_assert_max_num_queries
    ):
        for rank in range(1, count):
            TariffRateFactory(grid=grid, rank=rank)

        with django_assert_max_num_queries(10):
            client.get(self.address(grid))


class TestTheGrid:
    def form(self, grid, **changed):
        empty = {
            f"{prefix}-{name}": 0
            for prefix in ("modifiers", "fees", "rentals")
            for name in ("TOTAL_FORMS", "INITIAL_FORMS")
        }
        return {
            "establishment": grid.establishment_id,
            "school_year": grid.school_year_id,
            "label": grid.label,
            "valid_from": grid.valid_from.isoformat(),
            "valid_until": grid.valid_until.isoformat(),
            **{"terms": 1, "months": 10, "adult_age": 18, "order": "dearest"},
            **empty,
            **changed,
        }

    def test_a_new_grid_leads_to_its_own_page(self, client, accountant, establishment):
        grid = TariffGridFactory.build(
            establishment=establishment, school_year=SchoolYearFactory(), label="Tarifs"
        )
        client.force_login(accountant)

        response = client.post(page("grid_add"), self.form(grid))

        assert response.url == page("grid_change", TariffGrid.objects.get().pk)

    def test_a_draft_takes_its_deductions_fees_and_rentals(self, client, accountant):
        grid = make_draft()
        category = grid.rates.get().category
        client.force_login(accountant)
        data = self.form(
            grid,
            label="Autre nom",
            **{
                "modifiers-TOTAL_FORMS": 1,
                "modifiers-0-position": 1,
                "modifiers-0-reason": "rank",
                "modifiers-0-label": "Deuxième élève",
                "modifiers-0-percent": "12,5",
                "modifiers-0-from_rank": 2,
                "modifiers-0-categories": [category.pk],
                "fees-TOTAL_FORMS": 1,
                "fees-0-label": "Frais de dossier",
                "fees-0-amount": "38",
                "fees-0-per": "household",
                "rentals-TOTAL_FORMS": 1,
                "rentals-0-instrument": "Violon",
                "rentals-0-amount": "150",
                "rentals-0-deposit": "300",
            },
        )

        response = client.post(page("grid_change", grid.pk), data)

        assert response.status_code == 302
        grid.refresh_from_db()
        modifier = grid.modifiers.get()
        assert (grid.label, modifier.percent) == ("Autre nom", Decimal("12.50"))
        assert list(modifier.categories.all()) == [category]
        assert (grid.fees.get().amount, grid.rentals.get().deposit) == (38, 300)

    def test_a_deduction_without_value_is_told_beside_it(self, client, accountant):
        grid = make_draft()
        client.force_login(accountant)
        data = self.form(
            grid,
            **{
                "modifiers-TOTAL_FORMS": 1,
                "modifiers-0-position": 1,
                "modifiers-0-reason": "situation",
                "modifiers-0-label": "Étudiant",
                "modifiers-0-from_rank": 2,
            },
        )

        response = client.post(page("grid_change", grid.pk), data)

        assert "Donnez un pourcentage ou un montant, l&#x27;un des deux." in response.text
        assert not TariffModifier.objects.exists()

    @pytest.mark.parametrize("url", ["https://ville.example/d.pdf", "", "ville.example/d.pdf"])
    def test_a_link_is_https(self, client, accountant, url):
        grid = make_draft()
        client.force_login(accountant)

        client.post(page("grid_change", grid.pk), self.form(grid, deliberation_url=url))

        expected = f"https://{url}" if url.startswith("ville") else url
        assert TariffGrid.objects.get().deliberation_url == expected

    @pytest.mark.parametrize("url", ["http://ville.example/d.pdf", "javascript:alert(1)"])
    def test_another_scheme_is_refused(self, client, accountant, url):
        grid = make_draft()
        client.force_login(accountant)

        response = client.post(page("grid_change", grid.pk), self.form(grid, deliberation_url=url))

        assert "deliberation_url" in response.context["adminform"].form.errors

    def test_a_published_grid_is_only_read(self, client, director):
        grid = make_published(director)
        client.force_login(director)

        shown = client.get(page("grid_change", grid.pk))
        saved = client.post(page("grid_change", grid.pk), self.form(grid, label="Autre"))
        deleted = client.post(page("grid_delete", grid.pk), {"post": "yes"})

        assert "Grille publiée." in shown.text
        assert "603,00\u00a0€" in shown.text
        assert 'name="label"' not in shown.text
        assert (saved.status_code, deleted.status_code) == (403, 403)

    def test_a_draft_is_deleted_with_its_rows(self, client, accountant):
        grid = make_draft()
        client.force_login(accountant)

        response = client.post(page("grid_delete", grid.pk), {"post": "yes"})

        assert response.status_code == 302
        assert not TariffGrid.objects.exists()

    @pytest.mark.parametrize("count", [1, 10])
    def test_the_queries_do_not_grow_with_the_rows(
        self, client, accountant, count, django_assert_max_num_queries
    ):
        grid = make_draft()
        for number in range(count):
            category = TariffCategoryFactory(code=f"c{number}")
            TariffRateFactory(grid=grid, category=category)
            TariffModifier.objects.create(
                grid=grid, reason="rank", label=f"Remise {number}", percent=1
            ).categories.add(category)
        client.force_login(accountant)

        with django_assert_max_num_queries(20):
            client.get(page("grid_change", grid.pk))


class TestMoves:
    def test_publishing_shows_what_stands_in_the_way_and_does_nothing(self, client, director):
        grid = make_draft(deliberation_number="")
        client.force_login(director)

        shown = client.get(page("grid_publish", grid.pk))
        response = client.post(page("grid_publish", grid.pk), follow=True)

        assert shown.context["obstacles"] == [
            "Donnez le numéro et la date de la délibération qui vote cette grille."
        ]
        assert "Publier la grille" not in shown.text
        assert told(response) == ["La grille n'est pas publiée\u00a0: voyez ce qui l'empêche."]
        assert not TariffGrid.objects.get().is_published

    def test_the_direction_publishes(self, client, director):
        grid = make_draft()
        client.force_login(director)

        client.post(page("grid_publish", grid.pk))

        assert TariffGrid.objects.get().published_by == director

    def test_the_regie_does_not_publish(self, client, accountant):
        grid = make_draft()
        client.force_login(accountant)

        assert client.post(page("grid_publish", grid.pk)).status_code == 403
        assert "Publier</a>" not in client.get(page("grid_change", grid.pk)).text

    def test_the_next_year_s_grid_is_prepared(self, client, accountant):
        following = SchoolYearFactory(offset=1)
        grid = make_draft(school_year=SchoolYearFactory(offset=0))
        client.force_login(accountant)
        form = client.get(page("grid_duplicate", grid.pk)).context["form"]
        assert form.initial == {"school_year": following, "label": f"Tarifs {following}"}
        data = {
            "school_year": following.pk,
            "label": "Suivants",
            "percent": "1,5",
            "rounding": "1.00",
        }

        response = client.post(page("grid_duplicate", grid.pk), data)

        copy = TariffGrid.objects.get(label="Suivants")
        assert response.url == page("grid_change", copy.pk)
        assert copy.rates.get().amount == 612

    def test_a_name_already_taken_is_told(self, client, accountant):
        grid = make_draft()
        client.force_login(accountant)
        data = {
            "school_year": grid.school_year_id,
            "label": grid.label,
            "percent": "0",
            "rounding": "0.01",
        }

        response = client.post(page("grid_duplicate", grid.pk), data)

        assert response.context["form"].non_field_errors() == [
            "Une grille de cette année porte déjà ce nom."
        ]

    def test_a_published_grid_ends_earlier(self, client, director):
        grid = make_published(director)
        client.force_login(director)

        refused = client.post(
            page("grid_shorten", grid.pk), {"valid_until": grid.valid_until.isoformat()}
        )
        client.post(page("grid_shorten", grid.pk), {"valid_until": grid.valid_from.isoformat()})

        assert refused.context["form"].errors["valid_until"][0].startswith("Choisissez un jour du")
        assert TariffGrid.objects.get().valid_until == grid.valid_from


class TestCategories:
    def test_each_course_gets_its_category(self, client, accountant):
        year = SchoolYearFactory()
        category = TariffCategoryFactory()
        flute = CourseFactory(name="Flûte", school_year=year)
        harp = CourseFactory(name="Harpe", school_year=year)
        client.force_login(accountant)
        address = page("category_courses", year.pk)

        response = client.post(
            address, {f"cours-{flute.pk}": category.pk, f"cours-{harp.pk}": ""}, follow=True
        )

        assert told(response) == ["1 cours enregistré."]
        assert CourseCategory.objects.get().course == flute
        assert response.context["missing"] == 1

    def test_a_category_of_another_site_is_no_choice(self, client, accountant):
        course = CourseFactory()
        TariffCategoryFactory()
        theirs = TariffCategoryFactory(establishment=EstablishmentFactory(name="Annexe"))
        client.force_login(accountant)
        address = page("category_courses", course.school_year_id)

        answers = [
            client.post(address, {f"cours-{course.pk}": key}).context["form"].errors.as_data()
            for key in (theirs.pk, 987_654)
        ]

        assert [[each.code for each in errors.popitem()[1]] for errors in answers] == [
            *(["invalid_choice"], ["invalid_choice"]),
        ]

    def test_what_a_category_comprises_is_of_its_site(self, client, director, establishment):
        annexe = EstablishmentFactory(name="Annexe")
        director.establishments.add(annexe)
        theirs = TariffCategoryFactory(establishment=annexe, code="danse")
        client.force_login(director)
        data = {
            "establishment": establishment.pk,
            "code": "cursus",
            "label": "Cursus",
            "position": 1,
            "includes": [theirs.pk],
        }

        response = client.post(page("category_add"), data)

        assert "includes" in response.context["adminform"].form.errors
        assert TariffCategory.objects.count() == 1

    def test_the_rule_of_a_published_category_is_only_read(self, client, director):
        make_published(director)
        category = TariffCategory.objects.get()
        client.force_login(director)
        address = page("category_change", category.pk)

        client.post(address, {"label": "Cursus complet", "position": 3, "once": "on", "code": "x"})

        category.refresh_from_db()
        assert (category.label, category.code, category.once) == ("Cursus complet", "cursus", False)


def test_the_lists_have_a_bounded_number_of_queries(
    client, director, establishment, django_assert_max_num_queries
):
    for offset in range(4):
        grid = TariffGridFactory(school_year=SchoolYearFactory(offset=offset))
        TariffRateFactory(grid=grid, category=TariffCategoryFactory(code=f"c{offset}"))
    client.force_login(director)

    for name in ("grid_changelist", "category_changelist", "rate_changelist"):
        with django_assert_max_num_queries(14):
            client.get(page(name))
