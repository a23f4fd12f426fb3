"""PDFs as the common producers write them: all pass, kept as received."""

import zlib
from functools import partial
from io import BytesIO

import pikepdf
import typst
from pikepdf import Array, Dictionary, Name, Stream, String

from tests.documents.builders import make_jpeg, make_pdf
from tests.documents.corpus.case import pdf

GENERATE = pikepdf.ObjectStreamMode.generate
DISABLE = pikepdf.ObjectStreamMode.disable
A4 = [0, 0, 595, 842]


def produced(producer, *changes, pages=1, **options):
    """A PDF that says it is of `producer`, with what each of `changes` adds."""

    def change(pdf):
        pdf.docinfo["/Producer"] = producer
        pdf.docinfo["/CreationDate"] = "D:20260601093000+02'00'"
        for one in changes:
            one(pdf)

    return partial(make_pdf, pages=pages, change=change, **options)


def text(pdf):
    """A line of Helvetica on each page."""
    font = pdf.make_indirect(
        Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    )
    for number, page in enumerate(pdf.pages, start=1):
        page.Resources = Dictionary(Font=Dictionary(F1=font))
        page.Contents = Stream(pdf, b"BT /F1 12 Tf 72 720 Td (Page %d) Tj ET" % number)


def tags(pdf):
    """A tree of structure, for screen readers."""
    root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    page = pdf.pages[0].obj
    paragraph = Dictionary(Type=Name.StructElem, S=Name.P, P=root, Pg=page, K=0)
    root.K = Array([pdf.make_indirect(paragraph)])
    pdf.Root.StructTreeRoot, pdf.Root.MarkInfo = root, Dictionary(Marked=True)
    pdf.Root.Lang = String("fr-FR")


def annotate(pdf, **keys):
    annotation = Dictionary(Type=Name.Annot, Rect=[72, 700, 200, 720], **keys)
    pdf.pages[0].Annots = pdf.pages[0].get("/Annots", Array([]))
    pdf.pages[0].Annots.append(pdf.make_indirect(annotation))


def links(pdf):
    for address in ["https://www.caf.fr/", "mailto:a@example.org", "tel:+33100000000", "page.html"]:
        annotate(pdf, Subtype=Name.Link, A=Dictionary(S=Name.URI, URI=String(address)))
    goto = Dictionary(S=Name.GoTo, D=Array([pdf.pages[-1].obj, Name.XYZ, 0, 842, 0]))
    annotate(pdf, Subtype=Name.Link, A=goto)
    annotate(pdf, Subtype=Name.Link, Dest=String("chapitre"))


def other_actions(pdf):
    """The next page, printing, layers: nothing leaves the document."""
    annotate(pdf, Subtype=Name.Link, A=Dictionary(S=Name.Named, N=Name.NextPage))
    pdf.pages[0].obj.AA = Dictionary(O=Dictionary(S=Name.GoTo, D=String("debut")))
    pdf.Root.OpenAction = Dictionary(S=Name.Named, N=Name.Print)


def comments(pdf):
    for subtype in ("/Text", "/Highlight", "/FreeText", "/Ink", "/Stamp", "/Popup"):
        annotate(pdf, Subtype=Name(subtype), Contents=String("Vu"))


def bookmarks(pdf):
    with pdf.open_outline() as outline:
        outline.root += [
            pikepdf.OutlineItem(f"Partie {number}", number) for number in range(len(pdf.pages))
        ]
    pdf.Root.PageMode = Name.UseOutlines


def opening_at_a_page(pdf):
    pdf.Root.OpenAction = Array([pdf.pages[0].obj, Name.XYZ, None, None, 0])
    pdf.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)


