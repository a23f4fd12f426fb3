import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from billing.pricing.bills import LineKind
from billing.pricing.engine import PricingError, price
from billing.pricing.grids import Category, Fee, FeePer, Grid, Modifier, Order, Rate, Reason
from families.enums import Zone
from tests.billing.pricing.shapes import (
    GPSO,
    LE_PUY,
    RAMBOUILLET,
    UNIEUX,
    household,
    lesson,
    pupil,
)

HALF = Decimal("0.5")
SECOND_CHILD = Modifier(Reason.RANK, "2e enfant", percent=Decimal(10), to_rank=2)
TOM = {"key": "p2", "name": "Tom", "born_on": dt.date(2016, 5, 1)}


def grid(*modifiers, amount=603, **kwargs):
    """One category at one amount for everybody, and what the test is about."""
    cursus = Category("cursus", "Cursus")
    rates = (Rate("cursus", amount=Decimal(amount)),)
    return Grid(label="Essai", categories=(cursus,), rates=rates, modifiers=modifiers, **kwargs)


def explained(bill):
    return [(line.explanation, str(line.amount)) for line in bill.lines]


def test_a_line_says_the_rate_the_quotient_and_the_rank():
    rates = [replace(rate, zone=Zone.RESIDENT) for rate in UNIEUX.rates if rate.zone]
    by_quotient = replace(
        UNIEUX, rates=tuple(rates[:3]), modifiers=(SECOND_CHILD,), fees=(), terms=1
    )
    family = household(pupil(lesson("30min")), pupil(lesson("30min"), **TOM))

    assert explained(price(by_quotient, family)) == [
        ("Tarif résident, QF 743 (CAF, mai 2026)\u00a0: 90,00\u00a0€", "90.00"),
        (
            "Tarif résident, QF 743 (CAF, mai 2026), 2e enfant\u00a0:"
            " 90,00\u00a0€ \u2212 10\u00a0% = 81,00\u00a0€",
            "81.00",
        ),
    ]


def test_a_line_is_of_a_lesson_and_a_student():
    bill = price(RAMBOUILLET, household(pupil(lesson("cursus", key=7, label="Alto"), key=3)))

    fee, tuition = bill.lines
    assert (fee.kind, fee.label, fee.pupil) == (LineKind.FILE_FEE, "Frais de dossier", None)
    assert (tuition.kind, tuition.label, tuition.whose) == (LineKind.TUITION, "Alto", "Léa")
    assert (tuition.pupil, tuition.lesson, tuition.category) == (3, 7, "cursus")
    assert bill.total == Decimal("641.00")


def test_the_cursus_is_paid_once_and_includes_the_collective_practice():
    lessons = [
        lesson("collective", "l1", "Chorale"),
        lesson("cursus", "l2", "Formation musicale", months=4),
        lesson("cursus", "l3", "Piano"),
    ]

    assert explained(price(RAMBOUILLET, household(pupil(*lessons))))[1:] == [
        ("Compris dans le cursus (Piano)", "0.00"),
        ("Compris dans le cursus (Piano)", "0.00"),
        ("Tarif résident\u00a0: 603,00\u00a0€", "603.00"),
    ]


def test_a_missing_piece_sets_the_top_rate():
    lacking = ("l'attestation CAF", "la photo")
    bill = price(RAMBOUILLET, household(pupil(lesson("cursus")), lacking=lacking))

    assert bill.at_top_rate
    assert bill.lines[1].explanation == (
        "Tarif haut\u00a0: il manque l'attestation CAF et la photo. Montant\u00a0: 909,00\u00a0€"
    )


def test_more_than_two_missing_pieces_are_counted():
    lacking = ("l'attestation CAF", "la photo", "le justificatif de domicile", "l'avis")
    bill = price(RAMBOUILLET, household(pupil(lesson("cursus")), lacking=lacking))

    start = "Tarif haut\u00a0: il manque l'attestation CAF, la photo et 2 autres pièces. "
    assert bill.lines[1].explanation.startswith(start)


def test_a_student_without_his_own_piece_is_the_only_one_at_the_top_rate():
    lea = pupil(lesson("cursus"), lacking=("la photo",))
    bill = price(RAMBOUILLET, household(lea, pupil(lesson("cursus"), **TOM)))

    assert [line.at_top_rate for line in bill.lines] == [False, True, False]
    assert [str(line.amount) for line in bill.lines] == ["38.00", "909.00", "603.00"]


def test_an_unknown_quotient_sets_the_top_rate_where_the_rate_depends_on_it():
    child, adult = pupil(lesson("30min")), pupil(lesson("30min"), **TOM, is_adult=True)
    bill = price(UNIEUX, household(child, adult, quotient=None))

    assert explained(bill)[1:] == [
        (
            "Tarif haut\u00a0: le quotient familial n'est pas connu. Montant\u00a0:"
            " 3 trimestres × 105,00\u00a0€ = 315,00\u00a0€",
            "315.00",
        ),
        ("Tarif général, adulte\u00a0: 3 trimestres × 140,00\u00a0€ = 420,00\u00a0€", "420.00"),
    ]


