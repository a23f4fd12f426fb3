"""The viewer of a dossier's pieces: what shows, what is decided, and by whom first."""

import datetime as dt
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

from documents import services
from documents.enums import FileGone, Preview, RefusalReason, Verdict
from documents.models import Access, Document, PageImage, Reading
from reenrolment.enums import Status
from reenrolment.models import Reenrolment
from reenrolment.services import decisions
from tests.documents.builders import make_jpeg
from tests.factories import (
    CourseFactory,
    DocumentFactory,
    DocumentTypeFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    PieceRuleFactory,
    StudentFactory,
    UserFactory,
)
from tests.queries import count_queries
from tests.reenrolment.conftest import make_rival
from tests.reenrolment.dossier_pages import action, told

MAY = dt.date(2026, 5, 1)


@pytest.fixture
def caf(document, family):
    """A second piece, whose QF was read; ask for `with_document` after it."""
    kind = DocumentTypeFactory(name="Attestation CAF", shows_quotient=True, valid_months=6)
    PieceRuleFactory(document_type=kind, position=2)
    caf = DocumentFactory(type=kind, family=family, received_sha256="c" * 64)
    Reading.objects.create(
        document=caf, date_read=dt.date(2026, 5, 12), quotient_read=743, month_read=MAY
    )
    return caf


@pytest.fixture
def dossier(caf, with_document):
    return with_document


def draw(document, pages=2):
    """As `render_next` would."""
    for number in range(1, pages + 1):
        image = PageImage(document=document, number=number, width=1414, height=2000)
        image.file.save("x", ContentFile(make_jpeg((14, 20))), save=False)
        image.save()
    Document.objects.filter(pk=document.pk).update(preview=Preview.DONE)


def viewer(dossier, document):
    return action("view_piece", dossier, document.pk)


def image(document, number=1):
    return reverse("admin:documents_document_page", args=[document.pk, number])


def seen(client, dossier, document):
    return client.get(viewer(dossier, document)).context["page"].seen


def verdict(document):
    return Document.objects.get(pk=document.pk).verdict


def post(client, name, dossier, document, **data):
    data = {"seen": seen(client, dossier, document)} | data
    return client.post(action(name, dossier, document.pk), data)


