"""From a file to the images of its pages: once each, whatever fails or dies, and gone with it."""

import datetime as dt
from io import BytesIO

import pytest
from django.core.management import call_command
from django.utils import timezone
from PIL import Image

from documents import services
from documents.checks.bounded import Limits
from documents.enums import FileGone, Preview, Scan
from documents.keeping import let_go
from documents.models import Document, PageImage, Reading
from documents.previews import bounded, queue
from documents.previews.bounded import DrawingFailed
from documents.previews.drawing import Drawing, DrawnPage
from documents.previews.queue import discard_pages, hurry, render_next
from families.models import FileToDelete
from imuse import settings as real_settings
from imuse.invariants import page_images
from tests.documents.builders import make_jpeg, make_pdf, make_png
from tests.fake_clamd import SIGNATURE

PAGE = DrawnPage(b"\xff\xd8\xff dull", 1414, 2000)


@pytest.fixture
def drawn(monkeypatch):
    """Draws without a process; `drawn` lists the contents drawn, `drawn.fail` makes it raise."""

    class Drawn(list):
        fail = None

    contents = Drawn()

    def draw(content, content_type):
        contents.append(content)
        if contents.fail:
            raise contents.fail
        return Drawing([PAGE, PAGE], "Fait le 12/05/2026")

    monkeypatch.setattr(queue, "draw_bounded", draw)
    return contents


def preview(document):
    return Document.objects.get(pk=document.pk).preview


def due_now(document):
    Document.objects.filter(pk=document.pk).update(preview_due_at=timezone.now())


class TestDrawing:
    """With the real child process."""

    def test_the_pages_of_a_pdf_and_what_its_text_says(self, keep, attestation, settings):
        settings.BETWEEN_MAILS = [settings.DRAWER]
        document = keep(attestation)

        call_command("send_mails")

        assert preview(document) == Preview.DONE
        image = document.page_images.get()
        assert (image.number, image.width, image.height) == (1, 1414, 2000)
        with image.file.open() as file:
            assert Image.open(file).size == (1414, 2000)
        reading = document.reading
        assert (reading.date_read, reading.quotient_read) == (dt.date(2026, 5, 12), 743)
        assert reading.month_read == dt.date(2026, 5, 1)
        assert not reading.is_confirmed
        assert list(page_images()) == []

    def test_it_is_between_the_mails_of_the_product(self, settings):
        assert settings.DRAWER in real_settings.BETWEEN_MAILS

    @pytest.mark.parametrize(
        ("content", "content_type", "size"),
        [
            (make_jpeg((3000, 4000)), "image/jpeg", (1414, 1885)),
            (make_png((300, 400), "RGBA"), "image/png", (300, 400)),
        ],
        ids=["large", "small"],
    )
    def test_a_photo_shows_as_itself_scaled(self, keep, content, content_type, size):
        document = keep(content, content_type)

        render_next()

        image = document.page_images.get()
        with image.file.open() as file:
            shown = Image.open(BytesIO(file.read()))
        assert (shown.format, shown.mode, shown.size) == ("JPEG", "RGB", size)
        red, green, blue = shown.getpixel((5, 5))
        assert red > 200 > 50 > green + blue
        assert not document.reading.found_something

    def test_a_long_pdf_shows_its_first_pages(self, keep):
        document = keep(make_pdf(pages=60))

        render_next()

        numbers = document.page_images.values_list("number", flat=True)
        assert list(numbers) == list(range(1, 41))

    @pytest.mark.parametrize(
        "content",
        [b"%PDF-1.4 dull", b"", make_pdf()[:200], make_jpeg()[:300]],
        ids=["no PDF", "empty", "cut", "a photo in a PDF's name"],
    )
    def test_a_damaged_file_fails_and_is_tried_thrice(self, keep, content):
        document = keep(content)

        for attempt in range(3):
            assert preview(document) == Preview.WAITING
            assert render_next() == document
            assert render_next() is None, attempt  # not at once
            due_now(document)

        assert preview(document) == Preview.FAILED
        assert render_next() is None
        assert not PageImage.objects.exists()

    def test_a_huge_sheet_stays_within_the_box(self, keep):
        def stretch(pdf):
            pdf.pages[0].obj.MediaBox = [0, 0, 14_400, 14]

        document = keep(make_pdf(change=stretch))
        render_next()

        image = document.page_images.get()
        assert (image.width, image.height) == (1414, 2)

    def test_a_drawing_that_lasts_is_ended(self, keep, monkeypatch):
        monkeypatch.setattr(bounded, "LIMITS", Limits(wall_seconds=0.001))
        document = keep()

        render_next()

        assert preview(document) == Preview.WAITING
        assert not PageImage.objects.exists()

    def test_a_bomb_of_pixels_is_not_inflated(self, keep):
        """A PNG of some kilobytes that asks for 400 megapixels."""
        written = BytesIO()
        Image.new("1", (20_000, 20_000)).save(written, "PNG")
        document = keep(written.getvalue(), "image/png")

        render_next()

        assert not document.page_images.exists()

    @pytest.mark.parametrize(
        "answer",
        [
            None,
            [],
            {"text": "", "pages": []},
            {"text": "", "pages": [[b"\xff\xd8\xff", 99999, 2]]},
            {"text": "", "pages": [[b"<svg", 2, 2]]},
            {"text": 3, "pages": [[b"\xff\xd8\xff", 2, 2]]},
            {"text": "", "pages": [["\xff", "2", 2]]},
            {"text": "", "pages": [[b"\xff\xd8\xff", 2]]},
        ],
    )
    def test_what_the_child_answers_is_not_believed(self, monkeypatch, answer):
        monkeypatch.setattr(bounded, "run", lambda *args, limits: answer)
        with pytest.raises(DrawingFailed, match="something else"):
            bounded.draw_bounded(b"", "application/pdf")


