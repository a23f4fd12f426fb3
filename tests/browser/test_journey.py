"""The manual's journey on real files, from the landing page to the validated dossier."""

import re

import pytest
from django.core import mail

from accounts import mails
from reenrolment.enums import Status
from reenrolment.models import Reenrolment
from students.models import Enrolment
from tests.browser.conftest import CAF, HOME, PHOTO, TAX
from tests.factories import PASSWORD


def send(visitor, piece, path, answer="reçue, à examiner"):
    """With JavaScript choosing the file sends it; without, « Envoyer » or « Remplacer » does."""
    page = visitor.page
    page.get_by_label(piece, exact=True).set_input_files(path)
    if not visitor.javascript:
        page.get_by_role("button", name=re.compile(f"(Envoyer|Remplacer) : {piece}")).click()
    page.locator(".piece", has_text=piece).get_by_text(answer).wait_for()


@pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])
def test_a_family_re_enrols_staff_validate_the_teacher_reads_the_list(
    visit, town, files, parent, student, javascript
):
    family = visit(width=360, javascript=javascript)
    page = family.page
    family.sign_in("martin.c", PASSWORD)
    page.get_by_role("link", name="Famille").first.click()
    page.get_by_label("Téléphone portable").fill("06.39.98.12.34")
    page.get_by_role("button", name="Enregistrer").click()
    assert page.get_by_label("Téléphone portable").input_value() == "06 39 98 12 34"

    page.get_by_role("link", name="Elèves").first.click()
    page.get_by_role("link", name="réinscription", exact=True).click()
    page.get_by_label("Réinscription administrative").check()
    for course in ("Formation musicale", "Orchestre", "Chorale"):
        page.get_by_label(f"Réinscription en {course}").check()
    for course in ("Formation musicale", "Orchestre"):
        page.get_by_label(f"Horaire en {course}").select_option(index=1)

    send(family, CAF, files / "caf.pdf")
    send(family, HOME, files / "reçu.pdf", answer=re.compile("recu.pdf"))
    send(family, HOME, files / "recu.pdf")
    send(family, TAX, files / "avis (4 pages).pdf")
    send(family, PHOTO, files / "louise.jpg")
    page.get_by_role("button", name="Vérifier").click()

    assert "tarif haut sera appliqué" not in page.content()
    page.get_by_label("J'accepte les conditions générales").check()
    page.get_by_role("button", name="Valider").click()

    reenrolment = Reenrolment.objects.get()
    assert page.get_by_text(reenrolment.reference).count() > 0
    mails.send_due()
    assert [message.to for message in mail.outbox] == [[parent.email]]
    assert reenrolment.reference in mail.outbox[0].subject

    reenrolment.refresh_from_db()
    assert reenrolment.status == Status.SUBMITTED
    assert Enrolment.objects.filter(student=student, place__isnull=False).count() == 2
