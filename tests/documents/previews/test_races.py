"""Two senders at once: each document is drawn once, each page kept once."""

from collections import Counter

import pytest

from documents.enums import Preview
from documents.models import Document, PageImage
from documents.previews import queue
from documents.previews.drawing import Drawing, DrawnPage
from documents.previews.queue import discard_pages, render_next
from tests.races import run_together

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

DOCUMENTS, ROUNDS = 12, 20
PAGES = [DrawnPage(b"\xff\xd8\xff dull", 1414, 2000)] * 3


@pytest.fixture
def drawn(monkeypatch):
    contents = []

    def draw(content, content_type):
        contents.append(content)
        return Drawing(PAGES, "Fait le 12/05/2026")

    monkeypatch.setattr(queue, "draw_bounded", draw)
    return contents


def draw_all(_number):
    while render_next():
        pass


def test_each_page_once(keep, drawn):
    for number in range(DOCUMENTS):
        keep(bytes([number]))

    assert run_together(draw_all, 2) == [None, None]

    assert sorted(drawn) == [bytes([number]) for number in range(DOCUMENTS)]
    pages = Counter(PageImage.objects.values_list("document", "number"))
    assert (len(pages), set(pages.values())) == (3 * DOCUMENTS, {1})
    assert set(Document.objects.values_list("preview", flat=True)) == {Preview.DONE}


def test_a_file_that_goes_while_it_is_drawn_leaves_no_image(keep, drawn):
    for number in range(ROUNDS):
        document = keep(bytes([number]))

        run_together(lambda n, d=document: [render_next, lambda: discard_pages(d)][n](), 2)

        assert not PageImage.objects.filter(document=document).exists()