class TestSeeing:
    def test_the_pages_and_what_is_known(self, admin, dossier, caf):
        draw(caf)

        text = admin.get(viewer(dossier, caf)).text

        assert f'src="{image(caf, 1)}"' in text
        assert f'src="{image(caf, 2)}"' in text
        assert "Date lue&nbsp;: 12/05/2026" in text
        assert "quotient familial lu&nbsp;: 743 (mai 2026)" in text
        assert "de moins de 6\u00a0mois" in text

    def test_an_opening_is_logged_once(self, admin, dossier, caf, registrar):
        draw(caf)

        admin.get(viewer(dossier, caf))
        admin.get(image(caf, 1))
        admin.get(image(caf, 2))

        assert [(a.document, a.actor) for a in Access.objects.all()] == [(caf, registrar)]

    def test_an_image_alone_is_logged_too(self, admin, caf, registrar):
        draw(caf)

        admin.get(image(caf))
        admin.get(image(caf))

        assert Access.objects.get().actor == registrar

    def test_an_image_is_shown_and_neither_kept_nor_acts(self, admin, caf):
        draw(caf)

        response = admin.get(image(caf))

        assert response.content.startswith(b"\xff\xd8\xff")
        wanted = {
            "Content-Type": "image/jpeg",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        }
        assert {name: response[name] for name in wanted} == wanted
        assert "no-store" in response["Cache-Control"]

    def test_a_store_that_is_down(self, admin, caf, monkeypatch):
        draw(caf)

        def fail(*args):
            raise OSError("Input/output error")

        monkeypatch.setattr(type(caf.file.storage), "_open", fail)

        assert admin.get(image(caf)).status_code == 503
        assert not Access.objects.exists()

    @pytest.mark.parametrize("number", [0, 3, 99])
    def test_a_page_that_is_not(self, admin, caf, number):
        draw(caf)

        assert admin.get(image(caf, number)).status_code == 404

    def test_the_first_to_examine_comes_first(self, admin, dossier, document, caf, registrar):
        assert admin.get(action("view_pieces", dossier)).url == viewer(dossier, document)
        services.accept(document, actor=registrar)
        assert admin.get(action("view_pieces", dossier)).url == viewer(dossier, caf)

    def test_no_piece_at_all(self, admin, submitted):
        response = admin.get(action("view_pieces", submitted))

        assert told(admin, response) == ["La famille n'a envoyé aucune pièce."]

    def test_from_piece_to_piece_and_dossier_to_dossier(self, admin, dossier, document, caf, case):
        page = admin.get(viewer(dossier, document)).context["page"]
        assert (page.previous, page.following.document) == (None, caf)
        page = admin.get(viewer(dossier, caf)).context["page"]
        assert (page.previous.document, page.following) == (document, None)
        assert page.following_dossier is None

        later = make_submitted_rival(case, document.type)
        assert admin.get(viewer(dossier, caf)).context["page"].following_dossier == later

    def test_the_worklist_begins_with_the_oldest(self, admin, dossier, document, caf, case):
        make_submitted_rival(case, document.type)
        url = reverse("admin:reenrolment_reenrolment_examine_pieces")

        assert admin.get(url).url == action("view_pieces", dossier)
        Document.objects.update(verdict=Verdict.ACCEPTED)
        assert told(admin, admin.get(url)) == ["Aucune pièce n'attend d'examen."]

    @pytest.mark.parametrize(
        ("state", "sentence"),
        [
            (Preview.WAITING, "L'aperçu se prépare."),
            (Preview.FAILED, "Aperçu impossible&nbsp;: téléchargez la pièce."),
        ],
    )
    def test_no_image_yet_or_never(self, admin, dossier, caf, state, sentence):
        Document.objects.update(preview=state)

        text = admin.get(viewer(dossier, caf)).text

        assert sentence in text
        assert reverse("admin:documents_document_file", args=[caf.pk]) in text

    def test_a_file_that_is_no_longer_kept(self, admin, dossier, caf):
        gone = {"file": "", "file_gone_at": timezone.now(), "file_gone_reason": FileGone.REMOVED}
        removed = {"removed_at": timezone.now(), "preview": Preview.GONE}
        Document.objects.filter(pk=caf.pk).update(**gone, **removed)

        response = admin.get(viewer(dossier, caf))

        assert "Le fichier de cette pièce n'est plus gardé&nbsp;: retiré, le " in response.text
        assert reverse("admin:documents_document_file", args=[caf.pk]) not in response.text

    def test_a_long_one_says_how_much_is_not_shown(self, admin, dossier, caf):
        draw(caf)
        Document.objects.filter(pk=caf.pk).update(pages=60)

        assert "2 pages montrées sur 60" in admin.get(viewer(dossier, caf)).text

    def test_one_that_is_too_old_is_pointed_out(self, admin, dossier, caf):
        Reading.objects.update(date_read=timezone.localdate() - dt.timedelta(days=400))

        assert "plus de 6 mois avant l'envoi" in admin.get(viewer(dossier, caf)).text

    def test_looking_asks_for_the_images_first(self, admin, dossier, caf):
        before = Document.objects.get(pk=caf.pk).preview_due_at

        admin.get(viewer(dossier, caf))

        assert Document.objects.get(pk=caf.pk).preview_due_at < before

    def test_the_dossier_leads_here(self, admin, dossier):
        page = admin.get(reverse("admin:reenrolment_reenrolment_change", args=[dossier.pk]))

        assert action("view_pieces", dossier) in page.text


