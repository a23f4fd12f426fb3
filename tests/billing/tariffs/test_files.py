"""A whole grid by one file: out, checked, in, whole or not at all."""

import io
import zipfile
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import ListImport
from accounts.spreadsheets.reading import read_all
from accounts.spreadsheets.writing import XLSX, ZIP, Table, write, write_all
from billing.models import (
    CourseCategory,
    TariffCategory,
    TariffFee,
    TariffGrid,
    TariffModifier,
    TariffRate,
    TariffRental,
)
from billing.tariffs import loading, publishing
from billing.tariffs.files import importing
from billing.tariffs.files.parts import MODIFIER_PART, PARTS, RATE_PART, file_of
from billing.tariffs.files.reading import read_file
from tests.billing.pricing.households import grids
from tests.billing.pricing.shapes import SHAPES
from tests.billing.tariffs.making import make_draft, make_of, slugs
from tests.factories import (
    CourseFactory,
    EstablishmentFactory,
    SchoolYearFactory,
    TariffCategoryFactory,
    TariffGridFactory,
)

RATES = ["Catégorie", "Zone", "Public", "QF à partir de", "QF jusqu'à", "Montant", "Plancher"]
MODIFIERS = [
    *["Ordre", "Motif", "Libellé", "En %", "En euros", "Du rang", "Au rang", "Situations"],
]


def book(*sheets, format_=XLSX):
    """`("Tarifs", headers, row, row…)`: a workbook."""
    return write_all(format_, [Table(title, headers, rows) for title, headers, *rows in sheets])


def receive(grid, actor, content, name="grille.xlsx"):
    return importing.receive(grid, name, content, actor=actor)


def import_(grid, actor, content):
    """Received, checked, carried out: as the pages do."""
    received = receive(grid, actor, content)
    report = importing.dry_run(grid, received)
    done = importing.carry_out(grid, received, fingerprint=report.fingerprint, actor=actor)
    return report, done


def refusals(grid, actor, content):
    report = importing.dry_run(grid, receive(grid, actor, content))
    return [
        (each.part.title, row.number, refusal.header, refusal.message)
        for each in report.refused
        for row in each.refused
        for refusal in row.refusals
    ]


@pytest.fixture
def grid(establishment):
    TariffCategoryFactory(label="Cursus musical")
    return TariffGridFactory(label="Tarifs")


@pytest.mark.parametrize("format_", [XLSX, ZIP])
@pytest.mark.parametrize("town", SHAPES)
def test_a_grid_comes_out_of_an_import_as_it_went_in(town, format_, establishment, superuser):
    shape = slugs(SHAPES[town])
    grid = make_of(shape)
    TariffRental.objects.create(grid=grid, instrument="Violon", amount=150, deposit="300.50")
    content = file_of(grid, format_)
    elsewhere = TariffGridFactory(
        establishment=EstablishmentFactory(name="Annexe"), label="À remplir"
    )

    import_(elsewhere, superuser, content)

    elsewhere.refresh_from_db()
    assert read_all(file_of(elsewhere, format_)) == read_all(content)
    if format_ == ZIP:
        assert file_of(elsewhere, ZIP) == content
    assert loading.load(elsewhere) == loading.load(grid)
    assert loading.load(grid).rates_of.keys() == shape.rates_of.keys()
    report = importing.dry_run(elsewhere, receive(elsewhere, superuser, content))
    assert (report.to_write, report.refused) == (0, [])


@settings(max_examples=50, deadline=None, derandomize=True)
@given(shape=grids(), format_=st.sampled_from([XLSX, ZIP]))
def test_whatever_a_grid_holds_is_read_as_it_was_written(shape, format_):
    shape = slugs(shape)
    values = {RATE_PART: rates_of(shape), MODIFIER_PART: modifiers_of(shape)}
    tables = [
        Table(
            part.title,
            part.headers,
            [[each.show(row[each.attribute]) for each in part.columns] for row in rows],
        )
        for part, rows in values.items()
    ]

    read = read_file(write_all(format_, tables))

    assert {part: [row.values for row in rows] for part, rows in read.rows.items()} == values
    assert [row.refusals for rows in read.rows.values() for row in rows if row.refusals] == []