def scan(colour_space="/DeviceGray", mode="L"):
    """The page is one image, as phones and copiers write them."""

    def change(pdf):
        image = Stream(
            pdf, make_jpeg(size=(1240, 1754), mode=mode, quality=40),
            Type=Name.XObject, Subtype=Name.Image, Width=1240, Height=1754,
            ColorSpace=Name(colour_space), BitsPerComponent=8, Filter=Name.DCTDecode,
        )  # fmt: skip
        for page in pdf.pages:
            page.MediaBox = Array(A4)
            page.Resources = Dictionary(XObject=Dictionary(Im0=image))
            page.Contents = Stream(pdf, b"q 595 0 0 842 0 0 cm /Im0 Do Q")

    return change


def bilevel(filter_name, content):
    """An image that only a reader of PDF decodes: a copier's fax, JBIG2 or JPEG 2000."""

    def change(pdf):
        image = Stream(
            pdf, content, Type=Name.XObject, Subtype=Name.Image, Width=4960, Height=7016,
            ColorSpace=Name.DeviceGray, BitsPerComponent=1, Filter=Name(filter_name),
        )  # fmt: skip
        pdf.pages[0].Resources = Dictionary(XObject=Dictionary(Im0=image))

    return change


def flate_scan(pdf):
    """An A3 page in colour at 600 dpi, uncompressed 200 Mo, almost blank."""
    squeezer = zlib.compressobj(9)
    rows = [squeezer.compress(b"\xff" * 7016 * 3 * 100) for _ in range(99)] + [squeezer.flush()]
    pdf.Root.Scan = Stream(
        pdf, b"".join(rows), Subtype=Name.Image, Width=7016, Height=9921, BitsPerComponent=8,
        ColorSpace=Name.DeviceRGB, Filter=Name.FlateDecode,
    )  # fmt: skip


def old_filters(pdf):
    """ASCII85 and LZW, as in the 1990s."""
    stream = b'J.P<,"q!S$'
    pdf.pages[0].Contents = Array([
        Stream(pdf, b"87cURD]j7BEbo80~>", Filter=Name.ASCII85Decode),
        Stream(pdf, b"71203020>", Filter=Name.ASCIIHexDecode),
        Stream(pdf, stream + b"~>", Filter=Array([Name.ASCII85Decode, Name.LZWDecode])),
    ])  # fmt: skip


def pdf_a(pdf):
    with pdf.open_metadata() as metadata:
        metadata["pdfaid:part"], metadata["pdfaid:conformance"] = "2", "B"
        metadata["dc:title"] = "Avis d'imposition"
    profile = Stream(pdf, b"profile" * 100, N=3)
    intent = Dictionary(
        Type=Name.OutputIntent, S=Name.GTS_PDFA1, OutputConditionIdentifier=String("sRGB"),
        DestOutputProfile=profile,
    )  # fmt: skip
    pdf.Root.OutputIntents = Array([intent])


def signature(pdf):
    """The signature of a tax office, which also certifies the document."""
    signed = Dictionary(
        Type=Name.Sig, Filter=Name("/Adobe.PPKLite"), SubFilter=Name("/ETSI.CAdES.detached"),
        ByteRange=[0, 10, 20, 30], Contents=String(b"\x30\x82" + bytes(4000)),
        Reference=[Dictionary(
            Type=Name.SigRef, TransformMethod=Name.DocMDP,
            TransformParams=Dictionary(Type=Name.TransformParams, P=1, V=Name("/1.2")),
        )],
    )  # fmt: skip
    signed = pdf.make_indirect(signed)
    field = pdf.make_indirect(Dictionary(
        Type=Name.Annot, Subtype=Name.Widget, FT=Name.Sig, Rect=[0, 0, 0, 0], V=signed,
        T=String("Signature1"), F=132,
    ))  # fmt: skip
    pdf.pages[0].Annots = Array([field])
    pdf.Root.AcroForm = Dictionary(Fields=[field], SigFlags=3)
    pdf.Root.Perms = Dictionary(DocMDP=signed)
    pdf.Root.DSS = Dictionary(Certs=[Stream(pdf, bytes(500))])


