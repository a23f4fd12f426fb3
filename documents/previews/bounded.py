"""Drawing a file that comes from outside, in a process of its own, bounded in everything."""

from django.core.exceptions import ValidationError

from documents.checks.bounded import Limits, run
from documents.previews.drawing import BOX, MAX_PAGES, Drawing, DrawnPage, draw_plainly

LIMITS = Limits(cpu_seconds=20, wall_seconds=30, memory_bytes=768 * 1024 * 1024)
JPEG_START = b"\xff\xd8\xff"


class DrawingFailed(Exception):
    """The file could not be drawn within the limits; the text says why, for the log."""


def draw_bounded(content: bytes, content_type: str) -> Drawing:
    """`drawing.draw` of a file, in a child process of LIMITS.

    The one place where files are drawn. What the child answers is not believed: it may have been
    taken over by the file. Raises DrawingFailed.
    """
    try:
        answer = run(draw_plainly, content, content_type, limits=LIMITS)
    except ValidationError as error:
        raise DrawingFailed(f"its child ended: {error.code}") from error
    try:
        pages = [DrawnPage(*page) for page in answer["pages"]]
        text = answer["text"]
        sound = (
            1 <= len(pages) <= MAX_PAGES and isinstance(text, str) and all(map(_is_sound, pages))
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DrawingFailed("the child answered something else") from error
    if not sound:
        raise DrawingFailed("the child answered something else")
    return Drawing(pages, text)


def _is_sound(page):
    inside = 1 <= page.width <= BOX[0] + 1 and 1 <= page.height <= BOX[1] + 1  # rounded up
    return inside and page.jpeg.startswith(JPEG_START)
