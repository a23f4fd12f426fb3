"""« Combien cela coûtera »: what a visitor asks by one address, and what he reads."""

from decimal import Decimal

import pytest
from django.urls import reverse

from billing.pricing.grids import Category, Grid, Modifier, Rate, Reason
from billing.simulator_forms import situations_of
from families.enums import Zone
from tests.billing.asking import ask, make_tariff
from tests.factories import CommuneFactory, EstablishmentFactory, SchoolYearFactory
from tests.queries import FAMILY_PAGE, count_queries
from tests.test_hostile_input import HOSTILE

URL = "billing:simulator"


@pytest.fixture
def tariff(director):
    return make_tariff(director, deliberation_url="https://ville.example/2026-041.pdf")


@pytest.fixture
def commune(db):
    CommuneFactory(insee_code="59350", name="Lille", zone=Zone.OUTSIDE)
    return CommuneFactory(zone=Zone.RESIDENT)


@pytest.fixture
def asked(client, tariff, commune):
    """Asks for a resident of eight years in the cursus; `asked(quotient="743")`."""

    def get(**typed):
        first = {"commune": commune.pk, "e1_age": "8", "e1_cours1": "cursus"}
        return client.get(ask(**first | typed))

    return get


def total(response):
    return response.context["estimate"].bill.total


def errors(response):
    return response.context["form"].errors


def french(sentence):
    """Without the spaces that may not break, which no eye sees in a list of cases."""
    return sentence.replace("\u00a0", " ")


def test_the_page_is_open_to_anybody_and_asks(client, tariff, commune):
    page = client.get(reverse(URL))

    assert page.status_code == 200
    assert page.context["estimate"] is None
    assert str(tariff.school_year) in page.text
    assert "Tourcoing" in page.text
    assert "Lille" not in page.text  # « Autre commune »
    assert not page.cookies


def test_the_landing_and_the_sign_in_lead_to_it(client, db):
    for name in ("imuse:landing", "accounts:sign_in"):
        assert f'href="{reverse(URL)}"' in client.get(reverse(name)).text


def test_without_a_published_tariff_the_page_says_so(client, db):
    page = client.get(reverse(URL))

    assert "Aucun tarif n'est publié pour le moment" in page.text
    assert client.get(ask(commune="1", tarif="9")).status_code == 200


def test_each_line_explains_itself_and_the_top_rate_is_told(asked):
    page = asked(quotient="743")

    assert total(page) == 488  # 450 € and the fee
    assert "Tarif résident, QF 743" in page.text
    assert "488,00\u00a0€" in page.text
    assert "Sans attestation de quotient" in page.text
    assert "947,00\u00a0€ (tarif haut)" in page.text
    assert "seule la facture fait foi" in page.text
    assert 'href="https://ville.example/2026-041.pdf"' in page.text


@pytest.mark.parametrize(
    ("typed", "amount"),
    [("743,50 €", 488), (" 1 034,5 ", 641), ("0", 338), ("599.99", 338), ("600", 488)],
)
def test_the_quotient_is_read_as_people_write_it(asked, typed, amount):
    assert total(asked(quotient=typed)) == amount


def test_without_a_quotient_the_page_gives_the_range_and_the_top_rate(asked):
    page = asked()

    found = page.context["estimate"]
    assert (found.lowest, found.highest, found.bill.total) == (338, 641, 947)
    assert "de 338,00\u00a0€ à 641,00\u00a0€" in " ".join(page.text.split(" "))
    assert "Le détail, sans attestation de quotient" in page.text


def test_another_commune_is_outside(asked):
    page = asked(commune="autre")

    assert total(page) == 947
    assert "Sans attestation de quotient" not in page.text


def test_a_second_student_and_a_situation_are_counted(asked):
    page = asked(
        quotient="743", eleves="2", e2_age="6", e2_cours1="chorale", e2_situations=["minima"]
    )

    assert total(page) == 488 + Decimal("48.60")
    assert [part.name for part in page.context["estimate"].parts] == [
        "Élève 1",
        "Élève 2",
        "Pour le foyer",
    ]


def test_a_student_left_blank_does_not_count(asked):
    page = asked(quotient="743", eleves="3", e2_age="", e3_age="6", e3_cours1="chorale")

    assert [part.name for part in page.context["estimate"].parts][:2] == ["Élève 1", "Élève 3"]


def test_adding_a_student_keeps_what_is_typed_and_judges_nothing(asked):
    page = asked(
        quotient="sept cents", eleves="1", ajouter="1", e1_age="", e1_situations=["minima"]
    )

    assert page.context["form"].students == 2
    assert page.context["estimate"] is None
    assert 'value="sept cents"' in page.text
    assert "Erreur" not in page.text
    assert page.text.count("checked") == 1
    assert '<option value="cursus" selected>' in page.text


def test_six_students_at_most(asked):
    page = asked(eleves="6", ajouter="1")

    assert page.context["form"].students == 6
    assert 'name="ajouter"' not in page.text
    assert asked(eleves="99").context["form"].students == 6


