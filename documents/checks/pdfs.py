"""A PDF opens without a password, has pages and holds nothing that acts."""

import re
from io import BytesIO

import pikepdf

from documents.checks.refusals import DAMAGED, damaged_if_it_breaks, refusal

MAX_PDF_ITEMS = 500_000  # entries of dictionaries and arrays: the largest honest 2 Mo have 100,000
MAX_INFLATED_BYTES = 16 * 1024 * 1024  # one stream of PDF objects, once inflated

PDF_CONTAINERS = (pikepdf.Array, pikepdf.Dictionary, pikepdf.Stream)
ACTIVE_ACTIONS = {
    "/GoToE",
    "/ImportData",
    "/JavaScript",
    "/Launch",
    "/Movie",
    "/Rendition",
    "/RichMediaExecute",
    "/Sound",
}
ACTIVE_SUBTYPES = {"/3D", "/FileAttachment", "/Movie", "/RichMedia", "/Screen", "/Sound"}
ACTIVE_KEYS = {"/EF", "/JS", "/XFA"}  # an embedded file, a script, a dynamic form

# LZW, or filters whose names are not written in place.
UNBOUNDED_FILTERS = re.compile(
    rb"/LZW(?:Decode)?(?=[\s\0/<>\[\]()%])|/Filter(?=[^A-Za-z])(?![\s\0]*(?:\[[\s\0]*)?[/\]])"
)

# qpdf inflates streams of objects (no page, no image) as it opens a file: these limits hold for
# the whole process, so they are set once, here.
pikepdf.settings.set_qpdf_limits(
    flate_max_memory=MAX_INFLATED_BYTES,
    run_length_max_memory=MAX_INFLATED_BYTES,
    png_max_memory=MAX_INFLATED_BYTES,
    tiff_max_memory=MAX_INFLATED_BYTES,
    max_stream_filters=1,
    parser_max_container_size=MAX_PDF_ITEMS,
)

PASSWORD = (
    "Votre PDF est protégé par un mot de passe\u00a0: ouvrez-le, enregistrez-en une copie sans mot "
    "de passe (Imprimer > Enregistrer en PDF), puis envoyez cette copie."
)
ACTIVE_CONTENT = (
    "Votre PDF contient un programme, un formulaire dynamique, une vidéo ou un fichier joint, que "
    "nous n'acceptons pas\u00a0: ouvrez-le, choisissez Imprimer > Enregistrer en PDF, puis envoyez "
    "cette copie."
)
NO_PAGES = "Votre PDF n'a aucune page\u00a0: enregistrez-le à nouveau, puis envoyez cette copie."


@damaged_if_it_breaks()
def check_pdf(content: bytes) -> int:
    """Return the number of pages of a PDF that opens and holds nothing active.

    Pages and images are not inflated: nothing here depends on what they decode to. Raises
    ValidationError damaged, too_complex, password, active_content or no_pages.
    """
    if b"%%EOF" not in content[-1024:] or _may_inflate_without_bound(content):
        raise refusal("damaged", DAMAGED)
    try:
        # The empty password: a lock on printing or copying opens with it.
        pdf = pikepdf.open(BytesIO(content), inherit_page_attributes=False)
    except pikepdf.PasswordError as error:
        raise refusal("password", PASSWORD) from error
    with pdf:
        _check_inert(pdf)
        return _count_pages(pdf)


def _may_inflate_without_bound(content):
    """Tell whether qpdf could be made to inflate objects by LZW, which it does not bound.

    It inflates objects only where there is a cross-reference stream, which no honest producer
    writes with LZW, or with filters named elsewhere in the file.
    """
    plain = re.sub(rb"#([0-9A-Fa-f]{2})", lambda code: bytes.fromhex(code[1].decode()), content)
    if b"/XRef" not in plain:
        return False
    return UNBOUNDED_FILTERS.search(plain) is not None


def _check_inert(pdf):
    """Refuse scripts, launches, embedded files, XFA and media, wherever they hang.

    Everything reachable from the catalog is walked, not the known places only: actions follow
    each other, and fields and annotations nest.
    """
    waiting, seen, items = [pdf.Root], set(), 0
    while waiting:
        node = waiting.pop()
        if node.is_indirect:
            if node.objgen in seen:
                continue
            seen.add(node.objgen)
        is_array = isinstance(node, pikepdf.Array)
        if not is_array and _is_active(node):
            raise refusal("active_content", ACTIVE_CONTENT)
        items += 1 + (len(node) if is_array else len(node.keys()))
        if items > MAX_PDF_ITEMS:
            raise refusal("damaged", DAMAGED)
        children = node if is_array else node.values()
        waiting += [child for child in children if isinstance(child, PDF_CONTAINERS)]


def _is_active(node):
    return (
        not ACTIVE_KEYS.isdisjoint(node.keys())
        or _is_name_among(node.get("/S"), ACTIVE_ACTIONS)
        or _is_name_among(node.get("/Subtype"), ACTIVE_SUBTYPES)
    )


def _is_name_among(value, names):
    return isinstance(value, pikepdf.Name) and str(value) in names


def _count_pages(pdf):
    pages, declared = len(pdf.pages), pdf.Root.Pages.get("/Count")
    if isinstance(declared, int) and pages < declared:
        raise refusal("damaged", DAMAGED)  # cut short: qpdf repaired what is left
    if not pages:
        raise refusal("no_pages", NO_PAGES)
    return pages