class TestDuplicates:
    def test_another_household(self, admin, dossier, caf, case):
        later = make_submitted_rival(case, caf.type, received_sha256=caf.received_sha256)
        other = later.student.families.get()

        text = admin.get(viewer(dossier, caf)).text

        assert "Le même fichier a été envoyé par une autre famille" in text
        assert f"famille {other}" in text
        assert later.reference in text

    def test_the_same_household_for_another_piece(self, admin, dossier, document, caf):
        Document.objects.filter(pk=document.pk).update(received_sha256=caf.received_sha256)

        text = admin.get(viewer(dossier, caf)).text

        assert "La famille a envoyé le même fichier pour" in text
        assert "autre famille" not in text

    def test_a_refused_file_sent_again(self, admin, dossier, caf):
        DocumentFactory(
            type=caf.type,
            family=caf.family,
            received_sha256=caf.received_sha256,
            removed_at=timezone.now(),
            verdict=Verdict.REFUSED,
            refusal="Le document est trop ancien.",
        )

        text = admin.get(viewer(dossier, caf)).text

        assert "La famille avait déjà envoyé ce fichier" in text
        assert "Le document est trop ancien." in text

    def test_a_household_of_another_site_is_not_named(self, admin, dossier, caf):
        elsewhere = FamilyFactory(name="Ailleurs")
        DocumentFactory(type=caf.type, family=elsewhere, received_sha256=caf.received_sha256)
        link_to_another_site(elsewhere)

        text = admin.get(viewer(dossier, caf)).text

        assert "Ailleurs" not in text
        assert "Le même fichier" not in text

    def test_erased_ones_are_like_nothing(self, admin, dossier, document, caf):
        Document.objects.update(received_sha256="")

        assert admin.get(viewer(dossier, caf)).context["page"].twins == []

    def test_a_file_sent_by_many(self, admin, dossier, caf):
        for number in range(8):
            family = FamilyFactory(name=f"Autre {number}")
            DocumentFactory(type=caf.type, family=family, received_sha256=caf.received_sha256)

        page = admin.get(viewer(dossier, caf)).context["page"]

        assert (len(page.twins), page.more_twins) == (5, 3)


class TestDeciding:
    def test_accepting_leads_to_the_next_piece(self, admin, dossier, document, caf, registrar):
        response = post(admin, "accept_viewed", dossier, document)

        assert response.url == viewer(dossier, caf)
        assert verdict(document) == Verdict.ACCEPTED
        assert document.reviews.get().actor == registrar

    def test_the_last_one_says_that_it_was(self, admin, dossier, document, caf, registrar):
        services.accept(document, actor=registrar)

        response = post(admin, "accept_viewed", dossier, caf)

        assert response.url == viewer(dossier, caf)
        assert "Toutes les pièces envoyées de ce dossier sont examinées." in told(admin, response)

    def test_accepting_confirms_nothing_by_itself(self, admin, dossier, caf):
        proposed = {"issued_on": "2026-05-12", "quotient": "743", "quotient_month": "05/2026"}

        post(admin, "accept_viewed", dossier, caf, **proposed)

        assert verdict(caf) == Verdict.ACCEPTED
        assert not Reading.objects.get().is_confirmed

    def test_the_box_confirms_what_was_read(self, admin, dossier, caf, registrar):
        data = {"issued_on": "2026-05-12", "quotient": "743", "quotient_month": "05/2026"}

        post(admin, "accept_viewed", dossier, caf, checked="on", **data)

        reading = Reading.objects.get()
        assert (reading.issued_on, reading.quotient) == (dt.date(2026, 5, 12), 743)
        assert (reading.quotient_month, reading.confirmed_by) == (MAY, registrar)
        assert (reading.date_read, reading.quotient_read) == (dt.date(2026, 5, 12), 743)

    def test_a_correction_needs_no_box(self, admin, dossier, caf):
        data = {
            "issued_on": "2026-05-12",
            "quotient": "1\u00a0034,5 €",
            "quotient_month": "04/2026",
        }

        post(admin, "note_viewed", dossier, caf, **data)

        reading = Reading.objects.get()
        assert (float(reading.quotient), reading.quotient_month) == (1034.5, dt.date(2026, 4, 1))
        assert verdict(caf) == Verdict.PENDING

    def test_noting_nothing_is_said(self, admin, dossier, caf):
        response = post(admin, "note_viewed", dossier, caf, issued_on="2026-05-12")

        assert response.status_code == 200
        assert "Cochez la case, ou corrigez une valeur" in response.text
        assert not Reading.objects.get().is_confirmed

    @pytest.mark.parametrize(
        ("data", "name"),
        [
            ({"issued_on": "31/02/2026"}, "issued_on"),
            ({"issued_on": "2099-01-01"}, "issued_on"),
            ({"quotient": "beaucoup", "quotient_month": "05/2026"}, "quotient"),
            ({"quotient": "-1", "quotient_month": "05/2026"}, "quotient"),
            ({"quotient": "100000", "quotient_month": "05/2026"}, "quotient"),
            ({"quotient": "743"}, "quotient_month"),
            ({"quotient": "743", "quotient_month": "mai"}, "quotient_month"),
            ({"quotient_month": "05/2026"}, "quotient"),
            ({"issued_on": "\x00"}, "issued_on"),
        ],
    )
    def test_a_value_that_is_wrong_stops_the_verdict_too(self, admin, dossier, caf, data, name):
        response = post(admin, "accept_viewed", dossier, caf, **data)

        assert list(response.context["bound"].errors) == [name]
        assert verdict(caf) == Verdict.PENDING
        for value in data.values():
            assert value in response.text or value == "\x00"

    def test_a_reading_that_came_after_the_page_is_not_undone(self, admin, dossier, document):
        """The page had nothing to propose; accepted without the box, nothing is confirmed."""
        Reading.objects.create(document=document, date_read=dt.date(2026, 5, 12))

        post(admin, "accept_viewed", dossier, document, issued_on="")

        assert not document.reading.is_confirmed

    def test_refusing(self, admin, dossier, document, caf):
        response = post(
            admin, "refuse_viewed", dossier, document, reason=RefusalReason.TOO_OLD, comment="2019."
        )

        assert response.url == viewer(dossier, caf)
        assert Document.objects.get(pk=document.pk).refusal == "Le document est trop ancien. 2019."

    def test_a_refusal_without_its_reason_keeps_what_was_typed(self, admin, dossier, caf):
        response = post(
            admin, "refuse_viewed", dossier, caf, reason=RefusalReason.OTHER, comment=" "
        )

        assert "Précisez le motif du refus." in response.text
        assert '<details id="refusal" open' in response.text
        assert verdict(caf) == Verdict.PENDING

    def test_a_photo_has_no_date(self, admin, dossier, caf):
        type(caf.type).objects.filter(pk=caf.type_id).update(formats="image")

        page = admin.get(viewer(dossier, caf))

        assert not page.context["reading_form"].fields
        assert "Noter sans décider" not in page.text


