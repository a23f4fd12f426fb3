"""Drawing a file that comes from outside, in a process of its own, bounded in everything."""

import json
import subprocess
import sys
import tempfile

from django.conf import settings

from documents.previews.drawing import BOX, MAX_PAGES, TEXT_LENGTH, Drawing, DrawnPage

WALL_SECONDS = 30
JPEG_START = b"\xff\xd8\xff"


class DrawingFailed(Exception):
    """The file could not be drawn within the limits; the text says why, for the log."""


def draw_bounded(content: bytes, content_type: str) -> Drawing:
    """`drawing.draw` of a file, in a child process (child.py says its limits).

    The one place where files are drawn. What the child writes is not believed: it may have been
    taken over by the file. Raises DrawingFailed.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "documents.previews.child", content_type],
                input=content,
                stdout=out,
                stderr=said,
                cwd=settings.BASE_DIR,
                env={"OMP_NUM_THREADS": "1"},  # no secret of ours
                timeout=WALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DrawingFailed(f"not drawn within {WALL_SECONDS} s") from error
        if done.returncode != 0:
            said.seek(0)
            last = said.read(20_000).decode(errors="replace").strip().splitlines()[-1:]
            raise DrawingFailed(f"exit {done.returncode}: {' '.join(last)[:300]}")
        out.seek(0)
        return _believed(out)


def _believed(out):
    try:
        head = json.loads(out.readline(TEXT_LENGTH * 12))
        pages = [DrawnPage(out.read(size), width, height) for size, width, height in head["pages"]]
        text = head["text"]
        sound = (
            1 <= len(pages) <= MAX_PAGES and isinstance(text, str) and all(map(_is_sound, pages))
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DrawingFailed("the child wrote something else") from error
    if not sound:
        raise DrawingFailed("the child wrote something else")
    return Drawing(pages, text)


def _is_sound(page):
    inside = 1 <= page.width <= BOX[0] + 1 and 1 <= page.height <= BOX[1] + 1  # rounded up
    return inside and page.jpeg.startswith(JPEG_START)
