from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from billing.payfip import rules
from tests.billing.payfip.orders import make_order


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"montant": 99}, "montant"),
        ({"montant": 10_000_001}, "montant"),
        ({"numcli": "12345"}, "numcli"),
        ({"numcli": "12345a"}, "numcli"),
        ({"saisie": "M"}, "saisie"),
        ({"refdet": "ABC12"}, "refdet"),
        ({"refdet": "A" * 31}, "refdet"),
        ({"refdet": "2026-00042"}, "refdet"),
        ({"refdet": "abcdef"}, "refdet"),
        ({"refdet": "ABCDEF\n"}, "refdet"),
        ({"objet": "é"}, "objet"),
        ({"objet": "a" * 101}, "objet"),
        ({"mel": ""}, "mel"),
        ({"mel": "a@b.f"}, "mel"),
        ({"mel": f"{'a' * 70}@example.org"}, "mel"),
        ({"mel": "claire.martin"}, "mel"),
        ({"mel": "claire martin@example.org"}, "mel"),
        ({"exer": 26}, "exer"),
        ({"urlnotif": "/notification"}, "urlnotif"),
        ({"urlredirect": "ftp://example.org/"}, "urlredirect"),
        ({"urlredirect": "http://[/"}, "urlredirect"),
    ],
)
def test_what_payfip_would_refuse_is_refused_before(changes, code):
    with pytest.raises(ValidationError) as refusal:
        make_order(**changes).fields()

    assert refusal.value.code == code


@pytest.mark.parametrize(
    "changes", [{"montant": 100}, {"montant": 10_000_000}, {"mel": "a@b.fr"}, {"objet": ""}]
)
def test_the_limits_themselves_are_accepted(changes):
    assert make_order(**changes).fields()["numcli"] == "090909"


def test_fields_are_in_the_order_of_the_schema():
    names = list(make_order().fields())

    assert names == sorted(names)
    assert make_order().fields()["montant"] == "3800"


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Facture 2026-00042", "Facture 2026 00042"),
        ("Élève Nguyễn, cœur d'Aÿ", "Eleve Nguyen coeur d Ay"),
        ("  « »  ", ""),
        ("a" * 99 + " b", "a" * 99),
    ],
)
def test_subject_keeps_what_payfip_reads(text, sent):
    assert rules.subject(text) == sent


def test_cents_of_an_amount():
    assert rules.cents(Decimal("1234.50")) == 123450
    with pytest.raises(ValueError, match="whole number of cents"):
        rules.cents(Decimal("0.001"))