class TestTogether:
    """Two agents before the same piece."""

    def test_the_second_verdict_is_told_of_the_first(self, admin, dossier, caf):
        colleague = UserFactory(first_name="Jean", last_name="Petit")
        before = seen(admin, dossier, caf)
        services.refuse(caf, reason=RefusalReason.TOO_OLD, actor=colleague)

        response = post(admin, "accept_viewed", dossier, caf, seen=before)

        (message,) = told(admin, response)
        assert message.startswith("Jean Petit a refusé cette pièce le ")
        assert message.endswith("(Le document est trop ancien). Relisez avant de décider.")
        assert verdict(caf) == Verdict.REFUSED

    def test_the_same_verdict_is_not_given_twice(self, admin, dossier, caf, registrar):
        before = seen(admin, dossier, caf)
        post(admin, "accept_viewed", dossier, caf, seen=before)

        post(admin, "accept_viewed", dossier, caf, seen=before)

        assert caf.reviews.count() == 1

    def test_what_a_colleague_noted_is_not_overwritten(self, admin, dossier, caf):
        before = seen(admin, dossier, caf)
        colleague = UserFactory(first_name="Jean", last_name="Petit")
        Reading.objects.update(
            confirmed_by=colleague, confirmed_at=timezone.now(), issued_on=dt.date(2026, 5, 2)
        )

        response = post(
            admin, "note_viewed", dossier, caf, seen=before, checked="on", issued_on="2026-05-12"
        )

        assert "Jean Petit a noté ce que dit cette pièce" in told(admin, response)[0]
        assert Reading.objects.get().issued_on == dt.date(2026, 5, 2)

    @pytest.mark.parametrize("wrong", ["", "0", "x", "99-0"])
    def test_a_form_that_saw_nothing(self, admin, dossier, caf, wrong):
        post(admin, "accept_viewed", dossier, caf, seen=wrong)

        assert verdict(caf) == Verdict.PENDING

    @pytest.mark.parametrize("name", ["accept_viewed", "refuse_viewed", "note_viewed"])
    def test_a_piece_of_before(self, admin, dossier, caf, family, name):
        """The family sent another one: an old page decides nothing."""
        former = DocumentFactory(type=caf.type, family=family, removed_at=timezone.now())

        response = admin.post(action(name, dossier, former.pk), {"seen": "0-0"})

        assert response.url == action("view_pieces", dossier)
        assert verdict(former) == Verdict.PENDING
        assert admin.get(viewer(dossier, former)).url == action("view_pieces", dossier)

    @pytest.mark.parametrize("name", ["accept_viewed", "refuse_viewed", "note_viewed"])
    def test_a_dossier_that_was_decided(self, admin, dossier, caf, registrar, name):
        before = seen(admin, dossier, caf)
        decisions.refuse(dossier, reason="Plus de place.", actor=registrar)

        response = post(admin, name, dossier, caf, seen=before, reason="too_old")

        page = admin.get(response.url, follow=True)
        assert "plus à examiner\u00a0: rien" in page.text
        assert verdict(caf) == Verdict.PENDING
        assert "Accepter la pièce" not in page.text


