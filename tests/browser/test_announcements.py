"""Messages in Chromium: axe, sideways scrolling, a teacher's phone, a family with and without a
script, the keyboard; the administration's pages."""

import pytest
from django.urls import reverse

from teaching.announcements import opting_out, services
from teaching.announcements.files import join
from teaching.models import AnnouncementRecipient
from tests.browser.test_pages import WIDTHS, faults
from tests.documents.builders import make_pdf
from tests.factories import EnrolmentFactory
from tests.teaching.announcement_cases import (
    LIFE,
    deliver,
    make_class,
    make_draft,
    make_pupil,
    write,
)

LONG = "Répétition-générale-extraordinairement-longue-du-grand-orchestre-symphonique"


@pytest.fixture
def slot(teacher, student, parent):
    return make_class(
        teacher,
        student,
        make_pupil(),
        course__name="Éveil musical et corporel des tout-petits",
    )


@pytest.fixture
def written(slot, teacher):
    draft = write(slot, teacher, subject=LONG, text=f"À 18 h.\n\n{LONG}", kind=LIFE)
    join(draft, "programme-du-concert-de-la-sainte-cecile-2026.pdf", make_pdf())
    return deliver(draft)


@pytest.fixture
def received(teacher, registrar, slot):
    return deliver(make_draft(registrar, everyone=True, to_teachers=True))


@WIDTHS
def test_the_familys_pages(visit, written, parent, width):
    token = opting_out.SIGNER.sign(str(parent.guardian.pk))

    assert (
        faults(
            visit(width=width).sign_in_as(parent),
            [
                reverse("imuse:home"),
                reverse("teaching:announcements"),
                reverse("teaching:announcement", args=[written.pk]),
                reverse("teaching:message_preferences"),
                reverse("teaching:unsubscribe", args=[token]),
            ],
        )
        == {}
    )


@WIDTHS
def test_the_teachers_pages(visit, slot, written, received, teacher, width):
    draft = write(slot, teacher)
    join(draft, "programme.pdf", make_pdf())

    assert (
        faults(
            visit(width=width).sign_in_as(teacher.user),
            [
                reverse("teacher:index"),
                reverse("teacher:announcements"),
                reverse("teacher:write_to_slot", args=[slot.pk]),
                reverse("teacher:rewrite_announcement", args=[draft.pk]),
                reverse("teacher:announcement", args=[draft.pk]),
                reverse("teacher:announcement", args=[written.pk]),
                reverse("teacher:received_announcement", args=[received.pk]),
                reverse("teacher:slot", args=[slot.pk]),
            ],
        )
        == {}
    )


@WIDTHS
def test_the_administrations_pages(visit, slot, written, received, superuser, width):
    EnrolmentFactory(student=make_pupil())
    draft = make_draft(superuser)
    join(draft, "programme.pdf", make_pdf())
    pages = [reverse("admin:teaching_announcement_changelist")]
    pages += [reverse("admin:teaching_announcement_add")]
    pages += [
        reverse(f"admin:teaching_announcement_{name}", args=[row.pk])
        for name, row in (
            *[("change", draft), ("preview", draft), ("change", received)],
            *[("report", received), ("preview", received), ("report", written)],
        )
    ]

    assert faults(visit(width=width).sign_in_as(superuser), pages) == {}


@pytest.mark.parametrize("javascript", [True, False])
def test_written_on_a_phone(visit, slot, teacher, tmp_path, javascript):
    """A file refused, another taken, read again, sent; what was typed is there at each step."""
    (tmp_path / "été.pdf").write_bytes(make_pdf())
    (tmp_path / "programme.pdf").write_bytes(make_pdf())
    visitor = visit(width=360, javascript=javascript).sign_in_as(teacher.user)
    page = visitor.page
    page.goto(reverse("teacher:announcements"))
    page.get_by_role("link", name="Éveil musical").first.click()
    page.get_by_label("Objet").fill("Répétition samedi")
    page.get_by_label("Texte").fill("Rendez-vous à 10 h.")
    page.get_by_label("Information de service").check()
    page.get_by_label("Pièces jointes").set_input_files(tmp_path / "été.pdf")
    page.get_by_role("button", name="Aperçu avant l'envoi").click()
    page.get_by_text("Il y a un problème").wait_for()
    assert page.get_by_label("Texte").input_value() == "Rendez-vous à 10 h."
    assert not visitor.overflows()

    page.get_by_label("Pièces jointes").set_input_files(tmp_path / "programme.pdf")
    page.get_by_role("button", name="Aperçu avant l'envoi").click()
    page.get_by_text("2 foyers recevront ce message").wait_for()
    assert page.get_by_role("link", name="programme.pdf").count() == 1
    page.get_by_role("button", name="Envoyer", exact=True).click()

    page.get_by_text("Votre message est envoyé.").wait_for()
    deliver()
    page.reload()
    assert page.get_by_text("lu par 0 foyer sur 2").count() == 1


def test_by_keyboard_alone(visit, slot, teacher):
    page = visit(width=360).sign_in_as(teacher.user).page
    page.goto(reverse("teacher:write_to_slot", args=[slot.pk]))
    page.get_by_label("Objet").focus()
    page.keyboard.type("Concert")
    page.keyboard.press("Tab")
    page.keyboard.type("Samedi.")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # the first of the two natures
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip() == "Aperçu avant l'envoi"
    page.keyboard.press("Enter")
    page.get_by_text("2 foyers recevront ce message").wait_for()


def test_with_a_script_what_stays_on_the_screen_is_read(visit, written, parent):
    page = visit(width=360).sign_in_as(parent).page
    page.goto(reverse("imuse:home"))
    page.get_by_role("link", name=LONG).click()

    page.get_by_text("Le conservatoire sait que vous avez ouvert ce message.").wait_for()

    assert AnnouncementRecipient.objects.get(guardian=parent.guardian).read_at is not None
    page.goto(reverse("imuse:home"))
    assert page.get_by_text("à lire").count() == 0


def test_without_a_script_the_button_says_it(visit, written, parent):
    page = visit(width=360, javascript=False).sign_in_as(parent).page
    page.goto(reverse("teaching:announcement", args=[written.pk]))
    page.wait_for_timeout(3000)
    assert AnnouncementRecipient.objects.get(guardian=parent.guardian).read_at is None

    page.get_by_role("button", name="J'ai lu ce message").click()

    page.get_by_text("Lu", exact=True).wait_for()
    assert AnnouncementRecipient.objects.get(guardian=parent.guardian).read_at is not None


def test_one_withdrawn_meanwhile_leaves_the_button(visit, written, parent, teacher):
    """Nothing pretends that it was noted."""
    page = visit(width=360).sign_in_as(parent).page
    page.goto(reverse("teaching:announcement", args=[written.pk]))
    services.withdraw(written, actor=teacher.user)
    page.wait_for_timeout(3000)

    assert page.get_by_role("button", name="J'ai lu ce message").is_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_the_link_of_a_mail(visit, parent, javascript):
    address = opting_out.address_of(parent.guardian)
    page = visit(width=360, javascript=javascript).page
    page.goto(address[address.index("/extranet/") :])
    page.get_by_role("button", name="Ne plus les recevoir").click()

    page.get_by_text("C'est enregistré").wait_for()