class TestOrder:
    def test_the_oldest_first_and_each_once(self, keep, drawn):
        first, second = keep(b"1"), keep(b"2")

        assert [render_next(), render_next(), render_next()] == [first, second, None]
        assert drawn == [b"1", b"2"]

    def test_the_one_that_somebody_looks_at_goes_before(self, keep, drawn):
        keep(b"1")
        looked_at = keep(b"2")
        hurry(looked_at)

        assert render_next() == looked_at

    def test_looking_again_does_not_try_a_failed_one_again(self, keep, drawn):
        document = keep(b"1")
        drawn.fail = DrawingFailed("broken")
        render_next()
        hurry(document)

        assert render_next() is None

    def test_an_erased_file_is_not_looked_for(self, keep, drawn):
        let_go([keep().pk], FileGone.RETENTION)

        assert render_next() is None


class TestFaults:
    def test_a_killed_drawer_lets_go(self, keep, drawn):
        document = keep(b"1")
        drawn.fail = SystemExit()
        with pytest.raises(SystemExit):
            render_next()
        drawn.fail = None

        assert render_next() is None  # held
        due_now(document)
        assert render_next() == document
        assert preview(document) == Preview.DONE

    def test_three_killed_drawers_are_enough(self, keep, drawn):
        document = keep(b"1")
        drawn.fail = SystemExit()
        for _ in range(3):
            with pytest.raises(SystemExit):
                render_next()
            due_now(document)

        assert render_next() == document
        assert preview(document) == Preview.FAILED
        assert len(drawn) == 3

    def test_a_late_drawer_leaves_nothing_after_another_one(self, keep, drawn, stored, monkeypatch):
        """It slept; another took the document and drew it; its own images go."""
        document = keep(b"1")
        draw = queue.draw_bounded

        def sleep_meanwhile(content, content_type):
            monkeypatch.setattr(queue, "draw_bounded", draw)
            due_now(document)
            render_next()
            return draw(content, content_type)

        monkeypatch.setattr(queue, "draw_bounded", sleep_meanwhile)
        render_next()

        assert document.page_images.count() == 2
        assert FileToDelete.objects.count() == 2
        call_command("send_mails")
        assert len(stored()) == 3

    def test_a_file_taken_back_meanwhile(self, keep, drawn, stored, monkeypatch):
        document = keep(b"1")
        draw = queue.draw_bounded

        def remove_meanwhile(*args):
            services.remove(document)
            return draw(*args)

        monkeypatch.setattr(queue, "draw_bounded", remove_meanwhile)
        render_next()
        call_command("send_mails")

        assert not PageImage.objects.exists()
        assert not Reading.objects.exists()

    def test_a_store_that_is_down_costs_no_attempt_and_is_asked_once(self, keep, drawn, request):
        for number in b"123":
            keep(bytes([number]))
        request.getfixturevalue("broken_storage")

        assert render_next() is not None
        assert render_next() is None  # the mails do not wait for the two others
        assert set(Document.objects.values_list("preview_attempts", flat=True)) == {0}

    def test_a_store_that_fills_up_keeps_no_image(self, keep, drawn, monkeypatch, storage, stored):
        document = keep(b"1")
        save, saved = type(storage)._save, []

        def fill_up(self, name, content):
            if saved:
                raise OSError("No space left on device")
            saved.append(name)
            return save(self, name, content)

        with monkeypatch.context() as patch:
            patch.setattr(type(storage), "_save", fill_up)
            render_next()

        assert not PageImage.objects.exists()
        call_command("send_mails")
        assert stored() == [document.file.name]
        due_now(document)
        render_next()
        assert preview(document) == Preview.DONE

    def test_a_lost_file_is_the_fault_of_one(self, keep, drawn, storage):
        lost, other = keep(b"1"), keep(b"2")
        storage.delete(lost.file.name)

        assert [render_next(), render_next()] == [lost, other]
        assert (preview(lost), preview(other)) == (Preview.WAITING, Preview.DONE)