@pytest.mark.parametrize(("within", "amount"), [(True, "105.00"), (False, "140.00")])
def test_the_top_rate_is_of_the_zone_or_of_the_whole_grid(within, amount):
    one_term = replace(UNIEUX, fees=(), terms=1, top_within_zone=within)
    bill = price(one_term, household(pupil(lesson("30min")), quotient=None))

    assert str(bill.total) == amount


def test_the_top_rate_stays_that_of_a_child_and_of_the_rank():
    lacking = ("l'attestation CAF",)
    children = [pupil(lesson("cursus")), pupil(lesson("cursus"), **TOM)]

    assert price(RAMBOUILLET, household(children[0], lacking=lacking)).total == Decimal(947)
    assert [line.amount for line in price(LE_PUY, household(*children, lacking=lacking)).lines] == [
        Decimal(746),
        Decimal(593),
    ]


def test_the_floor_and_the_ceiling_of_an_effort_are_said():
    words = {
        quotient: price(GPSO, household(pupil(lesson("16")), quotient=quotient))
        .lines[0]
        .explanation.partition("\u00a0: ")[2]
        for quotient in [743, 2000, "2000.53", 5000]
    }

    assert words == {
        743: "16\u00a0% de 743,00\u00a0€ = 118,88\u00a0€, porté au plancher de 190,00\u00a0€",
        2000: "16\u00a0% de 2\u202f000,00\u00a0€ = 320,00\u00a0€",
        "2000.53": "16\u00a0% de 2\u202f000,53\u00a0€ = 320,08\u00a0€",
        5000: "16\u00a0% de 5\u202f000,00\u00a0€ = 800,00\u00a0€, ramené au plafond de"
        " 600,00\u00a0€",
    }


def test_a_modifier_keeps_the_floor_unless_told_otherwise():
    family = household(pupil(lesson("16")), pupil(lesson("6.4"), **TOM))
    loose = replace(GPSO, modifiers=(replace(GPSO.modifiers[0], keeps_floor=False),))

    assert (
        price(GPSO, family)
        .lines[1]
        .explanation.endswith(
            "porté au plancher de 76,00\u00a0€, puis \u2212 10\u00a0% = 76,00\u00a0€ (plancher)"
        )
    )
    assert price(loose, family).lines[1].amount == Decimal("68.40")


def test_modifiers_apply_in_the_order_of_the_grid_each_on_what_is_left():
    student = Modifier(
        Reason.SITUATION, "étudiant", percent=Decimal(50), codes=frozenset({"student"})
    )
    off_30 = Modifier(Reason.SCHOOL_HOURS, "horaires aménagés", amount=Decimal(30))
    one = pupil(lesson("cursus", school_hours=True), situations=frozenset({"student"}))

    assert explained(price(grid(off_30, student), household(one))) == [
        (
            "Tarif général, horaires aménagés, étudiant\u00a0: 603,00\u00a0€ \u2212 30,00\u00a0€"
            " = 573,00\u00a0€, puis \u2212 50\u00a0% = 286,50\u00a0€",
            "286.50",
        )
    ]
    assert price(grid(student, off_30), household(one)).total == Decimal("271.50")


def test_a_modifier_concerns_its_situation_its_categories_and_its_ranks():
    modifiers = [
        Modifier(Reason.SITUATION, "x", percent=Decimal(50), codes=frozenset({"student"})),
        Modifier(Reason.SCHOOL_HOURS, "x", percent=Decimal(50)),
        Modifier(Reason.RANK, "x", percent=Decimal(50), from_rank=2),
        Modifier(Reason.SECOND_DISCIPLINE, "x", percent=Decimal(50)),
        Modifier(Reason.RANK, "x", percent=Decimal(50), from_rank=1, categories=frozenset({"y"})),
    ]

    assert price(grid(*modifiers), household(pupil(lesson("cursus")))).total == Decimal(603)


def test_the_second_discipline_is_the_cheaper_one():
    modifier = Modifier(Reason.SECOND_DISCIPLINE, "2e discipline", percent=Decimal(50))
    apart = (Category("cursus", "Cursus"), Category("collective", "Pratique collective"))
    two = replace(RAMBOUILLET, modifiers=(modifier,), categories=apart)
    lessons = [lesson("collective", "l1", "Chorale"), lesson("cursus", "l2")]

    assert [str(line.amount) for line in price(two, household(pupil(*lessons))).lines[1:]] == [
        "54.00",
        "603.00",
    ]


def test_an_amount_taken_off_never_leaves_less_than_nothing():
    modifier = Modifier(Reason.RANK, "aîné", amount=Decimal(700), from_rank=1)

    assert price(grid(modifier), household(pupil(lesson("cursus")))).total == Decimal("0.00")


