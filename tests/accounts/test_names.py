import pytest

from accounts.names import sort_key, with_de
from families.models import Commune
from tests.factories import CommuneFactory


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        (("Nguyễn", "Éva"), "nguyen eva"),
        (("Le Goff-d'Aux",), "le goff-d'aux"),
        (("Le Goff-d’Aux",), "le goff-d'aux"),
        (("Œuvrard", "Lætitia"), "oeuvrard laetitia"),
        (("O'Brien ", " Seán"), "o'brien sean"),
        (("GROẞ", "Łukasz"), "gross lukasz"),
        (("Ðorđe",), "ðorde"),
        (("e\u0301leonore",), "eleonore"),
        ((" a \u00a0 b ",), "a b"),
        ((), ""),
    ],
)
def test_sort_key(parts, key):
    assert sort_key(*parts) == key


@pytest.mark.django_db
def test_field_is_written_by_each_save_that_includes_it():
    commune = CommuneFactory(name="Éperlecques")
    assert commune.sort_name == "eperlecques"

    commune.name = "Wœrth"
    commune.save(update_fields=["name", "sort_name"])

    assert Commune.objects.get().sort_name == "woerth"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Louise", "de Louise"),
        ("Inès Benali", "d'Inès Benali"),
        ("Élodie", "d'Élodie"),
        ("Œdipe", "d'Œdipe"),
        ("Yves", "d'Yves"),
        ("Yasmine", "de Yasmine"),
        ("Hugo", "de Hugo"),
        ("horaire fixé", "d'horaire fixé"),
        ("Đức", "de Đức"),
        ("", "de "),
    ],
)
def test_de_is_elided_before_a_vowel(name, written):
    assert with_de(name) == written
