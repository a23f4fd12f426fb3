"""The pictures that show what a piece looks like, drawn line by line: nobody's papers."""

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 700, 900  # pixels
MARGIN = 60
INK, QUIET, FRAME = "#15293b", "#c3c9cf", "#a3262d"


def draw_paper(title: str, sender: str, *, marked: list[str]) -> bytes:
    """A letter in PNG whose lines are grey strokes, but for those to look at, framed in red.

    Without accents: the only font that every machine has draws none.
    """
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((10, 10, WIDTH - 11, HEIGHT - 11), outline=QUIET, width=3)
    draw.text((MARGIN, 50), sender, fill=INK, font=ImageFont.load_default(30))
    draw.text((MARGIN, 150), title, fill=INK, font=ImageFont.load_default(36))
    _strokes(draw, 230, [0.9, 0.8, 0.85])
    top = 350
    for line in marked:
        frame = (MARGIN - 15, top - 12, WIDTH - MARGIN, top + 50)
        draw.rounded_rectangle(frame, 8, outline=FRAME, width=4)
        draw.text((MARGIN, top), line, fill=INK, font=ImageFont.load_default(28))
        top += 90
    _strokes(draw, top + 20, [0.95, 0.7, 0.9, 0.6])
    draw.text((MARGIN, HEIGHT - 80), "SPECIMEN", fill=QUIET, font=ImageFont.load_default(40))
    return _written(image)


def draw_face() -> bytes:
    """A head and shoulders, facing, on a plain ground."""
    image = Image.new("RGB", (450, 580), "#dfe6ec")
    draw = ImageDraw.Draw(image)
    draw.ellipse((75, 400, 375, 800), fill="#34536b")
    draw.ellipse((140, 120, 310, 350), fill="#d9a887")
    draw.pieslice((130, 95, 320, 330), 180, 360, fill="#4a3428")
    for eye in (185, 245):
        draw.ellipse((eye, 225, eye + 20, 240), fill=INK)
    draw.arc((190, 260, 260, 310), 20, 160, fill=INK, width=4)
    return _written(image)


def _strokes(draw, top, lengths):
    for rank, length in enumerate(lengths):
        y = top + 30 * rank
        draw.line((MARGIN, y, MARGIN + length * (WIDTH - 2 * MARGIN), y), fill=QUIET, width=10)


def _written(image):
    content = BytesIO()
    image.save(content, "PNG")
    return content.getvalue()
