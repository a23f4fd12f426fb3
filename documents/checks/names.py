"""The name of a file: its letters, its length, its extension."""

import re
import unicodedata
from pathlib import PurePosixPath

from documents.checks.refusals import DUE, HEIC, quoted, refusal
from documents.checks.types import HEIC_EXTENSIONS, TEXT_EXTENSIONS, TYPES_BY_EXTENSION
from documents.enums import Formats

MAX_NAME_LENGTH = 100

ALLOWED_IN_NAMES = r"A-Za-z0-9 ._()-"
EXAMPLE_NAME = "document"

EMPTY_NAME = (
    "Le nom de votre fichier est vide\u00a0: renommez-le, par exemple "
    "«\u00a0document.pdf\u00a0», puis envoyez-le à nouveau."
)
NO_EXTENSION = "Le nom de votre fichier n'a pas d'extension (.pdf, .jpg ou .png)"


def propose_name(name: str) -> str:
    """Return a name near `name` that check_file admits: « Été.pdf » gives « Ete.pdf ».

    Accents go, other characters become « _ » or go; the extension stays. Never empty, at most
    MAX_NAME_LENGTH characters.
    """
    stem, dot, extension = name.strip().rpartition(".")
    if not dot:
        stem, extension = extension, ""
    extension = re.sub(r"[^A-Za-z0-9]", "", _to_ascii(extension))[:10]
    stem = re.sub(r"_{2,}", "_", _to_ascii(stem)).strip(" .")
    if not re.search(r"[A-Za-z0-9]", stem):
        stem = EXAMPLE_NAME
    if not extension:
        return stem[:MAX_NAME_LENGTH].rstrip(" .")
    return stem[: MAX_NAME_LENGTH - len(extension) - 1].rstrip(" .") + "." + extension


# Letters that Unicode does not decompose into a plain letter and an accent.
PLAIN_LETTERS = str.maketrans(
    {
        "œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ẞ": "SS", "ø": "o", "Ø": "O",
        "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th",
        "ı": "i", "–": "-", "—": "-", "‐": "-", "‑": "-",
    }
)  # fmt: skip


def _to_ascii(text):
    decomposed = unicodedata.normalize("NFKD", text.translate(PLAIN_LETTERS))
    visible = "".join(char for char in decomposed if char.isprintable())
    bare = "".join(char for char in visible if not unicodedata.combining(char))
    return re.sub(rf"[^{ALLOWED_IN_NAMES}]", "_", bare)


def check_name(name: str, formats: Formats) -> tuple[str, str]:
    """Return the name to keep and its extension in lower case, such as ".pdf".

    Raises ValidationError name_not_allowed, name_too_long, extension_not_allowed or heic.
    """
    name = unicodedata.normalize("NFC", _last_component(name)).strip(" ")
    if not name.rsplit(".", 1)[0].strip(". "):
        raise refusal("name_not_allowed", EMPTY_NAME)
    # Read on the cleaned name, so that an invisible character after « .pdf » is told as such.
    extension = PurePosixPath(propose_name(name)).suffix.lower()
    _check_extension(extension, formats)
    if len(name) > MAX_NAME_LENGTH:
        raise refusal("name_too_long", _too_long(name))
    if re.search(rf"[^{ALLOWED_IN_NAMES}]", name):
        raise refusal("name_not_allowed", _not_allowed(name))
    if not name.lower().endswith(extension):  # « avis.pdf. » or « avis.pdf_ »
        raise refusal("name_not_allowed", _ends_otherwise(name, extension))
    return name, extension


def _last_component(name):
    """Some browsers send a whole Windows path: only its end is the name of the file."""
    return name.rpartition("\\")[2] if re.match(r"[A-Za-z]:\\", name) else name


def _too_long(name):
    return (
        f"Le nom de votre fichier a {len(name)} caractères et la limite est de "
        f"{MAX_NAME_LENGTH}\u00a0: raccourcissez-le, puis envoyez-le à nouveau."
    )


def _not_allowed(name):
    bad = dict.fromkeys(re.findall(rf"[^{ALLOWED_IN_NAMES}]", name))
    shown = [quoted(char) for char in bad if char.isprintable()]
    if len(shown) < len(bad):
        shown.append("un caractère invisible")
    return (
        f"Le nom de votre fichier contient {', '.join(shown)}, que nous n'acceptons pas "
        "(ni accents, ni caractères spéciaux)\u00a0: renommez-le "
        f"{quoted(propose_name(name))}, par exemple, puis envoyez-le à nouveau."
    )


def _ends_otherwise(name, extension):
    return (
        f"Le nom de votre fichier ne finit pas par {quoted(extension)}\u00a0: renommez-le "
        f"{quoted(propose_name(name))}, puis envoyez-le à nouveau."
    )


def _check_extension(extension, formats):
    if extension in TYPES_BY_EXTENSION:
        return
    if extension in HEIC_EXTENSIONS:
        raise refusal("heic", HEIC)
    if extension in TEXT_EXTENSIONS and formats != Formats.IMAGE:
        raise refusal(
            "extension_not_allowed",
            f"Les fichiers {quoted(extension)} ne sont pas acceptés\u00a0: ouvrez le document, "
            "enregistrez-le en PDF (Fichier > Exporter ou Enregistrer sous), puis envoyez ce PDF.",
        )
    what = f"Les fichiers {quoted(extension)} ne sont pas acceptés" if extension else NO_EXTENSION
    raise refusal("extension_not_allowed", f"{what}\u00a0: envoyez {DUE[formats]}.")