@pytest.mark.parametrize(
    ("typed", "field", "message"),
    [
        ({"commune": ""}, "commune", "Choisissez votre commune, ou « Autre commune »."),
        ({"commune": "9999"}, "commune", "Choisissez votre commune dans la liste."),
        ({"quotient": "-1"}, "quotient", "Écrivez votre quotient en euros, ainsi : 743 ou 743,50."),
        (
            {"quotient": "NaN"},
            "quotient",
            "Écrivez votre quotient en euros, ainsi : 743 ou 743,50.",
        ),
        (
            {"quotient": "1e9"},
            "quotient",
            "Écrivez votre quotient en euros, ainsi : 743 ou 743,50.",
        ),
        ({"e1_age": ""}, "e1-age", "Indiquez l'âge de l'élève 1."),
        ({"e1_age": "-3"}, "e1-age", "Écrivez l'âge de l'élève 1 en années, ainsi : 8."),
        ({"e1_age": "huit"}, "e1-age", "Écrivez l'âge de l'élève 1 en années, ainsi : 8."),
        ({"e1_cours1": ""}, "e1-cours1", "Choisissez au moins un cours pour l'élève 1."),
        ({"e1_cours1": "x"}, "e1-cours1", "Choisissez un cours de la liste."),
        ({"e1_situations": "x"}, "e1-situations", "Choisissez une situation de la liste."),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(asked, typed, field, message):
    page = asked(**typed)

    assert {name: [french(each) for each in said] for name, said in errors(page).items()} == {
        field: [message]
    }
    assert page.context["estimate"] is None
    assert "Erreur" in page.text


def test_nothing_typed_asks_for_the_first_student(client, tariff):
    page = client.get(ask(commune="autre"))

    assert sorted(errors(page)) == ["e1-age", "e1-cours1"]


def test_a_case_that_nobody_voted_is_a_sentence(asked, monkeypatch):
    def without_adults(tariff):
        rates = (Rate("cursus", audience="child", amount=Decimal(100)),)
        return Grid("Enfants", (Category("cursus", "Cursus"),), rates)

    monkeypatch.setattr("billing.simulator_views.grid_of", without_adults)
    page = asked(e1_age="40")

    assert page.context["estimate"] is None
    assert "Aucun tarif de la grille ne convient" in page.text


def test_the_quotient_is_not_asked_where_nothing_depends_on_it(client, director):
    make_tariff(director, by_quotient=False)

    page = client.get(ask(commune="autre", quotient="743", e1_age="8", e1_cours1="chorale"))

    assert "quotient" not in page.context["form"].fields
    assert total(page) == 146


def test_situations_are_named_by_what_they_take_off():
    modifiers = (
        Modifier(Reason.RANK, "2e enfant", percent=10),
        Modifier(
            Reason.SITUATION, "Étudiant ou RSA", percent=10, codes=frozenset({"student", "a"})
        ),
        Modifier(Reason.SITUATION, "RSA en plus", percent=10, codes=frozenset({"student"})),
        Modifier(Reason.SCHOOL_HOURS, "CHAM", percent=Decimal(100)),
    )

    assert situations_of(Grid("Tarifs", (), (), modifiers)) == [
        ("a", "Étudiant ou RSA"),
        ("student", "Étudiant"),
        ("school_hours", "Cours sur le temps scolaire (CHAM)"),
    ]


def test_the_cham_is_asked_by_a_grid_that_rewards_it(client, monkeypatch, tariff):
    grid = Grid(
        "CHAM",
        (Category("cursus", "Cursus"),),
        (Rate("cursus", amount=Decimal(100)),),
        (Modifier(Reason.SCHOOL_HOURS, "CHAM", percent=Decimal(100)),),
    )
    monkeypatch.setattr("billing.simulator_views.grid_of", lambda tariff: grid)
    typed = {"commune": "autre", "e1_age": 12, "e1_cours1": "cursus"}

    assert total(client.get(ask(**typed))) == 100
    assert total(client.get(ask(**typed, e1_situations="school_hours"))) == 0


def test_the_site_and_the_year_are_chosen(client, director, tariff):
    now = make_tariff(director, school_year=SchoolYearFactory())
    annexe = make_tariff(director, establishment=EstablishmentFactory(name="Zénith"))

    page = client.get(reverse(URL))

    assert page.context["tariff"] == tariff
    assert page.text.count("<option value=") > 3
    for each in (now, annexe):
        page = client.get(ask(tarif=each.pk))
        assert page.context["tariff"] == each
        assert f'name="tarif" value="{each.pk}"' in page.text


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_values_are_answered(asked, kind):
    value = HOSTILE[kind].encode("utf-8", "surrogateescape")
    names = ["tarif", "eleves", "ajouter", "commune", "quotient"]
    names += ["e1_age", "e1_cours1", "e1_situations", "e6_age"]

    assert {name for name in names if asked(**{name: value}).status_code >= 500} == set()


def test_ten_thousand_fields_are_refused(client, tariff):
    address = ask(**{f"e{n}_age": 8 for n in range(10_000)})

    assert client.get(address).status_code == 400


def test_it_writes_nothing_and_takes_no_post(client, asked, tariff, django_assert_num_queries):
    assert client.post(reverse(URL)).status_code == 405
    assert not asked().cookies


@pytest.mark.parametrize("students", [1, 6])
def test_the_queries_do_not_grow(client, tariff, commune, students):
    for number in range(students):
        CommuneFactory(insee_code=f"5900{number}", zone=Zone.CONVENTIONED)
    typed = {f"e{n}_age": 8 for n in range(1, students + 1)}
    typed |= {f"e{n}_cours1": "cursus" for n in range(1, students + 1)}

    # The tariffs, the six of a grid, the communes.
    assert count_queries(client, ask(commune=commune.pk, eleves=students, **typed)) <= FAMILY_PAGE
