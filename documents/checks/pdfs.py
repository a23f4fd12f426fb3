"""A PDF opens without a password, has pages and holds nothing that acts."""

import re
import zipfile
from codecs import BOM_UTF8
from io import BytesIO

import pikepdf

from documents.checks.pdf_streams import Budget
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
ACTIVE_SCHEMES = re.compile(rb"\s*(?:javascript|vbscript|data):", re.IGNORECASE)
# What starts by itself (at the opening, on a page) may only move in the document or print it: an
# address, another file or a server would be told who reads, and when.
STARTING = {"/OpenAction", "/AA"}
INERT_ACTIONS = {"/GoTo", "/Hide", "/Named", "/ResetForm", "/SetOCGState", "/Thread", "/Trans"}

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

    What pages and images would inflate to is counted, and not kept. Raises
    ValidationError damaged, too_complex, password, active_content or no_pages.
    """
    if not _ends_well(content) or _may_inflate_without_bound(content):
        raise refusal("damaged", DAMAGED)
    try:
        # The empty password: a lock on printing or copying opens with it.
        pdf = pikepdf.open(BytesIO(content), inherit_page_attributes=False)
    except pikepdf.PasswordError as error:
        raise refusal("password", PASSWORD) from error
    with pdf:
        _check_inert(pdf)
        return _count_pages(pdf)


def is_something_else(content: bytes) -> bool:
    """Tell whether a PDF is also of another kind: an archive, or what stands before its beginning.

    Images need no such question: they are written anew. A PDF is kept as received.
    """
    before = content.partition(b"%PDF-")[0].removeprefix(BOM_UTF8)
    if before.strip():
        return True
    # The two other marks: an honest file may hold by chance the one that zipfile looks for.
    is_archive = b"PK\3\4" in content and b"PK\1\2" in content
    return is_archive and zipfile.is_zipfile(BytesIO(content))


def _ends_well(content):
    """Tell whether nothing follows the end but blanks and comments: no archive, no page of HTML."""
    before, _, after = content.rpartition(b"%%EOF")
    lines = re.split(rb"[\r\n]+", after.replace(b"\0", b" "))
    return bool(before) and all(
        not line.strip(b" \t\f\x1a") or line.lstrip().startswith(b"%") for line in lines
    )


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
    budget, started = Budget(), set()
    while waiting:
        node = waiting.pop()
        if node.is_indirect:
            if node.objgen in seen:
                continue
            seen.add(node.objgen)
        is_array = isinstance(node, pikepdf.Array)
        if not is_array and (_is_active(node) or _starts_something(node, started)):
            raise refusal("active_content", ACTIVE_CONTENT)
        if isinstance(node, pikepdf.Stream):
            budget.spend(node)
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
        or _is_active_address(node.get("/URI"))
    )


def _starts_something(node, seen):
    """Tell whether an action that nobody clicks leads out of the document.

    `seen` are the numbers of the actions known not to, kept from one node to the next.
    """
    waiting = []
    for key in STARTING & node.keys():
        events = node[key]
        is_set = key == "/AA" and isinstance(events, pikepdf.Dictionary)
        waiting += list(events.values()) if is_set else [events]
    while waiting:
        action = waiting.pop()
        if not isinstance(action, pikepdf.Array | pikepdf.Dictionary):
            continue
        if action.is_indirect:
            if action.objgen in seen:
                continue
            seen.add(action.objgen)
        if isinstance(action, pikepdf.Array):  # several actions, or a place in the document
            waiting += [item for item in action if _is_action(item)]
        elif "/S" in action and not _is_name_among(action["/S"], INERT_ACTIONS):
            return True
        elif "/Next" in action:
            waiting.append(action["/Next"])
    return False


def _is_action(value):
    return isinstance(value, pikepdf.Dictionary) and "/S" in value


def _is_active_address(value):
    return isinstance(value, pikepdf.String) and ACTIVE_SCHEMES.match(bytes(value)) is not None


def _is_name_among(value, names):
    return isinstance(value, pikepdf.Name) and str(value) in names


def _count_pages(pdf):
    pages, declared = len(pdf.pages), pdf.Root.Pages.get("/Count")
    if isinstance(declared, int) and pages < declared:
        raise refusal("damaged", DAMAGED)  # cut short: qpdf repaired what is left
    if not pages:
        raise refusal("no_pages", NO_PAGES)
    return pages