@pytest.mark.parametrize(
    ("order", "reduced"), [(Order.DEAREST, "Zoé"), (Order.ELDEST, "Tom"), (Order.YOUNGEST, "Zoé")]
)
def test_the_grid_says_who_is_first(order, reduced):
    """Zoé is the elder, and her lessons the cheaper."""
    zoe = pupil(lesson("collective"), key="p1", name="Zoé", born_on=dt.date(2012, 1, 1))
    tom = pupil(lesson("cursus"), **TOM)
    ranked = replace(RAMBOUILLET, modifiers=(SECOND_CHILD,), order=order)

    lines = price(ranked, household(zoe, tom)).lines[1:]

    assert [line.whose for line in lines if "2e enfant" in line.explanation] == [reduced]


def test_of_two_who_would_pay_the_same_the_eldest_is_first():
    tom, lea = pupil(lesson("cursus"), **TOM), pupil(lesson("cursus"))

    lines = price(grid(SECOND_CHILD), household(tom, lea)).lines

    assert [str(line.amount) for line in lines] == ["542.70", "603.00"]


def test_nobody_without_a_lesson_has_a_rank_or_pays_a_fee():
    fee = Fee("Adhésion", Decimal(20), FeePer.STUDENT)
    elder = pupil(key="p0", name="Max", born_on=dt.date(2010, 1, 1))

    bill = price(grid(SECOND_CHILD, fees=(fee,)), household(elder, pupil(lesson("cursus"))))

    assert [line.label for line in bill.lines] == ["Adhésion", "Piano"]
    assert bill.total == Decimal(623)
    assert price(grid(fees=(replace(fee, per=FeePer.HOUSEHOLD),)), household(elder)).lines == ()


@pytest.mark.parametrize(
    ("months", "words", "amount"),
    [
        (None, "603,00\u00a0€", "603.00"),
        (10, "603,00\u00a0€", "603.00"),
        (4, "603,00\u00a0€, puis 4 mois commencés sur 10 = 241,20\u00a0€", "241.20"),
        (1, "603,00\u00a0€, puis 1 mois commencé sur 10 = 60,30\u00a0€", "60.30"),
    ],
)
def test_a_begun_month_is_due(months, words, amount):
    bill = price(grid(), household(pupil(lesson("cursus", months=months))))

    assert explained(bill) == [(f"Tarif général\u00a0: {words}", amount)]


def test_the_two_households_pay_the_whole_to_the_cent():
    first, second = (
        price(
            grid(amount="603.01", fees=(Fee("Frais", Decimal("38.01")),)),
            household(pupil(lesson("cursus"), share=HALF, rounds_up=rounds_up)),
        )
        for rounds_up in (True, False)
    )

    assert explained(first)[1] == (
        "Tarif général\u00a0: 603,01\u00a0€, puis part de votre foyer\u00a0: 50\u00a0%"
        " = 301,51\u00a0€",
        "301.51",
    )
    assert [str(line.amount) for line in second.lines] == ["19.00", "301.50"]
    assert first.total + second.total == Decimal("641.02")


def test_the_fee_of_a_household_is_whole_as_soon_as_one_student_is_its_own():
    fee = Fee("Frais de dossier", Decimal(38))
    shared, own = pupil(lesson("cursus"), share=HALF), pupil(lesson("cursus"), **TOM)

    assert price(grid(fees=(fee,)), household(shared, own)).lines[0].amount == Decimal(38)
    assert price(grid(fees=(fee,)), household(shared)).lines[0].amount == Decimal(19)


@pytest.mark.parametrize(
    ("broken", "code", "message"),
    [
        (
            replace(grid(), categories=()),
            "no_category",
            "La catégorie «\u00a0cursus\u00a0» du cours «\u00a0Piano\u00a0» n'est pas dans la"
            " grille.",
        ),
        (
            replace(grid(), rates=(Rate("cursus", Zone.OUTSIDE, amount=Decimal(1)),)),
            "no_rate",
            "Aucun tarif de la grille ne convient à «\u00a0Piano\u00a0» (Tarif résident, enfant,"
            " QF 743 (CAF, mai 2026)).",
        ),
        (
            replace(grid(), rates=grid().rates * 2),
            "several_rates",
            "2 tarifs de la grille conviennent à la fois à «\u00a0Piano\u00a0» (Tarif résident,"
            " enfant, QF 743 (CAF, mai 2026)).",
        ),
    ],
)
def test_a_lesson_without_one_price_is_refused(broken, code, message):
    with pytest.raises(PricingError) as refusal:
        price(broken, household(pupil(lesson("cursus"))))

    assert (refusal.value.code, refusal.value.message) == (code, message)


def test_a_course_without_a_category_is_refused():
    with pytest.raises(PricingError) as refusal:
        price(grid(), household(pupil(lesson(""))))

    assert (refusal.value.code, refusal.value.message) == (
        *("no_category", "Le cours «\u00a0Piano\u00a0» n'a pas de catégorie tarifaire."),
    )


def test_the_top_rate_of_a_category_without_a_rate_is_refused():
    with pytest.raises(PricingError) as refusal:
        price(replace(grid(), rates=()), household(pupil(lesson("cursus")), lacking=("la photo",)))

    assert refusal.value.code == "no_rate"