def rates_of(shape):
    return [
        {
            "category": rate.category,
            "zone": rate.zone or "",
            "audience": rate.audience.value,
            "band_low": rate.band and rate.band.low,
            "band_high": rate.band and rate.band.high,
            "rank": rate.rank,
            "amount": rate.amount,
            "effort_percent": rate.effort and rate.effort.percent,
            "effort_floor": rate.effort and rate.effort.floor,
            "effort_ceiling": rate.effort and rate.effort.ceiling,
        }
        for rate in shape.rates
    ]


def modifiers_of(shape):
    return [
        {
            "position": position,
            "reason": each.reason.value,
            **{
                name: getattr(each, name)
                for name in ("label", "percent", "amount", "from_rank", "to_rank")
            },
            "codes": each.codes,
            "keeps_floor": each.keeps_floor,
            "categories": each.categories,
        }
        for position, each in enumerate(shape.modifiers, start=1)
    ]


def test_the_file_stands_for_the_whole_of_its_sheets(grid, accountant):
    kept, gone = (TariffFee.objects.create(grid=grid, label=x, amount=1) for x in "AB")
    make_of_rates = [["cursus", "", "", "", "", "603", ""]]

    report, done = import_(
        grid,
        accountant,
        book(
            ("Frais", ["Libellé", "Montant", "Dû"], ["A", "2,50", "par foyer"]),
            ("Tarifs", RATES, *make_of_rates),
        ),
    )

    fees = next(each for each in report.parts if each.part.title == "Frais")
    assert ([x.title for x in fees.changed], [x.title for x in fees.removed]) == (["A"], ["B"])
    assert list(grid.fees.values_list("label", "amount")) == [("A", Decimal("2.50"))]
    assert grid.rates.get().amount == 603
    assert (done.created, done.changed, done.unchanged) == (1, 2, 0)
    assert not done.file
    log = LogEntry.objects.latest("pk")
    assert (log.user, log.object_id) == (accountant, str(grid.pk))
    assert "frais\u00a0: 0 ajoutées, 1 modifiées, 1 ôtées" in log.change_message


def test_a_sheet_of_titles_alone_empties_it_and_a_sheet_not_there_stays(grid, accountant):
    TariffFee.objects.create(grid=grid, label="Frais", amount=1)
    TariffRental.objects.create(grid=grid, instrument="Violon", amount=1)

    import_(grid, accountant, book(("Frais", ["Libellé", "Montant", "Dû"])))

    assert (grid.fees.count(), grid.rentals.count()) == (0, 1)


def test_modifiers_and_categories_are_written_with_what_they_name(grid, accountant):
    import_(
        grid,
        accountant,
        book(
            (
                "Catégories",
                ["Code", "Libellé", "Rang", "Comprend", "Payée une fois"],
                ["fm", "Formation musicale", "2", "", ""],
                ["cursus", "Cursus", "1", "fm", "oui"],
            ),
            (
                "Réductions",
                [*MODIFIERS, "Garde le plancher", "Catégories"],
                [
                    *["1", "situation (étudiant, minima sociaux…)", "Social", "20", "", "", ""],
                    *["minima sociaux, étudiant", "non", "cursus"],
                ],
                ["2", "rang de l'élève dans le foyer", "2e", "", "30", "2", "2", "", "", ""],
            ),
        ),
    )

    cursus = TariffCategory.objects.get(code="cursus")
    assert (cursus.label, cursus.once, cursus.includes.get().code) == ("Cursus", True, "fm")
    social, second = grid.modifiers.all()
    assert (social.percent, social.codes, social.keeps_floor) == (20, "minima, student", False)
    assert [each.code for each in social.categories.all()] == ["cursus"]
    assert (second.amount, second.from_rank, second.to_rank, second.keeps_floor) == (30, 2, 2, True)


