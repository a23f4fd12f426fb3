"""The manual's journey on real files, from the landing page to the validated dossier."""

import re

import pytest
from django.core import mail
from django.urls import reverse

from accounts import mails
from documents.models import Document
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
    page.get_by_text(reenrolment.reference).first.wait_for()
    told = mails_sent()
    assert told == [([parent.email], f"Accusé de réception {reenrolment.reference}")]

    staff = visit(javascript=javascript)
    staff.sign_in("secretariat", PASSWORD)
    desk = staff.page
    desk.get_by_role("link", name="dossier à examiner").first.click()
    desk.get_by_role("link", name=reenrolment.reference).click()
    for piece in (CAF, TAX, PHOTO):
        piece_line(desk, piece).get_by_role("button", name="Accepter").click()
    piece_line(desk, HOME).get_by_text("Refuser").first.click()
    piece_line(desk, HOME).get_by_label("Motif").select_option(label="Le document est trop ancien.")
    piece_line(desk, HOME).get_by_role("button", name="Refuser la pièce").click()
    desk.get_by_text("Demander un complément").click()
    desk.get_by_label("Message").fill("Une facture de ce printemps, s'il vous plaît.")
    desk.get_by_role("button", name="Demander ces pièces").click()
    assert mails_sent() == [([parent.email], f"Dossier {reenrolment.reference}")]

    page.get_by_role("link", name="Accueil", exact=True).click()
    page.get_by_role("link", name="Réinscription de Louise").click()
    page.get_by_text("Une facture de ce printemps, s'il vous plaît.").wait_for()
    send(family, HOME, files / "facture 2.pdf")
    page.get_by_role("button", name="Renvoyer mon dossier").click()
    page.get_by_text("Demande enregistrée").wait_for()
    assert mails_sent() == [([parent.email], f"Accusé de réception {reenrolment.reference}")]

    desk.reload()
    piece_line(desk, HOME).get_by_role("button", name="Accepter").click()
    desk.get_by_label("Place en Chorale").select_option(index=1)
    desk.get_by_role("button", name="Placer l'élève en Chorale").click()
    desk.get_by_role("button", name="Valider la réinscription").click()
    desk.get_by_text("validé").first.wait_for()
    assert mails_sent() == [([parent.email], f"Dossier {reenrolment.reference}")]

    school = visit(width=360, javascript=javascript)
    school.sign_in("vasseur.c", PASSWORD, door="Accès enseignant")
    school.page.get_by_role("link", name="Mes classes").first.click()
    school.page.get_by_role("link", name="Formation musicale").first.click()
    row = school.page.get_by_role("row", name="Louise")
    assert row.get_by_text("confirmée").count() == 1

    reenrolment.refresh_from_db()
    assert (reenrolment.status, reenrolment.top_rate) == (Status.VALIDATED, False)
    coming = Enrolment.objects.filter(student=student, place__isnull=False)
    assert sorted(coming.values_list("course__name", "status")) == [
        ("Chorale", "confirmed"),
        ("Formation musicale", "confirmed"),
        ("Orchestre", "confirmed"),
    ]


def test_a_file_chosen_before_the_scripts_have_come_leaves(visit, town, files, parent, student):
    family = visit(width=360).sign_in_as(parent)
    page, held_back = family.page, []
    page.route("**/js/documents*.js", lambda route: held_back.append(route))
    page.goto(reverse("reenrolment:edit", args=[student.pk]), wait_until="commit")
    page.get_by_label(CAF, exact=True).set_input_files(files / "caf.pdf")
    assert not Document.objects.exists()

    held_back[0].continue_()

    page.locator(".piece", has_text=CAF).get_by_text("reçue, à examiner").wait_for()


def piece_line(desk, piece):
    return desk.locator(".dossier-item", has_text=piece)


def mails_sent():
    """Sends what waits in the outbox: to whom, and the subject up to the colon."""
    mail.outbox.clear()
    mails.send_due()
    return [(message.to, message.subject.split("\u00a0: ")[0]) for message in mail.outbox]