NAMES = ["view_piece", "accept_viewed", "refuse_viewed", "note_viewed"]


def answer(client, name, *args):
    send = client.get if name.startswith("view") or name == "examine_pieces" else client.post
    return send(reverse(f"admin:reenrolment_reenrolment_{name}", args=args))


class TestRights:
    @pytest.mark.parametrize("name", NAMES)
    def test_a_document_of_nobody_or_of_another_dossier(self, admin, dossier, name):
        other = DocumentFactory(family=FamilyFactory())

        for key in (uuid4(), other.pk):
            assert answer(admin, name, dossier.pk, key).status_code == 404

    @pytest.mark.parametrize("name", NAMES)
    def test_a_dossier_of_another_site(self, admin, dossier, caf, name):
        Reenrolment.objects.get().campaign.__class__.objects.update(
            establishment=EstablishmentFactory(name="Ailleurs")
        )

        assert answer(admin, name, dossier.pk, caf.pk).status_code == 404

    def test_an_image_of_another_site(self, admin, caf):
        elsewhere = DocumentFactory(type=caf.type, family=FamilyFactory())
        draw(elsewhere)
        link_to_another_site(elsewhere.family)

        assert admin.get(image(elsewhere)).status_code == 404

    @pytest.mark.parametrize("name", NAMES)
    def test_without_the_permission(self, client, accountant, dossier, caf, name):
        client.force_login(accountant)

        assert answer(client, name, dossier.pk, caf.pk).status_code == 403
        assert client.get(image(caf)).status_code == 403

    def test_who_only_reads_is_offered_no_verdict(self, client, dossier, caf, establishment):
        reader = reader_of(establishment)
        client.force_login(reader)

        page = client.get(viewer(dossier, caf))

        assert page.status_code == 200
        assert "Accepter la pièce" not in page.text
        for name in NAMES[1:]:
            assert answer(client, name, dossier.pk, caf.pk).status_code == 403

    def test_the_status_of_the_dossier_never_moves_here(self, admin, dossier, caf):
        post(admin, "accept_viewed", dossier, caf)

        assert Reenrolment.objects.get(pk=dossier.pk).status == Status.SUBMITTED


def test_the_queries_do_not_grow(admin, dossier, document, caf, family, case):
    draw(caf, pages=1)
    Document.objects.filter(pk=document.pk).update(received_sha256=caf.received_sha256)
    few = count_queries(admin, viewer(dossier, caf))

    draw_more = [PageImage(document=caf, number=n, width=1, height=1) for n in range(2, 30)]
    PageImage.objects.bulk_create(draw_more)
    for number in range(4):
        kind = DocumentTypeFactory(name=f"Autre {number}")
        DocumentFactory(type=kind, family=family, received_sha256=caf.received_sha256)
        services.log_access(caf, actor=UserFactory())

    assert count_queries(admin, viewer(dossier, caf)) == few
    assert few <= 32


def make_submitted_rival(case, kind, **fields):
    """Another household's dossier, sent after, with a piece to examine."""
    rival = make_rival(case)
    family = rival.student.families.get()
    DocumentFactory(type=kind, family=family, **fields)
    case.slot.places.create(number=2) if case.slot.places.count() < 2 else None
    rival.fill_in()
    rival.submit(family.guardians.get().user)
    return rival.reenrolment


def link_to_another_site(family):
    student = StudentFactory(family=family)
    site = EstablishmentFactory(name="Site d'ailleurs")
    EnrolmentFactory(student=student, course=CourseFactory(establishment=site))


def reader_of(establishment):
    reader = UserFactory(is_staff=True)
    reader.establishments.add(establishment)
    names = ["view_reenrolment", "read_document"]
    reader.user_permissions.set(Permission.objects.filter(codename__in=names))
    return reader