def test_the_settings_that_the_sheet_says_and_no_other(grid, accountant):
    TariffGrid.objects.update(adult_age=21)

    import_(
        grid,
        accountant,
        book(("Grille", ["Nom", "Périodes par an", "Délibération"], ["Voté", "3", ""])),
    )

    grid.refresh_from_db()
    assert (grid.label, grid.terms, grid.deliberation_number) == ("Voté", 3, "")
    assert (grid.adult_age, grid.deliberation_date is not None) == (21, True)


def test_the_courses_of_the_year_take_their_category(grid, accountant):
    course = CourseFactory(school_year=grid.school_year, name="Violon")
    other = CourseFactory(school_year=grid.school_year, name="Éveil")
    CourseCategory.objects.create(course=other, category=TariffCategory.objects.get())

    import_(
        grid,
        accountant,
        book(("Cours", ["Cours", "Catégorie"], ["violon", "Cursus musical"], ["Éveil", ""])),
    )

    assert CourseCategory.objects.get().course == course
    log = LogEntry.objects.get(object_id=str(course.pk), content_type__model="course")
    assert log.change_message == "Catégorie tarifaire\u00a0: Cursus musical (avant\u00a0: aucune)."


@pytest.mark.parametrize(
    ("title", "headers", "row", "header", "message"),
    [
        ("Tarifs", RATES, ["poney", "", "", "", "", "1", ""], "Catégorie", "La catégorie «"),
        ("Tarifs", RATES, ["cursus", "lune", "", "", "", "1", ""], "Zone", "Écrivez «"),
        ("Tarifs", RATES, ["cursus", "", "", "", "", "cent", ""], "Montant", "Écrivez un nombre"),
        ("Tarifs", RATES, ["cursus", "", "", "", "", "", ""], "Montant", "Donnez un montant"),
        ("Tarifs", RATES, ["cursus", "", "", "", "", "1", "2"], "Montant", "Un montant ou"),
        ("Tarifs", RATES, ["cursus", "", "", "600", "500", "1", ""], "QF jusqu'à", "La tranche"),
        ("Tarifs", RATES, ["", "", "", "", "", "1", ""], "Catégorie", "Cette case est vide"),
        (
            *("Réductions", MODIFIERS),
            ["1", "seconde discipline", "2d", "10", "5", "", "", ""],
            *("En %", "Donnez un pourcentage ou"),
        ),
        (
            *("Réductions", MODIFIERS),
            ["1", "seconde discipline", "2d", "0", "", "", "", ""],
            *("En %", "Écrivez un pourcentage de plus"),
        ),
        (
            *("Réductions", MODIFIERS),
            ["1", "rang de l'élève dans le foyer", "3e", "10", "", "3", "2", ""],
            *("Au rang", "Le dernier rang"),
        ),
        (
            *("Réductions", MODIFIERS),
            ["1", "situation (étudiant, minima sociaux…)", "S", "10", "", "", "", "riche"],
            *("Situations", "« riche » est inconnu"),
        ),
        (
            *("Réductions", MODIFIERS),
            ["1", "situation (étudiant, minima sociaux…)", "S", "10", "", "", "", ""],
            *("Situations", "Une réduction selon"),
        ),
        (
            *("Réductions", [*MODIFIERS, "Catégories"]),
            ["1", "seconde discipline", "2d", "10", "", "", "", "", "cursus, poney"],
            *("Catégories", "La catégorie « poney »"),
        ),
        (
            *("Catégories", ["Code", "Libellé"]),
            ["deux mots", "Deux"],
            *("Code", "Ce champ ne doit contenir"),
        ),
        (
            *("Catégories", ["Code", "Libellé", "Comprend"]),
            ["danse", "Danse", "danse"],
            *("Comprend", "Une catégorie ne se comprend"),
        ),
        ("Frais", ["Libellé", "Montant", "Dû"], ["F", "-1", "par foyer"], "Montant", "Écrivez un"),
        ("Locations", ["Instrument", "Montant par an"], ["V", "x"], "Montant par an", "Écrivez"),
        ("Cours", ["Cours", "Catégorie"], ["Poney", ""], "Cours", "Aucun cours de ce nom"),
        ("Grille", ["Valable du"], ["hier"], "Valable du", "Écrivez la date"),
        ("Grille", ["Nom", "Lien"], ["N", "http://ville.example"], "Lien", "L'adresse commence"),
        (
            *("Grille", ["Valable du", "Valable jusqu'au"]),
            ["02/09/2026", "01/09/2026"],
            *("", "La validité doit finir"),
        ),
    ],
)
def test_what_is_wrong_is_told_beside_its_cell_and_nothing_is_written(
    grid, accountant, title, headers, row, header, message
):
    before = file_of(grid, ZIP)
    content = book(
        (title, headers, row),
        *(
            []
            if title == "Frais"
            else [("Frais", ["Libellé", "Montant", "Dû"], ["A", "1", "par foyer"])]
        ),
    )

    [(sheet, number, found, said)] = refusals(grid, accountant, content)

    assert (sheet, number, found) == (title, 2, header)
    assert said.replace("\u00a0", " ").startswith(message)
    with pytest.raises(ValidationError) as caught:
        import_(grid, accountant, content)
    assert caught.value.code == "refused"
    assert file_of(grid, ZIP) == before


