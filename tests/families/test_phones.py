import pytest
from django.core.exceptions import ValidationError

from families.models import Guardian
from families.phones import PhoneField, normalise


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("   ", ""),
        ("0612345678", "06 12 34 56 78"),
        (" 06 12 34 56 78 ", "06 12 34 56 78"),
        ("06.12.34.56.78", "06 12 34 56 78"),
        ("06-12-34-56-78", "06 12 34 56 78"),
        ("06/12/34/56/78", "06 12 34 56 78"),
        ("06\u00a012\u202f34\u201156\u201378", "06 12 34 56 78"),
        ("+33612345678", "06 12 34 56 78"),
        ("+33 (0)6 12 34 56 78", "06 12 34 56 78"),
        ("0033 3 20 00 00 00", "03 20 00 00 00"),
        ("+32 470 12.34.56", "+32 470 12 34 56"),
        ("0032470123456", "+32 470 12 34 56"),
        ("+352 621 123 456", "+352 621 12 34 56"),
        ("+44 20 7946 0958", "+44 20 79 46 09 58"),
        ("+1 212 555 0100", "+1 21 25 55 01 00"),
        ("+352 1234567890", "+352 12 34 56 78 90"),
    ],
)
def test_every_usual_way_of_writing_gives_one(typed, kept):
    assert normalise(typed) == kept
    assert normalise(kept) == kept
    assert len(kept) <= Guardian._meta.get_field("mobile_phone").max_length


@pytest.mark.parametrize(
    ("typed", "code", "sentence"),
    [
        (
            "06 12 34 56 7O",
            "phone_character",
            "Un numéro de téléphone ne contient que des chiffres\u00a0: retirez «\u00a0O\u00a0».",
        ),
        (
            "06+12345678",
            "phone_character",
            "Un numéro de téléphone ne contient que des chiffres\u00a0: retirez «\u00a0+\u00a0».",
        ),
        (
            "06 12 34 56",
            "phone_length",
            "Un numéro français compte 10 chiffres\u00a0: vous en avez saisi 8.",
        ),
        (
            "+33 6 12 34 56 78 9",
            "phone_length",
            "Un numéro français compte 10 chiffres\u00a0: vous en avez saisi 11.",
        ),
        ("612345678", "phone_start", "Un numéro commence par 0, ou par + et l'indicatif du pays."),
        ("+0 612345678", "phone_start", "Aucun pays n'a cet indicatif."),
        (
            "+32 470",
            "phone_length",
            "Ce numéro étranger compte 5 chiffres\u00a0: vérifiez qu'il est complet.",
        ),
        (
            "+32 4701234567890",
            "phone_length",
            "Ce numéro étranger compte 15 chiffres\u00a0: vérifiez qu'il est complet.",
        ),
    ],
)
def test_each_refusal_says_what_to_do(typed, code, sentence):
    with pytest.raises(ValidationError) as refusal:
        normalise(typed)

    assert refusal.value.code == code
    assert refusal.value.messages == [sentence]


def test_the_field_lets_one_type_more_than_is_kept():
    assert PhoneField(max_length=20).clean("+33 (0) 6 - 12 - 34 - 56 - 78") == "06 12 34 56 78"