class TestQuarantine:
    def test_a_file_that_the_antivirus_has_not_seen_is_not_drawn(self, keep, drawn):
        document = keep(b"1")
        Document.objects.filter(pk=document.pk).update(scan=Scan.WAITING)
        assert render_next() is None

        Document.objects.filter(pk=document.pk).update(scan=Scan.CLEAN, scanned_at=timezone.now())
        assert render_next() == document

    def test_the_images_of_one_found_infected_go_with_it(self, keep, drawn, clamd, capsys):
        document = keep(SIGNATURE)
        render_next()
        assert document.page_images.count() == 2

        call_command("scan_documents", "--again")

        assert not document.page_images.exists()
        assert preview(document) == Preview.GONE
        assert list(page_images()) == []


class TestGoing:
    def test_images_go_with_the_file(self, keep, drawn, stored, django_capture_on_commit_callbacks):
        document = keep(b"1")
        render_next()
        assert len(stored()) == 3

        with django_capture_on_commit_callbacks(execute=True):
            services.remove(document)
        call_command("send_mails")

        assert stored() == []
        assert not Document.objects.exists()

    def test_a_row_that_stays_without_its_file_keeps_no_image(self, keep, drawn, stored, registrar):
        document = keep(b"1")
        render_next()
        services.log_access(document, actor=registrar)

        services.remove(document)
        call_command("send_mails")

        assert not document.page_images.exists()
        assert stored() == []
        assert not Reading.objects.exists()  # a proposal that nobody can compare with the page

    def test_what_an_agent_confirmed_stays(self, keep, drawn, registrar):
        document = keep(b"1")
        render_next()
        Reading.objects.update(confirmed_by=registrar, confirmed_at=timezone.now(), quotient=None)

        services.remove(document)

        assert document.reading.is_confirmed  # the row stays, without its file

    def test_discarding(self, keep, drawn, stored):
        document, other = keep(b"1"), keep(b"2")
        render_next()
        render_next()

        discard_pages(document)
        call_command("send_mails")

        assert preview(document) == Preview.GONE
        assert (document.page_images.count(), other.page_images.count()) == (0, 2)
        assert list(Reading.objects.values_list("document", flat=True)) == [other.pk]
        assert len(stored()) == 4
        discard_pages(document)  # again: nothing

    def test_the_invariants_see_an_image_without_a_file(self, keep, drawn):
        document = keep(b"1")
        render_next()
        now = timezone.now()
        gone = {"file": "", "file_gone_at": now, "file_gone_reason": FileGone.REMOVED}
        Document.objects.filter(pk=document.pk).update(removed_at=now, **gone)

        assert ["l'image est restée après le fichier" in wrong for wrong in page_images()] == [
            True
        ] * 2
        PageImage.objects.all().delete()
        assert ["n'a aucune image" in wrong for wrong in page_images()] == [True]