def test_a_case_given_twice_is_told_and_a_reduction_may_be(grid, accountant):
    rate = ["cursus", "", "", "", "", "1", ""]
    modifier = ["1", "seconde discipline", "2d", "10", "", "", "", ""]

    found = refusals(
        grid,
        accountant,
        book(("Tarifs", RATES, rate, rate), ("Réductions", MODIFIERS, modifier, modifier)),
    )

    assert [(sheet, number) for sheet, number, *_ in found] == [("Tarifs", 3)]
    assert "Déjà donné à la ligne 2" in found[0][3]


def test_a_category_that_a_published_grid_uses_keeps_its_meaning(grid, accountant, director):
    publishing.publish(
        make_draft(school_year=SchoolYearFactory(offset=1), establishment=grid.establishment),
        actor=director,
    )
    sheet = ("Catégories", ["Code", "Libellé", "Payée une fois"], ["cursus", "Autre nom", "oui"])

    [(_, _, header, message)] = refusals(grid, accountant, book(sheet))

    assert (header, message[:21]) == ("Payée une fois", "Une grille publiée se")


def test_a_csv_alone_is_one_sheet_told_by_its_columns(grid, accountant):
    fees = write("csv", ["Libellé", "Montant", "Dû"], [["A", "2", "par élève"]], title="x")
    course = CourseFactory(school_year=grid.school_year, name="Violon")
    courses = write("csv", ["Cours", "Catégorie"], [["Violon", "cursus"]], title="x")

    import_(grid, accountant, fees)
    import_(grid, accountant, courses)

    assert grid.fees.get().per == "student"
    assert course.tariff_category.category.code == "cursus"


