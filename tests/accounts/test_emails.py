import pytest
from django.template import engines
from django.utils import timezone

from accounts import emails
from tests.factories import UserFactory


@pytest.fixture
def templates(monkeypatch):
    """Puts templates in the place of those on disk: `{name: text}`."""
    texts = {}
    monkeypatch.setattr(
        emails, "get_template", lambda name: engines["django"].from_string(texts[name])
    )
    return texts


def test_text_is_not_escaped_and_the_subject_is_one_line(templates):
    templates["emails/essai_subject.txt"] = "\nL'élève\n{{ name }}\n"
    templates["emails/essai_body.txt"] = "\n{{ name }} <{{ site_url }}>\n-- \n{{ site_name }}\n\n"

    subject, body = emails.compose("essai", {"name": "Le Goff-d'Aux & <Cie>"})

    assert subject == "L'élève Le Goff-d'Aux & <Cie>"
    assert body == "Le Goff-d'Aux & <Cie> <http://127.0.0.1:8000>\n-- \nConservatoire\n"


def test_subject_fits_the_outbox_and_cannot_carry_headers(templates):
    templates["emails/essai_subject.txt"] = "{{ name }}"
    templates["emails/essai_body.txt"] = ""

    subject, _ = emails.compose("essai", {"name": "a\r\nBcc: x@example.org " + "é" * 300})

    assert subject.startswith("a Bcc: x@example.org é")
    assert len(subject) == 200


@pytest.mark.django_db
def test_one_time_password_says_how_and_until_when():
    at = timezone.datetime(2027, 5, 3, 18, 30, tzinfo=timezone.get_default_timezone())

    subject, body = emails.one_time_password(UserFactory(), "Abcdefgh2345", at)

    assert subject == "Votre mot de passe provisoire – Conservatoire"
    assert "\n    Abcdefgh2345\n" in body
    assert "Il fonctionne une seule fois, jusqu'au 3\u00a0mai 2027 à 18\u00a0h\u00a030." in body
    assert "Ouvrez http://127.0.0.1:8000/extranet/connexion/\n" in body