def filled_form(pdf):
    values = [("nom", Name.Tx, String("Martin")), ("accord", Name.Btn, Name.Yes)]
    values.append(("quartier", Name.Ch, String("Centre")))
    fields = [
        pdf.make_indirect(Dictionary(
            Type=Name.Annot, Subtype=Name.Widget, Rect=[0, 0, 90, 20], FT=kind, T=String(name),
            V=value, DA=String("/Helv 0 Tf 0 g"),
        ))
        for name, kind, value in values
    ]  # fmt: skip
    pdf.pages[0].Annots = Array(fields)
    pdf.Root.AcroForm = Dictionary(Fields=fields, NeedAppearances=True, DR=Dictionary())


def sending_button(pdf):
    """The button that mails a form back: nothing leaves unless it is pressed."""
    send = Dictionary(
        S=Name.SubmitForm, F=Dictionary(FS=Name.URL, F=String("mailto:a@example.org"))
    )
    annotate(pdf, Subtype=Name.Widget, FT=Name.Btn, T=String("envoyer"), A=send)
    pdf.Root.AcroForm.Fields.append(pdf.pages[0].Annots[-1])


def layers(pdf):
    group = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("Fond")))
    pdf.Root.OCProperties = Dictionary(OCGs=[group], D=Dictionary(Order=[group]))


def empty_trees(pdf):
    pdf.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=[]), JavaScript=Dictionary(Names=[]))


def of_size(width, height):
    return lambda pdf: [
        page.__setattr__("MediaBox", Array([0, 0, width, height])) for page in pdf.pages
    ]


def incremental(make, revisions=2):
    """The file, then its updates one after the other: each with its table and its end."""

    def build():
        content = make()
        for number in range(revisions):
            previous = int(content.rpartition(b"startxref")[2].split()[0])
            with pikepdf.open(BytesIO(content)) as known:
                size, root = int(known.trailer.Size), known.Root.objgen
            at = len(content) + 1
            added = b"\n%d 0 obj\n<</Note (%d)>>\nendobj\n" % (size, number)
            table = b"xref\n%d 1\n%010d 00000 n \n" % (size, at)
            trailer = b"trailer\n<</Size %d/Root %d %d R/Prev %d>>\n" % (size + 1, *root, previous)
            content += added + table + trailer
            content += b"startxref\n%d\n%%%%EOF\n" % (at + len(added) - 1)
        return content

    return build


def locked(**options):
    return pikepdf.Encryption(owner="secret", user="", **options)


def typeset(pages=1, standard="1.7"):
    part = "[= Partie #n \n#lorem(80) #pagebreak(weak: true)]"
    source = f'#set page("a4")\n#for n in range({pages}) {part}'
    return typst.compile(source.encode(), pdf_standards=[standard])


def report(pages=117):
    """A report of 117 pages, each with its font, its text and a link."""

    def change(pdf):
        text(pdf)
        bookmarks(pdf)
        for page in pdf.pages:
            goto = Dictionary(S=Name.GoTo, D=Array([pdf.pages[0].obj, Name.Fit]))
            link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=goto)
            page.Annots = Array([pdf.make_indirect(link)])

    return make_pdf(pages=pages, change=change)