def test_the_sheet_of_rates_of_the_lists_is_read_too(grid, accountant):
    """What « Listes » exports: three columns more, which say which grid."""
    rates = write(
        "csv",
        ["Établissement", "Année scolaire", "Grille", *RATES],
        [["Conservatoire", str(grid.school_year), "Tarifs", "cursus", "", "", "", "", "5", ""]],
        title="Tarifs",
    )

    report, _ = import_(grid, accountant, rates)

    assert grid.rates.get().amount == 5
    assert report.unread == [
        f"colonne «\u00a0{name}\u00a0» de «\u00a0Tarifs\u00a0»"
        for name in ("Établissement", "Année scolaire", "Grille")
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (book(("Notes", ["Remarque"], ["x"])), "not_a_grid"),
        (book(("Tarifs", ["Montant"], ["x"])), "columns_missing"),
        (book(("Tarifs", ["Catégorie", "categorie"], ["x", "y"])), "column_doubled"),
        (book(("Grille", ["Nom"], ["a"], ["b"])), "too_many_rows"),
        (book(*[(f"F{n}", ["Note"], ["x"]) for n in range(21)]), "too_many_sheets"),
        (book(("Tarifs", ["Catégorie"]), ("tarifs ", ["Catégorie"]), format_=ZIP), "sheet_doubled"),
        (b"PK\x03\x04rien", "damaged"),
        (b"\xd0\xcf\x11\xe0", "old_excel"),
    ],
)
def test_a_file_that_is_no_grid_is_refused_and_not_kept(grid, accountant, content, code):
    with pytest.raises(ValidationError) as caught:
        receive(grid, accountant, content)

    assert caught.value.code == code
    assert not ListImport.objects.exists()


def test_an_archive_that_swells_is_refused(grid, accountant):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Tarifs.csv", b"0" * (41 * 1024 * 1024))

    with pytest.raises(ValidationError) as caught:
        receive(grid, accountant, file.getvalue())

    assert caught.value.code == "inflated"


def test_a_published_grid_takes_nothing(grid, accountant, director):
    TariffRate.objects.create(grid=grid, category=TariffCategory.objects.get(), amount=1)
    received = receive(grid, accountant, book(("Frais", ["Libellé", "Montant", "Dû"])))
    report = importing.dry_run(grid, received)
    publishing.publish(grid, actor=director)

    with pytest.raises(ValidationError) as caught:
        importing.carry_out(grid, received, fingerprint=report.fingerprint, actor=accountant)

    assert caught.value.code == "published"


def test_what_changed_since_it_was_read_stops_it(grid, accountant):
    content = book(("Frais", ["Libellé", "Montant", "Dû"], ["A", "1", "par foyer"]))
    received = receive(grid, accountant, content)
    report = importing.dry_run(grid, received)
    TariffFee.objects.create(grid=grid, label="A", amount=9)

    with pytest.raises(ValidationError) as caught:
        importing.carry_out(grid, received, fingerprint=report.fingerprint, actor=accountant)

    assert caught.value.code == "changed"
    assert grid.fees.get().amount == 9


def test_carried_out_twice_it_is_done_once(grid, accountant):
    content = book(("Frais", ["Libellé", "Montant", "Dû"], ["A", "1", "par foyer"]))
    received = receive(grid, accountant, content)
    told = importing.dry_run(grid, received).fingerprint
    done = importing.carry_out(grid, received, fingerprint=told, actor=accountant)
    fee = grid.fees.get()

    importing.carry_out(grid, done, fingerprint=told, actor=accountant)

    assert grid.fees.get() == fee


def test_the_courses_need_their_own_right(grid, registrar):
    content = book(("Cours", ["Cours", "Catégorie"]))

    with pytest.raises(PermissionDenied):
        receive(grid, registrar, content)


@pytest.mark.parametrize("count", [2, 40])
def test_the_dry_run_makes_as_many_queries_whatever_the_rows(
    grid, accountant, count, django_assert_num_queries
):
    TariffModifier.objects.create(grid=grid, position=1, reason="rank", label="2e", percent=10)
    lows = [["cursus", "", "", str(low), str(low + 1), "1", ""] for low in range(count)]
    fees = [[f"F{number}", "1", "par foyer"] for number in range(count)]
    whole = [Table(part.title, part.headers, part.table_of(grid).rows) for part in PARTS]
    whole[2], whole[4] = (
        Table("Tarifs", RATES, lows),
        Table("Frais", ["Libellé", "Montant", "Dû"], fees),
    )
    received = receive(grid, accountant, write_all(XLSX, whole))

    with django_assert_num_queries(26):
        report = importing.dry_run(grid, received)

    assert report.to_write == 2 * count
