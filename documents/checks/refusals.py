"""How a file is refused: one code, and one French sentence that says what to do."""

from contextlib import contextmanager

from django.core.exceptions import ValidationError

from documents.enums import Formats

# What the family reads: what is wrong, then what to do.

DUE = {
    Formats.PDF: "un fichier PDF",
    Formats.IMAGE: "une image JPEG ou PNG",
    Formats.ANY: "un PDF ou une image JPEG ou PNG",
}
HEIC = (
    "Les photos HEIC de l'iPhone ne sont pas acceptées\u00a0: choisissez Réglages > Appareil "
    "photo > Formats > «\u00a0Le plus compatible\u00a0» et reprenez la photo, ou envoyez une "
    "capture d'écran ou une copie en JPEG."
)
DAMAGED = (
    "Votre fichier est abîmé ou incomplet\u00a0: vérifiez qu'il s'ouvre sur votre appareil, "
    "enregistrez-le à nouveau, puis envoyez cette copie."
)
TOO_COMPLEX = (
    "Lire votre fichier demande trop de temps ou de mémoire\u00a0: ouvrez-le, enregistrez-en une "
    "copie plus simple (Imprimer > Enregistrer en PDF, ou une capture d'écran), puis envoyez cette "
    "copie."
)
UNAVAILABLE = (
    "Votre fichier n'a pas pu être vérifié\u00a0: le site est trop occupé, votre fichier n'y est "
    "pour rien. Le reste de votre saisie est conservé\u00a0; réessayez dans quelques minutes."
)


def refusal(code: str, sentence: str) -> ValidationError:
    """What check_file raises: the tests match the code, the family reads the sentence."""
    return ValidationError(sentence, code=code)


def quoted(text: str) -> str:
    """« text », with its non-breaking spaces."""
    return f"«\u00a0{text}\u00a0»"


@contextmanager
def damaged_if_it_breaks():
    """Parsers raise anything on hostile bytes, from struct.error to RecursionError.

    All mean `damaged`, but for the memory that a child lacks: `too_complex`.
    """
    try:
        yield
    except ValidationError:
        raise
    except MemoryError as error:
        raise refusal("too_complex", TOO_COMPLEX) from error
    except Exception as error:
        raise refusal("damaged", DAMAGED) from error