SKIA, QUARTZ = "Skia/PDF m126", "macOS Version 14.5 (Build 23F79) Quartz PDFContext"
WORD, OFFICE = "Microsoft® Word pour Microsoft 365", "LibreOffice 24.2"
CASES = [
    pdf("printed by Chromium", produced(SKIA, text, tags, links, force_version="1.4"), pages=1),
    pdf("LibreOffice", produced(OFFICE, text, tags, opening_at_a_page, bookmarks), pages=1),
    pdf("Word", produced(WORD, text, tags, object_stream_mode=GENERATE), pages=1),
    pdf("Google Docs", produced(f"{SKIA} Google Docs Renderer", text, links), pages=1),
    pdf("scanned by an iPhone", produced(f"iOS {QUARTZ}", scan("/DeviceRGB", "RGB"), pages=3,
        force_version="1.3"), pages=3, name="Document numerise 2.pdf"),
    pdf("scanned in grey by a copier", produced("KONICA MINOLTA bizhub", scan()), pages=1),
    pdf("a fax", produced("HP Scan", bilevel("/CCITTFaxDecode", b"\0\x10\x01" * 9)), pages=1),
    pdf("JBIG2", produced("ABBYY", bilevel("/JBIG2Decode", b"\0\0\0\0\x30\0\1" * 9)), pages=1),
    pdf("JPEG 2000", produced("Adobe", bilevel("/JPXDecode", b"\0\0\0\x0cjP  \r\n" * 9)), pages=1),
    pdf("A3 in colour at 600 dpi", produced("Xerox", flate_scan, compress_streams=False), pages=1),
    pdf("filters of the 1990s", produced("Acrobat Distiller 3.01", old_filters,
        compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none), pages=1),
    pdf("PDF/A-2b", produced("iText", text, pdf_a), pages=1),
    pdf("typst", typeset, pages=1),
    pdf("typst, PDF/A-2b", partial(typeset, standard="a-2b"), pages=1),
    pdf("typst, PDF 2.0", partial(typeset, standard="2.0"), pages=1),
    pdf("signed", produced("DGFiP", text, signature), pages=1, name="Avis_2026.pdf"),
    pdf("a form filled in", produced("Cerfa", filled_form), pages=1),
    pdf("a form with its button", produced("Ville", filled_form, sending_button), pages=1),
    pdf("links", produced(SKIA, text, links, pages=2), pages=2),
    pdf("actions within the document", produced("Acrobat", text, other_actions), pages=1),
    pdf("comments", produced("Aperçu", text, comments), pages=1),
    pdf("bookmarks", produced("LaTeX", text, bookmarks, pages=9), pages=9),
    pdf("layers", produced("AutoCAD", layers), pages=1),
    pdf("empty trees of names", produced("Acrobat", empty_trees), pages=1),
    *(
        pdf(f"PDF {version}", produced("Acrobat", text, force_version=version), pages=1)
        for version in ("1.3", "1.4", "1.5", "1.6", "1.7", "2.0")
    ),
    pdf("linearized", produced("Acrobat", text, pages=5, linearize=True), pages=5),
    pdf("object streams", produced("Acrobat", text, object_stream_mode=GENERATE), pages=1),
    pdf("a table of references", produced("Acrobat", text, object_stream_mode=DISABLE), pages=1),
    pdf("two updates", incremental(produced("Aperçu", text, object_stream_mode=DISABLE)), pages=1),
    pdf("twenty updates",
        incremental(produced("Aperçu", object_stream_mode=DISABLE), revisions=20), pages=1),
    pdf("locked against printing, AES 256", partial(make_pdf, encryption=locked()), pages=1),
    pdf("locked, AES 128", partial(make_pdf, encryption=locked(R=4)), pages=1),
    pdf("locked, RC4 128",
        partial(make_pdf, encryption=locked(R=3, aes=False, metadata=False)), pages=1),
    pdf("locked, RC4 40",
        partial(make_pdf, encryption=locked(R=2, aes=False, metadata=False)), pages=1),
    pdf("A0", produced("AutoCAD", of_size(2384, 3370)), pages=1),
    pdf("a business card", produced("Canva", of_size(241, 156)), pages=1),
    pdf("117 pages", report, pages=117),
    pdf("117 pages, typst", partial(typeset, 117), pages=117),
    pdf("a blank line before", lambda: b"\r\n" + make_pdf(), pages=1),
    pdf("a byte order mark before", lambda: b"\xef\xbb\xbf" + make_pdf(), pages=1),
    pdf("blanks after", lambda: make_pdf() + b"\r\n\0\x1a\n" * 9, pages=1),
    pdf("thousands of blanks after", lambda: make_pdf() + b"\0" * 4096, pages=1),
    pdf("a comment after", lambda: make_pdf() + b"\r\n%signature:4411\r\n", pages=1),
]  # fmt: skip
